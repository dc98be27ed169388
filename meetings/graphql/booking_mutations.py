"""Holding, booking, asking for, moving and cancelling meetings."""

import datetime
from collections.abc import Sequence
from typing import Annotated

import strawberry

from meetings.application.answer_request import accept_request, decline_request
from meetings.application.book_meeting import BookMeeting, book_meeting
from meetings.application.carry_out import carry_out
from meetings.application.change_booking import (
    ByHost,
    ByInvitee,
    Mover,
    RescheduleBooking,
    cancel_booking,
    reschedule_booking,
)
from meetings.application.hold_slot import HeldSlot, HoldSlot, hold_slot, release_slot
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import HoldLimitReached
from meetings.application.request_meeting import RequestMeeting, request_meeting
from meetings.application.settle_now import settle_now
from meetings.domain import booking as domain
from meetings.domain.base import NotFound, Problem, refuse
from meetings.domain.booking import BookingClosed, BookingSource, BookingStateInvalid, NotProposed, UtmTag
from meetings.domain.identifiers import AccountId, BookingId
from meetings.domain.scheduling_page import (
    BookingBlocked,
    BookingForm,
    CalendarUnverified,
    PageOffline,
    PageOnline,
    SlotTaken,
    SlotUnavailable,
)
from meetings.graphql.bookings import Booking, ManagedBooking
from meetings.graphql.captcha import check_captcha
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import BookingChannel, Rule
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    TRY_AGAIN_AFTER,
    Access,
    BookingStateError,
    InputError,
    LimitError,
    RefusedError,
    SlotUnavailableError,
    TemporaryError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.page_address import PageAddress, page_or_refusal
from meetings.graphql.prefill import remember
from meetings.graphql.scalars import Locale, TimeZone
from meetings.graphql.slots import Slot

_MAX_UTM = 20
_MAX_UTM_KEY = 50
_MAX_UTM_VALUE = 500
_UTM = "What the link said, at most 20; what is no `utm_*` is dropped."


@strawberry.input(one_of=True, description="A host names a booking by its id, an invitee by the manage link's token.")
class BookingRef:
    """Exactly one of the two."""

    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="The id of a booking of the signed-in person's.")
    token: strawberry.Maybe[str] = strawberry.field(description="The token of the manage link.")


@strawberry.input(description="Who books.")
class InviteeInput:
    """As typed."""

    first_name: str = strawberry.field(description="First name, at most 100 characters.")
    last_name: str = strawberry.field(description="Last name, at most 100 characters.")
    email: str = strawberry.field(description="Where they get mail.")


@strawberry.input(description="An answer to a question of the form.")
class AnswerInput:
    """As typed."""

    key: str = strawberry.field(description="The question's key.")
    values: list[str] = strawberry.field(description="The answer; several only where several can be chosen.")


@strawberry.input(description="A `utm_*` value of the link the visitor followed.")
class UtmTagInput:
    """Kept as it comes."""

    key: str = strawberry.field(description="Such as `utm_source`, at most 50 characters.")
    value: str = strawberry.field(description="At most 500 characters.")


@strawberry.input(description="The wish to keep a slot while the form is filled in.")
class HoldSlotInput:
    """For five minutes."""

    page: PageAddress = strawberry.field(description="On which page.")
    start: datetime.datetime = strawberry.field(description="When the slot begins.")
    duration_minutes: int | None = strawberry.field(
        default=None, description="How long to meet; left out, the page's default."
    )
    replaces: str | None = strawberry.field(
        default=None, description="Token of the hold to renew or to swap; it goes on as the token of the new one."
    )


@strawberry.input(description="The wish for a slot.")
class BookMeetingInput:
    """All that is wrong with it comes back at once."""

    page: PageAddress = strawberry.field(description="On which page.")
    start: datetime.datetime = strawberry.field(description="When the slot begins.")
    duration_minutes: int | None = strawberry.field(
        default=None, description="How long to meet; left out, the page's default."
    )
    time_zone: TimeZone = strawberry.field(description="The visitor's zone; mails and the event show it.")
    locale: Locale | None = strawberry.field(default=None, description="The visitor's language; else the page's.")
    invitee: InviteeInput = strawberry.field(description="Who books.")
    answers: list[AnswerInput] = strawberry.field(default_factory=list, description="Answers to the form's questions.")
    guests: list[str] = strawberry.field(default_factory=list, description="E-mail addresses of people they bring.")
    consents: list[str] = strawberry.field(default_factory=list, description="Keys of what they agree to.")
    hold_token: str | None = strawberry.field(default=None, description="Their hold on this slot, if they have one.")
    channel: BookingChannel = strawberry.field(default=BookingChannel.PAGE, description="Where they came from.")
    utm: list[UtmTagInput] = strawberry.field(default_factory=list, description=_UTM)
    captcha_token: str | None = strawberry.field(
        default=None, description="Shows that a captcha was solved, where the page's `captchaSiteKey` is set."
    )
    idempotency_key: str = strawberry.field(
        description="A fresh UUID per submitted form; sent again with the same input, the first result comes again. "
        "Kept 72 hours."
    )


@strawberry.input(description="The wish for one of up to three times, on a page without a calendar.")
class RequestMeetingInput:
    """The same rules of input as for booking."""

    page: PageAddress = strawberry.field(description="On which page.")
    preferred_starts: list[datetime.datetime] = strawberry.field(
        description="One to three different times the page offers, the preferred one first."
    )
    duration_minutes: int | None = strawberry.field(
        default=None, description="How long to meet; left out, the page's default."
    )
    time_zone: TimeZone = strawberry.field(description="The visitor's zone; mails show it.")
    locale: Locale | None = strawberry.field(default=None, description="The visitor's language; else the page's.")
    invitee: InviteeInput = strawberry.field(description="Who asks.")
    answers: list[AnswerInput] = strawberry.field(default_factory=list, description="Answers to the form's questions.")
    guests: list[str] = strawberry.field(default_factory=list, description="E-mail addresses of people they bring.")
    consents: list[str] = strawberry.field(default_factory=list, description="Keys of what they agree to.")
    message: str | None = strawberry.field(default=None, description="Words to the host, at most 2,000 characters.")
    channel: BookingChannel = strawberry.field(default=BookingChannel.PAGE, description="Where they came from.")
    utm: list[UtmTagInput] = strawberry.field(default_factory=list, description=_UTM)
    captcha_token: str | None = strawberry.field(
        default=None, description="Shows that a captcha was solved, where the page's `captchaSiteKey` is set."
    )
    idempotency_key: str = strawberry.field(
        description="A fresh UUID per submitted form; sent again with the same input, the first result comes again. "
        "Kept 72 hours."
    )


def _form(input: BookMeetingInput | RequestMeetingInput) -> BookingForm:
    """What the visitor sent.

    Raises:
        InvalidInput: the utm tags; all else is the page's to judge.
    """
    refuse(*_utm_problems(input.utm))
    answers: dict[str, tuple[str, ...]] = {}
    for answer in input.answers:
        answers[answer.key] = (*answers.get(answer.key, ()), *answer.values)
    return BookingForm(
        first_name=input.invitee.first_name,
        last_name=input.invitee.last_name,
        email=input.invitee.email,
        time_zone=input.time_zone,
        duration_minutes=input.duration_minutes,
        locale=input.locale,
        answers=answers,
        guests=tuple(guest.strip() for guest in input.guests),
        consents=tuple(input.consents),
        message=input.message if isinstance(input, RequestMeetingInput) else None,
        source=BookingSource(input.channel, tuple(UtmTag(tag.key, tag.value) for tag in input.utm if _is_utm(tag))),
    )


def _is_utm(tag: UtmTagInput) -> bool:
    """Whatever else a link carries may be about the person and is not kept (B-CR2)."""
    return tag.key.startswith("utm_")


def _utm_problems(tags: Sequence[UtmTagInput]) -> list[Problem | None]:
    problems: list[Problem | None] = []
    if len(tags) > _MAX_UTM:
        problems.append(Problem(("utm",), Rule.TOO_MANY, values={"most": _MAX_UTM}))
    for index, tag in enumerate(tags):
        for name, value, most in (("key", tag.key, _MAX_UTM_KEY), ("value", tag.value, _MAX_UTM_VALUE)):
            if len(value) > most:
                problems.append(Problem(("utm", str(index), name), Rule.TOO_LONG, values={"most": most}))
    return problems


@strawberry.type(description="A slot that is kept for a visitor.")
class SlotHold:
    """Hides the slot from others; never beats a booking."""

    token: str = strawberry.field(description="Proves that it is theirs; for `bookMeeting`, `replaces`, `releaseSlot`.")
    slot: Slot = strawberry.field(description="Which slot.")
    expires_at: datetime.datetime = strawberry.field(description="Until when.")

    @classmethod
    def of(cls, held: HeldSlot) -> "SlotHold":
        return cls(token=held.token, slot=Slot.of(held.slot), expires_at=held.expires_at)


@strawberry.type(description="What became of a hold.")
class HoldSlotPayload:
    """Either a hold or errors; neither after a release."""

    hold: SlotHold | None = strawberry.field(default=None, description="The hold; null when it was let go.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing is held.")


@strawberry.type(description="What became of an invitee's booking.")
class BookMeetingPayload:
    """Either a booking or errors."""

    booking: ManagedBooking | None = strawberry.field(default=None, description="The booking as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of a host's booking.")
class BookingPayload:
    """Either a booking or errors."""

    booking: Booking | None = strawberry.field(default=None, description="The booking as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


_FORM_CODES = (
    Code.VALIDATION,
    Code.EMAIL_INVALID,
    Code.DURATION_NOT_OFFERED,
    Code.FORM_FIELD_MISSING,
    Code.FORM_FIELD_UNKNOWN,
    Code.GUESTS_NOT_ALLOWED,
    Code.EMAIL_DOMAIN_BLOCKED,
    Code.LEGAL_CONSENT_MISSING,
    Code.CAPTCHA_FAILED,
)
_SLOT_CODES = (Code.SLOT_TAKEN, Code.SLOT_UNAVAILABLE, Code.PROVIDER_UNAVAILABLE)

BookingIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Which booking.")]
BookingRefArgument = Annotated[BookingRef, strawberry.argument(description="Which booking.")]


@strawberry.type(description="Mutations of bookings.")
class BookingMutations:
    """Part of the schema's mutations."""

    @mutation(
        HoldSlotPayload,
        Access.PUBLIC,
        "Keep a slot for five minutes while the visitor fills in the form. Losing it loses nothing else: booking "
        "works without. Limited per visitor, address and page.",
        Code.PAGE_NOT_FOUND,
        Code.DURATION_NOT_OFFERED,
        Code.PAGE_OFFLINE,
        Code.BOOKING_BLOCKED,
        *_SLOT_CODES,
        Code.RATE_LIMITED,
    )
    async def hold_slot(
        self, info: Info, input: Annotated[HoldSlotInput, strawberry.argument(description="Which slot.")]
    ) -> HoldSlotPayload:
        operation = info.context
        await operation.count_by_address(operation.options.rates.hold, "hold")
        wish = HoldSlot(
            page=await page_or_refusal(operation, input.page),
            start=input.start,
            duration_minutes=input.duration_minutes,
            visitor=operation.connection.visitor,
            address=operation.connection.address_hash,
            replaces=input.replaces,
        )
        tools = operation.tools
        held = await hold_slot(wish, begin=operation.begin, clock=tools.clock, policy=tools.policy)
        return HoldSlotPayload(hold=SlotHold.of(held))

    @mutation(
        HoldSlotPayload,
        Access.PUBLIC,
        "Let a hold go. One that has ended, or never was, is success.",
    )
    async def release_slot(
        self, info: Info, hold_token: Annotated[str, strawberry.argument(description="The hold's token.")]
    ) -> HoldSlotPayload:
        await release_slot(hold_token, begin=info.context.begin)
        return HoldSlotPayload()

    @mutation(
        BookMeetingPayload,
        Access.PUBLIC,
        "Book a slot of an `ONLINE` page. The hosts' calendars are asked once more. Normally answers `CONFIRMED`; "
        "`PENDING` when the calendar is slow: the slot is theirs, the rest follows by itself. Limited per address, and "
        "per invitee and page.",
        *_FORM_CODES,
        Code.PAGE_NOT_FOUND,
        Code.TOKEN_INVALID,
        Code.PAGE_OFFLINE,
        Code.BOOKING_BLOCKED,
        *_SLOT_CODES,
        Code.IDEMPOTENCY_CONFLICT,
        Code.CONCURRENT_CHANGE,
        Code.RATE_LIMITED,
    )
    async def book_meeting(
        self, info: Info, input: Annotated[BookMeetingInput, strawberry.argument(description="The wish.")]
    ) -> BookMeetingPayload:
        operation = info.context
        page = await _counted_page(operation, input)
        await check_captcha(operation, page, input.captcha_token, input.idempotency_key)
        tools = operation.tools
        wish = BookMeeting(
            page=page,
            start=input.start,
            form=_form(input),
            idempotency_key=input.idempotency_key,
            scope=_scope(operation, page),
            hold_token=input.hold_token,
        )
        booking_id = await again_on_conflict(
            lambda: book_meeting(
                wish,
                begin=operation.begin,
                look=tools.look,
                calendars_of=tools.calendars_of,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        await remember(operation, page, booking_id)
        return await _managed(operation, page.account_id, booking_id)

    @mutation(
        BookMeetingPayload,
        Access.PUBLIC,
        "Propose up to three times on an `OFFLINE` page. Nothing is held and no calendar is written: the booking is "
        "`REQUESTED` until a host accepts or declines. Limited as `bookMeeting`.",
        *_FORM_CODES,
        Code.PAGE_NOT_FOUND,
        Code.TOKEN_INVALID,
        Code.PAGE_ONLINE,
        Code.BOOKING_BLOCKED,
        *_SLOT_CODES,
        Code.IDEMPOTENCY_CONFLICT,
        Code.CONCURRENT_CHANGE,
        Code.RATE_LIMITED,
        paths={"start": ("preferredStarts",)},
    )
    async def request_meeting(
        self, info: Info, input: Annotated[RequestMeetingInput, strawberry.argument(description="The wish.")]
    ) -> BookMeetingPayload:
        operation = info.context
        page = await _counted_page(operation, input)
        await check_captcha(operation, page, input.captcha_token, input.idempotency_key)
        tools = operation.tools
        wish = RequestMeeting(
            page=page,
            starts=input.preferred_starts,
            form=_form(input),
            idempotency_key=input.idempotency_key,
            scope=_scope(operation, page),
        )
        booking_id = await again_on_conflict(
            lambda: request_meeting(
                wish, begin=operation.begin, look=tools.look, clock=tools.clock, policy=tools.policy
            )
        )
        await remember(operation, page, booking_id)
        return await _managed(operation, page.account_id, booking_id)

    @mutation(
        BookingPayload,
        Access.SIGNED_IN,
        "Accept one of the times a visitor proposed: a host of the booking, or an owner or admin. The calendar is "
        "asked, then written.",
        Code.NOT_FOUND,
        Code.PAGE_NOT_FOUND,
        Code.BOOKING_STATE_INVALID,
        Code.VALIDATION,
        Code.PAGE_OFFLINE,
        Code.BOOKING_BLOCKED,
        *_SLOT_CODES,
        Code.CONCURRENT_CHANGE,
    )
    async def accept_meeting_request(
        self,
        info: Info,
        booking_id: BookingIdArgument,
        start: Annotated[datetime.datetime, strawberry.argument(description="Which of the proposed times.")],
    ) -> BookingPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        own = BookingId(from_id(Kind.BOOKING, booking_id))
        await again_on_conflict(
            lambda: accept_request(
                caller,
                own,
                start,
                begin=operation.begin,
                look=tools.look,
                calendars_of=tools.calendars_of,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        return BookingPayload(booking=Booking.of(await _settled(operation, caller.account_id, own)))

    @mutation(
        BookingPayload,
        Access.SIGNED_IN,
        "Decline a request; the visitor is told. For the same people as accepting. Declining twice succeeds.",
        Code.NOT_FOUND,
        Code.BOOKING_STATE_INVALID,
        Code.VALIDATION,
        Code.CONCURRENT_CHANGE,
    )
    async def decline_meeting_request(
        self,
        info: Info,
        booking_id: BookingIdArgument,
        message: Annotated[
            str | None, strawberry.argument(description="Words to the visitor, at most 2,000 characters.")
        ] = None,
    ) -> BookingPayload:
        operation = info.context
        caller = operation.signed_in()
        own = BookingId(from_id(Kind.BOOKING, booking_id))
        await again_on_conflict(
            lambda: decline_request(caller, own, message, begin=operation.begin, clock=operation.tools.clock)
        )
        operation.forget_loaded()
        booking = await operation.loaders(caller.account_id).bookings.load(own)
        return BookingPayload(booking=Booking.of(booking) if booking else None)

    @mutation(
        BookMeetingPayload,
        Access.PUBLIC,
        "Move a meeting: its invitee by the manage link's token, within the page's cancellation notice; or a host, "
        "signed in, by its id. The same booking and the same event get another time. Limited as `bookMeeting`.",
        Code.NOT_FOUND,
        Code.TOKEN_INVALID,
        Code.PAGE_NOT_FOUND,
        Code.BOOKING_STATE_INVALID,
        Code.CAPABILITY_UNSUPPORTED,
        Code.PAGE_OFFLINE,
        Code.BOOKING_BLOCKED,
        *_SLOT_CODES,
        Code.IDEMPOTENCY_CONFLICT,
        Code.CONCURRENT_CHANGE,
        Code.VALIDATION,
        Code.RATE_LIMITED,
        paths={"bookingId": ("booking", "id")},
    )
    async def reschedule_booking(
        self,
        info: Info,
        booking: BookingRefArgument,
        start: Annotated[datetime.datetime, strawberry.argument(description="When it begins from now on.")],
        idempotency_key: Annotated[
            str, strawberry.argument(description="A fresh UUID per submitted form, as in `bookMeeting`.")
        ],
    ) -> BookMeetingPayload:
        operation = info.context
        tools = operation.tools
        await operation.count_by_address(operation.options.rates.booking, "booking")
        account_id, booking_id, by = await _named(operation, booking)
        wish = RescheduleBooking(account_id, booking_id, start, by, idempotency_key)
        await again_on_conflict(
            lambda: reschedule_booking(
                wish,
                begin=operation.begin,
                look=tools.look,
                calendars_of=tools.calendars_of,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        return await _managed(operation, account_id, booking_id)

    @mutation(
        BookMeetingPayload,
        Access.PUBLIC,
        "Call a meeting off, or withdraw a request: its invitee by the manage link's token, or a host, signed in, by "
        "its id. The event is removed by itself. Cancelling twice succeeds.",
        Code.NOT_FOUND,
        Code.TOKEN_INVALID,
        Code.BOOKING_STATE_INVALID,
        Code.CAPABILITY_UNSUPPORTED,
        Code.VALIDATION,
        Code.CONCURRENT_CHANGE,
        paths={"bookingId": ("booking", "id")},
    )
    async def cancel_booking(
        self,
        info: Info,
        booking: BookingRefArgument,
        reason: Annotated[
            str | None, strawberry.argument(description="Words to the other side, at most 2,000 characters.")
        ] = None,
    ) -> BookMeetingPayload:
        operation = info.context
        account_id, booking_id, by = await _named(operation, booking)
        await again_on_conflict(
            lambda: cancel_booking(
                account_id, booking_id, reason, by=by, begin=operation.begin, clock=operation.tools.clock
            )
        )
        return await _managed(operation, account_id, booking_id)


async def _counted_page(operation: Operation, input: BookMeetingInput | RequestMeetingInput) -> PagePointer:
    """The page, after counting this try against the limits (AB-1)."""
    rates = operation.options.rates
    await operation.count_by_address(rates.booking, "booking")
    page = await page_or_refusal(operation, input.page, spent=True)
    invitee = input.invitee.email.strip().casefold()[:254]
    await operation.count(rates.booking_per_invitee, "bookingOf", invitee, str(page.page_id))
    return page


def _scope(operation: Operation, page: PagePointer) -> str:
    """Whose idempotency keys these are: a visitor's belong to the page, where a random key is nobody else's."""
    return f"user:{operation.caller.user_id}" if operation.caller else f"page:{page.page_id}"


async def _named(operation: Operation, booking: BookingRef) -> tuple[AccountId, BookingId, Mover]:
    """Which booking is meant, and as who it is changed.

    Raises:
        NotFound: the token is none.
        GraphQLError: UNAUTHENTICATED, for an id without being signed in.
    """
    if booking.id is not None:
        caller = operation.signed_in()
        return caller.account_id, BookingId(from_id(Kind.BOOKING, booking.id.value)), ByHost(caller)
    token = booking.token.value if booking.token is not None else ""
    booking_id = operation.tools.links.booking_of(token)
    account_id = await operation.tools.reads.account_of_booking(booking_id) if booking_id else None
    if booking_id is None or account_id is None:
        raise NotFound("booking", ("booking", "token"))
    return account_id, booking_id, ByInvitee()


async def _managed(operation: Operation, account_id: AccountId, booking_id: BookingId) -> BookMeetingPayload:
    booking = await _settled(operation, account_id, booking_id)
    return BookMeetingPayload(booking=ManagedBooking.of(booking, operation))


async def _settled(operation: Operation, account_id: AccountId, booking_id: BookingId) -> domain.Booking:
    """The booking, once its calendar write is done or has taken too long to wait for."""
    tools = operation.tools
    booking = await settle_now(
        account_id,
        booking_id,
        seconds=tools.policy.settle_seconds,
        look=tools.look,
        outbox=tools.outbox,
        carry_out=lambda intent: carry_out(intent, tools),
    )
    operation.forget_loaded()
    return booking


@as_user_errors.register
def _(error: SlotTaken, wording: Wording) -> list[UserError]:
    alternatives = [Slot.of(slot) for slot in error.alternatives]
    base = wording.base(Code.SLOT_TAKEN, ("start",))
    return [SlotUnavailableError(**base, reason=None, alternatives=alternatives)]


@as_user_errors.register
def _(error: SlotUnavailable, wording: Wording) -> list[UserError]:
    alternatives = [Slot.of(slot) for slot in error.alternatives]
    base = wording.base(Code.SLOT_UNAVAILABLE, ("start",))
    return [SlotUnavailableError(**base, reason=error.reason, alternatives=alternatives)]


@as_user_errors.register
def _(error: PageOffline, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.PAGE_OFFLINE))]


@as_user_errors.register
def _(error: PageOnline, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.PAGE_ONLINE))]


@as_user_errors.register
def _(error: BookingBlocked, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.BOOKING_BLOCKED))]


@as_user_errors.register
def _(error: CalendarUnverified, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(Code.PROVIDER_UNAVAILABLE), retry_after=TRY_AGAIN_AFTER)]


@as_user_errors.register
def _(error: HoldLimitReached, wording: Wording) -> list[UserError]:
    return [LimitError(**wording.base(Code.RATE_LIMITED, detail="HOLD"), limit=None, retry_after=None)]


@as_user_errors.register
def _(error: BookingStateInvalid, wording: Wording) -> list[UserError]:
    base = wording.base(Code.BOOKING_STATE_INVALID)
    return [BookingStateError(**base, status=error.state, changeable_until=None)]


@as_user_errors.register
def _(error: BookingClosed, wording: Wording) -> list[UserError]:
    base = wording.base(Code.BOOKING_STATE_INVALID, detail="CLOSED")
    return [BookingStateError(**base, status=None, changeable_until=error.until)]


@as_user_errors.register
def _(error: NotProposed, wording: Wording) -> list[UserError]:
    return [InputError(**wording.base(Code.VALIDATION, ("start",), detail="NOT_ONE_OF"), rule=Rule.NOT_ONE_OF)]
