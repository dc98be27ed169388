"""Documents a client would send, and small ways to fill them in."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

BERLIN = "Europe/Berlin"
SLUG = "anna/intro"

ERRORS = """errors {
  __typename code message path
  ... on InputError { rule }
  ... on SlotUnavailableError { reason alternatives { start end } }
  ... on LimitError { limit retryAfter }
  ... on ConflictError { currentRevision }
  ... on BookingStateError { status changeableUntil }
  ... on CapabilityError { provider capability }
  ... on PermissionMissingError { permission }
  ... on TemporaryError { retryAfter }
  ... on RequirementError { feature hubs tier needsSeat limit }
  ... on MailboxError { suggestion serverVersion helpUrl useInstead }
}"""

BOOKING = "status isOffline subject start end durationMinutes timeZone manageToken manageUrl joinUrl calendarEventId"

BOOK = f"mutation($input: BookMeetingInput!) {{ bookMeeting(input: $input) {{ booking {{ {BOOKING} }} {ERRORS} }} }}"
REQUEST = (
    "mutation($input: RequestMeetingInput!) { requestMeeting(input: $input) "
    f"{{ booking {{ {BOOKING} proposedStarts }} {ERRORS} }} }}"
)
HOLD = (
    "mutation($input: HoldSlotInput!) { holdSlot(input: $input) "
    f"{{ hold {{ token slot {{ start end }} expiresAt }} {ERRORS} }} }}"
)
MOVE = (
    "mutation($booking: BookingRef!, $start: DateTime!, $key: String!) "
    "{ rescheduleBooking(booking: $booking, start: $start, idempotencyKey: $key) "
    f"{{ booking {{ {BOOKING} rescheduledFrom }} {ERRORS} }} }}"
)
CANCEL = (
    "mutation($booking: BookingRef!, $reason: String) { cancelBooking(booking: $booking, reason: $reason) "
    f"{{ booking {{ {BOOKING} cancellation {{ by reason }} }} {ERRORS} }} }}"
)
ACCEPT = (
    "mutation($id: ID!, $start: DateTime!) { acceptMeetingRequest(bookingId: $id, start: $start) "
    f"{{ booking {{ id status start }} {ERRORS} }} }}"
)
DECLINE = (
    "mutation($id: ID!, $message: String) { declineMeetingRequest(bookingId: $id, message: $message) "
    f"{{ booking {{ id status cancellation {{ by reason }} }} {ERRORS} }} }}"
)
CREATE_PAGE = (
    "mutation($input: SchedulingPageInput!) { createSchedulingPage(input: $input) "
    f"{{ page {{ id slug url revision mode internalName headline }} {ERRORS} }} }}"
)
UPDATE_PAGE = (
    "mutation($id: ID!, $input: SchedulingPageInput!, $revision: Int) "
    "{ updateSchedulingPage(id: $id, input: $input, ifRevision: $revision) "
    f"{{ page {{ id slug revision headline description maxPerDay }} {ERRORS} }} }}"
)
CONNECTION = (
    "connection { id status needsAction defaultCalendar { id name } busyCalendars { name } "
    "availableCalendars { id name selected isDefault eligible excludedReason access } }"
)
CONNECT_MAILBOX = (
    "mutation($input: ExchangeInput!, $version: String!, $reconnect: ID, "
    "$uses: [AccountCapability!] = [CALENDAR]) { connectExchangeCalendar("
    "input: $input, acceptedDisclosure: $version, reconnect: $reconnect, capabilities: $uses) { "
    "connection { id provider accountEmail status needsAction statusMessage serverUrl serverVersion capabilities "
    f"busyCalendars {{ name isDefault helpUrl }} }} redirectTo selectionKept {ERRORS} }} }}"
)
TEST_MAILBOX = (
    "mutation($input: ExchangeInput!) { testExchangeConnection(input: $input) "
    f"{{ checks {{ step outcome detail problem }} {ERRORS} }} }}"
)
SET_PRESET = (
    "mutation($domain: String!, $url: String!) { setExchangePreset(domain: $domain, serverUrl: $url) "
    f"{{ preset {{ domain serverUrl }} {ERRORS} }} }}"
)
REMOVE_PRESET = f"mutation($domain: String!) {{ removeExchangePreset(domain: $domain) {{ removedDomain {ERRORS} }} }}"
INTERNAL_DOMAINS = (
    "mutation($domains: [String!]!) { setInternalDomains(domains: $domains) "
    f"{{ account {{ internalDomains }} {ERRORS} }} }}"
)
FULL_SYNC = (
    f"mutation($on: Boolean!) {{ setExchangeFullSync(enabled: $on) {{ account {{ exchangeFullSync }} {ERRORS} }} }}"
)
AVAILABILITY = """query($input: AvailabilityInput!, $on: [Date!]) {
  availability(input: $input) {
    mode freshness cursor timeZone durationMinutes nextAvailable { start }
    days(on: $on) { date slotCount slots { start end } }
  }
}"""
BOOKINGS = "{ viewer { bookings { totalCount nodes { id status start } } } }"
CONNECTIONS = """{ viewer { calendarConnections {
  id status needsAction availableCalendars { id name selected isDefault eligible excludedReason access }
} } }"""
PAGES = "{ viewer { schedulingPages { totalCount nodes { id slug revision headline } } } }"


def page(slug: str = SLUG) -> dict[str, Any]:
    return {"slug": {"slug": slug}}


def window(first: str, last: str | None = None, **more: Any) -> dict[str, Any]:
    return {"page": page(), "from": first, "to": last or first, "timeZone": BERLIN, **more}


def book(start: str, **more: Any) -> dict[str, Any]:
    """A good booking of Grace's, with a fresh key."""
    return {
        "page": page(),
        "start": start,
        "timeZone": "America/New_York",
        "invitee": {"firstName": "Grace", "lastName": "Hopper", "email": "grace@example.org"},
        "idempotencyKey": str(uuid4()),
        **more,
    }


def request(*starts: str, **more: Any) -> dict[str, Any]:
    """A good request of Grace's, with a fresh key."""
    wish = book("", **more)
    del wish["start"]
    return {**wish, "preferredStarts": list(starts)}


def working_day(weeks: int = 1) -> datetime:
    """Midnight in Berlin of a Wednesday at least `weeks` ahead: far enough for any notice, inside the window."""
    today = datetime.now(ZoneInfo(BERLIN)).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=(2 - today.weekday()) % 7 + 7 * weeks)


def at(clock: str, weeks: int = 1) -> str:
    """An instant of that day by Berlin wall time, as the API writes it."""
    hour, minute = map(int, clock.split(":"))
    instant = working_day(weeks).replace(hour=hour, minute=minute).astimezone(UTC)
    return instant.isoformat().replace("+00:00", "Z")
