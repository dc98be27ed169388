"""Rows to aggregates and back, by hand: the domain knows nothing of tables.

`..._row` gives every column but `version`, which the unit of work counts. Aggregates made from rows have no events.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from meetings.domain.account import Account
from meetings.domain.booking import BookedEvent, Booking, BookingState
from meetings.domain.calendar_connection import (
    CalendarAccess,
    CalendarConnection,
    CalendarHealth,
    ConnectedCalendar,
    Consent,
    Grant,
    MailServer,
    Provider,
    lifted_limits,
)
from meetings.domain.identifiers import BookingId, CalendarId, ConnectionId, PageId, UserId
from meetings.domain.scheduling_page import PageType, SchedulingPage
from meetings.domain.user import Permission, Role, User
from meetings.infrastructure.database.documents import (
    booking_details_from,
    booking_details_to,
    chat_profile_from,
    chat_profile_to,
    email_logging_from,
    email_logging_to,
    mail_presets_from,
    mail_presets_to,
    page_hosts_from,
    page_hosts_to,
    page_settings_from,
    page_settings_to,
    plan_from,
    plan_to,
    user_settings_from,
    user_settings_to,
)
from meetings.infrastructure.database.transaction import AnyRow

Values = dict[str, Any]


# ---- accounts and users -------------------------------------------------------------------------------------------


def account_from(row: AnyRow) -> Account:
    return Account(
        id=row.id,
        account_id=row.id,
        version=row.version,
        name=row.name,
        created_at=row.created_at,
        exchange_full_sync=row.exchange_full_sync,
        mail_presets=mail_presets_from(row.mail_presets),
        plan=plan_from(row.plan),
        owners_revision=row.owners_revision,
        email_logging=email_logging_from(row.email_logging),
        internal_domains=tuple(row.internal_domains),
    )


def account_row(account: Account) -> Values:
    return {
        "id": account.id,
        "name": account.name,
        "created_at": account.created_at,
        "exchange_full_sync": account.exchange_full_sync,
        "mail_presets": mail_presets_to(account.mail_presets),
        "plan": plan_to(account.plan),
        "owners_revision": account.owners_revision,
        "email_logging": email_logging_to(account.email_logging),
        "internal_domains": list(account.internal_domains),
    }


def email_key(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().casefold()


def user_from(row: AnyRow) -> User:
    return User(
        id=UserId(row.id),
        account_id=row.account_id,
        version=row.version,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        created_at=row.created_at,
        settings=user_settings_from(row.settings),
        active=row.active,
        avatar_url=row.avatar_url,
        default_page_id=row.default_page_id,
        password_hash=row.password_hash,
        permissions=None if row.permissions is None else frozenset(map(Permission, row.permissions)),
        invited_at=row.invited_at,
        meeting_url=row.meeting_url,
        meeting_domain=row.meeting_domain,
        chat_profile=chat_profile_from(row.chat_profile),
    )


def user_row(user: User) -> Values:
    return {
        "id": user.id,
        "account_id": user.account_id,
        "name": user.name,
        "email": user.email,
        "email_key": email_key(user.email),
        "role": user.role.value,
        "active": user.active,
        "avatar_url": user.avatar_url,
        "default_page_id": user.default_page_id,
        "password_hash": user.password_hash,
        "settings": user_settings_to(user.settings),
        "created_at": user.created_at,
        "permissions": None if user.permissions is None else sorted(each.value for each in user.permissions),
        "invited_at": user.invited_at,
        "meeting_url": user.meeting_url,
        "meeting_domain": user.meeting_domain,
        "chat_profile": chat_profile_to(user.chat_profile),
    }


# ---- connections --------------------------------------------------------------------------------------------------


def connections_from(rows: Iterable[AnyRow]) -> list[CalendarConnection]:
    """Connections from rows of `connections` with their account's `exchange_full_sync`, left-joined with `calendars`,
    columns of the latter prefixed with `calendar_`, those of one connection sorted by position. In the order they come.
    """
    found: dict[UUID, CalendarConnection] = {}
    for row in rows:
        connection = found.get(row.id)
        if connection is None:
            connection = found[row.id] = _connection_from(row)
        if row.calendar_id is not None:
            connection.calendars.append(_calendar_from(row))
    return list(found.values())


def _connection_from(row: AnyRow) -> CalendarConnection:
    return CalendarConnection(
        id=ConnectionId(row.id),
        account_id=row.account_id,
        version=row.version,
        user_id=UserId(row.user_id),
        provider=Provider(row.provider),
        account_email=row.account_email,
        consent=Consent(row.consent_version, row.consent_accepted_at),
        connected_at=row.connected_at,
        grant=Grant(row.grant_state),
        default_calendar_id=row.default_calendar_id,
        server=None if row.server_url is None else MailServer(row.server_url, row.server_version),
        lifted=lifted_limits(Provider(row.provider), exchange_full_sync=row.exchange_full_sync),
    )


def _calendar_from(row: AnyRow) -> ConnectedCalendar:
    return ConnectedCalendar(
        id=CalendarId(row.calendar_id),
        external_id=row.calendar_external_id,
        name=row.calendar_name,
        access=CalendarAccess(row.calendar_access),
        primary=row.calendar_is_primary,
        color=row.calendar_color,
        time_zone=row.calendar_time_zone,
        selected=row.calendar_selected,
        listed=row.calendar_listed,
        health=CalendarHealth(row.calendar_health),
    )


def connection_row(connection: CalendarConnection) -> Values:
    return {
        "id": connection.id,
        "account_id": connection.account_id,
        "user_id": connection.user_id,
        "provider": connection.provider.value,
        "account_email": connection.account_email,
        "consent_version": connection.consent.version,
        "consent_accepted_at": connection.consent.accepted_at,
        "connected_at": connection.connected_at,
        "grant_state": connection.grant.value,
        "default_calendar_id": connection.default_calendar_id,
        "server_url": connection.server.url if connection.server else None,
        "server_version": connection.server.version if connection.server else None,
    }


def calendar_rows(connection: CalendarConnection) -> list[Values]:
    return [
        {
            "id": calendar.id,
            "account_id": connection.account_id,
            "connection_id": connection.id,
            "position": position,
            "external_id": calendar.external_id,
            "name": calendar.name,
            "access": calendar.access.value,
            "is_primary": calendar.primary,
            "color": calendar.color,
            "time_zone": calendar.time_zone,
            "selected": calendar.selected,
            "listed": calendar.listed,
            "health": calendar.health.value,
        }
        for position, calendar in enumerate(connection.calendars)
    ]


# ---- pages --------------------------------------------------------------------------------------------------------


def page_from(row: AnyRow) -> SchedulingPage:
    return SchedulingPage(
        id=PageId(row.id),
        account_id=row.account_id,
        version=row.version,
        type=PageType(row.type),
        slug=row.slug,
        organizer_id=UserId(row.organizer_id),
        hosts=page_hosts_from(row.hosts),
        settings=page_settings_from(row.settings),
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
        archived_at=row.archived_at,
    )


def page_row(page: SchedulingPage) -> Values:
    return {
        "id": page.id,
        "account_id": page.account_id,
        "type": page.type.value,
        "slug": page.slug,
        "organizer_id": page.organizer_id,
        "hosts": page_hosts_to(page.hosts),
        "settings": page_settings_to(page.settings),
        "revision": page.revision,
        "created_at": page.created_at,
        "updated_at": page.updated_at,
        "archived_at": page.archived_at,
    }


# ---- bookings -----------------------------------------------------------------------------------------------------


def booking_from(row: AnyRow) -> Booking:
    return Booking(
        id=BookingId(row.id),
        account_id=row.account_id,
        version=row.version,
        page_id=PageId(row.page_id),
        hosts=tuple(UserId(UUID(host)) for host in row.hosts),
        start=row.start_at,
        end=row.end_at,
        title=row.title,
        state=BookingState(row.state),
        created_at=row.created_at,
        sequence=row.sequence,
        generation=row.generation,
        calendar_id=row.calendar_id,
        event=(None if row.event_id is None else BookedEvent(row.event_id, row.event_url, row.join_url, row.ical_uid)),
        settled_at=row.settled_at,
        rescheduled_from=row.rescheduled_from,
        failure=row.failure,
        **booking_details_from(row.details),
    )


def booking_row(booking: Booking) -> Values:
    event = booking.event
    return {
        "id": booking.id,
        "account_id": booking.account_id,
        "page_id": booking.page_id,
        "state": booking.state.value,
        "start_at": booking.start,
        "end_at": booking.end,
        "created_at": booking.created_at,
        "hosts": [host.hex for host in booking.hosts],
        "title": booking.title,
        "calendar_id": booking.calendar_id,
        "event_id": event.event_id if event else None,
        "event_url": event.url if event else None,
        "join_url": event.join_url if event else None,
        "ical_uid": event.ical_uid if event else None,
        "sequence": booking.sequence,
        "generation": booking.generation,
        "settled_at": booking.settled_at,
        "rescheduled_from": booking.rescheduled_from,
        "failure": booking.failure,
        "details": booking_details_to(booking),
    }
