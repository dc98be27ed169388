"""A product in which plans and seats count, and what conversations about them are made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.application.seats import subscribe
from meetings.domain.plan import Hub, Subscription, Tier
from meetings.domain.user import User
from meetings.graphql.node_ids import Kind, to_id
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.api.documents import CREATE_PAGE, ERRORS
from tests.product import ApiClient, Product, product

SET_URL = f"mutation($url: String!) {{ updateMeetingUrl(meetingUrl: $url) {{ meetingUrl {ERRORS} }} }}"
SET_DEFAULT = f"mutation($id: ID!) {{ setDefaultSchedulingPage(id: $id) {{ page {{ id url isDefault }} {ERRORS} }} }}"
ASSIGN = (
    "mutation($hub: Hub!, $users: [ID!]!) { assignSeats(hub: $hub, userIds: $users) "
    f"{{ plan {{ subscriptions {{ hub tier seats seatsUsed }} }} {ERRORS} }} }}"
)
REVOKE = ASSIGN.replace("assignSeats", "revokeSeats")
LINK = f"mutation($input: MeetingLinkInput!) {{ createMeetingLink(input: $input) {{ url token {ERRORS} }} }}"
RENDER = f"mutation($template: String!) {{ renderEmailTemplate(template: $template) {{ text {ERRORS} }} }}"
FEATURES = "{ viewer { meetingUrl features account { plan { allFeatures subscriptions { hub tier seats } } } } }"

SEAT_GATE = {"hubs": ["SALES", "SERVICE"], "tier": "STARTER", "needsSeat": True}


@asynccontextmanager
async def gated(database_url: str, google: GoogleSimulator, mail: MailCatcher) -> AsyncIterator[Product]:
    """A product in which accounts have what they subscribed to; Anna's account subscribed to nothing yet."""
    async with product(database_url, google, mail, policy={"all_features": False}) as started:
        yield started


async def plan(served: Product, *subscriptions: tuple[Hub, Tier]) -> None:
    """Have Anna's account subscribe to exactly this."""
    here = served.here
    wanted = [Subscription(hub, tier) for hub, tier in subscriptions]
    await subscribe(here.anna.account_id, wanted, everything=False, begin=here.tools.begin, clock=here.clock)


def id_of(user: User) -> str:
    return to_id(Kind.USER, user.id)


async def seat(host: ApiClient, hub: Hub, *users: User) -> None:
    """Give people seats, by Anna's hand."""
    told = await host.ask(ASSIGN, hub=hub.value, users=[id_of(user) for user in users])
    assert told["assignSeats"]["errors"] == []


def new_page(slug: str | None = None, name: str = "Intro", **more: Any) -> dict[str, Any]:
    wish = {"internalName": name, "durationsMinutes": [30], **more}
    return wish if slug is None else {**wish, "slug": slug}


async def create(host: ApiClient, slug: str | None = None, name: str = "Intro", **more: Any) -> dict[str, Any]:
    """What became of a page of the caller's."""
    told: dict[str, Any] = (await host.ask(CREATE_PAGE, input=new_page(slug, name, **more)))["createSchedulingPage"]
    return told


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["errors"]]


def needed(payload: dict[str, Any]) -> dict[str, Any]:
    """What the one refusal says would satisfy it, with its code."""
    (error,) = payload["errors"]
    return {name: error[name] for name in ("code", "feature", "hubs", "tier", "needsSeat")}
