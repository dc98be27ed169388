"""Which calendars a mailbox has, and the zone its owner lives by. Blocks; runs in one of the adapter's threads."""

from typing import TYPE_CHECKING

from meetings.adapters.exchange import wire
from meetings.adapters.exchange.refusals import Refused
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.domain.calendar_connection import ListedCalendar

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox

_PAGE = 250
_MOST_PAGES = 40


def list_calendars(mailbox: "Mailbox") -> tuple[ListedCalendar, ...]:
    from meetings.adapters.exchange import operations

    default, bin = map(
        wire.folder,
        operations.folders(mailbox, operations.own_folder("calendar"), operations.own_folder("deleteditems")),
    )
    found: list[wire.Folder] = []
    offset: int | None = 0
    for _ in range(_MOST_PAGES):
        page = operations.calendar_folders(mailbox, page_size=_PAGE, offset=offset or 0)
        found += map(wire.folder, page.elements)
        offset = page.next
        if offset is None:
            return tuple(wire.listed(default, bin, found, owners_zone(mailbox)))
    raise ProviderUnavailable("a list of folders without end")


def owners_zone(mailbox: "Mailbox") -> str | None:
    """The zone of the owner's working hours, or else of Outlook on the web; None when neither was ever set.

    Sources: MS-OXOCFG 2.2.6.2 (working hours are XML at the calendar folder); the other is where Outlook on the web is
    seen to keep its options.
    """
    from meetings.adapters.exchange import operations

    for name, folder, kind, read in (
        ("WorkHours", "calendar", "XmlData", wire.zone_of_working_hours),
        ("OWA.UserOptions", "root", "Dictionary", wire.zone_of_web_options),
    ):
        try:
            element = operations.configuration(mailbox, name, operations.own_folder(folder), kind)
        except Refused as refused:
            if refused.code.startswith("HTTP") or refused.wait is not None:
                raise
            continue  # a server that does not tell: the zone is a comfort
        windows = read(element) if element is not None else None
        zone = operations.iana_zone(windows) if windows else None
        if zone is not None:
            return zone
    return None
