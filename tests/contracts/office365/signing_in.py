"""Credentials as the adapter keeps them, without the walk through the consent page."""

from datetime import datetime, timedelta

import msal

from meetings.adapters.office365.signin import scopes_of
from meetings.adapters.office365.simulator import CLIENT_ID, Office365Simulator
from meetings.adapters.office365.tokens import Grant, lean
from meetings.domain.account_use import CALENDAR_ONLY, AccountUse


def signed_in(
    office: Office365Simulator, email: str, now: datetime, uses: frozenset[AccountUse] = CALENDAR_ONLY
) -> str:
    """The text that the adapter would store after `email` consented to all it asks for."""
    tokens = office.grant(email, (*scopes_of(uses), "email", "openid", "offline_access"))
    cache = msal.SerializableTokenCache()
    cache.add(
        {
            "client_id": CLIENT_ID,
            "scope": tokens["scope"].split(),
            "token_endpoint": office.endpoints.token(),
            "response": dict(tokens),
        }
    )
    (account,) = cache.search(msal.TokenCache.CredentialType.ACCOUNT)
    grant = Grant(
        access_token=tokens["access_token"],
        expires_at=int((now + timedelta(seconds=tokens["expires_in"])).timestamp()),
        mailbox=account["home_account_id"],
        email=email,
        cache=lean(cache.serialize()),
        uses=uses,
    )
    return grant.to_text()
