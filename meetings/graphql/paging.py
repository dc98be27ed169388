"""Lists that grow come in pages: forward only, by keyset cursors."""

import strawberry

from meetings.graphql.scalars import refused

MAX_PAGE = 100
DEFAULT_PAGE = 20

FIRST = "How many at most: 1 to 100."
AFTER = "The cursor of the last one seen; left out, from the beginning."


@strawberry.type(description="Where a page of a list stands.")
class PageInfo:
    """As in the Relay cursor connections specification, forward only."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether this is not the beginning.")
    start_cursor: str | None = strawberry.field(description="The first one's cursor; null for an empty page.")
    end_cursor: str | None = strawberry.field(description="The last one's cursor, for `after`; null for an empty page.")


def check_first(first: int) -> int:
    """Raise a BAD_USER_INPUT unless `first` is a possible size of a page."""
    if not 1 <= first <= MAX_PAGE:
        raise refused(f"`first` is 1 to {MAX_PAGE}.")
    return first


def page_info(cursors: list[str], *, has_next: bool, after: str | None) -> PageInfo:
    """Of a page with these cursors that was asked for `after` one."""
    return PageInfo(
        has_next_page=has_next,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
