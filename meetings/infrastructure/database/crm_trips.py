"""People who were sent to a CRM's consent page."""

from sqlalchemy import delete, insert

from meetings.application.ports.crm_trips import CrmTrip
from meetings.domain.identifiers import AccountId, UserId
from meetings.infrastructure.database.tables import crm_trips
from meetings.infrastructure.database.transaction import execute
from meetings.infrastructure.database.types import database_time
from meetings.infrastructure.database.unit_of_work import Database


class SqlCrmTrips:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, trip: CrmTrip) -> None:
        row = {
            "state_hash": trip.state_hash,
            "browser_hash": trip.browser_hash,
            "account_id": trip.account_id,
            "user_id": trip.user_id,
            "redirect_uri": trip.redirect_uri,
            "return_to": trip.return_to,
            "expires_at": trip.expires_at,
        }
        async with self._database.transaction() as connection:
            await execute(connection, insert(crm_trips), row)

    async def take(self, state_hash: str) -> CrmTrip | None:
        late = (crm_trips.c.expires_at <= database_time()).label("late")
        taken = delete(crm_trips).where(crm_trips.c.state_hash == state_hash).returning(*crm_trips.c, late)
        async with self._database.transaction() as connection:
            row = (await execute(connection, taken)).one_or_none()
        if row is None or row.late:
            return None
        return CrmTrip(
            state_hash=row.state_hash,
            browser_hash=row.browser_hash,
            account_id=AccountId(row.account_id),
            user_id=UserId(row.user_id),
            redirect_uri=row.redirect_uri,
            return_to=row.return_to,
            expires_at=row.expires_at,
        )
