"""Telling an account's owners and admins that a domain of theirs is about to be lost, or is."""

from datetime import datetime
from uuid import UUID

from meetings.application.letters import have_each_told, message_id_of, recipient_of, send_letter
from meetings.application.links import Links
from meetings.application.ports.mail import DomainLetter, DomainNews, Mailer
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.application.reactions import TELL_OF_DOMAIN
from meetings.domain.identifiers import UserId, WebDomainId
from meetings.domain.web_domain import DomainLost, DomainProofMissed, WebDomain

_NEWS = {DomainProofMissed.__name__: DomainNews.ENDANGERED, DomainLost.__name__: DomainNews.LOST}


async def tell_admins(intent: Intent, *, begin: Begin) -> None:
    """Have each person told who could do something about it."""
    async with begin(intent.account_id) as work:
        await have_each_told(TELL_OF_DOMAIN, intent, await work.users.active_admins(), work)


async def tell_of_domain(intent: Intent, *, look: Begin, mailer: Mailer, links: Links) -> None:
    """Write to one of them, unless it is not true any more: the record is back, the domain is connected again or was
    removed, or the person left or was given another role.

    Raises:
        MailUnavailable: worth another try.
    """
    async with look(intent.account_id) as work:
        domains = {domain.id: domain for domain in await work.domains.all()}
        domain = domains.get(WebDomainId(intent.subject))
        reader = UserId(UUID(intent.details["to"]))
        admins = await work.users.of(await work.users.active_admins())
    if domain is None or reader not in admins or not _still(intent, domain):
        return
    letter = DomainLetter(
        message_id=message_id_of(intent, links),
        to=recipient_of(admins[reader]),
        news=_NEWS[intent.details["news"]],
        host=domain.host,
        record_name=domain.record_name,
        record_value=domain.record_value,
        until=domain.kept_until,
        settings_url=links.settings(),
    )
    await send_letter(letter, mailer)


def _still(intent: Intent, domain: WebDomain) -> bool:
    """Whether what the intent came from is how things stand; a record that was back in between is another loss."""
    if _NEWS[intent.details["news"]] is DomainNews.LOST:
        return not domain.connected
    since = datetime.fromisoformat(intent.details["missing_since"])
    return domain.connected and domain.missing_since == since
