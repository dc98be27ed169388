"""The page behind a manage link: what was booked, a calendar file, calling it off. Works without scripts.

The token in the address is the only key: 144 bits that nobody else has. So a form needs no other proof that the person
meant it, and following the link (mail scanners do) changes nothing.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from meetings.adapters.smtp.calendar_file import calendar_file
from meetings.adapters.smtp.letters import entry_of
from meetings.application.change_booking import MAX_REASON, ByInvitee, cancel_booking
from meetings.application.letters import letter_about
from meetings.application.local_times import locale_of, span_words
from meetings.application.ports.mail import Audience, MeetingNews
from meetings.application.sites import meeting_host
from meetings.application.toolbox import Toolbox
from meetings.domain.base import DomainError, NotFound
from meetings.domain.booking import Booking, BookingClosed, BookingState
from meetings.domain.booking_changes import is_changeable
from meetings.domain.calendar_connection import CalendarConnection, CapabilityUnsupported
from meetings.domain.identifiers import AccountId
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User
from meetings.infrastructure.http.html import language_of, message_page, page
from meetings.infrastructure.http.state import runtime_of

router = APIRouter(prefix="/b")

_CALLED_OFF = (BookingState.CANCELLED, BookingState.DECLINED, BookingState.FAILED)


@dataclass(frozen=True)
class _Managed:
    """A booking, as far as its invitee is concerned."""

    account_id: AccountId
    booking: Booking
    page: SchedulingPage
    host: User
    connection: CalendarConnection | None

    def can_cancel(self, tools: Toolbox) -> bool:
        if self.booking.state in _CALLED_OFF or not self.changeable:
            return False
        return tools.clock() <= self.page.changeable_until(self.booking)

    @property
    def changeable(self) -> bool:
        """Whether the host's calendar lets meetings be changed from here."""
        return is_changeable(self.booking, self.connection)


@router.get("/{token}.ics")
async def file(token: str, request: Request) -> Response:
    """The meeting as it stands, for a calendar program; with the same UID as in the mails."""
    tools = runtime_of(request).toolbox
    managed = await _find(token, tools)
    if managed is None or managed.booking.state is BookingState.REQUESTED:
        return message_page("unknown", language_of(request), status=404)
    called_off = managed.booking.state in _CALLED_OFF
    letter = letter_about(
        managed.booking,
        managed.page,
        managed.host,
        managed.connection,
        Audience.INVITEE,
        MeetingNews.CANCELLED if called_off else MeetingNews.CONFIRMED,
        message_id="",
        links=tools.links,
    )
    entry = entry_of(letter)
    headers = {"Content-Disposition": 'attachment; filename="meeting.ics"', "Cache-Control": "no-store"}
    body = calendar_file(entry, written_at=tools.clock())
    return Response(body, 200, headers, media_type=f"text/calendar; charset=utf-8; method={entry.method}")


@router.get("/{token}")
async def show(token: str, request: Request) -> Response:
    """What was booked, in the language and zone it was booked in."""
    tools = runtime_of(request).toolbox
    managed = await _find(token, tools)
    if managed is None:
        return message_page("unknown", language_of(request), status=404)
    booking = managed.booking
    locale = locale_of(booking.invitee.locale)
    return page(
        "manage.html",
        locale.language,
        title=booking.title,
        booking=booking,
        when=span_words(booking.start, booking.end, zone=booking.invitee.time_zone, locale=locale),
        join_url=booking.event.join_url if booking.event and booking.occupies else None,
        page_url=tools.links.page(managed.page.slug, await _host_of(managed, tools)),
        can_cancel=managed.can_cancel(tools),
        changeable=managed.changeable,
        token=token,
    )


@router.post("/{token}/cancel")
async def cancel(token: str, request: Request, reason: str = Form("", max_length=MAX_REASON)) -> Response:
    """Call the meeting off, then show the page again."""
    tools = runtime_of(request).toolbox
    managed = await _find(token, tools)
    if managed is None:
        return message_page("unknown", language_of(request), status=404)
    language = locale_of(managed.booking.invitee.locale).language
    try:
        await cancel_booking(
            managed.account_id,
            managed.booking.id,
            reason.replace("\r\n", "\n").strip() or None,
            by=ByInvitee(),
            begin=tools.begin_as("invitee"),
            clock=tools.clock,
        )
    except BookingClosed:
        return message_page("too_late", language, status=409)
    except CapabilityUnsupported:
        return message_page("unchangeable", language, status=409)
    except DomainError:
        return message_page("failed", language, status=409)
    return RedirectResponse(tools.links.manage(managed.booking.id), 303, {"Cache-Control": "no-store"})


async def _find(token: str, tools: Toolbox) -> _Managed | None:
    booking_id = tools.links.booking_of(token)
    account_id = await tools.reads.account_of_booking(booking_id) if booking_id else None
    if booking_id is None or account_id is None:
        return None
    try:
        async with tools.look(account_id) as work:
            booking = await work.bookings.get(booking_id)
            hosts = await work.users.of([booking.host])
            connections = await work.connections.of_users([booking.host])
            found = await work.pages.get(booking.page_id)
    except NotFound:
        return None
    return _Managed(account_id, booking, found, hosts[booking.host], connections.get(booking.host))


async def _host_of(managed: _Managed, tools: Toolbox) -> str:
    """The host of the page's address."""
    async with tools.look(managed.account_id) as work:
        organizer = await work.users.of([managed.page.organizer_id])
        return meeting_host(organizer.get(managed.page.organizer_id), await work.domains.all(), tools.links)
