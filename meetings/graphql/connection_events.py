"""How calendar connections are doing, live."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from meetings.application.watch_bookings import watch_connections
from meetings.domain.identifiers import ConnectionId
from meetings.graphql.calendars import CalendarConnection
from meetings.graphql.context import Info, closed_after, while_signed_in
from meetings.graphql.node_ids import Kind, from_id


@strawberry.type(description="Subscriptions to calendar connections.")
class ConnectionSubscriptions:
    """Part of the schema's subscriptions."""

    @strawberry.subscription(
        description="For signed-in people: their calendar connection as it is on subscribing, then after every change "
        "of its status or its sync's progress. Ends with `UNAUTHENTICATED` within seconds of signing out."
    )
    async def calendar_connection_status(
        self,
        info: Info,
        connection_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this one; left out, whichever there is.")
        ] = None,
    ) -> AsyncGenerator[CalendarConnection, None]:
        operation = info.context
        caller = operation.signed_in_to_read()
        own = None if connection_id is None else ConnectionId(from_id(Kind.CONNECTION, connection_id))
        tools = operation.tools
        connections = watch_connections(caller, own, reads=tools.reads, fan_out=tools.fan_out)
        async with closed_after(while_signed_in(connections, operation)) as seen:
            async for connection in seen:
                yield CalendarConnection.of(connection)
