"""The server's WebSocket protocol, which can also write a frame that was made before: one for thousands of sockets.

Nothing is compressed here and a server's frames are not masked (RFC 6455, 5.1), so the same message is the same bytes
for everybody.
"""

from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from meetings.graphql.sockets import FRAMES


class SharedFrames(WebSocketsSansIOProtocol):
    """Gives applications `write_frame` as the extension `FRAMES` of a socket's scope."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)  # none when the handshake was refused
        if scope is not None and not self.config.ws_per_message_deflate:
            cast("dict[str, object]", scope["extensions"])[FRAMES] = self.write_frame

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame if the connection is open and has room; tells whether it did. What was not written is to
        be sent the usual way, which waits for room and raises when there is nobody any more.

        Only for whoever was heard over this socket, so the handshake is over.
        """
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True
