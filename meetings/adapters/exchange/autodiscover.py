"""Finding a mailbox's server by its address: the plain XML form of autodiscover (MS-OXDSCLI). Blocks.

Two places are asked, `autodiscover.` before the domain of the address and then the domain itself, which is often a web
site that need not see anybody's password. Each is first asked without one; only what answers 401 over a verified
certificate gets to see it. Redirects are followed as often as `MOST_HOPS`, each judged by the outbound guard.

Left out on purpose are the steps that trust an unsigned word about where a password goes: the redirect over plain
HTTP, and the SRV record. Whoever depends on them types the server's address in. An unsigned word is good enough to tell
that a domain is in Exchange Online, though, whose servers have no certificate for it: the name its discovery is an
alias of ("External Domain Name System records for Office 365").
"""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import requests

from meetings.adapters.exchange.addresses import is_exchange_online
from meetings.adapters.exchange.answers import offered
from meetings.adapters.exchange.guarded_http import CallRefused, GuardedSession, hop
from meetings.adapters.exchange.xml_limits import XmlRefused, check_xml
from meetings.application.outbound import Objection, OutboundGuard
from meetings.application.ports.calendars import LoginProblem, LoginRefused

MOST_HOPS = 5
_PATIENCE = (2.0, 4.0)
"""Seconds to connect, and for one question in all: there may be nothing at a place, and somebody waits."""
_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/{}"
_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "User-Agent": "meetings"}
# Addresses for use from outside first: EXPR and EXHTTP, then those for inside.
_PREFERRED = ("EXPR", "EXHTTP", "EXCH", "WEB")


@dataclass(frozen=True, slots=True)
class Found:
    """The address of the web service, and the user name that was accepted on the way, if one was asked for."""

    url: str
    username: str | None


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str | None = None
    redirect_url: str | None = None
    redirect_address: str | None = None


SignIn = Callable[
    [frozenset[str], Callable[[requests.auth.AuthBase], requests.Response]], tuple[requests.Response, str]
]
"""Shows the password to a server that offers these ways, and gives its answer with the name it took; see `trial`."""


CanonicalName = Callable[[str], str]
"""The name that a name is an alias of, or itself. Raises OSError when there is no such name."""


def system_canonical_name(host: str) -> str:
    """As the system's resolver has it. Blocks."""
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    return found[0][3] or host


class Autodiscover:
    """One search. `sign_in` is called when a server wants to know who asks; it raises LoginRefused."""

    def __init__(
        self,
        session: Callable[[], GuardedSession],
        guard: OutboundGuard,
        sign_in: SignIn,
        canonical_name: CanonicalName,
    ) -> None:
        self._session = session
        self._guard = guard
        self._sign_in = sign_in
        self._canonical_name = canonical_name
        self._hops = 0
        self._forbidden = False
        self._username: str | None = None

    def find(self, address: str) -> Found:
        """Where the mailbox with this address is.

        Raises:
            LoginRefused: URL_REQUIRED when nothing was found, ADDRESS_FORBIDDEN when what was found may not be called,
                USE_OFFICE365, or why nobody could sign in.
        """
        url = self._of_address(address)
        if url is None and self._is_alias_of_online(address):
            raise LoginRefused(LoginProblem.USE_OFFICE365)
        if url is None:
            raise LoginRefused(LoginProblem.ADDRESS_FORBIDDEN if self._forbidden else LoginProblem.URL_REQUIRED)
        return Found(url, self._username)

    def _of_address(self, address: str) -> str | None:
        for place in _places(address):
            found = self._ask(place, address)
            if found is not None:
                return found
        return None

    def _ask(self, url: str, address: str) -> str | None:
        """The web service's address, as far as this server or one it sends us to knows it."""
        self._refuse_online(url)
        self._hops += 1
        if self._hops > MOST_HOPS + len(_places(address)):
            return None
        try:
            with self._session() as session:
                answer = self._post(session, url, address)
                if answer is None:
                    return None
                target = hop(self._guard, answer)
        except CallRefused as refused:
            self._forbidden |= refused.refused.objection is Objection.NOT_PUBLIC
            return None
        except (requests.RequestException, OSError):
            return None
        if target is not None:
            return self._ask(target, address)
        return self._follow(_read(answer), address) if answer.status_code == 200 else None

    def _post(self, session: GuardedSession, url: str, address: str) -> requests.Response | None:
        def send(auth: requests.auth.AuthBase | None) -> requests.Response:
            return session.post(url, data=_question(address), headers=_HEADERS, auth=auth, timeout=_PATIENCE)

        answer = send(None)
        if answer.status_code == 401:
            offers = offered(answer)
            if not offers & {"basic", "ntlm", "negotiate"}:
                return None
            answer, self._username = self._sign_in(offers, send)
        return answer

    def _follow(self, told: _Answer, address: str) -> str | None:
        if told.redirect_address is not None:
            other = told.redirect_address
            if "@" not in other or other.lower() == address.lower():
                return None
            if is_exchange_online(other.rpartition("@")[2]):
                raise LoginRefused(LoginProblem.USE_OFFICE365)
            return self._of_address(other)
        if told.redirect_url is not None:
            return self._ask(told.redirect_url, address)
        if told.url is not None:
            self._refuse_online(told.url)
        return told.url

    def _is_alias_of_online(self, address: str) -> bool:
        try:
            return is_exchange_online(self._canonical_name(f"autodiscover.{address.rpartition('@')[2]}"))
        except (OSError, UnicodeError):
            return False

    def _refuse_online(self, url: str) -> None:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return
        if is_exchange_online(host):
            raise LoginRefused(LoginProblem.USE_OFFICE365)


def _places(address: str) -> tuple[str, ...]:
    domain = address.rpartition("@")[2]
    return tuple(f"https://{host}/autodiscover/autodiscover.xml" for host in (f"autodiscover.{domain}", domain))


def _question(address: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{_SCHEMA.format("requestschema/2006")}"><Request>'
        f"<EMailAddress>{escape(address)}</EMailAddress><AcceptableResponseSchema>"
        f"{_SCHEMA.format('responseschema/2006a')}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


def _read(answer: requests.Response) -> _Answer:
    """What an answer says; nothing for one that is none."""
    from lxml import etree

    try:
        check_xml(answer.content)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(answer.content, parser)
    except (XmlRefused, etree.XMLSyntaxError, ValueError):
        return _Answer()
    texts = {name: value for each in root.iter(etree.Element) for name, value in [_named(each)] if value}
    urls = dict(_service_urls(root))
    return _Answer(
        url=next((urls[kind] for kind in _PREFERRED if kind in urls), None),
        redirect_url=texts.get("RedirectUrl"),
        redirect_address=texts.get("RedirectAddr"),
    )


def _named(element: object) -> tuple[str, str]:
    tag, text = str(getattr(element, "tag", "")), getattr(element, "text", None) or ""
    return tag.rpartition("}")[2], text.strip()


def _service_urls(root: Any) -> Iterator[tuple[str, str]]:
    """(kind, address of the web service) of each protocol that has one."""
    for protocol in root.iter():
        if _named(protocol)[0] == "Protocol":
            values = dict(map(_named, protocol))
            kind = values.get("Type") or protocol.get("Type") or "WEB"
            if values.get("EwsUrl", "").lower().startswith("https://"):
                yield kind, values["EwsUrl"]
