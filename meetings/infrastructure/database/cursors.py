"""Cursors of lists that are sorted by an instant and an id: opaque outside, a position inside."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import BindParameter, bindparam

from meetings.application.ports.reads import BadCursor
from meetings.infrastructure.database.tables import bookings


def cursor_at(at: datetime, item_id: UUID) -> str:
    """The cursor that stands right after an item."""
    return base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), item_id.hex])).decode()


def position_of(cursor: str) -> tuple[BindParameter[datetime], BindParameter[UUID]]:
    """What a cursor stands for, to be compared with two columns.

    Raises:
        BadCursor: nobody made it.
    """
    try:
        at, item_id = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        instant, found = datetime.fromisoformat(at), UUID(item_id)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        raise BadCursor from None
    if instant.tzinfo is None:
        raise BadCursor
    return bindparam("after_at", instant, bookings.c.created_at.type), bindparam("after_id", found, bookings.c.id.type)
