"""Having HubSpot keep an account's records, and going back to the built-in ones (A-CR6)."""

import asyncio
import logging
import re
from datetime import datetime

from meetings.application.grants import GIVE_BACK_SECONDS
from meetings.application.ports.calendars import ProviderError, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm_connections import CrmSignIn, TryCrm
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import DomainError, NotFound, Problem, Rule, refuse
from meetings.domain.crm_connection import CrmConnected, CrmDisconnected, CrmRefused
from meetings.domain.identifiers import AccountId

log = logging.getLogger(__name__)

_TOKEN = re.compile(r"(?!\{)[!-~]{8,500}")
"""What begins with a brace is what a sign-in gives, which nobody types in."""


class CrmTokenRefused(DomainError):
    """The CRM does not accept the access token, or lets us do too little with it."""


async def connect_hubspot(token: str, *, caller: Caller, begin: Begin, try_crm: TryCrm, clock: Clock) -> None:
    """Keep the account's records in HubSpot from now on. What the built-in ones hold stays there. Again, with the same
    token or another one, mends a connection that HubSpot refuses; what waited is delivered then.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: no access token.
        CrmTokenRefused: HubSpot does not accept it.
        ProviderUnavailable, RateLimited: worth another try.
    """
    given = token.strip()
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
    refuse(None if _TOKEN.fullmatch(given) else Problem(("privateAppToken",), Rule.MALFORMED))
    await connect_with(given, caller=caller, begin=begin, try_crm=try_crm, clock=clock)


async def connect_with(credentials: str, *, caller: Caller, begin: Begin, try_crm: TryCrm, clock: Clock) -> None:
    """Keep the account's records in HubSpot from now on, with credentials of either kind.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        CrmTokenRefused: HubSpot does not accept them.
        ProviderUnavailable, RateLimited, RecordRefused: it could not be made ready.
    """
    try:
        await try_crm(credentials)
    except ReauthorizationNeeded:
        raise CrmTokenRefused from None
    now = clock()
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        await work.crm_connection.put(credentials, now=now)
        (await work.account()).record(CrmConnected(at=now))
        await work.commit()


async def note_crm_refusal(account_id: AccountId, connected_at: datetime, *, begin: Begin, clock: Clock) -> bool:
    """Write down that HubSpot refuses what was given at `connected_at`; whoever finds out first has the owners and
    admins told. Whether that is what the account is still connected with."""
    now = clock()
    async with begin(account_id) as work:
        if await work.crm_connection.refuse(connected_at, now=now):
            (await work.account()).record(CrmRefused(at=now))
        current = await work.crm_connection.current()
        await work.commit()
    return current is not None and current.connected_at == connected_at


async def disconnect_hubspot(*, caller: Caller, begin: Begin, sign_in: CrmSignIn | None, clock: Clock) -> None:
    """Go back to the built-in records; nothing is removed in HubSpot. What a sign-in gave is given back (OA-4).

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        NotFound: HubSpot is not connected.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        credentials = await work.crm_connection.remove()
        if credentials is None:
            raise NotFound("crm connection")
        (await work.account()).record(CrmDisconnected(at=clock()))
        await work.commit()
    if sign_in is not None:
        await give_back_sign_in(credentials, sign_in)


async def give_back_sign_in(credentials: str, sign_in: CrmSignIn) -> None:
    """Never raises: what fails is for the person to remove in HubSpot, where our app stands among the connected ones.
    A token that was handed over has nobody to be given back to."""
    try:
        async with asyncio.timeout(GIVE_BACK_SECONDS):
            await sign_in.revoke(credentials)
    except (ProviderError, TimeoutError):
        log.warning("HubSpot's grant could not be given back; people can remove it there", exc_info=True)
