"""What a booking form starts with, and the cookie by which a browser is known under a custom domain."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import strawberry

from meetings.application import prefill
from meetings.application.ports.reads import ConnectedDomain, PagePointer
from meetings.application.ports.unit_of_work import LockTimeout, MeetingLink
from meetings.application.prefill import earlier_booking, from_address, from_booking, merged, remember_visitor
from meetings.domain.base import ConcurrentChange
from meetings.domain.identifiers import AccountId, BookingId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.graphql.context import Connection, Info, Operation
from meetings.graphql.cookies import keep_visitor, visitor_token
from meetings.graphql.enums import PrefillSource

_MOST_PARAMETERS = 100
_MOST_QUERY = 8_000


@strawberry.type(description="A value a field of the form starts with. Show it, and let the visitor change it.")
class FormValue:
    """Never of a consent."""

    key: str = strawberry.field(
        description="`firstName`, `lastName`, `email`, `guests`, or the key of one of `formFields`."
    )
    values: list[str] = strawberry.field(description="The value; several only where the field takes several.")
    source: PrefillSource = strawberry.field(description="Where it comes from.")

    @classmethod
    def of(cls, value: prefill.FormValue) -> "FormValue":
        return cls(key=value.key, values=list(value.values), source=value.source)


@strawberry.type(description="What visitors need not type in again.")
class Prefilled:
    """Part of a public page."""

    page: strawberry.Private[SchedulingPage]
    link: strawberry.Private[MeetingLink | None] = None

    @strawberry.field(
        description="Values the form starts with: what the link or the page's address said, and under a custom domain "
        "what the same browser's visitor answered there before. Never under a standard host, and never consents."
    )
    async def prefill(
        self,
        info: Info,
        query: Annotated[
            str | None,
            strawberry.argument(description="The query of the address the visitor came by, such as `firstName=Grace`."),
        ] = None,
    ) -> list[FormValue]:
        operation, settings = info.context, self.page.settings
        linked = [(key, value) for key, values in (self.link.prefill if self.link else {}).items() for value in values]
        given = merged(from_address(linked, settings), from_address(_parameters(query or ""), settings))
        domain = _own_domain(operation.connection, AccountId(self.page.account_id))
        token = visitor_token(operation.connection)
        earlier = None
        if domain is not None and token:
            tools = operation.tools
            earlier = await earlier_booking(token, domain, look=tools.look, tokens=tools.visitor_tokens)
        return [FormValue.of(value) for value in merged(given, from_booking(earlier, settings) if earlier else [])]


async def remember(operation: Operation, page: PagePointer, booking_id: BookingId) -> None:
    """Know the browser that booked again, if it did so under a domain of the page's account."""
    connection, tools = operation.connection, operation.tools
    domain = _own_domain(connection, page.account_id)
    if domain is None or connection.response is None or tools.policy.visitor_days <= 0:
        return
    with suppress(LockTimeout, ConcurrentChange):  # the meeting is booked, whatever becomes of this
        token = await remember_visitor(
            visitor_token(connection),
            booking_id,
            domain,
            begin=operation.begin,
            tokens=tools.visitor_tokens,
            days=tools.policy.visitor_days,
        )
        keep_visitor(connection, token, days=tools.policy.visitor_days)


def _own_domain(connection: Connection, account_id: AccountId) -> ConnectedDomain | None:
    domain = connection.site.domain
    return domain if domain and domain.account_id == account_id else None


def _parameters(query: str) -> Sequence[tuple[str, str]]:
    text = urlsplit(query).query if "://" in query else query.removeprefix("?")
    try:
        return parse_qsl(text[:_MOST_QUERY], max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return ()
