"""How the simulated server is set up."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from meetings.adapters.exchange.simulator.versions import EXCHANGE_2010_SP2, ServerVersion


@dataclass
class Settings:
    """May be changed while the server runs.

    `schemes` are offered in this order: Basic, NTLM. An account is locked after `lock_after` failed sign-ins in a row.
    `find_limit` is the throttling policy's EWSFindCountLimit, `sync_limit` the schema's greatest MaxChangesReturned;
    `most_at_once` is EWSMaxConcurrency, `most_subscriptions` EWSMaxSubscriptions, `most_streams` the limit of hanging
    connections (each per account; the values are those of Exchange 2010, "EWS throttling in Exchange"). A "minute" of a
    subscription lasts `minute_seconds`. `autodiscover` says what is found: see `autodiscover`.
    """

    version: ServerVersion = EXCHANGE_2010_SP2
    schemes: tuple[str, ...] = ("Basic", "NTLM")
    lock_after: int | None = 5
    find_limit: int = 1000
    sync_limit: int = 512
    most_at_once: int = 10
    most_subscriptions: int = 20
    most_streams: int = 10
    minute_seconds: float = 60.0
    heartbeat_seconds: float = 45.0
    autodiscover: "Autodiscover" = field(default_factory=lambda: Autodiscover())


@dataclass
class Autodiscover:
    """What autodiscover answers. First that is set wins.

    - `absent`: 404, as where nobody set it up; so it is at every host beside `hosts`, when those are named
    - `http_redirect`: 302 to this address
    - `redirect_url`, `redirect_address`: an answer that sends the client on
    - `error`: an error code of autodiscover, such as 500 (the address is not known), with HTTP 200
    - `ews_url`: this address instead of the server's own, such as Exchange Online's

    Redirects end where they lead to, unless `circular`.
    """

    absent: bool = False
    hosts: tuple[str, ...] = ()
    http_redirect: str | None = None
    redirect_url: str | None = None
    redirect_address: str | None = None
    error: int | None = None
    ews_url: str | None = None
    circular: bool = False

    def at(self, url: str) -> "Autodiscover":
        """What is found at this address of a request."""
        host = urlsplit(url).hostname or ""
        found = replace(self, absent=self.absent or bool(self.hosts and host not in self.hosts))
        if not self.circular and _same(self.http_redirect, url):
            found = replace(found, http_redirect=None)
        if not self.circular and _same(self.redirect_url, url):
            found = replace(found, redirect_url=None)
        return found

    def told_about(self, email: str) -> "Autodiscover":
        """The same for one mailbox."""
        arrived = (self.redirect_address or "").lower() == email.lower()
        return replace(self, redirect_address=None) if arrived and not self.circular else self


def _same(target: str | None, url: str) -> bool:
    one, other = urlsplit((target or "").lower()), urlsplit(url.lower())
    return (one.hostname, one.path) == (other.hostname, other.path)


EXCHANGE_ONLINE = "https://outlook.office365.com/EWS/Exchange.asmx"
