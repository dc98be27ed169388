"""One request, one answer: exchangelib's services without what they do on the way.

exchangelib makes the requests and knows how versions differ. What it does by itself is switched off here, because it
happens behind our back: repeating a request (with another version, over fewer connections, with the same password),
sleeping, guessing, keeping everybody's connections for ever, parsing what nobody checked, writing requests into logs.

Importing exchangelib costs most of a second and 44 MB: only threads that call Exchange import this module.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import requests
from exchangelib.account import Account, Identity
from exchangelib.configuration import Configuration
from exchangelib.credentials import DELEGATE
from exchangelib.ewsdatetime import EWSTimeZone
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.services.common import EWSService
from exchangelib.transport import DEFAULT_HEADERS, NOAUTH
from exchangelib.util import ENS, SOAPNS, TNS, to_xml
from exchangelib.version import Build, Version
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth

from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.answers import check_answer
from meetings.adapters.exchange.guarded_http import GuardedSession
from meetings.adapters.exchange.refusals import Refused
from meetings.adapters.exchange.versions import OLDEST, ServerBuild
from meetings.adapters.exchange.xml_limits import check_xml
from meetings.application.ports.calendars import ServerAuth

Sessions = Callable[[], GuardedSession]
USER_AGENT = "meetings"
_ANSWER_TO_ALL = "Exchange2007_SP1"
"""What every server since 2007 SP1 understands: for asking a server which one it is."""


class Connection(BaseProtocol):
    """The HTTP sessions of one mailbox. A plain `BaseProtocol` is in nobody's cache, unlike exchangelib's own."""

    def __init__(self, access: MailboxAccess, sessions: Sessions, *, at_once: int, asks_version: bool = False) -> None:
        super().__init__(
            Configuration(
                service_endpoint=access.url,
                auth_type=NOAUTH,
                version=_asking() if asks_version else _pinned(access.build),
                retry_policy=FailFast(),
                max_connections=at_once,
            )
        )
        self._access = access
        self._sessions = sessions

    @property
    def version(self) -> Version:
        version: Version = self.config.version
        return version

    def get_auth_type(self) -> str:
        return str(NOAUTH)

    def create_session(self) -> GuardedSession:
        session: Any = self._sessions()
        session.headers.update({**DEFAULT_HEADERS, "User-Agent": USER_AGENT})
        session.auth = authentication(self._access.auth, self._access.username, self._access.password)
        session.session_id = 0
        session.usage_count = 0
        return session  # type: ignore[no-any-return]  # Any, for exchangelib's own attributes


def _asking() -> Version:
    return Version(build=Build(8, 1), api_version=_ANSWER_TO_ALL)


def _pinned(build: ServerBuild) -> Version:
    """What the server speaks, from what it reported when the mailbox was connected; newer ones speak 2016's."""
    told = Build(build.major, build.minor, build.build, build.revision)
    try:
        return Version(build=told)
    except ValueError:
        oldest = build < OLDEST
        return Version(build=told, api_version=_ANSWER_TO_ALL if oldest else "Exchange2016")


def authentication(auth: ServerAuth, username: str, password: str) -> AuthBase:
    """How the password is shown. Basic takes text in UTF-8, as RFC 7617 has it; requests alone would refuse it.

    An address as a name of NTLM goes without a domain, or it would be looked for in the wrong one.
    """
    if auth is ServerAuth.NTLM:
        return HttpNtlmAuth(f"\\{username}" if "@" in username else username, password)
    return HTTPBasicAuth(username.encode(), password.encode())


class Mailbox(Account):
    """A mailbox as exchangelib's services want it, for calls until `until` (monotonic).

    `build` is what the server said of itself in its last answer.
    """

    def __init__(self, connection: Connection, address: str, until: float, *, zone: bool = True) -> None:
        self.protocol = connection
        self.identity = Identity(primary_smtp_address=address)
        self.access_type = DELEGATE
        self.default_timezone = EWSTimeZone("UTC") if zone else None
        self.affinity_cookie: str | None = None
        self.build: ServerBuild | None = None
        self.until = until
        self._version = connection.version.copy()
        self._version_lock = Lock()

    def seconds_left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise requests.exceptions.Timeout("out of time")
        return left


class Single:
    """Goes before one of exchangelib's services: asks once, with the pinned version, and raises what the answer says.

    Raises, from any call:
        Refused: Exchange said no.
        requests.exceptions.RequestException: no answer, or none in time.
        XmlRefused, exchangelib.errors.EWSError: an answer that cannot be read.
    """

    ERRORS_TO_CATCH_IN_RESPONSE: tuple[type[Exception], ...] = ()
    WARNINGS_TO_CATCH_IN_RESPONSE = ()

    # Given by the service.
    account: Mailbox
    protocol: Connection
    streaming: bool
    get_payload: Callable[..., Any]
    wrap: Callable[..., bytes]
    _extra_headers: Callable[[], dict[str, str]]
    _handle_response_cookies: Callable[[requests.Session], None]
    _response_generator: Callable[..., Any]
    _response_tag: Callable[[], str]
    _version_hint: Version

    def __init__(self, mailbox: Mailbox, **named: Any) -> None:
        super().__init__(account=mailbox, **named)  # type: ignore[call-arg]  # that of the service

    def ask(self, *arguments: Any, **named: Any) -> list[Any]:
        """The elements of the answer. Arguments are those of the service's `get_payload`."""
        return list(self._response_generator(payload=self.get_payload(*arguments, **named)))

    def _api_versions_to_try(self) -> tuple[str]:
        return (self._version_hint.api_version,)

    def _get_response(self, payload: Any, api_version: str) -> requests.Response:
        session = self.protocol.get_session()
        try:
            answer: requests.Response = session.post(
                self.protocol.service_endpoint,
                data=self.wrap(content=payload, api_version=api_version),
                headers=self._extra_headers(),
                timeout=self.account.seconds_left(),
            )
            check_answer(answer)
        except BaseException:
            self.protocol.retire_session(session)
            raise
        self._handle_response_cookies(session)
        self.protocol.release_session(session)
        return answer

    @classmethod
    def _get_soap_parts(cls, response: Any) -> tuple[Any, Any]:
        check_xml(response.content)
        root = to_xml(response.content).getroot()
        body = root.find(f"{{{SOAPNS}}}Body")
        if body is None:
            raise Refused("NoBody")
        return root.find(f"{{{SOAPNS}}}Header"), body

    def _update_api_version(self, api_version: str, header: Any) -> None:
        """The version stays pinned; what the server says of itself is only noted."""
        info = header.find(f"{{{TNS}}}ServerVersionInfo")
        if info is None:
            return
        numbers = (info.get(f"{name}{kind}") for kind, name in _NUMBERS)
        self.account.build = ServerBuild(*(int(each or 0) for each in numbers))

    def _get_soap_messages(self, body: Any) -> Any:
        if body.find(self._response_tag()) is None:
            self._raise_soap_errors(body.find(f"{{{SOAPNS}}}Fault"))
        return EWSService._get_soap_messages(self, body)

    @classmethod
    def _raise_soap_errors(cls, fault: Any) -> None:
        """The code stands in the details, or, without any, behind the prefix of the fault's own."""
        if fault is None:
            raise Refused("UnknownAnswer")
        told = fault.findtext(f".//{{{ENS}}}ResponseCode") or fault.findtext("faultcode", "").rpartition(":")[2]
        raise Refused(told.strip() or "UnknownAnswer", wait=_wait(fault))

    @staticmethod
    def _get_exception(code: str | None, text: Any, msg_xml: Any = None, rule_errors: Any = None) -> Refused:
        values = {each.get("Name"): each.text for each in msg_xml} if msg_xml is not None else {}
        return Refused(values.get("InnerErrorResponseCode") or code or "NoCode", wait=_wait(msg_xml))


_NUMBERS = (("Version", "Major"), ("Version", "Minor"), ("BuildNumber", "Major"), ("BuildNumber", "Minor"))


def _wait(element: Any) -> float | None:
    """Seconds, from the value named BackOffMilliseconds ("EWS throttling in Exchange"), wherever it stands."""
    for value in element.iter(f"{{{TNS}}}Value") if element is not None else ():
        if value.get("Name") == "BackOffMilliseconds" and str(value.text).strip().isdigit():
            return int(value.text) / 1000
    return None
