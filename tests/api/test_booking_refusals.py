"""Every way in which booking, asking, moving, cancelling, accepting and holding is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from meetings.domain.booking_form import ConsentOption, FieldKind, FormField, GuestPolicy
from meetings.domain.period import Period
from tests.api.documents import (
    ACCEPT,
    BOOK,
    BOOKINGS,
    CANCEL,
    DECLINE,
    HOLD,
    MOVE,
    REQUEST,
    at,
    book,
    page,
    request,
    working_day,
)
from tests.api.refusals import Refusals, every_code_of
from tests.api.setting_up import connected, online
from tests.product import ApiClient, Product
from tests.world import HOST_EMAIL

RATES = "RATE_LIMITED"  # in test_rates.py
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
RULES = ("TOKEN_INVALID", "EMAIL_DOMAIN_BLOCKED", "CAPTCHA_FAILED")  # test_meeting_links.py, test_form_rules.py
FORM: dict[str, Any] = {
    "form_fields": (
        FormField("company", "Company", FieldKind.SHORT_TEXT, required=True),
        FormField("size", "Size", FieldKind.NUMBER),
    ),
    "consents": (ConsentOption("privacy", "I agree.", required=True),),
    "guests": GuestPolicy(True, 1),
}
FILLED_IN = {"answers": [{"key": "company", "values": ["Navy"]}], "consents": ["privacy"]}


async def _form_is_judged(refused: Any, visitor: ApiClient, document: str, wish: Any, start: str) -> None:
    """All problems of a form at once, each with its code and its path."""
    bad = wish(
        start,
        durationMinutes=17,
        invitee={"firstName": "", "lastName": " ", "email": "grace@"},
        answers=[{"key": "size", "values": ["big"]}, {"key": "nope", "values": ["x"]}],
        guests=["a@example.org", "b@example.org"],
    )
    errors = await refused.all(visitor, document, input=bad)
    assert {(error["code"], *error["path"]) for error in errors} == {
        ("VALIDATION", "input", "invitee", "firstName"),
        ("VALIDATION", "input", "invitee", "lastName"),
        ("EMAIL_INVALID", "input", "invitee", "email"),
        ("DURATION_NOT_OFFERED", "input", "durationMinutes"),
        ("FORM_FIELD_MISSING", "input", "answers", "company"),
        ("FORM_FIELD_UNKNOWN", "input", "answers", "nope"),
        ("VALIDATION", "input", "answers", "size"),
        ("GUESTS_NOT_ALLOWED", "input", "guests"),
        ("LEGAL_CONSENT_MISSING", "input", "consents", "privacy"),
    }
    assert {error["__typename"] for error in errors} == {"InputError"}
    long = "x" * 201
    await refused.one(
        visitor, document, "VALIDATION", ["input", "idempotencyKey"], input=wish(start, idempotencyKey=long)
    )
    await refused.one(
        visitor, document, "VALIDATION", ["input", "idempotencyKey"], input=wish(start, idempotencyKey=" ")
    )
    many = [{"key": "utm_source", "value": "x" * 501}] + [{"key": "k", "value": "v"}] * 20
    tags = await refused.all(visitor, document, input=wish(start, utm=many))
    assert {tuple(error["path"]) for error in tags} == {("input", "utm"), ("input", "utm", "0", "value")}


async def test_booking_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    async with every_code_of(served, "bookMeeting", elsewhere=[RATES, RACES, *RULES]) as refused:
        await refused.one(visitor, BOOK, "PAGE_NOT_FOUND", ["input", "page"], input=book(at("10:00")))
        await served.here.page(**FORM)
        wish = book(at("10:00"), **FILLED_IN)
        await refused.one(visitor, BOOK, "PAGE_OFFLINE", input=wish)
        await connected(served)
        await _form_is_judged(refused, visitor, BOOK, book, at("10:00"))

        served.here.google.fault("freebusy.query", status=503, times=None)
        unknown = await refused.one(visitor, BOOK, "PROVIDER_UNAVAILABLE", input=wish)
        assert (unknown["__typename"], unknown["retryAfter"]) == ("TemporaryError", "PT2S")
        served.here.google.clear_faults()

        for start, reason in (
            ("2020-01-01T10:00:00Z", "BOOKING_WINDOW"),
            (at("03:00"), "OUTSIDE_HOURS"),
            (at("09:07"), "NOT_ON_GRID"),
        ):
            error = await refused.one(
                visitor, BOOK, "SLOT_UNAVAILABLE", ["input", "start"], input=book(start, **FILLED_IN)
            )
            assert (error["__typename"], error["reason"]) == ("SlotUnavailableError", reason)
            assert len(error["alternatives"]) == 3

        booked = (await visitor.ask(BOOK, input=wish))["bookMeeting"]
        assert (booked["errors"], booked["booking"]["status"]) == ([], "CONFIRMED")
        again = (await visitor.ask(BOOK, input=wish))["bookMeeting"]
        assert again["booking"]["manageToken"] == booked["booking"]["manageToken"]
        taken = await refused.one(visitor, BOOK, "SLOT_TAKEN", ["input", "start"], input=book(at("10:00"), **FILLED_IN))
        assert taken["reason"] is None
        assert [slot["start"] for slot in taken["alternatives"]] == [at("09:00"), at("09:30"), at("10:30")]
        other = {**wish, "start": at("12:00")}
        await refused.one(visitor, BOOK, "IDEMPOTENCY_CONFLICT", ["input", "idempotencyKey"], input=other)

        calendar = served.here.google.add_calendar(HOST_EMAIL, "Team")
        await served.here.select_everything()
        served.here.google.lose_access(HOST_EMAIL, calendar)
        blocked = await refused.one(visitor, BOOK, "BOOKING_BLOCKED", input=book(at("13:00"), **FILLED_IN))
        assert "Team" not in str(blocked)


async def test_asking_for_a_meeting_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    # Without a calendar nothing is asked of a provider and nobody's time is known, so nothing is ever taken; both
    # codes stand for a page whose calendar comes and goes while the visitor types.
    elsewhere = [RATES, RACES, "PROVIDER_UNAVAILABLE", "SLOT_TAKEN", *RULES]
    async with every_code_of(served, "requestMeeting", elsewhere=elsewhere) as refused:
        await refused.one(visitor, REQUEST, "PAGE_NOT_FOUND", ["input", "page"], input=request(at("10:00")))
        await served.here.page(**FORM)
        await _form_is_judged(refused, visitor, REQUEST, request, at("10:00"))
        good = {**FILLED_IN, "message": "Please"}
        for starts in ([], [at("10:00")] * 2, [at("10:00"), at("11:00"), at("12:00"), at("13:00")]):
            wish = request(*starts, **good)
            await refused.one(visitor, REQUEST, "VALIDATION", ["input", "preferredStarts"], input=wish)
        error = await refused.one(
            visitor, REQUEST, "SLOT_UNAVAILABLE", ["input", "preferredStarts"], input=request(at("03:00"), **good)
        )
        assert error["reason"] == "OUTSIDE_HOURS"
        long = request(at("10:00"), **FILLED_IN, message="x" * 2_001)
        await refused.one(visitor, REQUEST, "VALIDATION", ["input", "message"], input=long)

        wish = request(at("10:00"), at("11:00"), **good)
        asked = (await visitor.ask(REQUEST, input=wish))["requestMeeting"]
        assert asked["errors"] == []
        assert (asked["booking"]["status"], asked["booking"]["isOffline"]) == ("REQUESTED", True)
        assert asked["booking"]["calendarEventId"] is None
        await refused.one(
            visitor,
            REQUEST,
            "IDEMPOTENCY_CONFLICT",
            ["input", "idempotencyKey"],
            input={**wish, "preferredStarts": [at("12:00")]},
        )
        await connected(served)
        await refused.one(visitor, REQUEST, "PAGE_ONLINE", input=request(at("12:00"), **good))
        off = "mutation { updateSettings(input: {schedulingPages: false}) { errors { code } } }"
        assert (await host.ask(off))["updateSettings"]["errors"] == []
        await refused.one(visitor, REQUEST, "BOOKING_BLOCKED", input=request(at("12:00"), **good))


async def test_holding_a_slot_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    def hold(start: str, **more: object) -> dict[str, object]:
        return {"page": page(), "start": start, **more}

    async with every_code_of(served, "holdSlot", elsewhere=["PROVIDER_UNAVAILABLE"]) as refused:
        await refused.one(visitor, HOLD, "PAGE_NOT_FOUND", ["input", "page"], input=hold(at("10:00")))
        await served.here.page()
        await refused.one(visitor, HOLD, "PAGE_OFFLINE", input=hold(at("10:00")))
        await connected(served)
        await refused.one(
            visitor,
            HOLD,
            "DURATION_NOT_OFFERED",
            ["input", "durationMinutes"],
            input=hold(at("10:00"), durationMinutes=17),
        )
        await refused.one(visitor, HOLD, "SLOT_UNAVAILABLE", ["input", "start"], input=hold(at("03:00")))
        held = (await visitor.ask(HOLD, input=hold(at("10:00"))))["holdSlot"]["hold"]
        assert held["slot"] == {"start": at("10:00"), "end": at("10:30")}
        async with served.visitor(**{"User-Agent": "another browser"}) as other:
            taken = await refused.one(other, HOLD, "SLOT_TAKEN", ["input", "start"], input=hold(at("10:00")))
            assert len(taken["alternatives"]) == 3
        await visitor.ask(HOLD, input=hold(at("11:00")))
        many = await refused.one(visitor, HOLD, "RATE_LIMITED", input=hold(at("12:00")))
        assert (many["__typename"], many["limit"], many["retryAfter"]) == ("LimitError", None, None)
        swapped = (await visitor.ask(HOLD, input=hold(at("12:00"), replaces=held["token"])))["holdSlot"]["hold"]
        assert swapped["token"] == held["token"]
        release = "mutation($token: String!) { releaseSlot(holdToken: $token) { hold { token } errors { code } } }"
        for token in (held["token"], held["token"], "nonsense"):
            assert (await visitor.ask(release, token=token))["releaseSlot"] == {"hold": None, "errors": []}
        off = "mutation { updateSettings(input: {schedulingPages: false}) { errors { code } } }"
        await host.ask(off)
        await refused.one(visitor, HOLD, "BOOKING_BLOCKED", input=hold(at("12:00")))


async def test_moving_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    # Every provider that can be connected can change bookings.
    elsewhere = [RATES, RACES, "CAPABILITY_UNSUPPORTED"]
    async with every_code_of(served, "rescheduleBooking", elsewhere=elsewhere) as refused:
        await online(served, cancellation_notice=Period(days=5))
        start = at("10:00")
        booked = (await visitor.ask(BOOK, input=book(start)))["bookMeeting"]["booking"]
        ref: dict[str, Any] = {"token": booked["manageToken"]}

        def to(clock: str, key: str = "k") -> dict[str, Any]:
            return {"booking": ref, "start": at(clock), "key": key}

        wrong = {**to("11:00"), "booking": {"token": "nonsense"}}
        await refused.one(visitor, MOVE, "TOKEN_INVALID", ["booking", "token"], **wrong)
        unknown = {**to("11:00"), "booking": {"id": "nonsense"}}
        await refused.one(host, MOVE, "NOT_FOUND", **unknown)
        await refused.one(visitor, MOVE, "VALIDATION", ["idempotencyKey"], **to("11:00", key=""))
        error = await refused.one(visitor, MOVE, "SLOT_UNAVAILABLE", ["start"], **to("03:00"))
        assert error["reason"] == "OUTSIDE_HOURS"
        await visitor.ask(BOOK, input=book(at("12:00")))
        assert (await refused.one(visitor, MOVE, "SLOT_TAKEN", ["start"], **to("12:00")))["alternatives"]
        served.here.google.fault("freebusy.query", status=503, times=None)
        await refused.one(visitor, MOVE, "PROVIDER_UNAVAILABLE", **to("11:00"))
        served.here.google.clear_faults()

        assert (await visitor.ask(MOVE, **to("11:00")))["rescheduleBooking"]["errors"] == []
        await refused.one(visitor, MOVE, "IDEMPOTENCY_CONFLICT", ["idempotencyKey"], **to("13:00"))
        update = (
            "mutation($id: ID!, $n: Duration) "
            "{ updateSchedulingPage(id: $id, input: {cancellationNotice: $n}) { errors { code } } }"
        )
        own_page = await _own_page(host)
        await host.ask(update, id=own_page, n="P60D")
        late = await refused.one(visitor, MOVE, "BOOKING_STATE_INVALID", **to("13:00", key="l"))
        assert (late["__typename"], late["status"]) == ("BookingStateError", None)
        assert datetime.fromisoformat(late["changeableUntil"]) < datetime.now(UTC)
        mine = (await host.ask(BOOKINGS))["viewer"]["bookings"]["nodes"]
        own = next(each["id"] for each in mine if each["start"] == at("11:00"))
        by_host = {**to("14:00", key="h"), "booking": {"id": own}}
        assert (await host.ask(MOVE, **by_host))["rescheduleBooking"]["errors"] == []

        off = "mutation($on: Boolean!) { updateSettings(input: {schedulingPages: $on}) { errors { code } } }"
        await host.ask(off, on=False)
        await refused.one(host, MOVE, "BOOKING_BLOCKED", **{**by_host, "start": at("15:00"), "key": "b"})
        await host.ask(off, on=True)
        await served.here.disconnect()
        await refused.one(host, MOVE, "PAGE_OFFLINE", **{**by_host, "start": at("15:00"), "key": "o"})
        archive = "mutation($id: ID!) { archiveSchedulingPage(id: $id) { errors { code } } }"
        assert (await host.ask(archive, id=own_page))["archiveSchedulingPage"]["errors"] == []
        await refused.one(host, MOVE, "PAGE_NOT_FOUND", **{**by_host, "start": at("15:00"), "key": "a"})
        cancelled = (await host.ask(CANCEL, booking={"id": own}))["cancelBooking"]
        assert (cancelled["errors"], cancelled["booking"]["status"]) == ([], "CANCELLED")
        over = await refused.one(host, MOVE, "BOOKING_STATE_INVALID", **{**by_host, "key": "c"})
        assert over["status"] == "CANCELLED"


async def test_cancelling_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    elsewhere = ["CAPABILITY_UNSUPPORTED", RACES]
    async with every_code_of(served, "cancelBooking", elsewhere=elsewhere) as refused:
        await served.here.page()
        asked = (await visitor.ask(REQUEST, input=request(at("10:00"))))["requestMeeting"]["booking"]
        ref = {"token": asked["manageToken"]}
        await refused.one(visitor, CANCEL, "TOKEN_INVALID", ["booking", "token"], booking={"token": "x" * 48})
        await refused.one(host, CANCEL, "NOT_FOUND", booking={"id": "nonsense"})
        await refused.one(visitor, CANCEL, "VALIDATION", ["reason"], booking=ref, reason="x" * 2_001)
        [mine] = await _own_bookings(host)
        declined = (await host.ask(DECLINE, id=mine, message="Sorry"))["declineMeetingRequest"]
        assert declined["booking"]["cancellation"] == {"by": "HOST", "reason": "Sorry"}
        assert (await refused.one(visitor, CANCEL, "BOOKING_STATE_INVALID", booking=ref))["status"] == "DECLINED"


async def test_a_colleagues_booking_reads_as_none(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    await served.here.page()
    await visitor.ask(REQUEST, input=request(at("10:00")))
    await served.here.add_colleague("Ben", "ben@example.com")
    [annas] = await _own_bookings(host)
    async with ApiClient(served.url) as ben:
        await ben.sign_in("ben@example.com")
        assert await _own_bookings(ben) == []
        refused = Refusals(served, "cancelBooking")
        await refused.one(ben, CANCEL, "NOT_FOUND", ["booking", "id"], booking={"id": annas})
        assert (await ben.ask("query($id: ID!) { node(id: $id) { id } }", id=annas))["node"] is None


async def test_accepting_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    async with every_code_of(served, "acceptMeetingRequest", elsewhere=[RACES]) as refused:
        pointer = await served.here.page()
        await visitor.ask(REQUEST, input=request(at("10:00"), at("11:00")))
        [mine] = await _own_bookings(host)
        await refused.one(host, ACCEPT, "NOT_FOUND", id="nonsense", start=at("10:00"))
        await refused.one(host, ACCEPT, "VALIDATION", ["start"], id=mine, start=at("12:00"))
        await refused.one(host, ACCEPT, "PAGE_OFFLINE", id=mine, start=at("10:00"))
        await connected(served)
        served.here.google.fault("freebusy.query", status=503, times=None)
        await refused.one(host, ACCEPT, "PROVIDER_UNAVAILABLE", id=mine, start=at("10:00"))
        served.here.google.clear_faults()
        ten = datetime.fromisoformat(at("10:00"))
        served.here.google.add_event(HOST_EMAIL, "Dentist", ten, ten + timedelta(minutes=30))
        await refused.one(host, ACCEPT, "SLOT_TAKEN", ["start"], id=mine, start=at("10:00"))
        update = (
            "mutation($id: ID!, $hours: AvailabilityRulesInput) "
            "{ updateSchedulingPage(id: $id, input: {availability: $hours}) { page { id } errors { code } } }"
        )
        own_page = await _own_page(host)
        late = {"timeZone": "Europe/Berlin", "weekly": [{"days": [_weekday()], "from": "15:00", "to": "24:00"}]}
        whole = {"timeZone": "Europe/Berlin", "weekly": [{"days": [_weekday()], "from": "09:00", "to": "17:00"}]}
        await host.ask(update, id=own_page, hours=late)
        error = await refused.one(host, ACCEPT, "SLOT_UNAVAILABLE", ["start"], id=mine, start=at("11:00"))
        assert error["reason"] == "OUTSIDE_HOURS"
        await host.ask(update, id=own_page, hours=whole)
        off = "mutation($on: Boolean!) { updateSettings(input: {schedulingPages: $on}) { errors { code } } }"
        await host.ask(off, on=False)
        await refused.one(host, ACCEPT, "BOOKING_BLOCKED", id=mine, start=at("11:00"))
        await host.ask(off, on=True)
        archive = (
            "mutation($id: ID!, $down: Boolean!) "
            "{ archiveSchedulingPage(id: $id, archived: $down) { errors { code } } }"
        )
        await host.ask(archive, id=own_page, down=True)
        await refused.one(host, ACCEPT, "PAGE_NOT_FOUND", id=mine, start=at("11:00"))
        await host.ask(archive, id=own_page, down=False)
        accepted = (await host.ask(ACCEPT, id=mine, start=at("11:00")))["acceptMeetingRequest"]
        assert (accepted["errors"], accepted["booking"]["status"]) == ([], "CONFIRMED")
        again = await refused.one(host, ACCEPT, "BOOKING_STATE_INVALID", id=mine, start=at("11:00"))
        assert again["status"] == "CONFIRMED"
        assert (await served.here.state(pointer)).page.archived_at is None


async def test_declining_is_refused(served: Product, host: ApiClient, visitor: ApiClient) -> None:
    async with every_code_of(served, "declineMeetingRequest", elsewhere=[RACES]) as refused:
        await served.here.page()
        asked = (await visitor.ask(REQUEST, input=request(at("10:00"))))["requestMeeting"]["booking"]
        [mine] = await _own_bookings(host)
        await refused.one(host, DECLINE, "NOT_FOUND", id="nonsense")
        await refused.one(host, DECLINE, "VALIDATION", ["message"], id=mine, message="x" * 2_001)
        await visitor.ask(CANCEL, booking={"token": asked["manageToken"]})
        assert (await refused.one(host, DECLINE, "BOOKING_STATE_INVALID", id=mine))["status"] == "CANCELLED"


def _weekday() -> str:
    return ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"][working_day().weekday()]


async def _own_bookings(client: ApiClient) -> list[str]:
    found = (await client.ask("{ viewer { bookings { nodes { id } } } }"))["viewer"]["bookings"]
    return [booking["id"] for booking in found["nodes"]]


async def _own_page(client: ApiClient) -> str:
    found = (await client.ask("{ viewer { schedulingPages { nodes { id } } } }"))["viewer"]["schedulingPages"]
    [page] = found["nodes"]
    return str(page["id"])
