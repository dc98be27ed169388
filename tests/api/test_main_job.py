"""From signing in to the event in the calendar, the way a front end goes."""

import asyncio
from urllib.parse import parse_qs, urlsplit

from tests.api.documents import (
    AVAILABILITY,
    BOOK,
    CANCEL,
    CONNECTIONS,
    CREATE_PAGE,
    ERRORS,
    MOVE,
    SLUG,
    at,
    book,
    window,
    working_day,
)
from tests.product import ApiClient, Product, until

DAY = working_day().date().isoformat()


async def _connect(served: Product, host: ApiClient) -> None:
    disclosure = (await host.ask("{ viewer { calendarDisclosure(provider: GOOGLE) { version notes } } }"))["viewer"]
    started = await host.ask(
        "mutation($input: StartCalendarConnectionInput!) "
        f"{{ startCalendarConnection(input: $input) {{ authorizationUrl expiresAt {ERRORS} }} }}",
        input={
            "provider": "GOOGLE",
            "acceptedDisclosure": disclosure["calendarDisclosure"]["version"],
            "returnTo": f"{served.url}/dashboard",
        },
    )
    assert started["startCalendarConnection"]["errors"] == []
    address = started["startCalendarConnection"]["authorizationUrl"]
    back = await asyncio.to_thread(served.google.auto_consent, "anna@example.com", address)
    answer = await host.http.get(back)
    assert answer.status_code in (302, 303), answer.text
    assert urlsplit(answer.headers["location"]).path == "/dashboard"
    assert "error" not in parse_qs(urlsplit(answer.headers["location"]).query)

    async def active() -> bool:
        connections = (await host.ask(CONNECTIONS))["viewer"]["calendarConnections"]
        return [connection["status"] for connection in connections] == ["ACTIVE"]

    await until("reading the calendar", active)


async def test_a_host_connects_publishes_and_a_visitor_books_moves_and_cancels(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    await _connect(served, host)
    created = await host.ask(
        CREATE_PAGE, input={"internalName": "Intro", "slug": SLUG, "durationsMinutes": [30], "locationKind": "VIDEO"}
    )
    assert created["createSchedulingPage"]["errors"] == []
    assert created["createSchedulingPage"]["page"]["mode"] == "ONLINE"

    found = (await visitor.ask(AVAILABILITY, input=window(DAY)))["availability"]
    assert found["mode"] == "ONLINE"
    assert found["days"][0]["slots"][0] == {"start": at("09:00"), "end": at("09:30")}

    booked = (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]
    assert booked["errors"] == []
    booking = booked["booking"]
    assert (booking["status"], booking["start"], booking["isOffline"]) == ("CONFIRMED", at("10:00"), False)
    assert booking["joinUrl"]
    [event] = served.here.events("Grace")
    assert event["id"] == booking["calendarEventId"]

    ref = {"token": booking["manageToken"]}
    moved = (await visitor.ask(MOVE, booking=ref, start=at("11:00"), key="move-1"))["rescheduleBooking"]
    assert moved["errors"] == []
    assert (moved["booking"]["status"], moved["booking"]["rescheduledFrom"]) == ("CONFIRMED", at("10:00"))

    for _ in range(2):
        cancelled = (await visitor.ask(CANCEL, booking=ref, reason="Ill"))["cancelBooking"]
        assert cancelled["errors"] == []
        assert cancelled["booking"]["cancellation"] == {"by": "INVITEE", "reason": "Ill"}
    await until("removing the event", lambda: not served.here.events("Grace"))
