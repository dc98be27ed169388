"""What availability of one page depends on, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.types import TypeEngine

from meetings.application.ports.page_signs import PageSigns, TakenSign
from meetings.application.ports.reads import PagePointer
from meetings.application.ports.unit_of_work import MirroredTime
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.timespan import TimeSpan
from meetings.infrastructure.database.mirror import BUSY, HostSoFar
from meetings.infrastructure.database.tables import (
    accounts,
    calendars,
    connections,
    host_times,
    mirror_states,
    pages,
    users,
)
from meetings.infrastructure.database.transaction import AnyRow, execute
from meetings.infrastructure.database.types import Instant, database_time
from meetings.infrastructure.database.unit_of_work import Database

_PAGE, _USER, _CONNECTION, _OWNER, _CALENDAR, _TAKEN, _NOW = range(7)
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "kind": BigInteger(),
    "who": Uuid(),
    "other": Uuid(),
    "low": BigInteger(),
    "high": BigInteger(),
    "first": Instant(),
    "second": Instant(),
    "third": Instant(),
    "word": Text(),
    "busy": Text(),
}
_ACCOUNT = bindparam("account", type_=Uuid())
_PEOPLE: BindParameter[Any] = bindparam("people", expanding=True)


def _row(kind: int, **given: ColumnElement[Any]) -> Select[Any]:
    values = {"kind": literal(kind, BigInteger()), **given}
    return select(*((values.get(name, cast(null(), type_))).label(name) for name, type_ in _COLUMNS.items()))


_states = mirror_states.c
SIGNS = union_all(
    _row(_NOW, first=database_time()),
    _row(_PAGE, who=pages.c.id, low=pages.c.version).where(
        pages.c.account_id == _ACCOUNT, pages.c.id == bindparam("page")
    ),
    _row(_USER, who=users.c.id, low=users.c.version).where(users.c.account_id == _ACCOUNT, users.c.id.in_(_PEOPLE)),
    _row(_CONNECTION, who=connections.c.id, low=connections.c.version).where(
        connections.c.account_id == _ACCOUNT, connections.c.user_id.in_(_PEOPLE)
    ),
    _row(_OWNER, who=accounts.c.id, low=accounts.c.version).where(accounts.c.id == _ACCOUNT),
    _row(
        _CALENDAR,
        who=connections.c.user_id,
        other=calendars.c.id,
        first=_states.window_start,
        second=_states.window_end,
        third=_states.confirmed_at,
        word=calendars.c.health,
        busy=BUSY,
    )
    .select_from(
        connections.outerjoin(
            calendars, and_(calendars.c.connection_id == connections.c.id, calendars.c.selected)
        ).outerjoin(mirror_states, _states.calendar_id == calendars.c.id)
    )
    .where(connections.c.account_id == _ACCOUNT, connections.c.user_id.in_(_PEOPLE)),
    _row(
        _TAKEN,
        who=host_times.c.host_id,
        other=host_times.c.page_id,
        low=host_times.c.start_minute,
        high=host_times.c.end_minute,
        first=host_times.c.expires_at,
        word=host_times.c.hold,
    ).where(
        host_times.c.account_id == _ACCOUNT,
        or_(host_times.c.host_id.in_(_PEOPLE), host_times.c.page_id == bindparam("page")),
        host_times.c.end_minute > bindparam("start"),
        host_times.c.start_minute < bindparam("end"),
    ),
)


class SqlPageSigns:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, page: PagePointer, people: Sequence[UserId], span: TimeSpan) -> PageSigns:
        start, end = span.minutes()
        values = {
            "account": page.account_id,
            "page": page.page_id,
            "people": list(people),
            "start": start,
            "end": end,
        }
        async with self._database.snapshot() as connection:
            rows = (await execute(connection, SIGNS, values)).all()
        return _signs(rows)


def _signs(rows: Sequence[AnyRow]) -> "SqlSigns":
    of_kind: dict[int, list[AnyRow]] = {kind: [] for kind in range(_NOW + 1)}
    for row in rows:
        of_kind[row[0]].append(row)
    versions = {row[1]: row[3] for kind in (_PAGE, _USER, _CONNECTION, _OWNER) for row in of_kind[kind]}
    taken = [
        TakenSign(UserId(host), PageId(page), start, end, hold is not None, expires_at)
        for _, host, page, start, end, expires_at, _, _, hold, _ in of_kind[_TAKEN]
    ]
    taken.sort(key=lambda sign: (sign.host, sign.start))
    return SqlSigns(of_kind[_NOW][0][5], versions, taken, of_kind[_CALENDAR])


@dataclass
class SqlSigns:
    """See the port."""

    at: datetime
    versions: Mapping[UUID, int]
    taken: Sequence[TakenSign]
    _calendars: Sequence[AnyRow] = field(repr=False)

    def mirrored(self, hosts: Sequence[UserId], *, confirmed_since: datetime) -> Mapping[UserId, MirroredTime]:
        found: dict[UserId, HostSoFar] = {}
        for _, user, _, _, _, window_start, window_end, confirmed_at, health, busy in self._calendars:
            if user in hosts:
                host = found.setdefault(UserId(user), HostSoFar())
                host.take_calendar(health, window_start, window_end, confirmed_at)
                host.take_busy(busy)
        return {user_id: host.known(user_id, confirmed_since) for user_id, host in found.items()}
