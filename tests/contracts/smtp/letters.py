"""Letters with defaults, so a test states only what matters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from meetings.application.ports.mail import (
    Audience,
    BlockedAttemptLetter,
    BookingAttempt,
    ConnectionLostLetter,
    Correspondent,
    CrmRefusedLetter,
    DomainLetter,
    DomainNews,
    LostCalendar,
    MailboxLostLetter,
    MeetingLetter,
    MeetingNews,
    Recipient,
)

WRITTEN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = datetime(2026, 3, 3, 15, tzinfo=UTC)

VERA = Recipient("Vera Visitor", "vera@visitor.test", "en-US", "America/New_York")
ANNA = Recipient("Anna Höst", "anna@host.test", "de-DE", "Europe/Berlin")


def a_letter(**changes: Any) -> MeetingLetter:
    """To Vera in New York: her half hour with Anna on 3 March 2026, 10:00 her time, is confirmed."""
    letter = MeetingLetter(
        message_id="<booking-1.0@meetings.test>",
        to=VERA,
        audience=Audience.INVITEE,
        news=MeetingNews.CONFIRMED,
        uid="booking-1@meetings.test",
        sequence=0,
        title="Intro call",
        start=START,
        end=START + timedelta(minutes=30),
        host=Correspondent("Anna Höst", "anna@host.test"),
        invitee=Correspondent("Vera Visitor", "vera@visitor.test"),
        booking_time_zone="America/New_York",
        manage_url="https://meetings.test/b/token-1",
    )
    if "start" in changes and "end" not in changes:
        changes["end"] = changes["start"] + timedelta(minutes=30)
    return replace(letter, **changes)


def a_host_letter(**changes: Any) -> MeetingLetter:
    """The same meeting, told to Anna, who reads German in Berlin."""
    return a_letter(to=ANNA, audience=Audience.HOST, **changes)


def a_blocked_attempt(**changes: Any) -> BlockedAttemptLetter:
    letter = BlockedAttemptLetter(
        message_id="<blocked-1@meetings.test>",
        to=replace(ANNA, locale="en"),
        calendars=(LostCalendar("Team calendar", "team@host.test"),),
        attempts=(BookingAttempt("Intro call", START, WRITTEN_AT),),
        settings_url="https://meetings.test/settings/calendars",
    )
    return replace(letter, **changes)


def a_lost_connection(**changes: Any) -> ConnectionLostLetter:
    letter = ConnectionLostLetter(
        message_id="<lost-1@meetings.test>",
        to=replace(ANNA, locale="en"),
        provider="Google",
        account_email="anna@host.test",
        settings_url="https://meetings.test/settings/calendars",
    )
    return replace(letter, **changes)


def a_lost_mailbox(**changes: Any) -> MailboxLostLetter:
    letter = MailboxLostLetter(
        message_id="<mailbox-1@meetings.test>",
        to=replace(ANNA, locale="en"),
        provider="Google",
        email="anna@host.test",
        settings_url="https://meetings.test/settings/inbox",
    )
    return replace(letter, **changes)


def a_lost_team_mailbox(**changes: Any) -> MailboxLostLetter:
    return a_lost_mailbox(team="Support", hosted_address="support-1@meetings.test", **changes)


def a_refused_crm(**changes: Any) -> CrmRefusedLetter:
    letter = CrmRefusedLetter(
        message_id="<crm-1@meetings.test>",
        to=replace(ANNA, locale="en"),
        crm="HubSpot",
        settings_url="https://meetings.test/settings/calendar",
    )
    return replace(letter, **changes)


def a_domain_letter(**changes: Any) -> DomainLetter:
    """To Anna: the record of meet.host.test is gone, and has to be back by `START`."""
    letter = DomainLetter(
        message_id="<domain-1@meetings.test>",
        to=replace(ANNA, locale="en"),
        news=DomainNews.ENDANGERED,
        host="meet.host.test",
        record_name="_meetings-verification.meet.host.test",
        record_value="meetings-verification=0f",
        until=START,
        settings_url="https://meetings.test/settings/calendar",
    )
    return replace(letter, **changes)
