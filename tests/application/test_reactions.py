from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from meetings.application import reactions
from meetings.application.carry_out import HANDLERS
from meetings.application.ports.outbox import NewIntent
from meetings.application.reactions import REACTIONS, intents_for, topics_for
from meetings.domain import booking
from meetings.domain.base import DomainEvent
from meetings.domain.booking import BookingCancelled, BookingEvent, BookingMoved, CancelledBy, MoveConfirmed
from meetings.domain.calendar_connection import CalendarAccessLost, ConnectionEvent
from meetings.domain.scheduling_page import PageChanged, PageEvent
from meetings.domain.user import DefaultPageChosen, SettingsChanged, UserDeactivated, UserReactivated
from tests.builders import NOW, START, account_id, booking_id, calendar_id, connection_id, page_id, user_id

NAMES = {value for name, value in vars(reactions).items() if name.isupper() and isinstance(value, str)}


def kinds(kind: type[DomainEvent] = DomainEvent) -> Iterator[type[DomainEvent]]:
    """Every kind of event an aggregate records."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("meetings."):
            yield from kinds(each) if each.__subclasses__() else (each,)


def booking_event(kind: type[BookingEvent], **details: Any) -> BookingEvent:
    return kind(at=NOW, booking_id=booking_id(), page_id=page_id(), hosts=(user_id(), user_id()), **details)


def test_the_table_is_read_like_this() -> None:
    assert {kind.__name__: tuple(reactions) for kind, reactions in REACTIONS.items()} == {
        "MeetingRequested": ("tell_invitee", "tell_host", "log_booking", "end_sequences_by_booking"),
        "SlotReserved": ("settle_booking",),
        "BookingConfirmed": (
            "tell_invitee",
            "tell_host",
            "plan_reminders",
            "log_booking",
            "end_sequences_by_booking",
        ),
        "BookingMoved": ("settle_booking",),
        "MoveConfirmed": ("tell_invitee", "tell_host", "plan_reminders", "log_booking"),
        "BookingFailed": ("settle_booking", "tell_invitee", "tell_host", "log_booking"),
        "BookingCancelled": ("settle_booking", "tell_invitee", "tell_host", "log_booking"),
        "BookingDeclined": ("tell_invitee",),
        "BookingPersonErased": (),
        "EngagementCreated": ("log_engagement", "settle_engagement", "end_sequences_by_engagement"),
        "EngagementChanged": ("log_engagement", "settle_engagement"),
        "InvitationSettled": ("log_engagement",),
        "MailSent": ("log_mail", "follow_sequence_mail"),
        "MailNotSent": ("follow_sequence_mail",),
        "MailUncertain": ("follow_sequence_mail",),
        "MailBounced": ("log_mail", "follow_sequence_mail"),
        "ReplyReceived": ("log_mail", "end_sequences_by_answer"),
        "ContactWrote": ("end_sequences_by_other_mail",),
        "AutomaticReplyReceived": ("log_mail",),
        "MailReceived": ("log_mail", "end_sequences_by_answer"),
        "MailSentByPerson": ("log_mail",),
        "MailboxConnected": ("plan_mail_sync",),
        "MailboxDisconnected": ("plan_mail_sync",),
        "MailboxGrantLost": ("plan_mail_sync", "tell_mailbox_lost"),
        "UserDeactivated": ("plan_mail_sync_of_person",),
        "UserReactivated": ("plan_mail_sync_of_person",),
        "CalendarConnected": ("plan_sync",),
        "CalendarSelectionChanged": ("plan_sync",),
        "CalendarDisconnected": ("plan_sync",),
        "GrantLost": ("plan_sync", "tell_grant_lost"),
        "UserInvited": ("tell_invitation",),
        "DomainProofMissed": ("tell_admins",),
        "DomainLost": ("tell_admins",),
        "CrmRefused": ("tell_crm_refused",),
        "CrmConnected": ("catch_up_on_record",),
        "CrmDisconnected": ("catch_up_on_record",),
    }


def test_every_reaction_named_anywhere_is_carried_out_by_somebody() -> None:
    assert {reaction for reactions in REACTIONS.values() for reaction in reactions} <= set(HANDLERS)
    assert set(HANDLERS) == NAMES


def test_nothing_happens_to_a_booking_without_a_reaction() -> None:
    assert {kind for kind in kinds() if issubclass(kind, BookingEvent)} <= set(REACTIONS)


def test_whatever_may_leave_an_event_in_a_calendar_out_of_step_leads_to_settling_it() -> None:
    told_of_what_stands = {booking.MeetingRequested, booking.BookingConfirmed, booking.MoveConfirmed}
    of_past_meetings = {booking.BookingPersonErased}
    settled = {kind for kind, reactions in REACTIONS.items() if "settle_booking" in reactions}
    assert settled == {
        kind for kind in kinds() if issubclass(kind, BookingEvent)
    } - told_of_what_stands - of_past_meetings - {booking.BookingDeclined}


def test_an_event_asks_for_one_intent_per_reaction_each_in_a_lane_of_its_own() -> None:
    event = booking_event(BookingCancelled, by=CancelledBy.HOST)
    subject = uuid4()
    assert intents_for(event, subject) == [
        NewIntent(reaction, subject, f"{reaction}:{subject}", None, {"news": "BookingCancelled"})
        for reaction in ("settle_booking", "tell_invitee", "tell_host", "log_booking")
    ]


def test_writes_to_the_calendar_of_one_booking_share_a_lane_and_those_of_two_do_not() -> None:
    one, other = uuid4(), uuid4()
    reserved, moved = booking_event(booking.SlotReserved), booking_event(BookingMoved, previous_start=START)
    (first,), (second,), (third,) = intents_for(reserved, one), intents_for(moved, one), intents_for(moved, other)
    assert first.lane == second.lane != third.lane


@pytest.mark.parametrize("kind", [BookingMoved, MoveConfirmed])
def test_a_move_carries_where_it_came_from(kind: type[BookingEvent]) -> None:
    for intent in intents_for(booking_event(kind, previous_start=START), uuid4()):
        assert intent.details == {"news": kind.__name__, "previous_start": "2026-11-03T09:00:00+00:00"}
        assert datetime.fromisoformat(intent.details["previous_start"]) == START.astimezone(UTC)


def test_an_event_nobody_reacts_to_asks_for_nothing() -> None:
    assert intents_for(PageChanged(at=NOW, page_id=page_id()), uuid4()) == []


def test_everybody_who_looks_on_is_told_of_what_concerns_them() -> None:
    account, host, page, connection = account_id(), user_id(), page_id(), connection_id()
    cancelled = booking_event(BookingCancelled, by=CancelledBy.HOST)
    assert topics_for(cancelled, account) == {f"bookings:{account}", *(f"host:{each}" for each in cancelled.hosts)}
    assert topics_for(PageChanged(at=NOW, page_id=page), account) == {f"page:{page}", f"links:{account}"}
    lost = CalendarAccessLost(at=NOW, connection_id=connection, user_id=host, calendar_id=calendar_id())
    assert topics_for(lost, account) == {f"connections:{host}", f"host:{host}"}
    assert topics_for(SettingsChanged(at=NOW, user_id=host), account) == {f"host:{host}"}
    assert topics_for(DefaultPageChosen(at=NOW, user_id=host, page_id=page), account) == {f"links:{account}"}


def test_every_kind_of_event_that_can_change_what_is_offered_reaches_those_who_watch() -> None:
    """Whoever adds a kind of event says here whether somebody who looks at free times has to learn of it."""
    of_people = {SettingsChanged, UserDeactivated, UserReactivated}
    watched = {kind for kind in kinds() if issubclass(kind, BookingEvent | PageEvent | ConnectionEvent)}
    for kind in of_people:
        assert f"host:{(host := user_id())}" in topics_for(kind(at=NOW, user_id=host), account_id())
    changes_nothing_on_offer = {
        "ApiTokenCreated",
        "ApiTokenRevoked",
        "AuditLogRead",
        "PersonAdded",
        "AutomaticReplyReceived",
        "ContactWrote",
        "ContactEnrolled",
        "CrmConnected",
        "CrmDisconnected",
        "CrmRefused",
        "EmailLoggingChanged",
        "MailBounced",
        "MailNotSent",
        "MailQueued",
        "MailReceived",
        "MailSent",
        "MailSentByPerson",
        "MailUncertain",
        "MailboxConnected",
        "TeamChannelCreated",
        "TeamChannelRemoved",
        "TeamMailboxAttached",
        "MailboxDisconnected",
        "MailboxGrantLost",
        "ReplyReceived",
        "ChatProfileChanged",
        "DefaultPageChosen",
        "DomainAdded",
        "DomainConnected",
        "DomainIndexingSwitched",
        "DomainLost",
        "DomainProofMissed",
        "DomainRemoved",
        "EngagementChanged",
        "EngagementCreated",
        "EngagementPersonErased",
        "EnrollmentPaused",
        "EnrollmentResumed",
        "EnrollmentStopped",
        "ExchangeFullSyncSwitched",
        "InternalDomainsChosen",
        "InvitationAccepted",
        "InvitationSettled",
        "MailServerPreset",
        "MailServerPresetRemoved",
        "MeetingDomainChosen",
        "MeetingUrlChanged",
        "PermissionsChanged",
        "PersonErased",
        "PersonExportRead",
        "PersonExportRequested",
        "PlanChanged",
        "PrimaryDomainChosen",
        "RoleChanged",
        "SeatsAssigned",
        "SeatsRevoked",
        "SequenceArchived",
        "SequenceChanged",
        "SequenceCreated",
        "StepScheduled",
        "UserInvited",
    }
    assert {kind.__name__ for kind in set(kinds()) - watched - of_people} == changes_nothing_on_offer
