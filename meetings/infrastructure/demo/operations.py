"""The GraphQL operations of the tour: what a front end would send."""

DISCLOSURE = """
query Disclosure($provider: CalendarProvider! = GOOGLE) {
  viewer {
    user { id name email }
    calendarDisclosure(provider: $provider) { version title bodyMarkdown notes }
  }
}
"""

START = """
mutation Start($input: StartCalendarConnectionInput!) {
  startCalendarConnection(input: $input) { authorizationUrl expiresAt errors { code message } }
}
"""

TEST_EXCHANGE = """
mutation Test($input: ExchangeInput!) {
  testExchangeConnection(input: $input) { checks { step outcome detail } errors { code message } }
}
"""

CONNECT_EXCHANGE = """
mutation Connect($input: ExchangeInput!, $disclosure: String!) {
  connectExchangeCalendar(input: $input, acceptedDisclosure: $disclosure) {
    connection { provider accountEmail status serverVersion } redirectTo errors { code message path }
  }
}
"""

FULL_SYNC = """
mutation FullSync($on: Boolean!) {
  setExchangeFullSync(enabled: $on) { errors { code message } }
}
"""

CONNECTION = """
query Connection {
  viewer {
    calendarConnections {
      id provider accountEmail status needsAction
      availableCalendars { id name primary canWrite selected isDefault eligible health }
      defaultCalendar { id name }
      busyCalendars { id name }
    }
  }
}
"""

SELECT = """
mutation Select($connection: ID!, $calendars: [ID!]!) {
  setBusyCalendars(connectionId: $connection, calendarIds: $calendars) {
    connection { busyCalendars { name } } errors { code message path }
  }
}
"""

CREATE_PAGE = """
mutation Create($input: SchedulingPageInput!) {
  createSchedulingPage(input: $input) {
    page { id slug url mode revision } errors { code message path }
  }
}
"""

BOOKING_PAGE = """
query BookingPage($at: PageAddress!, $month: AvailabilityInput!, $day: [Date!]) {
  publicSchedulingPage(at: $at) {
    headline mode durationsMinutes hostTimeZone hosts { displayName } formFields { key label }
  }
  availability(input: $month) {
    cursor freshness mode nextAvailable { start end }
    month: days { date slotCount }
    chosen: days(on: $day) { date slots { start end } }
  }
}
"""

LIVE = """
subscription Live($month: AvailabilityInput!, $after: String) {
  availabilityChanged(input: $month, after: $after) {
    __typename
    ... on AvailabilitySnapshot { cursor availability { days { date slotCount } } }
    ... on AvailabilityDelta { cursor days { date slotCount slots { start } } emptiedDates mode }
  }
}
"""

BOOK = """
mutation Book($input: BookMeetingInput!) {
  bookMeeting(input: $input) {
    booking { status start end joinUrl manageUrl invitee { timeZone } }
    errors { code message path ... on SlotUnavailableError { reason alternatives { start } } }
  }
}
"""

REQUEST = """
mutation Request($input: RequestMeetingInput!) {
  requestMeeting(input: $input) {
    booking { status start isOffline } errors { code message path }
  }
}
"""

MOVE = """
mutation Move($booking: BookingRef!, $start: DateTime!, $key: String!) {
  rescheduleBooking(booking: $booking, start: $start, idempotencyKey: $key) {
    booking { status start end } errors { code message path }
  }
}
"""

CANCEL = """
mutation Cancel($booking: BookingRef!, $reason: String) {
  cancelBooking(booking: $booking, reason: $reason) {
    booking { status } errors { code message path ... on CapabilityError { provider capability } }
  }
}
"""

BOOKINGS = """
query Bookings {
  viewer { bookings(first: 20) { totalCount nodes { id status start canCancel invitee { name } page { slug } } } }
}
"""

EXPLAIN = """
query Explain($page: ID!, $date: Date!) {
  node(id: $page) { ... on SchedulingPage { explain(date: $date) { from to reason source } } }
}
"""
