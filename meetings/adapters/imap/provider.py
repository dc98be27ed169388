"""Mailboxes on any server that speaks IMAP and SMTP, put together from settings."""

import ssl
from dataclasses import dataclass

from meetings.adapters.imap.dialling import MAIL_PORTS, Dialling
from meetings.adapters.imap.disclosure import DISCLOSURE
from meetings.adapters.imap.login import ImapLogin
from meetings.adapters.imap.mail import ImapMail
from meetings.adapters.imap.pool import Pool
from meetings.application.outbound import OutboundGuard, Resolver
from meetings.application.ports.calendars import Credentials
from meetings.application.ports.clock import Clock
from meetings.application.ports.dns import ServiceRecords
from meetings.application.ports.mail_accounts import InboxOffer, MailAccount
from meetings.domain.mailbox import InboxProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSettings:
    """Which servers may be called. Everything has a default: people bring their servers.

    `private_networks` lists networks and hosts that are called although they are not public (`mail.corp.example`, with
    other ports than the usual ones `mail.corp.example:10993`); `ca_file` holds certificates of authorities in PEM,
    believed beside the usual ones. `threads` bounds all calls under way in this process, `calls_at_once` those of one
    mailbox; a call has `total_seconds` (5 of them for connecting). `page_size` is how many mails are read at once.
    """

    private_networks: tuple[str, ...] = ()
    ca_file: str | None = None
    threads: int = 8
    calls_at_once: int = 2
    total_seconds: float = 30.0
    page_size: int = 100


def imap_offer(
    settings: ImapSettings, *, records: ServiceRecords, now: Clock, resolver: Resolver | None = None
) -> InboxOffer:
    """No network call and no heavy import happens before the first call to a server. One per process: it has the pool.

    Raises:
        ValueError: a network is none.
        OSError: the file of certificates cannot be read.
    """
    tls = ssl.create_default_context()
    if settings.ca_file is not None:
        tls.load_verify_locations(settings.ca_file)
    dialling = Dialling(OutboundGuard(settings.private_networks, resolver=resolver, ports=MAIL_PORTS), tls)
    pool = Pool(threads=settings.threads, total_seconds=settings.total_seconds)

    def mail(credentials: Credentials) -> MailAccount:
        return ImapMail(credentials, dialling, pool, now, settings.page_size)

    return InboxOffer(
        provider=InboxProvider.IMAP,
        disclosure=DISCLOSURE,
        mail=mail,
        login=ImapLogin(dialling, pool, records),
        calls_at_once=settings.calls_at_once,
    )
