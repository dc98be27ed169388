"""What conversations about the link beside a chat are made of."""

from typing import Any

from tests.api.documents import ERRORS
from tests.product import ApiClient

PROFILE = "displayName avatarUrl showMeetingLink meetingLinkText schedulingPage { id slug }"
OWN = f"{{ viewer {{ account {{ widgetKey }} user {{ id }} chatProfile {{ {PROFILE} }} }} }}"
CHANGE = (
    f"mutation($input: ChatProfileInput!) {{ updateChatProfile(input: $input) {{ profile {{ {PROFILE} }} {ERRORS} }} }}"
)
LINK = (
    "query($key: String!, $agent: ID!) { chatMeetingLink(widgetKey: $key, agentId: $agent) "
    "{ agentName agentAvatarUrl text url mode nextAvailable { start end } } }"
)


async def change(host: ApiClient, **wishes: Any) -> dict[str, Any]:
    told: dict[str, Any] = (await host.ask(CHANGE, input=wishes))["updateChatProfile"]
    return told


async def switch(host: ApiClient, *, on: bool) -> None:
    assert (await change(host, showMeetingLink=on))["errors"] == []
