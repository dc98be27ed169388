"""The open answer of GetStreamingEvents. Imports exchangelib: only threads that call Exchange import this module."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from exchangelib import services
from exchangelib.util import MNS, to_xml

from meetings.adapters.exchange import operations, wire
from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.answers import check_answer
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.soap import Connection, Mailbox, Single
from meetings.adapters.exchange.xml_limits import whole_documents

if TYPE_CHECKING:
    from meetings.adapters.exchange.transport import Transport

_GRACE_SECONDS = 60
_ANSWER_BYTES = 64 * 2**20
_EVENTS = "CreatedEvent DeletedEvent ModifiedEvent MovedEvent CopiedEvent".split()


class _GetStreamingEvents(Single, services.GetStreamingEvents):
    pass


@dataclass(frozen=True, slots=True)
class _Subscribed:
    """`affinity` leads to the one machine of a server that knows the subscriptions ("How to: Maintain affinity")."""

    ids: tuple[str, ...]
    affinity: str | None


def _subscribe(mailbox: Mailbox, calendars: Sequence[str]) -> _Subscribed:
    """To all of them at once; when one refuses that, to each by itself as far as it can be had.

    Raises:
        Refused: none can.
    """
    try:
        ids = [operations.subscribe(mailbox, calendars)]
    except Refused as refused:
        ids = [] if len(calendars) < 2 or not refused.is_about_a_calendar else list(_one_by_one(mailbox, calendars))
        if not ids:
            raise
    return _Subscribed(tuple(ids), mailbox.affinity_cookie)


def _one_by_one(mailbox: Mailbox, calendars: Sequence[str]) -> Iterator[str]:
    for each in calendars:
        try:
            yield operations.subscribe(mailbox, [each])
        except Refused as refused:
            if not refused.is_about_a_calendar:
                raise


class Stream:
    """One answer that stays open. `cut` may be called from any thread."""

    def __init__(self, connection: Connection, service: Any, answer: Any, folders: frozenset[str]) -> None:
        self._connection = connection
        self._service = service
        self._answer = answer
        self._folders = folders

    @classmethod
    def open(cls, transport: "Transport", access: MailboxAccess, calendars: Sequence[str], minutes: int) -> "Stream":
        """Raises Refused and whatever a call may raise."""
        subscribed = transport.call(access, lambda mailbox: _subscribe(mailbox, calendars), transport.limit())
        seconds = minutes * 60 + _GRACE_SECONDS
        connection = Connection(
            access,
            lambda: transport.session(access.ca, seconds=seconds, answer_bytes=_ANSWER_BYTES),
            at_once=1,
        )
        try:
            mailbox = Mailbox(connection, access.email, transport.moment_after(seconds))
            mailbox.affinity_cookie = subscribed.affinity
            service = _GetStreamingEvents(mailbox)
            payload = service.get_payload(subscription_ids=list(subscribed.ids), connection_timeout=minutes)
            answer = connection.get_session().post(
                access.url,
                data=service.wrap(payload, api_version=mailbox.version.api_version),
                headers=service._extra_headers(),
                timeout=mailbox.seconds_left(),
                stream=True,
            )
            check_answer(answer)
        except BaseException:
            connection.close()
            raise
        return cls(connection, service, answer, frozenset(calendars))

    def calendars(self) -> Iterator[str]:
        """The folders that changed, of those asked for, until Exchange closes.

        Raises:
            requests.exceptions.ConnectionError: it broke off without saying so.
        """
        for document in whole_documents(self._answer.iter_content(None)):
            body = to_xml(document).getroot().find(".//{*}Body")
            if body is None:
                raise Refused("NoBody")
            for message in self._service._get_soap_messages(body):
                _check(message)
                yield from (each for each in _changed_folders(message) if each in self._folders)
                status = message.find(f"{{{MNS}}}ConnectionStatus")
                if status is not None and status.text == "Closed":
                    return
        raise requests.exceptions.ConnectionError("the connection broke off")

    def cut(self) -> None:
        sock = getattr(getattr(self._answer.raw, "connection", None), "sock", None)
        if sock is not None:
            with suppress(OSError):
                # Wakes up whoever reads from it in another thread; closing alone would not.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(Exception):
            self._answer.close()
        self._connection.close()


def _check(message: Any) -> None:
    code = message.find(f"{{{MNS}}}ResponseCode")
    if message.get("ResponseClass") == "Error":
        raise Refused(code.text if code is not None and code.text else "NoCode")


def _changed_folders(message: Any) -> Iterator[str]:
    """Each folder once per message; a move changes two."""
    seen: dict[str, None] = {}
    for kind in _EVENTS:
        for event in message.iter(f"{wire.TYPES}{kind}"):
            for name in ("ParentFolderId", "OldParentFolderId"):
                folder = event.find(f"{wire.TYPES}{name}")
                if folder is not None:
                    seen.setdefault(str(folder.get("Id")))
    yield from seen
