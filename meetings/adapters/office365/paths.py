"""Paths of Microsoft Graph below its version. Ids are opaque, and hold characters that mean something in a path."""

from urllib.parse import quote


def one_calendar(calendar: str) -> str:
    return f"/me/calendars/{quote(calendar, safe='')}"


def events_of(calendar: str) -> str:
    return f"{one_calendar(calendar)}/events"


def one_event(calendar: str, event: str) -> str:
    return f"{events_of(calendar)}/{quote(event, safe='')}"
