"""When this happened, do that: the table of everything that follows a change later.

A unit of work stores one intent per entry with the change itself. A worker carries each out, at least once, however
often processes die; so every reaction looks at the present state and makes the other side agree with it.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from meetings.application.ports.fan_out import (
    bookings_topic,
    connections_topic,
    host_topic,
    links_topic,
    mails_topic,
    page_topic,
)
from meetings.application.ports.outbox import NewIntent
from meetings.domain.base import DomainEvent
from meetings.domain.booking import (
    BookingCancelled,
    BookingConfirmed,
    BookingDeclined,
    BookingEvent,
    BookingFailed,
    BookingMoved,
    BookingPersonErased,
    MeetingRequested,
    MoveConfirmed,
    SlotReserved,
)
from meetings.domain.calendar_connection import (
    CalendarConnected,
    CalendarDisconnected,
    CalendarSelectionChanged,
    ConnectionEvent,
    GrantLost,
)
from meetings.domain.crm_connection import CrmConnected, CrmDisconnected, CrmRefused
from meetings.domain.email import (
    AutomaticReplyReceived,
    EmailEvent,
    MailBounced,
    MailNotSent,
    MailReceived,
    MailSent,
    MailSentByPerson,
    MailUncertain,
    ReplyReceived,
)
from meetings.domain.email_thread import ContactWrote
from meetings.domain.engagement import EngagementChanged, EngagementCreated, InvitationSettled
from meetings.domain.identifiers import BookingId
from meetings.domain.mailbox import MailboxConnected, MailboxDisconnected, MailboxGrantLost
from meetings.domain.scheduling_page import PageEvent
from meetings.domain.user import (
    ChatProfileChanged,
    DefaultPageChosen,
    InvitationAccepted,
    MeetingDomainChosen,
    SettingsChanged,
    UserDeactivated,
    UserInvited,
    UserReactivated,
)
from meetings.domain.web_domain import (
    DomainConnected,
    DomainLost,
    DomainProofMissed,
    DomainRemoved,
    PrimaryDomainChosen,
)

SETTLE_BOOKING = "settle_booking"
SETTLE_ENGAGEMENT = "settle_engagement"
LOG_BOOKING = "log_booking"
LOG_ENGAGEMENT = "log_engagement"
LOG_CALENDAR_EVENTS = "log_calendar_events"
SEND_EMAIL = "send_email"
LOG_MAIL = "log_mail"
SEND_STEP = "send_step"
FOLLOW_SEQUENCE_MAIL = "follow_sequence_mail"
END_BY_ANSWER = "end_sequences_by_answer"
END_BY_OTHER_MAIL = "end_sequences_by_other_mail"
END_BY_BOOKING = "end_sequences_by_booking"
END_BY_ENGAGEMENT = "end_sequences_by_engagement"
PLAN_MAIL_SYNC = "plan_mail_sync"
PLAN_MAIL_SYNC_OF_PERSON = "plan_mail_sync_of_person"
TELL_INVITEE = "tell_invitee"
TELL_HOST = "tell_host"
PLAN_REMINDERS = "plan_reminders"
PLAN_SYNC = "plan_sync"
TELL_GRANT_LOST = "tell_grant_lost"
TELL_MAILBOX_LOST = "tell_mailbox_lost"
TELL_OF_MAILBOX = "tell_of_mailbox"
TELL_BLOCKED = "tell_blocked_attempts"
TELL_INVITATION = "tell_invitation"
TELL_ADMINS = "tell_admins"
TELL_OF_DOMAIN = "tell_of_domain"
TELL_CRM_REFUSED = "tell_crm_refused"
TELL_OF_CRM = "tell_of_crm"
CATCH_UP_ON_RECORD = "catch_up_on_record"
SEND_REMINDER = "send_reminder"
ERASE_ON_RECORD = "erase_on_record"

REACTIONS: Mapping[type[DomainEvent], Sequence[str]] = {
    MeetingRequested: (TELL_INVITEE, TELL_HOST, LOG_BOOKING, END_BY_BOOKING),
    SlotReserved: (SETTLE_BOOKING,),
    BookingConfirmed: (TELL_INVITEE, TELL_HOST, PLAN_REMINDERS, LOG_BOOKING, END_BY_BOOKING),
    BookingMoved: (SETTLE_BOOKING,),
    MoveConfirmed: (TELL_INVITEE, TELL_HOST, PLAN_REMINDERS, LOG_BOOKING),
    BookingFailed: (SETTLE_BOOKING, TELL_INVITEE, TELL_HOST, LOG_BOOKING),
    BookingCancelled: (SETTLE_BOOKING, TELL_INVITEE, TELL_HOST, LOG_BOOKING),
    BookingDeclined: (TELL_INVITEE,),
    BookingPersonErased: (),
    EngagementCreated: (LOG_ENGAGEMENT, SETTLE_ENGAGEMENT, END_BY_ENGAGEMENT),
    EngagementChanged: (LOG_ENGAGEMENT, SETTLE_ENGAGEMENT),
    InvitationSettled: (LOG_ENGAGEMENT,),
    MailSent: (LOG_MAIL, FOLLOW_SEQUENCE_MAIL),
    MailNotSent: (FOLLOW_SEQUENCE_MAIL,),
    MailUncertain: (FOLLOW_SEQUENCE_MAIL,),
    MailBounced: (LOG_MAIL, FOLLOW_SEQUENCE_MAIL),
    ReplyReceived: (LOG_MAIL, END_BY_ANSWER),
    ContactWrote: (END_BY_OTHER_MAIL,),
    AutomaticReplyReceived: (LOG_MAIL,),
    MailReceived: (LOG_MAIL, END_BY_ANSWER),
    MailSentByPerson: (LOG_MAIL,),
    MailboxConnected: (PLAN_MAIL_SYNC,),
    MailboxDisconnected: (PLAN_MAIL_SYNC,),
    MailboxGrantLost: (PLAN_MAIL_SYNC, TELL_MAILBOX_LOST),
    UserDeactivated: (PLAN_MAIL_SYNC_OF_PERSON,),
    UserReactivated: (PLAN_MAIL_SYNC_OF_PERSON,),
    CalendarConnected: (PLAN_SYNC,),
    CalendarSelectionChanged: (PLAN_SYNC,),
    CalendarDisconnected: (PLAN_SYNC,),
    GrantLost: (PLAN_SYNC, TELL_GRANT_LOST),
    UserInvited: (TELL_INVITATION,),
    DomainProofMissed: (TELL_ADMINS,),
    DomainLost: (TELL_ADMINS,),
    CrmRefused: (TELL_CRM_REFUSED,),
    CrmConnected: (CATCH_UP_ON_RECORD,),
    CrmDisconnected: (CATCH_UP_ON_RECORD,),
}

WORKING_WITH_RECORDS = frozenset(
    {LOG_BOOKING, LOG_ENGAGEMENT, LOG_CALENDAR_EVENTS, LOG_MAIL, SEND_STEP, ERASE_ON_RECORD}
)
"""The reactions that wait while the customer records are out of reach."""

_OF_LINKS = (
    ChatProfileChanged,
    DefaultPageChosen,
    MeetingDomainChosen,
    InvitationAccepted,
    DomainConnected,
    DomainLost,
    DomainRemoved,
    PrimaryDomainChosen,
)


def intents_for(event: DomainEvent, subject: UUID) -> list[NewIntent]:
    """The intents an event asks for, about the aggregate `subject`.

    All calendar writes of one booking share a lane, so that they happen one after the other (OB-2); so does what is
    told to one side of it.
    """
    details = {"news": type(event).__name__, **_figures(event)}
    return [
        NewIntent(reaction=reaction, subject=subject, lane=f"{reaction}:{subject}", details=details)
        for reaction in REACTIONS.get(type(event), ())
    ]


def settle_again(booking_id: BookingId) -> NewIntent:
    """One more look at a booking's event, in the lane of its other writes."""
    return NewIntent(SETTLE_BOOKING, booking_id, f"{SETTLE_BOOKING}:{booking_id}")


def _figures(event: DomainEvent) -> dict[str, str]:
    if isinstance(event, BookingMoved | MoveConfirmed):
        return {"previous_start": event.previous_start.isoformat()}
    if isinstance(event, UserDeactivated | UserReactivated):
        return {"at": event.at.isoformat()}
    if isinstance(event, UserInvited):
        return {"invited_at": event.at.isoformat()}
    if isinstance(event, DomainProofMissed):
        return {"missing_since": event.at.isoformat()}
    if isinstance(event, CrmRefused):
        return {"refused_at": event.at.isoformat()}
    return {}


def topics_for(event: DomainEvent, account_id: UUID) -> set[str]:
    """Whom to tell at once that something changed."""
    if isinstance(event, BookingEvent):
        return {bookings_topic(account_id), *(host_topic(host) for host in event.hosts)}
    if isinstance(event, EmailEvent):
        return {mails_topic(event.user_id)}
    if isinstance(event, PageEvent):
        return {page_topic(event.page_id), links_topic(account_id)}
    if isinstance(event, ConnectionEvent):
        return {connections_topic(event.user_id), host_topic(event.user_id)}
    if isinstance(event, SettingsChanged):
        return {host_topic(event.user_id)}
    if isinstance(event, UserDeactivated | UserReactivated):
        return {host_topic(event.user_id), links_topic(account_id)}
    return {links_topic(account_id)} if isinstance(event, _OF_LINKS) else set()
