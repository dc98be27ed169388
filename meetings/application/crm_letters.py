"""Telling an account's owners and admins that HubSpot refuses us."""

from datetime import datetime
from uuid import UUID

from meetings.application.letters import have_each_told, message_id_of, recipient_of, send_letter
from meetings.application.links import Links
from meetings.application.ports.mail import CrmRefusedLetter, Mailer
from meetings.application.ports.outbox import Intent
from meetings.application.ports.unit_of_work import Begin
from meetings.application.reactions import TELL_OF_CRM
from meetings.domain.identifiers import UserId


async def plan_crm_letters(intent: Intent, *, begin: Begin) -> None:
    """Have each person told who could connect it again."""
    async with begin(intent.account_id) as work:
        await have_each_told(TELL_OF_CRM, intent, await work.users.active_admins(), work)


async def tell_of_crm(intent: Intent, *, look: Begin, mailer: Mailer, links: Links) -> None:
    """Write to one of them, unless it is not true any more: another token was given, the account went back to the
    built-in records, or the person left or was given another role.

    Raises:
        MailUnavailable: worth another try.
    """
    async with look(intent.account_id) as work:
        connection = await work.crm_connection.current()
        reader = UserId(UUID(intent.details["to"]))
        admins = await work.users.of(await work.users.active_admins())
    refused_at = datetime.fromisoformat(intent.details["refused_at"])
    if connection is None or connection.refused_at != refused_at or reader not in admins:
        return
    letter = CrmRefusedLetter(
        message_id=message_id_of(intent, links),
        to=recipient_of(admins[reader]),
        crm="HubSpot",
        settings_url=links.settings(),
    )
    await send_letter(letter, mailer)
