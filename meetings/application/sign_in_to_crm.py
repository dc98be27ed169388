"""Connecting HubSpot by signing in there: off to its consent page, and back."""

import secrets
from datetime import timedelta

from meetings.application.connect_calendar import (
    CODE_REJECTED,
    DENIED,
    NOT_GRANTED,
    UNAVAILABLE,
    ConnectionFailed,
    FailureReason,
    StartedConnection,
    TokenInvalid,
    Wanted,
)
from meetings.application.connect_crm import CrmTokenRefused, connect_with, give_back_sign_in
from meetings.application.links import Links, token_hash
from meetings.application.policy import Policy
from meetings.application.ports.calendars import AccessNotGranted, CodeRejected, ProviderError
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm_connections import CrmSignIn, TryCrm
from meetings.application.ports.crm_trips import CrmTrip, CrmTrips
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound, PermissionMissing

CRM_NAME = "hubspot"
"""As the address of the callback has it."""


async def start_crm_sign_in(
    return_to: str,
    *,
    caller: Caller,
    look: Begin,
    sign_in: CrmSignIn | None,
    trips: CrmTrips,
    links: Links,
    clock: Clock,
    policy: Policy,
) -> StartedConnection:
    """Prepare the trip to HubSpot's consent page; `return_to` was checked before.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        NotFound: HubSpot cannot be signed in to here.
    """
    async with look(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
    if sign_in is None:
        raise NotFound("consent page")
    state, browser_secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    redirect_uri, lasts = links.oauth_callback(CRM_NAME), timedelta(minutes=policy.attempt_minutes)
    await trips.add(
        CrmTrip(
            state_hash=token_hash(state),
            browser_hash=token_hash(browser_secret),
            account_id=caller.account_id,
            user_id=caller.user_id,
            redirect_uri=redirect_uri,
            return_to=return_to,
            expires_at=clock() + lasts,
        )
    )
    return StartedConnection(sign_in.consent_page(state=state, redirect_uri=redirect_uri), browser_secret, lasts)


async def finish_crm_sign_in(
    *,
    state: str,
    code: str | None,
    error: str | None,
    browser_secret: str | None,
    begin: Begin,
    sign_in: CrmSignIn | None,
    trips: CrmTrips,
    try_crm: TryCrm,
    clock: Clock,
) -> str:
    """Take what the consent page's redirect brought; gives where the person wanted to go. A grant that leads to nothing
    is given back.

    Raises:
        TokenInvalid: the state is unknown, was used, has expired, or belongs to another browser (OA-1).
        ConnectionFailed: denied, code refused, scope missing, HubSpot not reachable, or the person administers the
            account no more.
    """
    trip = await trips.take(token_hash(state))
    if sign_in is None or trip is None or trip.expires_at <= clock() or browser_secret is None:
        raise TokenInvalid
    if not secrets.compare_digest(token_hash(browser_secret), trip.browser_hash):
        raise TokenInvalid
    if code is None:
        raise _failed(DENIED if error == "access_denied" else CODE_REJECTED, trip)
    try:
        credentials = await sign_in.finish(code=code, redirect_uri=trip.redirect_uri)
    except CodeRejected as no:
        raise _failed(CODE_REJECTED, trip) from no
    except AccessNotGranted as no:
        raise _failed(NOT_GRANTED, trip) from no
    except ProviderError as no:
        raise _failed(UNAVAILABLE, trip) from no
    caller = Caller(trip.account_id, trip.user_id, frozenset())
    try:
        await connect_with(credentials, caller=caller, begin=begin, try_crm=try_crm, clock=clock)
    except (CrmTokenRefused, PermissionMissing, NotFound, ProviderError) as no:
        await give_back_sign_in(credentials, sign_in)
        raise _failed(UNAVAILABLE if isinstance(no, ProviderError) else NOT_GRANTED, trip) from no
    return trip.return_to


def _failed(reason: FailureReason, trip: CrmTrip) -> ConnectionFailed:
    return ConnectionFailed(reason, trip.return_to, Wanted.HUBSPOT)
