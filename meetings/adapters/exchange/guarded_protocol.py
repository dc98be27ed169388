"""exchangelib on top of guarded HTTP: its protocol, with sessions of our making and a look at what its parser gets.

exchangelib keeps transports, protocols and time limits per process; here all of it belongs to one connection.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import requests
from exchangelib import Account, Configuration
from exchangelib.protocol import CachingProtocol, Protocol
from exchangelib.transport import DEFAULT_HEADERS
from exchangelib.util import is_xml

from meetings.adapters.exchange.guarded_http import AnswerRefused, GuardedSession
from meetings.adapters.exchange.xml_limits import XmlRefused, check_xml, whole_documents


class EwsSession(GuardedSession):
    """A guarded session whose answers may be given to exchangelib.

    Raises also:
        MarkupRefused: the answer is nothing for a parser; `response` is what came, such as a page to log in.
    """

    def send(self, request: requests.PreparedRequest, **named: Any) -> requests.Response:
        answer = super().send(request, **named)
        if named.get("stream"):
            _check_while_reading(answer)
        elif answer.status_code == 200 or is_xml(answer.content):
            try:
                check_xml(answer.content)
            except XmlRefused as refused:
                raise MarkupRefused(refused, answer) from None
        return answer


class MarkupRefused(AnswerRefused):
    """An answer that no parser should see."""

    def __init__(self, refused: XmlRefused, answer: requests.Response) -> None:
        super().__init__(str(refused), response=answer)


def _check_while_reading(answer: requests.Response) -> None:
    """Let a reader have whole, checked documents only, byte by byte as exchangelib's `DocumentYielder` needs them."""
    read = answer.iter_content

    def iter_content(*_: Any, **__: Any) -> Iterator[bytes]:
        try:
            for document in whole_documents(read(chunk_size=None)):
                for place in range(len(document)):
                    yield document[place : place + 1]
        except XmlRefused as refused:
            raise MarkupRefused(refused, answer) from None

    answer.iter_content = iter_content  # type: ignore[method-assign]


class _NotCached(CachingProtocol):
    """Makes a new protocol each time: exchangelib keeps each one for ever, under endpoint and credentials alone."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return type.__call__(cls, *arguments, **named)


class GuardedProtocol(Protocol, metaclass=_NotCached):
    """exchangelib's protocol, all of whose calls go through the sessions that `make_session` makes."""

    def __init__(self, config: Configuration, make_session: Callable[[], EwsSession]) -> None:
        super().__init__(config)
        self._make_session = make_session

    def raw_session(self, prefix: str, **oauth: Any) -> EwsSession:  # a class method in exchangelib
        session = self._make_session()
        session.headers.update(DEFAULT_HEADERS)
        return session


def guarded_account(email: str, config: Configuration, make_session: Callable[[], EwsSession], **named: Any) -> Account:
    """exchangelib's account with a guarded protocol; makes no call. Keeps nothing for the process."""
    account = Account(primary_smtp_address=email, config=config, autodiscover=False, **named)
    with suppress(KeyError):
        del Protocol[config]  # what the account made, and would otherwise stay with the password
    account.protocol = GuardedProtocol(config, make_session)
    return account
