"""The GraphQL operations of the tour's steps on the settings page."""

from meetings.infrastructure.demo.operations import BOOK

__all__ = ["BOOK"]

PAGES = """
query Pages {
  viewer { schedulingPages(first: 100) { nodes { slug url } } }
}
"""

SET_URL = """
mutation SetUrl($url: String!) {
  updateMeetingUrl(meetingUrl: $url) { meetingUrl errors { code message } }
}
"""

ADD_DOMAIN = """
mutation AddDomain($host: String!) {
  addDomain(host: $host) { domain { id host state record { type name value } } errors { code message } }
}
"""

CHECK_DOMAIN = """
mutation CheckDomain($id: ID!) {
  checkDomain(id: $id) { domain { host state } errors { code message } }
}
"""

CHOOSE_DOMAIN = """
mutation ChooseDomain($domain: String!) {
  setMeetingDomain(domain: $domain) { domains { domain isDefault } errors { code message } }
}
"""

REMOVE_DOMAIN = """
mutation RemoveDomain($id: ID!) {
  removeDomain(id: $id) { removedId errors { code message } }
}
"""

PREFILL = """
query Prefill($at: PageAddress!) {
  publicSchedulingPage(at: $at) { prefill { key values source } }
}
"""

SLOTS = """
query Slots($month: AvailabilityInput!) {
  availability(input: $month) { days { date slots { start } } }
}
"""

CHAT_PROFILE = """
mutation ChatProfile($shows: Boolean!, $text: String!) {
  updateChatProfile(input: { showMeetingLink: $shows, meetingLinkText: $text }) {
    profile { displayName } errors { code message }
  }
}
"""

WIDGET = """
query Widget {
  viewer { user { id } account { widgetKey } }
}
"""

CHAT_LINK = """
query ChatLink($key: String!, $agent: ID!) {
  chatMeetingLink(widgetKey: $key, agentId: $agent) {
    agentName agentAvatarUrl text url mode nextAvailable { start end }
  }
}
"""
