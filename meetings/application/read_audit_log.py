"""What happened in an account, for its owners. That they look stands in it as well (TP-5)."""

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.reads import JournalEntry, Reads, Slice
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.account import AuditLogRead
from meetings.domain.base import PermissionMissing
from meetings.domain.user import Role


async def read_audit_log(
    caller: Caller, *, first: int, after: str | None, begin: Begin, reads: Reads, clock: Clock
) -> Slice[JournalEntry]:
    """A page of entries, newest first; the first entry of the first page is this very look.

    Raises:
        PermissionMissing: the caller is no owner.
        BadCursor: `after` is no cursor of this list.
    """
    async with begin(caller.account_id) as work:
        if (await work.users.get(caller.user_id)).role is not Role.OWNER:
            raise PermissionMissing("read the audit log")
        (await work.account()).record(AuditLogRead(at=clock()))
        await work.commit()
    return await reads.audit_log(caller.account_id, first=first, after=after)
