"""What becomes of a provider's grant: it turns out to be lost, or we give it back."""

import asyncio
import logging

from meetings.application.ports.calendars import ProviderError, Providers
from meetings.application.ports.clock import Clock
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.domain.calendar_connection import CalendarConnection, Provider
from meetings.domain.mailbox import Mailbox

log = logging.getLogger(__name__)

GIVE_BACK_SECONDS = 10.0
_PAUSES = (0.25, 1.0, None)
"""Between tries to give a grant back. Nobody can try later: by then the credentials are deleted."""


async def note_lost_grant(seen: CalendarConnection, *, begin: Begin, clock: Clock) -> None:
    """Write down that the provider refused our grant, unless the host signed in again since `seen` was loaded."""
    async with begin(seen.account_id) as work:
        connection = await work.connections.get(seen.id)
        if connection.connected_at == seen.connected_at:
            await lose_grant(connection, work, clock=clock)
        await work.commit()


async def lose_grant(connection: CalendarConnection, work: UnitOfWork, *, clock: Clock) -> None:
    """The grant of a calendar is lost, and with it that of the mailbox that borrows it."""
    connection.lose_grant(now=clock())
    borrower = await work.mailboxes.borrowing(connection.id)
    if borrower is not None:
        borrower.lose_grant(now=clock())


async def note_lost_mailbox(seen: Mailbox, *, begin: Begin, clock: Clock) -> None:
    """The same of a mailbox. A calendar it borrows from finds out for itself: no mail takes a page offline."""
    async with begin(seen.account_id) as work:
        mailbox = await work.mailboxes.get(seen.id)
        if mailbox.connected_at == seen.connected_at:
            mailbox.lose_grant(now=clock())
        await work.commit()


async def give_back(providers: Providers, provider: Provider, credentials: str) -> None:
    """Revoke a grant at its provider, in a few tries (OA-4). Never raises: what fails is for the person to remove.

    Where people sign in with a password there is nothing to give back, nor at a provider that is not set up any more.
    """
    offered = providers.get(provider)
    if offered is None or offered.sign_in is None:
        return
    try:
        async with asyncio.timeout(GIVE_BACK_SECONDS):
            for pause in _PAUSES:
                try:
                    return await offered.sign_in.revoke(credentials)
                except ProviderError:
                    if pause is None:
                        raise
                    await asyncio.sleep(pause)
    except (ProviderError, TimeoutError):
        log.warning("a grant could not be given back; the person can remove it at the provider", exc_info=True)
