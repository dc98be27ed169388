"""What the booking page asks the API."""

PAGE = """
query Page($at: PageAddress!, $query: String, $window: AvailabilityInput!) {
  page: publicSchedulingPage(at: $at) {
    url type headline description mode hosts { displayName } durationsMinutes defaultDurationMinutes
    bookableFrom bookableTo captchaSiteKey branding guests { allowed max }
    consents { key textMarkdown required }
    formFields { key label kind required options hidden maxLength }
    prefill(query: $query) { key values }
  }
  availability(input: $window) { mode durationMinutes days { date slots { start } } }
}
"""

_ANSWER = """{
  booking { manageToken redirectUrl }
  errors { code message path ... on SlotUnavailableError { alternatives { start } } }
}"""

BOOK = f"mutation Book($input: BookMeetingInput!) {{ answer: bookMeeting(input: $input) {_ANSWER} }}"

REQUEST = f"mutation Request($input: RequestMeetingInput!) {{ answer: requestMeeting(input: $input) {_ANSWER} }}"
