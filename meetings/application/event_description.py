"""The text of a booking's event, in the page's language."""

from collections.abc import Mapping

from meetings.application.free_text import harmless
from meetings.domain.booking import Booking
from meetings.domain.scheduling_page import SchedulingPage

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"manage": "Move or cancel this meeting", "message": "Message", "booked_by": "Booked by"},
    "de": {"manage": "Termin verschieben oder absagen", "message": "Nachricht", "booked_by": "Gebucht von"},
}


def describe(booking: Booking, page: SchedulingPage, manage_url: str | None) -> str:
    """Plain text: what the page says of the meeting, who booked and what they answered, and the manage link.

    `manage_url` None means that the invitee cannot change the meeting, so no link is shown (S94). Guests read it as
    well, so nothing the invitee wrote can become a link (AB-4).
    """
    words = _WORDS["de" if page.settings.locale.split("-")[0] == "de" else "en"]
    invitee = booking.invitee
    parts = [page.settings.description or ""]
    lines = [f"{words['booked_by']}: {harmless(invitee.name)} <{invitee.email}>"]
    lines += [f"{answer.label}: {harmless(', '.join(answer.values))}" for answer in booking.answers]
    if booking.message:
        lines.append(f"{words['message']}: {harmless(booking.message)}")
    parts.append("\n".join(lines))
    if manage_url:
        parts.append(f"{words['manage']}: {manage_url}")
    return "\n\n".join(part for part in parts if part)
