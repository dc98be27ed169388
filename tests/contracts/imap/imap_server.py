"""A real IMAP server (pymap) on loopback, for one test: people's mailboxes in memory, and scripted troubles."""

import asyncio
import socket
import ssl
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend, Identity, Login
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, Flag
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

T = TypeVar("T")
_ARGUMENTS = Namespace(proxy_protocol=None, passlib_cfg=None, inherited_sockets=None)


class _Config(Config):
    @property
    def greeting(self) -> bytes:
        """Without a look into DNS for this machine's name, which takes a tenth of a second."""
        return b"ready"


class ImapServer:
    """Mailboxes by the user names of `set_password`. Safe to use from any thread but its own."""

    def __init__(self, clock: Callable[[], datetime], tls: ssl.SSLContext | None, *, starttls: bool = False) -> None:
        self._clock = clock
        self._tls = tls
        self._starttls = starttls
        self._loop = asyncio.new_event_loop()
        self._config: _Config
        self._login: Login
        self.port = 0
        self.connections = 0
        self.dropping: int | None = 0
        """How many of the coming connections are closed without a word; None for all."""
        self.refusing: list[str] = []
        """With what the coming logins are refused, such as `NO [LIMIT] Too many`."""
        self.before_second: list[Callable[[], object]] = []
        """What is to be run before the connection after the next one is answered."""
        self._due: list[Callable[[], object]] = []

    @contextmanager
    def serve(self) -> Iterator["ImapServer"]:
        thread = threading.Thread(target=self._loop.run_forever, name="imap", daemon=True)
        thread.start()
        server = self._run(self._start())
        try:
            yield self
        finally:
            self._run(self._stop(server))
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(timeout=10)
            self._loop.close()

    def set_password(self, user: str, password: str) -> None:
        """Make a mailbox, or change who may open it."""
        self._login.users_dict[user] = UserMetadata(self._config, user, password=password)

    def add_folder(self, user: str, folder: str) -> None:
        async def add() -> None:
            await (await self._mailboxes(user)).add_mailbox(folder)

        self._run(add())

    def append(self, user: str, folder: str, raw: bytes, *flags: bytes) -> None:
        async def append() -> None:
            mailbox = await self._folder(user, folder)
            await mailbox.append(AppendMessage(raw, self._clock(), frozenset(map(Flag, flags))))

        self._run(append())

    def mails(self, user: str, folder: str) -> list[bytes]:
        async def read() -> list[bytes]:
            try:
                found = [message async for message in (await self._folder(user, folder)).messages()]
            except KeyError:
                return []
            return [bytes(await message.load_content(FetchRequirement.CONTENT)) for message in found]

        return self._run(read())

    def flags(self, user: str, folder: str) -> list[frozenset[bytes]]:
        async def read() -> list[frozenset[bytes]]:
            found = [message async for message in (await self._folder(user, folder)).messages()]
            return [frozenset(flag.value for flag in message.permanent_flags) for message in found]

        return self._run(read())

    def folders(self, user: str) -> list[str]:
        async def names() -> list[str]:
            return [entry.name for entry in (await (await self._mailboxes(user)).list_mailboxes()).list()]

        return self._run(names())

    def erase(self, user: str, folder: str, holding: bytes) -> None:
        """The mails that hold these bytes are gone."""

        async def erase() -> None:
            mailbox = await self._folder(user, folder)
            found = [message async for message in mailbox.messages()]
            loaded = {message.uid: bytes(await message.load_content(FetchRequirement.CONTENT)) for message in found}
            await mailbox.delete([uid for uid, raw in loaded.items() if holding in raw])

        self._run(erase())

    def renumber(self, user: str, *folders: str) -> None:
        """All uids of these folders are worth nothing any more, as after a restored backup."""

        async def renumber() -> None:
            for name in folders:
                folder = await self._folder(user, name)
                folder._uid_validity += 1

        self._run(renumber())

    async def _start(self) -> asyncio.Server:
        self._config = _Config(
            _ARGUMENTS,
            demo_data=False,
            demo_user="nobody",
            demo_password="none",
            host=None,
            port=0,
            ssl_context=self._tls or ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
            tls_enabled=self._starttls,
            hash_context=Cleartext(),
            invalid_user_sleep=0.0,
        )
        self._config.apply_context()
        self._login = Login(self._config)
        backend = DictBackend(self._login, self._config)
        serve = ProxyProtocolReader(self._config.proxy_protocol).get_callback(IMAPServer(backend.login, self._config))
        # asyncio switches Nagle's algorithm off only for sockets that say they are TCP; it costs 40 ms a command.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            due, self._due = self._due, self.before_second
            self.before_second = []
            for action in due:
                await asyncio.to_thread(action)
            if self.dropping is None or self.dropping > 0:
                self.dropping = None if self.dropping is None else self.dropping - 1
                writer.transport.abort()
            elif self.refusing:
                await _refuse(reader, writer, self.refusing.pop(0))
            else:
                await serve(reader, writer)

        return await asyncio.start_server(answer, sock=listener, ssl=None if self._starttls else self._tls)

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _mailboxes(self, user: str) -> MailboxSet:
        async with Identity(user, self._login, None, frozenset()).new_session() as session:
            return session.mailbox_set

    async def _folder(self, user: str, folder: str) -> MailboxData:
        return await (await self._mailboxes(user)).get_mailbox(folder)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: str) -> None:
    """As much of the protocol as it takes to say no to a login."""
    writer.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
    while line := await reader.readline():
        tag, _, command = line.decode("ascii", "replace").partition(" ")
        said = "OK done" if not command.upper().startswith(("LOGIN", "AUTHENTICATE")) else answer
        capabilities = "* CAPABILITY IMAP4rev1\r\n" if command.upper().startswith("CAPABILITY") else ""
        writer.write(f"{capabilities}{tag} {said}\r\n".encode())
        await writer.drain()
    writer.close()
