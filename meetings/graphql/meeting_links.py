"""Links to a page with answers filled in."""

from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.meeting_links import CreateMeetingLink, create_meeting_link
from meetings.application.ports.unit_of_work import LinkSpent
from meetings.domain.identifiers import PageId
from meetings.graphql.context import Info
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.scalars import URL


@strawberry.input(description="A value a field of the form starts with.")
class PrefillInput:
    """Visitors see it and can change it."""

    key: str = strawberry.field(description="`firstName`, `lastName`, `email`, `guests`, or the key of a form field.")
    values: list[str] = strawberry.field(description="The value; several only where the field takes several.")


@strawberry.input(description="A link to one of the account's pages.")
class MeetingLinkInput:
    """Everything but the page can be left out."""

    page_id: strawberry.ID = strawberry.field(description="Which page.")
    prefill: list[PrefillInput] = strawberry.field(
        default_factory=list,
        description="What the form starts with; it is kept here and not in the link. Each key once.",
    )
    duration_minutes: int | None = strawberry.field(
        default=None, description="The duration that is meant when none is named; one of the page's."
    )
    single_use: bool = strawberry.field(default=False, description="Whether only one meeting can be booked by it.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it stops working; never if left out."
    )


@strawberry.type(description="A new link.")
class MeetingLinkPayload:
    """Either a link or errors."""

    url: URL | None = strawberry.field(
        default=None, description="To be shared. Give it, or `token`, to whatever takes a `PageAddress`."
    )
    token: str | None = strawberry.field(default=None, description="For `linkToken` of a `PageAddress`.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was made.")


@strawberry.type(description="Mutations of links.")
class MeetingLinkMutations:
    """Part of the schema's mutations."""

    @mutation(
        MeetingLinkPayload,
        Access.SIGNED_IN,
        "Make a signed link to a page of the account, with answers filled in, if wished for one meeting only or for a "
        "time. A link that is used up or has ended leads nowhere.",
        Code.PAGE_NOT_FOUND,
        Code.VALIDATION,
        Code.FORM_FIELD_UNKNOWN,
        Code.DURATION_NOT_OFFERED,
    )
    async def create_meeting_link(
        self, info: Info, input: Annotated[MeetingLinkInput, strawberry.argument(description="The link.")]
    ) -> MeetingLinkPayload:
        operation = info.context
        caller, links = operation.signed_in(), operation.tools.links
        page_id = PageId(from_id(Kind.PAGE, input.page_id))
        wish = CreateMeetingLink(
            page_id=page_id,
            prefill={each.key: tuple(each.values) for each in input.prefill},
            duration_minutes=input.duration_minutes,
            single_use=input.single_use,
            expires_at=input.expires_at,
        )
        token = await create_meeting_link(
            wish, caller=caller, begin=operation.begin, clock=operation.tools.clock, tokens=links.tokens
        )
        loaders = operation.loaders(caller.account_id)
        page = await loaders.pages.load(page_id)
        url = links.with_query(await loaders.url_of(page, links), link=token) if page else None
        return MeetingLinkPayload(url=URL(url) if url else None, token=token)


@as_user_errors.register
def _(error: LinkSpent, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.TOKEN_INVALID, ("page", "linkToken")))]
