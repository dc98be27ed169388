"""Consent pages people were sent to."""

from sqlalchemy import delete, insert

from meetings.application.ports.sign_in_attempts import SignInAttempt
from meetings.domain.account_use import AccountUse
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.tables import sign_in_attempts
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database

_FIELD = "sign_in_attempts.verifier"


class SqlSignInAttempts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, attempt: SignInAttempt) -> None:
        async with self._database.transaction() as connection:
            verifier = await self._database.secrets.seal(
                connection, attempt.account_id, _FIELD, attempt.state_hash, attempt.verifier
            )
            row = {
                "state_hash": attempt.state_hash,
                "account_id": attempt.account_id,
                "user_id": attempt.user_id,
                "browser_hash": attempt.browser_hash,
                "provider": attempt.provider.value,
                "verifier": verifier,
                "redirect_uri": attempt.redirect_uri,
                "return_to": attempt.return_to,
                "disclosure_version": attempt.disclosure_version,
                "reconnect": attempt.reconnect,
                "login_hint": attempt.login_hint,
                "created_at": attempt.created_at,
                "expires_at": attempt.expires_at,
                "uses": ",".join(sorted(use.value for use in attempt.uses)),
                "reconnect_mailbox": attempt.reconnect_mailbox,
                "channel_id": attempt.channel,
            }
            await execute(connection, insert(sign_in_attempts), row)

    async def take(self, state_hash: str) -> SignInAttempt | None:
        columns = sign_in_attempts.c
        take = delete(sign_in_attempts).where(columns.state_hash == state_hash)
        async with self._database.transaction() as connection:
            found = await execute(
                connection, take.returning(*columns, (columns.expires_at <= database_time()).label("late"))
            )
            row = found.one_or_none()
            if row is None or row.late:
                return None
            account_id = AccountId(row.account_id)
            verifier = await self._database.secrets.open(connection, account_id, _FIELD, state_hash, row.verifier)
        return SignInAttempt(
            state_hash=row.state_hash,
            browser_hash=row.browser_hash,
            account_id=account_id,
            user_id=row.user_id,
            provider=Provider(row.provider),
            verifier=verifier,
            redirect_uri=row.redirect_uri,
            return_to=row.return_to,
            disclosure_version=row.disclosure_version,
            reconnect=row.reconnect,
            login_hint=row.login_hint,
            created_at=row.created_at,
            expires_at=row.expires_at,
            uses=frozenset(map(AccountUse, row.uses.split(","))),
            reconnect_mailbox=row.reconnect_mailbox,
            channel=row.channel_id,
        )
