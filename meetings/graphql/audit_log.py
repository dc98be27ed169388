"""What happened in the account: who, when, what. Ids and figures, no words of anybody."""

from datetime import datetime

import strawberry

from meetings.application.ports.reads import JournalEntry
from meetings.application.read_audit_log import read_audit_log
from meetings.graphql.context import Operation
from meetings.graphql.paging import PageInfo, check_first, page_info


@strawberry.type(description="One figure of an entry.")
class AuditDetail:
    """By name."""

    key: str = strawberry.field(description="What it is, such as `page_id`.")
    value: str = strawberry.field(description="An id, an instant, a number or a name.")


@strawberry.type(description="Something that happened. Entries never change: each carries a hash over all before it.")
class AuditEntry:
    """Checked by `meetings audit verify`."""

    position: int = strawberry.field(description="Its number in the account, from 1.")
    kind: str = strawberry.field(description="What happened, such as `BookingCancelled`.")
    subject: str = strawberry.field(description="The id, as stored, of what it happened to.")
    actor: str = strawberry.field(
        description="Who: `user:` and an id, `visitor`, `system`, or `operator` for the command line."
    )
    at: datetime = strawberry.field(description="When.")
    details: list[AuditDetail] = strawberry.field(description="The figures, by name.")

    @classmethod
    def of(cls, entry: JournalEntry) -> "AuditEntry":
        return cls(
            position=entry.position,
            kind=entry.kind,
            subject=str(entry.subject),
            actor=entry.actor,
            at=entry.at,
            details=[AuditDetail(key=key, value=value) for key, value in sorted(entry.details.items())],
        )


@strawberry.type(description="An entry in a page of the audit log.")
class AuditEntryEdge:
    """With its cursor."""

    cursor: str = strawberry.field(description="What `after` takes to go on behind it.")
    node: AuditEntry = strawberry.field(description="The entry.")


@strawberry.type(description="A page of the audit log, newest first.")
class AuditEntryConnection:
    """As in the Relay cursor connections specification."""

    edges: list[AuditEntryEdge] = strawberry.field(description="Entries with cursors.")
    nodes: list[AuditEntry] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


async def audit_log_of(operation: Operation, first: int, after: str | None) -> AuditEntryConnection:
    """Raises `PermissionMissing` for whoever is no owner."""
    found = await read_audit_log(
        operation.signed_in_to_read(),
        first=check_first(first),
        after=after,
        begin=operation.begin,
        reads=operation.tools.reads,
        clock=operation.tools.clock,
    )
    edges = [AuditEntryEdge(cursor=cursor, node=AuditEntry.of(entry)) for cursor, entry in found.items]
    return AuditEntryConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after),
    )
