"""Documents about customer records, and what conversations about them begin with."""

from typing import Any

from tests.api.documents import ERRORS, at
from tests.product import ApiClient

CONTACT = "id email name firstName lastName company ownerEmail owner { email } properties { name value }"
MEETING = """id title body location start end outcome source activityType joinUrl calendarEventUrl invitationSent
  contact { email } contacts { email } owners { email } booking { id status }"""
ENTRIES = f"""nodes {{ __typename ... on MeetingEngagement {{ {MEETING} }}
  ... on LoggedEmail {{ id direction from to subject text sentAt owner {{ email }} }} }}
  edges {{ cursor }} pageInfo {{ hasNextPage endCursor }} totalCount"""
CREATE_CONTACT = (
    "mutation($email: String!, $input: ContactInput) { createContact(email: $email, input: $input) "
    f"{{ contact {{ {CONTACT} }} {ERRORS} }} }}"
)
UPDATE_CONTACT = (
    "mutation($id: ID!, $input: ContactInput!) { updateContact(id: $id, input: $input) "
    f"{{ contact {{ {CONTACT} }} {ERRORS} }} }}"
)
PLAN_MEETING = (
    "mutation($input: MeetingEngagementInput!) { createMeetingEngagement(input: $input) "
    f"{{ engagement {{ {MEETING} }} {ERRORS} }} }}"
)
CHANGE_MEETING = (
    "mutation($id: ID!, $input: MeetingEngagementChangesInput!) { updateMeetingEngagement(id: $id, input: $input) "
    f"{{ engagement {{ {MEETING} }} {ERRORS} }} }}"
)
PAGE_OF_CONTACT = (
    f"query($id: ID!, $first: Int, $after: String) {{ viewer {{ contact(id: $id) {{ {CONTACT} "
    f"timeline(first: $first, after: $after) {{ {ENTRIES} }} }} }} }}"
)
CONTACTS = f"""query($first: Int, $after: String, $query: String) {{ viewer {{
  contacts(first: $first, after: $after, query: $query) {{ nodes {{ {CONTACT} }} edges {{ cursor }}
    pageInfo {{ hasNextPage endCursor }} totalCount }} }} }}"""
RECORD_NODE = f"""query($id: ID!) {{ node(id: $id) {{ __typename id ... on Contact {{ {CONTACT} }}
  ... on MeetingEngagement {{ {MEETING} }} }} }}"""


NEW_MEETING = {"contactId": "x", "title": "Intro", "start": at("10:00"), "end": at("11:00")}


def hours(first: str = "10:00", last: str = "11:00") -> dict[str, str]:
    return {"start": at(first), "end": at(last)}


async def made(host: ApiClient, email: str = "vera@visitors.example", **input: Any) -> dict[str, Any]:
    payload = (await host.ask(CREATE_CONTACT, email=email, input=input))["createContact"]
    assert payload["errors"] == []
    contact: dict[str, Any] = payload["contact"]
    return contact


async def planned(host: ApiClient, contact: dict[str, Any], **more: Any) -> dict[str, Any]:
    input = {"contactId": contact["id"], "title": "Intro with Vera", **hours(), **more}
    payload = (await host.ask(PLAN_MEETING, input=input))["createMeetingEngagement"]
    assert payload["errors"] == []
    engagement: dict[str, Any] = payload["engagement"]
    return engagement


async def page_of(host: ApiClient, contact: dict[str, Any], **page: Any) -> dict[str, Any]:
    answer = await host.ask(PAGE_OF_CONTACT, id=contact["id"], **{"first": 20, **page})
    found: dict[str, Any] = answer["viewer"]["contact"]
    return found


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]
