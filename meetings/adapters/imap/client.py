"""The one place that touches the IMAP library. Everything here blocks, and ends in time by itself."""

import contextlib
import imaplib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import imapclient
from imapclient.exceptions import IMAPClientError, LoginError, ProtocolError

from meetings.adapters.imap.dialling import Dialling, left
from meetings.adapters.imap.refusals import no_answer, refused_command, refused_login
from meetings.adapters.imap.sealed import Access
from meetings.application.outbound import AddressRefused
from meetings.application.ports.mail_accounts import ServerAddress

T = TypeVar("T")

ANSWER_BYTES = 20 * 2**20
_NO_ANSWER = (OSError, imaplib.IMAP4.abort, ProtocolError, ValueError, LookupError, TypeError, AttributeError)

# They log every line, and so everybody's mail.
logging.getLogger("imapclient").setLevel(logging.WARNING)


class RefusedLogin(Exception):
    """The server said no to a user name and a password. `words` are the server's, for looking at, not for showing."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__("the mail server refused the login")


class _Connection(imaplib.IMAP4):
    """imaplib on a connection that is there already, with a limit on all that it reads."""

    def __init__(self, connected: socket.socket, server: ServerAddress, until: float) -> None:
        self._connected = connected
        self._until = until
        self._bytes_left = ANSWER_BYTES
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._connected

    def read(self, size: int) -> bytes:
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        self.sock.settimeout(left(self._until))
        line = super().readline()
        self._count(len(line))
        return line

    def send(self, data: Any) -> None:
        self.sock.settimeout(left(self._until))
        super().send(data)

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if size < 0 or self._bytes_left < 0:
            raise self.abort("an answer that is too long")


class _Client(imapclient.IMAPClient):
    def __init__(self, connected: socket.socket, server: ServerAddress, until: float) -> None:
        self._given = (connected, server, until)
        super().__init__(server.host, server.port, ssl=False, timeout=left(until))

    def _create_IMAP4(self) -> _Connection:
        return _Connection(*self._given)


class ImapSession:
    """One connection, signed in, for a few commands. To be used by one thread at a time, and closed."""

    def __init__(self, dialling: Dialling, access: Access, until: float) -> None:
        """Raises any `ProviderError`, besides:

        Raises:
            RefusedLogin: the user name or the password is not accepted.
            AddressRefused, ssl.SSLCertVerificationError: the server is not to be called, or not the one it should be.
        """
        self._dialling = dialling
        self._socket = dialling.connect(access.imap, until)
        # A thread cannot be interrupted: whatever still waits then wakes up with an error.
        self._alarm = threading.Timer(left(until), self._give_up)
        self._alarm.daemon = True
        self._alarm.start()
        try:
            self._client = self._opened(access, until)
        except BaseException:
            self.close()
            raise

    def _opened(self, access: Access, until: float) -> _Client:
        if not access.imap.starttls:
            self._socket = self._dialling.secured(self._socket, access.imap, until)
        try:
            client = _Client(self._socket, access.imap, until)
            if access.imap.starttls:
                client.starttls(self._dialling.tls)
                self._socket = client._imap.sock
            client.login(access.username, access.password)
        except LoginError as error:
            raise RefusedLogin(str(error)) from None
        except ssl.SSLCertVerificationError:
            raise
        except (IMAPClientError, *_NO_ANSWER) as error:
            raise no_answer(error) from None
        return client

    def run(self, command: Callable[[Any], T]) -> T:
        """What `command` does with the library's client. Raises any `ProviderError`."""
        try:
            return command(self._client)
        except imaplib.IMAP4.abort as error:
            raise no_answer(error) from None
        except IMAPClientError as error:
            raise refused_command(str(error)) from None
        except _NO_ANSWER as error:
            raise no_answer(error) from None

    def attempt(self, command: Callable[[Any], T]) -> T | None:
        """The same for a command that the server may say no to; then it is None."""
        try:
            return command(self._client)
        except imaplib.IMAP4.abort as error:
            raise no_answer(error) from None
        except IMAPClientError:
            return None
        except _NO_ANSWER as error:
            raise no_answer(error) from None

    def version(self) -> str:
        """The newest of the protocol's versions that the server speaks."""
        known = self.run(lambda client: [word.decode("ascii", "replace") for word in client.capabilities()])
        return next((word for word in ("IMAP4REV2", "IMAP4REV1") if word in map(str.upper, known)), "IMAP4")

    def close(self) -> None:
        """Without a word: a server that does not answer would be waited for."""
        self._alarm.cancel()
        self._give_up()

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()


@contextlib.contextmanager
def signed_in(dialling: Dialling, access: Access, until: float) -> Iterator[ImapSession]:
    """A session for as long as the block. Raises any `ProviderError`; a refused login is one of them."""
    session = open_session(dialling, access, until)
    try:
        yield session
    finally:
        session.close()


def open_session(dialling: Dialling, access: Access, until: float) -> ImapSession:
    try:
        return ImapSession(dialling, access, until)
    except RefusedLogin as refused:
        raise refused_login(refused.words) from None
    except (AddressRefused, OSError) as error:
        raise no_answer(error) from None
