"""Trips to a provider's consent page, where access to calendars and mailboxes is granted; a callback ends them."""

from datetime import datetime

import strawberry
from strawberry.http.websocket_origin import normalize_origin

from meetings.application.connect_calendar import StartConnection, StartedConnection, start_connection
from meetings.application.ports.calendars import CalendarProvider as OfferedProvider
from meetings.domain.base import InvalidInput, Problem, Rule, refuse
from meetings.domain.calendar_connection import Provider
from meetings.graphql.context import Operation
from meetings.graphql.cookies import keep_browser_secret
from meetings.graphql.errors import UserError
from meetings.graphql.scalars import URL


@strawberry.type(description="Where to send the browser.")
class StartConnectionPayload:
    """Either an address or errors."""

    authorization_url: URL | None = strawberry.field(default=None, description="The provider's consent page.")
    expires_at: datetime | None = strawberry.field(default=None, description="Until when the person may come back.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was started.")


async def begin_trip(operation: Operation, wish: StartConnection) -> StartConnectionPayload:
    """Where to send the browser, which gets a cookie that proves on its way back that it is the same one.

    Raises:
        InvalidInput: as `check_return`.
        ConsentRequired, AlreadyConnected, NotFound: as `start_connection`.
    """
    check_return(operation, wish.return_to)
    tools = operation.tools
    started = await start_connection(
        wish,
        caller=operation.signed_in(),
        look=tools.look,
        providers=tools.providers,
        attempts=tools.sign_in_attempts,
        links=tools.links,
        clock=tools.clock,
        policy=tools.policy,
    )
    return sent_off(operation, started)


def sent_off(operation: Operation, started: StartedConnection) -> StartConnectionPayload:
    """Where to send the browser, and the cookie it is to bring back."""
    keep_browser_secret(operation.connection, started.browser_secret, lasts=started.expires_in)
    expires_at = operation.tools.clock() + started.expires_in
    return StartConnectionPayload(authorization_url=URL(started.authorization_url), expires_at=expires_at)


def check_return(operation: Operation, address: str) -> None:
    """Only to ourselves and to sites whoever runs the product has named (OA-2).

    Raises:
        InvalidInput: it is another one.
    """
    links = operation.tools.links
    known = [normalize_origin(origin) for origin in (links.public_url, links.dashboard_url)]
    known += [normalize_origin(origin) for origin in operation.options.allowed_origins if origin != "*"]
    allowed = sorted({origin for origin in known if origin})
    if normalize_origin(address) not in allowed:
        refuse(Problem(("returnTo",), Rule.NOT_ONE_OF, values={"options": ", ".join(allowed)}))


def offered_mailboxes(operation: Operation, provider: Provider | None) -> OfferedProvider:
    """The provider, if its mailboxes are connected on a consent page of its own.

    Raises:
        InvalidInput: they are not, or not here.
    """
    offered = operation.tools.providers.get(provider) if provider else None
    if offered is None or offered.inbox is None or offered.sign_in is None:
        raise InvalidInput([Problem(("provider",), Rule.NOT_AVAILABLE_YET)])
    return offered
