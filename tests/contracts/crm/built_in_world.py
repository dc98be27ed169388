"""The records in our own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from meetings.application.ports.crm import Crm
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.crm import SqlCrm
from meetings.infrastructure.database.tables import crm_contacts, crm_mails, crm_meetings
from meetings.infrastructure.database.unit_of_work import Database
from meetings.infrastructure.identities import SqlIdentities
from meetings.infrastructure.secrets import Keyring, new_key
from tests.builders import a_user, an_account


@dataclass
class BuiltInWorld:
    """See `CrmWorld`. Owners are mere addresses here."""

    database: Database
    crm: Crm
    rival: Crm
    elsewhere: Crm
    owners: tuple[str, str] = ("anna@example.com", "ben@example.com")

    async def count(self) -> tuple[int, int, int]:
        async with self.database.snapshot() as connection:
            contacts, meetings, mails = [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (crm_contacts, crm_meetings, crm_mails)
            ]
        return contacts, meetings, mails


@asynccontextmanager
async def built_in_world(database_url: str) -> AsyncIterator[BuiltInWorld]:
    keyring = Keyring.parse(new_key("test"))
    database, another = (Database(database_url, keyring=keyring) for _ in range(2))
    ours, theirs = an_account(), an_account()
    for account in (ours, theirs):
        await SqlIdentities(database).found(account, a_user(account.account_id))
    yield BuiltInWorld(
        database,
        SqlCrm(database, AccountId(ours.id)),
        SqlCrm(another, AccountId(ours.id)),
        SqlCrm(database, AccountId(theirs.id)),
    )
    await another.close()
    await database.close()
