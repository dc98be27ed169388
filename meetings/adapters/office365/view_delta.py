"""The questions of `calendarView/delta`, and the cursors made of its answers ("event: delta")."""

from dataclasses import dataclass
from typing import Any

from meetings.adapters.office365 import wire
from meetings.adapters.office365.graph import Graph, Question
from meetings.adapters.office365.paths import one_calendar
from meetings.application.ports.calendars import CursorExpired, ProviderUnavailable
from meetings.domain.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class ViewDelta:
    """One feed's cursors begin with its `form`, because a cursor goes with what was asked for: something else, another
    form."""

    graph: Graph
    form: str

    def question(self, calendar: str, cursor: str | None, window: TimeSpan, *, page_size: int) -> Question:
        """The first page since `cursor`, or of everything in the window.

        Raises:
            CursorExpired: it is no cursor of this feed.
        """
        # Descriptions come along unasked; as plain text they are a tenth as long.
        prefer = (f"odata.maxpagesize={page_size}", 'outlook.body-content-type="text"')
        if cursor is None:
            only = {"startDateTime": wire.stamp(window.start), "endDateTime": wire.stamp(window.end)}
            return Question("GET", f"{one_calendar(calendar)}/calendarView/delta", params=only, prefer=prefer)
        link = cursor.removeprefix(self.form)
        if link == cursor or not self.graph.leads_here(link):
            raise CursorExpired("a cursor of another form")
        return Question("GET", link, prefer=prefer)

    def cursor(self, page: Any) -> str | None:
        """Where to go on after the last page; None for any other page."""
        link = delta_link(page, self.graph)
        return None if link is None else f"{self.form}{link}"


def delta_link(page: Any, graph: Graph) -> str | None:
    """The address of the changes from here on, on the last page of an answer.

    Raises:
        ProviderUnavailable: it leads elsewhere.
    """
    link = page.get("@odata.deltaLink")
    if link is None:
        return None
    if not isinstance(link, str) or not graph.leads_here(link):
        raise ProviderUnavailable("a cursor that is not Microsoft Graph's")
    return link
