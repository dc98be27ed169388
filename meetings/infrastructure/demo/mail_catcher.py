"""An SMTP server on the loopback interface that delivers nothing and shows what it got.

The demo shows mails with it, the tests read them from it and let it misbehave.
"""

import asyncio
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import Enum
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """One mail as it arrived: the envelope, the bytes and what they mean."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The decoded subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain text part, lines ended by `\\n`."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML part."""
        return self._body("html")

    @property
    def calendar(self) -> bytes | None:
        """The attached calendar file, if there is one."""
        for part in self.message.iter_attachments():
            if part.get_content_type() == "text/calendar":
                payload = part.get_payload(decode=True)
                return payload if isinstance(payload, bytes) else None
        return None

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


class Step(Enum):
    """Where in the dialogue a misbehaviour takes place."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    CONTENT = "DATA"
    GOODBYE = "QUIT"


@dataclass(frozen=True, slots=True)
class Answer:
    """The server answers this line at the step, such as `451 4.3.0 Try again later`; the mail is not kept."""

    step: Step
    line: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The server never answers at the step."""

    step: Step


@dataclass(frozen=True, slots=True)
class Drop:
    """The server closes the connection at the step without an answer; with `kept` a mail's content is taken first."""

    step: Step
    kept: bool = False


Misbehaviour = Answer | Silence | Drop


class MailCatcher:
    """The server. `start` binds a free port (or the given one) of 127.0.0.1; safe to use from any thread.

    With `tls` (a server context) clients must use STARTTLS, or TLS from the first byte with `implicit_tls`.
    With `login` clients must sign in with exactly that user name and password.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self._caught: list[CaughtMail] = []
        self._changed = threading.Condition()
        self._misbehaviours: deque[Misbehaviour] = deque()
        self._login = login
        self._server = _Loopback(
            _Handler(self),
            hostname="127.0.0.1",
            port=port,
            ssl_context=tls if implicit_tls else None,
            tls_context=None if implicit_tls else tls,
            require_starttls=tls is not None and not implicit_tls,
            authenticator=self._authenticate,
            auth_required=login is not None,
            auth_require_tls=tls is not None and not implicit_tls,
        )

    def start(self) -> None:
        """Listen; afterwards `port` is known. Raises OSError when the port is taken."""
        self._server.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.stop()

    def __enter__(self) -> "MailCatcher":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The address it listens at."""
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self._server.port)

    @property
    def mails(self) -> tuple[CaughtMail, ...]:
        """Every mail taken so far, oldest first."""
        with self._changed:
            return tuple(self._caught)

    def wait_for(self, wanted: Callable[[CaughtMail], bool], *, seconds: float) -> CaughtMail:
        """The first mail, caught already or in the coming seconds, that is wanted; blocks the calling thread.

        Raises:
            TimeoutError: none came.
        """
        with self._changed:
            found = self._changed.wait_for(lambda: next(filter(wanted, self._caught), None), seconds)
        if found is None:
            raise TimeoutError(f"no such mail within {seconds} s; caught: {[mail.subject for mail in self.mails]}")
        return found

    def clear(self) -> None:
        """Forget all mails and planned misbehaviour."""
        with self._changed:
            self._caught.clear()
            self._misbehaviours.clear()

    def misbehave(self, *misbehaviours: Misbehaviour) -> None:
        """Plan one misbehaviour for each of the coming times its step is reached, in this order."""
        with self._changed:
            self._misbehaviours.extend(misbehaviours)

    def take_misbehaviour(self, step: Step) -> Misbehaviour | None:
        """The next planned one if it belongs to this step."""
        with self._changed:
            if self._misbehaviours and self._misbehaviours[0].step is step:
                return self._misbehaviours.popleft()
        return None

    def keep(self, envelope: Envelope) -> None:
        """Store a mail and wake who waits for one."""
        raw = envelope.original_content or b""
        message = message_from_bytes(raw, policy=SMTP_POLICY)
        mail = CaughtMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, message)
        with self._changed:
            self._caught.append(mail)
            self._changed.notify_all()

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, credentials: LoginPassword
    ) -> AuthResult:
        given = (credentials.login.decode(), credentials.password.decode())
        # Unless the result is marked unhandled, a failed client gets no answer at all.
        return AuthResult(success=given == self._login, handled=given == self._login)


class _Loopback(Controller):
    """A controller that binds before its thread starts: port 0 works, and a taken port is told at once."""

    def start(self) -> None:
        self._socket = socket.create_server((self.hostname, self.port))
        self.port = self._socket.getsockname()[1]
        super().start()

    def _create_server(self) -> Coroutine[None, None, asyncio.Server]:
        return self.loop.create_server(self._factory_invoker, sock=self._socket, ssl=self.ssl_context)


class _Handler:
    """aiosmtpd's hooks; it asks before each answer whether something else was planned."""

    def __init__(self, catcher: MailCatcher) -> None:
        self._catcher = catcher

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        planned = await self._misbehave(Step.SENDER, server, envelope)
        if planned is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return planned or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        planned = await self._misbehave(Step.RECIPIENT, server, envelope)
        if planned is None:
            envelope.rcpt_tos.append(address)
        return planned or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        planned = await self._misbehave(Step.CONTENT, server, envelope)
        if planned is None:
            self._catcher.keep(envelope)
        return planned or "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return await self._misbehave(Step.GOODBYE, server, envelope) or "221 Bye"

    async def _misbehave(self, step: Step, server: Any, envelope: Envelope) -> str | None:
        planned = self._catcher.take_misbehaviour(step)
        match planned:
            case None:
                return None
            case Answer(line=line):
                return line
            case Silence():
                await asyncio.Event().wait()
            case Drop(kept=kept):
                if kept:
                    self._catcher.keep(envelope)
                server.transport.abort()
                await asyncio.Event().wait()
        raise AssertionError("unreachable: silence and drop end with the connection")
