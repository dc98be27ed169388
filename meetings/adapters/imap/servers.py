"""Finding the servers of an address: what the domain says of itself (RFC 6186, RFC 8314), or what was typed in."""

from dataclasses import dataclass, replace

from meetings.application.ports.calendars import LoginProblem, LoginRefused, ProviderUnavailable
from meetings.application.ports.dns import DnsUnavailable, Service, ServiceRecords
from meetings.application.ports.mail_accounts import ImapCredentials, ServerAddress

_SUBMISSIONS_PORT = 465


@dataclass(frozen=True, slots=True)
class FoundServers:
    """Where mail is read, and where it is handed over."""

    imap: ServerAddress
    smtp: ServerAddress


async def servers_of(given: ImapCredentials, records: ServiceRecords) -> FoundServers:
    """What was typed in, and for what was not the records of the address's domain, those over TLS first.

    A server outside the domain is only suggested: records can be forged on their way, and a password would follow
    them (RFC 6186, 6). Without a server for sending, the one beside that for reading is taken.

    Raises:
        LoginRefused: the domain says nothing, or names a server that the person has to confirm by typing it in.
        ProviderUnavailable: nobody knows what the domain says.
    """
    domain = _domain(given.email)
    imap = given.imap or await _recorded(domain, records, "_imaps._tcp", "_imap._tcp")
    if imap is None:
        raise LoginRefused(LoginProblem.URL_REQUIRED)
    smtp = given.smtp
    if smtp is None and given.imap is None:
        smtp = await _recorded(domain, records, "_submissions._tcp", "_submission._tcp")
    return FoundServers(imap=_tidy(imap), smtp=_tidy(smtp or _beside(imap)))


async def _recorded(domain: str, records: ServiceRecords, tls: str, starttls: str) -> ServerAddress | None:
    for name, later in ((tls, False), (starttls, True)):
        try:
            found = await records.at(f"{name}.{domain}")
        except DnsUnavailable:
            raise ProviderUnavailable("nobody knows where the domain has its mail servers") from None
        if found:
            return _within(domain, found[0], later)
    return None


def _within(domain: str, service: Service, starttls: bool) -> ServerAddress:
    if service.host != domain and not service.host.endswith(f".{domain}"):
        raise LoginRefused(LoginProblem.URL_REQUIRED, suggestion=service.host)
    return ServerAddress(service.host, service.port, starttls)


def _beside(imap: ServerAddress) -> ServerAddress:
    """Where most have it: `smtp.` beside `imap.`, else the same host, over TLS."""
    rest = imap.host.lower().removeprefix("imap.")
    return ServerAddress(f"smtp.{rest}" if rest != imap.host.lower() else imap.host, _SUBMISSIONS_PORT)


def _tidy(server: ServerAddress) -> ServerAddress:
    return replace(server, host=server.host.strip().rstrip(".").lower())


def _domain(email: str) -> str:
    """The part after the "@", as names in DNS are written. Raises LoginRefused where there is none."""
    domain = email.strip().rpartition("@")[2].rstrip(".").lower()
    try:
        return domain.encode("idna").decode() if domain and "@" in email else _none()
    except UnicodeError:
        return _none()


def _none() -> str:
    raise LoginRefused(LoginProblem.URL_REQUIRED)
