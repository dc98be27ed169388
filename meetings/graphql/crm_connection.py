"""Where the account's customer records are kept."""

from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.connect_crm import CrmTokenRefused, connect_hubspot, disconnect_hubspot
from meetings.application.ports.crm import CrmAccessLost
from meetings.application.sign_in_to_crm import start_crm_sign_in
from meetings.domain import crm_connection as stored
from meetings.graphql.consent_trips import StartConnectionPayload, check_return, sent_off
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    Access,
    RefusedError,
    TemporaryError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.scalars import URL


@strawberry.type(description="That HubSpot keeps the account's customer records.")
class HubSpotConnection:
    """For owners and admins. Nobody can read the token back."""

    connected_at: datetime = strawberry.field(
        description="Since when, or when a token was given or somebody signed in last."
    )
    refused_at: datetime | None = strawberry.field(
        description="Since when HubSpot refuses us; what is to be recorded waits until it is connected again. Null "
        "while it does not."
    )

    @classmethod
    def of(cls, connection: stored.CrmConnection) -> "HubSpotConnection":
        return cls(connected_at=connection.connected_at, refused_at=connection.refused_at)


@strawberry.type(description="What became of the connection to HubSpot.")
class HubSpotConnectionPayload:
    """Either the connection, which is null once there is none, or errors."""

    connection: HubSpotConnection | None = strawberry.field(default=None, description="As it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="Mutations of where customer records are kept.")
class CrmConnectionMutations:
    """Part of the schema's mutations. All are for owners and admins."""

    @mutation(
        HubSpotConnectionPayload,
        Access.SIGNED_IN,
        "For owners and admins: have HubSpot keep the account's customer records from now on, or give another token "
        "for it. What the built-in records hold stays there. A property with our keys is made in HubSpot.",
        Code.VALIDATION,
        Code.PERMISSION_MISSING,
        Code.CREDENTIALS_REJECTED,
        Code.PROVIDER_UNAVAILABLE,
        Code.CONCURRENT_CHANGE,
    )
    async def connect_hub_spot(
        self,
        info: Info,
        private_app_token: Annotated[
            str, strawberry.argument(description="The access token of a private app in HubSpot.")
        ],
    ) -> HubSpotConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: connect_hubspot(
                private_app_token, caller=caller, begin=operation.begin, try_crm=tools.try_crm, clock=tools.clock
            )
        )
        return HubSpotConnectionPayload(connection=await hubspot_connection(operation))

    @mutation(
        HubSpotConnectionPayload,
        Access.SIGNED_IN,
        "For owners and admins: go back to the built-in customer records. HubSpot keeps what it has.",
        Code.NOT_FOUND,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def disconnect_hub_spot(self, info: Info) -> HubSpotConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: disconnect_hubspot(
                caller=caller, begin=operation.begin, sign_in=tools.crm_sign_in, clock=tools.clock
            )
        )
        return HubSpotConnectionPayload()

    @mutation(
        StartConnectionPayload,
        Access.SIGNED_IN,
        "For owners and admins: begin to have HubSpot keep the account's customer records, or mend a connection that "
        "HubSpot refuses, by signing in there; `viewer.hubSpotSignInOffered` says whether that is possible here. "
        "Returns HubSpot's consent page and sets a cookie that lasts as long as the trip; the server's own callback "
        "finishes and redirects to `returnTo` with `hubspot=connected` in its query, or with `hubspot=failed` and a "
        "`reason`: `OAUTH_DENIED` (the person said no), `TOKEN_INVALID` (the trip has to begin anew), "
        "`PERMISSION_MISSING` (less was granted than is needed, or the person administers the account no more), "
        "`PROVIDER_UNAVAILABLE` (worth another try). What the built-in records hold stays there. A property with our "
        "keys is made in HubSpot.",
        Code.VALIDATION,
        Code.NOT_FOUND,
        Code.PERMISSION_MISSING,
    )
    async def start_hub_spot_connection(
        self,
        info: Info,
        return_to: Annotated[
            URL,
            strawberry.argument(
                description="Where the browser goes afterwards; on this server, its dashboard, or an allowed origin."
            ),
        ],
    ) -> StartConnectionPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        check_return(operation, return_to)
        started = await start_crm_sign_in(
            return_to,
            caller=caller,
            look=tools.look,
            sign_in=tools.crm_sign_in,
            trips=tools.crm_trips,
            links=tools.links,
            clock=tools.clock,
            policy=tools.policy,
        )
        return sent_off(operation, started)


async def hubspot_connection(operation: Operation) -> HubSpotConnection | None:
    """That of the signed-in person's account."""
    async with operation.tools.look(operation.signed_in().account_id) as work:
        found = await work.crm_connection.current()
    return None if found is None else HubSpotConnection.of(found)


@as_user_errors.register
def _(error: CrmTokenRefused, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CREDENTIALS_REJECTED, ("privateAppToken",), detail="CRM"))]


@as_user_errors.register
def _(error: CrmAccessLost, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(Code.PROVIDER_UNAVAILABLE, detail="CRM"), retry_after=None)]
