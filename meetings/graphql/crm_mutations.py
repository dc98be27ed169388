"""Putting contacts and meetings on record, and changing them there."""

import asyncio
import datetime
from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry

from meetings.application.carry_out import carry_out
from meetings.application.change_engagement import ChangeEngagement, change_engagement
from meetings.application.cleared import CLEARED, Cleared
from meetings.application.contacts import ContactText, ContactWish, change_contact, create_contact
from meetings.application.create_engagement import CreateEngagement, create_engagement
from meetings.application.ports.crm import RecordRefused
from meetings.application.reactions import LOG_ENGAGEMENT, SETTLE_ENGAGEMENT
from meetings.application.settle_now import carried_out_now
from meetings.domain.base import InvalidInput, Problem
from meetings.domain.engagement import MeetingEngagement as StoredEngagement
from meetings.domain.engagement import MeetingText
from meetings.domain.identifiers import EngagementId, UserId
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.crm import Contact, MeetingEngagement, of_engagement
from meetings.graphql.enums import MeetingOutcome, Rule
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, InputError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, OutsideKind, from_id, from_outside_id

T = TypeVar("T")


@strawberry.input(description="What is said of a contact. A field left out stays as it is.")
class ContactInput:
    """`null` clears a field of a contact that is changed, and says nothing of one that is created."""

    first_name: strawberry.Maybe[str | None] = strawberry.field(default=None, description="First name.")
    last_name: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Last name.")
    company: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Where they work.")
    owner_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="Who looks after them: a person of the account."
    )

    def wish(self) -> ContactWish:
        texts: dict[ContactText, str | None] = {}
        if self.first_name is not None:
            texts["first_name"] = self.first_name.value
        if self.last_name is not None:
            texts["last_name"] = self.last_name.value
        if self.company is not None:
            texts["company"] = self.company.value
        owner: UserId | Cleared | None = None
        if self.owner_id is not None:
            named = self.owner_id.value
            owner = CLEARED if named is None else UserId(from_id(Kind.USER, named))
        return ContactWish(texts, owner)


@strawberry.input(description="A meeting to be put on a contact's record.")
class MeetingEngagementInput:
    """The signed-in person holds it."""

    contact_id: strawberry.ID = strawberry.field(description="Whose record.")
    title: str = strawberry.field(description="What it is called: at most 250 characters.")
    start: datetime.datetime = strawberry.field(description="When it begins.")
    end: datetime.datetime = strawberry.field(description="When it ends: later, and within 31 days.")
    body: str | None = strawberry.field(default=None, description="What it is about.")
    location: str | None = strawberry.field(default=None, description="Where one meets.")
    outcome: MeetingOutcome = strawberry.field(
        default=MeetingOutcome.SCHEDULED, description="How it stands, for one that is entered afterwards."
    )
    attendees: list[str] = strawberry.field(
        default_factory=list,
        description="Addresses of whoever else is to come, at most 49. The meeting stands on the record of those who "
        "are contacts; nobody becomes one by it.",
    )
    send_invitation: bool = strawberry.field(
        default=True,
        description="Whether to invite contact and attendees by an event in the default calendar. That takes calendar "
        "sync (`viewer.settings.calendarSync`) and a connected calendar that can; where one is missing, nobody is "
        "invited.",
    )


@strawberry.input(description="A field left out is unchanged; `null` clears what can be empty.")
class MeetingEngagementChangesInput:
    """Whoever was invited is told by the calendar's provider."""

    contact_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="Another contact in place of the first one, whose record keeps it."
    )
    title: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What it is called.")
    start: strawberry.Maybe[datetime.datetime | None] = strawberry.field(
        default=None, description="When it begins; without `end` it stays as long."
    )
    end: strawberry.Maybe[datetime.datetime | None] = strawberry.field(default=None, description="When it ends.")
    body: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What it is about.")
    location: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Where one meets.")
    outcome: strawberry.Maybe[MeetingOutcome | None] = strawberry.field(
        default=None,
        description="What became of it. `CANCELLED` removes the event from the calendar, and whoever was invited is "
        "told; any other value puts it there again.",
    )
    attendees: strawberry.Maybe[list[str] | None] = strawberry.field(
        default=None, description="Addresses of whoever is to come besides the contact, instead of those there were."
    )

    def wish(self) -> ChangeEngagement:
        """Raise `InvalidInput` for a `null` where there has to be a value."""
        needed = {"contact_id": "contactId", "title": "title", "start": "start", "end": "end", "outcome": "outcome"}
        empty = [
            Problem((told,), Rule.REQUIRED)
            for name, told in needed.items()
            if getattr(self, name) is not None and getattr(self, name).value is None
        ]
        if empty:
            raise InvalidInput(empty)
        contact = _value(self.contact_id)
        return ChangeEngagement(
            contact=None if contact is None else from_outside_id(OutsideKind.CONTACT, contact),
            attendees=None if self.attendees is None else tuple(self.attendees.value or ()),
            title=_value(self.title),
            body=_value_or_cleared(self.body),
            location=_value_or_cleared(self.location),
            start=_value(self.start),
            end=_value(self.end),
            outcome=_value(self.outcome),
        )


@strawberry.type(description="What became of a contact.")
class ContactPayload:
    """Either a contact or errors."""

    contact: Contact | None = strawberry.field(default=None, description="The contact as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of a meeting on a record.")
class MeetingEngagementPayload:
    """Either a meeting or errors."""

    engagement: MeetingEngagement | None = strawberry.field(default=None, description="The meeting as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


_RECORD_CODES = (Code.VALIDATION, Code.NOT_FOUND, Code.PROVIDER_UNAVAILABLE)


@strawberry.type(description="Mutations of customer records.")
class CrmMutations:
    """Part of the schema's mutations."""

    @mutation(
        ContactPayload,
        Access.SIGNED_IN,
        "Put somebody on record. Whoever is there under this address already is completed, and keeps the owner they "
        "have.",
        *_RECORD_CODES,
        Code.EMAIL_INVALID,
    )
    async def create_contact(
        self,
        info: Info,
        email: Annotated[str, strawberry.argument(description="Their address.")],
        input: Annotated[ContactInput | None, strawberry.argument(description="What else is known.")] = None,
    ) -> ContactPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        wish = (input or ContactInput()).wish()
        contact = await create_contact(email, wish, caller=caller, look=tools.look, crm_of=tools.crm_of)
        return ContactPayload(contact=Contact.of(contact, caller.account_id))

    @mutation(
        ContactPayload,
        Access.SIGNED_IN,
        "Change what a contact's record says. The address stays: it is what they are known by.",
        *_RECORD_CODES,
    )
    async def update_contact(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which contact.")],
        input: Annotated[ContactInput, strawberry.argument(description="What to change.")],
    ) -> ContactPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        contact = await change_contact(
            from_outside_id(OutsideKind.CONTACT, id), input.wish(), caller=caller, look=tools.look, crm_of=tools.crm_of
        )
        return ContactPayload(contact=Contact.of(contact, caller.account_id))

    @mutation(
        MeetingEngagementPayload,
        Access.SIGNED_IN,
        "Put a meeting on a contact's record. With calendar sync on, the contact is invited by an event in the "
        "signed-in person's default calendar; without, and where the calendar's provider cannot invite, the meeting "
        "stands on the record alone. It is not checked against anybody's free time.",
        *_RECORD_CODES,
        Code.EMAIL_INVALID,
    )
    async def create_meeting_engagement(
        self,
        info: Info,
        input: Annotated[MeetingEngagementInput, strawberry.argument(description="The meeting.")],
    ) -> MeetingEngagementPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        wish = CreateEngagement(
            contact=from_outside_id(OutsideKind.CONTACT, input.contact_id),
            attendees=tuple(input.attendees),
            text=MeetingText(input.title, input.body, input.location),
            start=input.start,
            end=input.end,
            outcome=input.outcome,
            invite=input.send_invitation,
        )
        engagement = await create_engagement(
            wish, caller=caller, begin=operation.begin, crm_of=tools.crm_of, clock=tools.clock
        )
        return await _now(operation, engagement, lambda found: not _is_awaited(found))

    @mutation(
        MeetingEngagementPayload,
        Access.SIGNED_IN,
        "Change a meeting on a record, or say what became of it: whoever holds it, or an owner or admin. One that was "
        "found in a calendar takes another outcome and other attendees only; one that was booked is moved and "
        "cancelled as a booking.",
        *_RECORD_CODES,
        Code.EMAIL_INVALID,
        Code.CONCURRENT_CHANGE,
    )
    async def update_meeting_engagement(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which meeting.")],
        input: Annotated[MeetingEngagementChangesInput, strawberry.argument(description="What to change.")],
    ) -> MeetingEngagementPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        own, wish = EngagementId(from_id(Kind.ENGAGEMENT, id)), input.wish()
        await again_on_conflict(
            lambda: change_engagement(
                own,
                wish,
                caller=caller,
                begin=operation.begin,
                look=tools.look,
                crm_of=tools.crm_of,
                clock=tools.clock,
            )
        )
        return await _now(operation, own, lambda _: True)


async def _now(
    operation: Operation, engagement_id: EngagementId, settled: Callable[[StoredEngagement], bool]
) -> MeetingEngagementPayload:
    """The meeting, once record and calendar say it too or have taken too long to wait for."""
    tools = operation.tools
    account_id = operation.signed_in().account_id

    async def present() -> StoredEngagement:
        async with tools.look(account_id) as work:
            return await work.engagements.get(engagement_id)

    async def follow(reaction: str, settled: Callable[[StoredEngagement], bool]) -> StoredEngagement:
        return await carried_out_now(
            reaction,
            engagement_id,
            present,
            settled,
            seconds=tools.policy.settle_seconds,
            outbox=tools.outbox,
            carry_out=lambda intent: carry_out(intent, tools),
        )

    _, engagement = await asyncio.gather(follow(LOG_ENGAGEMENT, lambda _: True), follow(SETTLE_ENGAGEMENT, settled))
    operation.forget_loaded()
    return MeetingEngagementPayload(engagement=await of_engagement(operation, engagement))


def _is_awaited(engagement: StoredEngagement) -> bool:
    """Whether an invitation is still to be sent."""
    return engagement.invites and engagement.takes_place and engagement.settled_at is None


def _value(given: "strawberry.Maybe[T | None]") -> T | None:
    return None if given is None else given.value


def _value_or_cleared(given: "strawberry.Maybe[str | None]") -> str | Cleared | None:
    if given is None:
        return None
    return CLEARED if given.value is None else given.value


@as_user_errors.register
def _(error: RecordRefused, wording: Wording) -> list[UserError]:
    return [InputError(**wording.base(Code.VALIDATION, detail=Rule.MALFORMED.name), rule=Rule.MALFORMED)]
