"""WebSockets: how much one may send, and how many one may have (GQ-6)."""

import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.http.async_base_view import AsyncBaseHTTPView, AsyncWebSocketAdapter
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    _OperationStreamClosed,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation as WireOperation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import SubscribeMessage
from strawberry.utils.aio import aclosing

from meetings.application.read_availability import Availability
from meetings.application.sites import SiteKind
from meetings.application.watch_availability import Delta
from meetings.graphql.availability import told
from meetings.graphql.context import Connection, Operation
from meetings.graphql.feeds import First, Payload, Subscriber, Words, WriteFrame
from meetings.graphql.options import SocketLimits
from meetings.graphql.rate_limits import TooOften
from meetings.graphql.top_level_errors import RATE_LIMITED, refusal

if TYPE_CHECKING:
    from meetings.graphql.executing import Api

FRAMES = "meetings.frames"
"""The extension of a socket's scope with which the server writes frames that were made before; not every server has it.
"""
TOO_LARGE = 1009
"""RFC 6455, 7.4.1: a message that is too big to process."""
TOO_MANY = 4429
"""As graphql-transport-ws closes for too many initialisations."""


class LimitedSocket(AsyncWebSocketAdapter):
    """A socket that is closed when it sends messages too large or too often."""

    def __init__(
        self, view: "AsyncBaseHTTPView[Any, Any, Any, Any, Any, Any, Any]", _: WebSocket, ws: WebSocket
    ) -> None:
        super().__init__(view)
        self._ws = ws
        self._limits: SocketLimits = view.api_options.sockets  # type: ignore[attr-defined]  # of our own router
        self._recent: deque[float] = deque()

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        while self._ws.application_state is not WebSocketState.DISCONNECTED:
            try:
                text = await self._ws.receive_text()
            except KeyError as binary:
                raise NonTextMessageReceived from binary
            except WebSocketDisconnect:
                return
            if len(text.encode()) > self._limits.message_bytes:
                await self.close(TOO_LARGE, "Message too large")
                return
            if self._too_often():
                await self.close(TOO_MANY, "Too many messages")
                return
            try:
                message = self.view.decode_json(text)
            except JSONDecodeError as broken:
                if not ignore_parsing_errors:
                    raise NonJsonMessageReceived from broken
                continue
            if not isinstance(message, dict):
                raise NonJsonMessageReceived
            yield message

    def _too_often(self) -> bool:
        now = time.monotonic()
        self._recent.append(now)
        while self._recent and now - self._recent[0] > 60:
            self._recent.popleft()
        return len(self._recent) > self._limits.messages_per_minute

    async def send_json(self, message: Mapping[str, object]) -> None:
        await self.send_encoded(str(self.view.encode_json(message)))

    async def send_encoded(self, message: str) -> None:
        try:
            await self._ws.send_text(message)
        except (WebSocketDisconnect, RuntimeError) as gone:  # Starlette raises RuntimeError once it has closed
            raise WebSocketDisconnected from gone

    @property
    def write_frame(self) -> WriteFrame | None:
        """Writes a whole frame and says whether there was room for it; None where the server cannot."""
        found: WriteFrame | None = self._ws.scope.get("extensions", {}).get(FRAMES)
        return found

    async def close(self, code: int, reason: str) -> None:
        if self._ws.application_state is not WebSocketState.DISCONNECTED:
            await self._ws.close(code=code, reason=reason)


class CheckedMessages(BaseGraphQLTransportWSHandler[Connection, None]):
    """The protocol, with malformed operations told apart from ours failing, and codes on what it refuses itself."""

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        payload = message.get("payload")
        if not _is_operation(message.get("id"), payload):
            await self.handle_invalid_message("An operation has an id, and a payload with query and variables")
            return
        if self.connection_acknowledged and len(self.operations) >= self.context.options.sockets.subscriptions:
            refused = refusal("Too many operations at a time.", RATE_LIMITED, self.context.request_id)
            await self.send_message({"id": message["id"], "type": "error", "payload": refused["errors"]})
            return
        await super().handle_subscribe(message)

    async def run_operation(self, operation: WireOperation[Connection, None]) -> None:
        """Visitors who watch the same window with the same words share all but the first event."""
        if self.context.caller is not None:
            await super().run_operation(operation)
            return
        mine = Operation(self.context)
        try:
            words = _words(operation)
            first = await self._first_again(operation, mine, words)
            seen: Availability | None
            if first is not None:
                seen, words = first.told, first.words
            else:
                seen, first = await self._first_event(operation, mine, words)
            if seen is not None and seen.question.moving is None and not operation.completed:
                await self._share(operation, mine, words, seen, first)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except _OperationStreamClosed:
            return
        except WebSocketDisconnected:
            self.operations.pop(operation.id, None)
        except Exception as error:
            await self.handle_task_exception(error)
            with suppress(Exception):
                await operation.send_operation_message({"id": operation.id, "type": "complete"})
            self.operations.pop(operation.id, None)
            raise

    async def _first_again(
        self, operation: WireOperation[Connection, None], mine: Operation, words: Words
    ) -> First | None:
        """Send the first event that another one with these words had, if it is what this one would have; counted as
        any subscription is. None leaves everything to an execution."""
        product, options = self.context.product, self.context.options
        first = product.feeds.first(words)
        if first is None or self.context.site.kind is not SiteKind.MAIN or not await first.holds(product.tools.clock()):
            return None
        try:
            await mine.count_by_address(options.rates.availability, "availability")
        except TooOften:
            return None
        operation.query, operation.variables = first.words.query, first.words.variables  # one copy for all of them
        await cast(LimitedSocket, self.websocket).send_encoded(first.payload.message(_head(operation)))
        return first

    async def _first_event(
        self, operation: WireOperation[Connection, None], mine: Operation, words: Words
    ) -> tuple[Availability | None, First | None]:
        """Execute the operation, up to its first event if it watches availability; gives what that told, and the event
        if others may have it too."""
        source = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=mine,
            root_value=self.root_value,
            operation_name=operation.operation_name,
        )
        events = _UntilWatched(source, mine)
        async with aclosing(source):
            await self._send_result_stream(operation, events.each())
        seen, data = mine.watched, events.data
        if seen is None or seen.known is None or data is None:
            return seen, None
        if self.context.site.kind is not SiteKind.MAIN or mine.sources.beside:
            return seen, None
        payload = Payload(str(self.view.encode_json({"data": data})))
        return seen, First(words, payload, seen, partial(mine.memory.still, seen.known))

    async def _share(
        self,
        operation: WireOperation[Connection, None],
        mine: Operation,
        words: Words,
        seen: Availability,
        first: First | None,
    ) -> None:
        schema, view = cast("Api", self.schema), self.view

        async def encode(event: Delta) -> str:
            mine.forget_loaded()
            result = await schema.tell(told(event), words.query, words.variables, words.operation_name, mine)
            payload: dict[str, object] = {"data": result.data}
            if result.errors:
                payload["errors"] = [error.formatted for error in result.errors]
            return str(view.encode_json(payload))

        head = _head(operation)
        socket = cast(LimitedSocket, self.websocket)

        async def send(payload: Payload) -> None:
            await socket.send_encoded(payload.message(head))

        me = Subscriber(head, send, socket.write_frame, seen.digest)
        await mine.connection.product.feeds.follow(words, seen.question, encode, me, first)


class _UntilWatched:
    """The first event of a subscription to availability, whose `data` is known then; everything of any other
    operation."""

    def __init__(self, source: StreamResult, operation: Operation) -> None:
        self._source = source
        self._operation = operation
        self.data: object = None

    async def each(self) -> StreamResult:
        async for result in self._source:
            yield result
            if self._operation.watched is not None and not getattr(result, "errors", None):
                self.data = getattr(result, "data", None)
                return


def _words(operation: WireOperation[Connection, None]) -> Words:
    query, variables, name = operation.query, operation.variables, operation.operation_name
    # as text: the encoder's bytes hold more than they say
    key = (query, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode(), name)
    return Words(query, variables, name, key)


def _head(operation: WireOperation[Connection, None]) -> str:
    return f'{{"id":{orjson.dumps(operation.id).decode()},"type":"next","payload":'


def _is_operation(id: object, payload: object) -> bool:
    return (
        isinstance(id, str)
        and 0 < len(id) <= 200
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


class OpenSockets:
    """How many sockets each session, or for anonymous ones each address, has in this process."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def full(self, whose: str, most: int) -> bool:
        return self._open[whose] >= most

    @contextmanager
    def counted(self, whose: str) -> Iterator[None]:
        """One more, for as long as this lasts."""
        self._open[whose] += 1
        try:
            yield
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]
