"""Who reads a calendar at the moment, as long as their lease lasts."""

from sqlalchemy import Update, update

from meetings.application.ports.sync_schedule import SyncClaim
from meetings.infrastructure.database.tables import sync_schedule
from meetings.infrastructure.database.types import database_time


def renewal(claim: SyncClaim, lease_seconds: int) -> Update:
    """Renews the lease of the latest claim; touches no row for another."""
    plan = sync_schedule.c
    latest = (
        plan.calendar_id == claim.calendar_id,
        plan.account_id == claim.account_id,
        plan.fence == claim.fence,
        plan.lease_until.is_not(None),
    )
    return update(sync_schedule).where(*latest).values(lease_until=database_time(lease_seconds))
