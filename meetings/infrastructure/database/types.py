"""Column types that mean the same on SQLite and PostgreSQL, and the database's own clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, DateTime, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant, read back in UTC: `timestamptz`, on SQLite microseconds since the epoch. Both lose nothing.

    Raises:
        ValueError: when a naive datetime is stored.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        found: datetime = value.astimezone(UTC)
        return found


Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; `documents.py` says what is in it."""

Counter = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database counts up; SQLite counts only columns that are called INTEGER."""


class database_time(FunctionElement[datetime]):
    """The database's clock when the statement began, plus a number of seconds; SQLite knows milliseconds."""

    type = Instant()
    inherit_cache = True

    def __init__(self, plus_seconds: float | ColumnElement[float] = 0) -> None:
        super().__init__(plus_seconds if isinstance(plus_seconds, ColumnElement) else float(plus_seconds))


@compiles(database_time, "postgresql")
def _on_postgresql(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    # statement_timestamp() and not now(), which stands still while a transaction waits for a lock; and not
    # clock_timestamp(), which no index can be asked with.
    return f"(statement_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


@compiles(database_time, "sqlite")
def _on_sqlite(element: database_time, compiler: SQLCompiler, **options: Any) -> str:
    now = "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
    return f"({now} + CAST({compiler.process(element.clauses, **options)} * 1000000 AS INTEGER))"
