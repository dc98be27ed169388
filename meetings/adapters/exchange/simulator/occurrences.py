"""The occurrences of a series as items of their own, with what was moved or cancelled."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta

from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.recurrence import starts
from meetings.adapters.exchange.simulator.world import CalendarItem

# A series without end is looked at so far (assumed: Outlook shows dates until 2079 and later years are never asked).
_FARTHEST = timedelta(days=366 * 60)


def planned(series: CalendarItem, until: datetime | None = None) -> Iterator[datetime]:
    """The original starts up to `until`, deleted and moved ones too."""
    assert series.recurrence is not None
    last = until or series.start + _FARTHEST
    for start in starts(series.recurrence, series.start, series.zone):
        if start > last:
            return
        yield start


def in_view(item: CalendarItem, start: datetime, end: datetime) -> list[CalendarItem]:
    """The item itself, or its occurrences, as far as they touch the half-open window, by start."""
    if item.recurrence is None:
        return [item] if _touches(item, start, end) else []
    # A day more than it lasts: whole days differ in length.
    earliest = start - (item.end - item.start) - timedelta(days=1)
    near = (each for each in planned(item, end) if each > earliest)
    found = [occurrence(item, each) for each in near if _is_regular(item, each)]
    found += item.exceptions.values()
    return sorted((each for each in found if _touches(each, start, end)), key=lambda each: each.start)


def occurrence(series: CalendarItem, original: datetime) -> CalendarItem:
    """The occurrence planned for `original`: moved as it was, or made up from the series."""
    if original in series.exceptions:
        return series.exceptions[original]
    end = original + (series.end - series.start)
    if series.all_day:
        days = (series.end.astimezone(series.zone).date() - series.start.astimezone(series.zone).date()).days
        wall = original.astimezone(series.zone).replace(tzinfo=None) + timedelta(days=days)
        end = wall.replace(tzinfo=series.zone).astimezone(original.tzinfo)
    return dataclasses.replace(
        series, start=original, end=end, recurrence=None, exceptions={}, deleted=set(), master=series, original=original
    )


def existing(series: CalendarItem, original: datetime) -> CalendarItem:
    """The live occurrence planned for `original`. Raises EwsError ErrorItemNotFound."""
    if series.recurrence is None or original in series.deleted:
        raise EwsError("ErrorItemNotFound")
    if original not in series.exceptions and original not in planned(series, original):
        raise EwsError("ErrorItemNotFound")
    return occurrence(series, original)


def by_index(series: CalendarItem, index: int) -> CalendarItem:
    """The n-th planned occurrence, counted from one ("OccurrenceItemId"; deleted ones count).

    Raises EwsError: the index is out of range, or that occurrence is deleted.
    """
    for number, original in enumerate(planned(series), start=1):
        if number == index:
            if original in series.deleted:
                raise EwsError("ErrorCalendarOccurrenceIsDeletedFromRecurrence")
            return occurrence(series, original)
    raise EwsError("ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange")


def changed(series: CalendarItem, original: datetime) -> CalendarItem:
    """The occurrence as an exception that can be written to."""
    found = existing(series, original)
    if not found.is_exception:
        found = dataclasses.replace(
            found,
            elements=dict(series.elements),
            extended=dict(series.extended),
            attendees=[dataclasses.replace(attendee) for attendee in series.attendees],
            is_exception=True,
        )
        series.exceptions[original] = found
    return found


def _is_regular(series: CalendarItem, original: datetime) -> bool:
    return original not in series.exceptions and original not in series.deleted


def _touches(item: CalendarItem, start: datetime, end: datetime) -> bool:
    """Items with "an end time that is before StartDate", or "a start time that is on or after EndDate", are left out.

    An item without length counts when it starts inside.
    """
    if item.start == item.end:
        return start <= item.start < end
    return item.end > start and item.start < end
