"""Links to a page with answers filled in, for one recipient: signed, and if wished for one use or for a time.

What is filled in stands in the database and never in the address (the link's token names it).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin, MeetingLink
from meetings.application.prefill import from_address
from meetings.application.signed_tokens import SignedTokens
from meetings.domain.base import NotFound, Problem, ProblemCode, Rule, refuse
from meetings.domain.identifiers import AccountId, PageId
from meetings.domain.page_settings import PageSettings

MAX_ANSWERS = 60
_PURPOSE = "meeting link"
_SIZE = 32


@dataclass(frozen=True, slots=True)
class CreateMeetingLink:
    """The wish for a link. `prefill` holds values by the form's keys, `firstName`, `lastName`, `email`, `guests`."""

    page_id: PageId
    prefill: Mapping[str, Sequence[str]] = field(default_factory=dict)
    duration_minutes: int | None = None
    single_use: bool = False
    expires_at: datetime | None = None


async def create_meeting_link(
    wish: CreateMeetingLink, *, caller: Caller, begin: Begin, clock: Clock, tokens: SignedTokens
) -> str:
    """A new link to any page of the account (A-SP16); gives its token.

    Raises:
        NotFound: no such page that is up.
        InvalidInput: a value the form does not take, a duration the page does not offer, an end that has passed.
    """
    now = clock()
    async with begin(caller.account_id) as work:
        page = await work.pages.get(wish.page_id)
        if page.archived_at is not None:
            raise NotFound("page", ("pageId",))
        page.offered_duration(wish.duration_minutes)
        over = wish.expires_at is not None and wish.expires_at <= now
        refuse(*_problems(wish, page.settings), Problem(("expiresAt",), Rule.END_BEFORE_START) if over else None)
        link = MeetingLink(
            id=uuid4(),
            page_id=page.id,
            prefill={key: tuple(values) for key, values in wish.prefill.items()},
            duration_minutes=wish.duration_minutes,
            single_use=wish.single_use,
            expires_at=wish.expires_at,
        )
        await work.links.add(link, created_by=caller.user_id, now=now)
        await work.commit()
    return link_token(link, caller.account_id, tokens)


def link_token(link: MeetingLink, account_id: AccountId, tokens: SignedTokens) -> str:
    """What stands in the address for a link."""
    return tokens.sign(_PURPOSE, account_id.bytes + link.id.bytes)


async def link_at(token: str, *, look: Begin, tokens: SignedTokens) -> tuple[AccountId, MeetingLink] | None:
    """The link a text stands for, whether it can still be used or not; None for any other text."""
    payload = tokens.payload_of(_PURPOSE, token, size=_SIZE)
    if payload is None:
        return None
    account_id = AccountId(UUID(bytes=payload[:16]))
    async with look(account_id) as work:
        link = await work.links.find(UUID(bytes=payload[16:]))
    return (account_id, link) if link else None


def _problems(wish: CreateMeetingLink, settings: PageSettings) -> list[Problem]:
    """Every value that the form would not start with."""
    if len(wish.prefill) > MAX_ANSWERS:
        return [Problem(("prefill",), Rule.TOO_MANY, values={"most": MAX_ANSWERS})]
    pairs = [(key, value) for key, values in wish.prefill.items() for value in values]
    taken = {value.key: value.values for value in from_address(pairs, settings)}
    known = {"firstName", "lastName", "email", "guests", *(entry.key for entry in settings.form_fields)}
    return [
        Problem(("prefill", key), Rule.MALFORMED)
        if key in known
        else Problem(("prefill", key), Rule.UNKNOWN, ProblemCode.FORM_FIELD_UNKNOWN)
        for key, values in wish.prefill.items()
        if key not in known or len(taken.get(key, ())) != len(values)
    ]
