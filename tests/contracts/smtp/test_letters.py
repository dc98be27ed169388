"""What a mail says, read as it was delivered."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from importlib.resources import files

import pytest

from meetings.adapters.smtp.letters import Sender, message_of
from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.ports.mail import (
    AnswerLine,
    Audience,
    BookingAttempt,
    Correspondent,
    DomainNews,
    Letter,
    LostCalendar,
    MailboxLostLetter,
    MeetingNews,
)
from meetings.infrastructure.demo.mail_catcher import CaughtMail, MailCatcher
from tests.contracts.smtp.letters import (
    ANNA,
    START,
    VERA,
    WRITTEN_AT,
    a_blocked_attempt,
    a_domain_letter,
    a_host_letter,
    a_letter,
    a_lost_connection,
    a_lost_mailbox,
    a_lost_team_mailbox,
    a_refused_crm,
)


async def delivered(letter: Letter, mailer: SmtpMailer, catcher: MailCatcher) -> CaughtMail:
    await mailer.send(letter)
    return catcher.mails[-1]


def words(mail: CaughtMail) -> str:
    """The text as one line, so that a test does not depend on where lines break."""
    return " ".join(mail.text.split())


async def test_a_confirmation_reads_as_a_whole(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    letter = a_letter(
        location="12 Main Street\nRing twice",
        join_url="https://meet.example/abc-defg",
        description="We look at your plans.",
        guests=("gus@visitor.test",),
    )
    mail = await delivered(letter, mailer, catcher)
    assert mail.subject == "Confirmed: Intro call, March 3, 2026"
    assert (
        mail.text
        == """\
Your meeting with Anna Höst is confirmed

Hello Vera Visitor, your meeting with Anna Höst is confirmed. The attached
file holds it for your calendar.

What:
  Intro call
When:
  Tuesday, March 3, 2026, 10:00 AM – 10:30 AM (Eastern Standard Time, America/New_York, UTC-05:00)
With:
  Anna Höst <anna@host.test>
Guests:
  gus@visitor.test
Where:
  12 Main Street
  Ring twice
Join:
  https://meet.example/abc-defg
About:
  We look at your plans.

Move or cancel the meeting:
  https://meetings.test/b/token-1

--\x20
Sent automatically by meetings. Your answer goes to Anna Höst.
"""
    )


async def test_a_request_tells_the_host_in_german_who_when_and_how_to_accept(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    letter = a_host_letter(
        news=MeetingNews.REQUESTED,
        proposed=(START, datetime(2026, 3, 31, 15, tzinfo=UTC)),
        answers=(AnswerLine("Firma", ("Beispiel & Söhne",)), AnswerLine("Nachricht", ("Guten Tag,\nbis bald!",))),
        manage_url="https://meetings.test/requests/1",
    )
    mail = await delivered(letter, mailer, catcher)
    assert mail.subject == "Terminanfrage von Vera Visitor: Intro call, 3. März 2026"
    assert (
        mail.text
        == """\
Vera Visitor bittet um einen Termin

Vera Visitor bittet Sie um einen Termin zu einer der Zeiten unten. In keinen
Kalender wurde etwas eingetragen, und die Zeiten sind nicht reserviert. Vera
Visitor weiß, dass der Termin nicht bestätigt ist.

Was:
  Intro call
Vorgeschlagene Zeiten:
  Dienstag, 3. März 2026, 16:00 – 16:30 (Mitteleuropäische Normalzeit, Europe/Berlin, UTC+01:00)
  Dienstag, 31. März 2026, 17:00 – 17:30 (Mitteleuropäische Sommerzeit, Europe/Berlin, UTC+02:00)
In der Zeitzone der Buchung:
  Dienstag, 3. März 2026, 10:00 – 10:30 (Nordamerikanische Ostküsten-Normalzeit, America/New_York, UTC-05:00)
  Dienstag, 31. März 2026, 11:00 – 11:30 (Nordamerikanische Ostküsten-Sommerzeit, America/New_York, UTC-04:00)
Besucher:
  Vera Visitor <vera@visitor.test>
Firma:
  Beispiel & Söhne
Nachricht:
  Guten Tag,
  bis bald!

Um zuzusagen, verbinden Sie einen Kalender, falls keiner verbunden ist,
öffnen Sie dann die Anfrage und wählen Sie „Annehmen“: Ihr Kalender wird
noch einmal geprüft, bevor der Termin eingetragen wird. Oder wählen Sie
„Ablehnen“; Vera Visitor wird dann benachrichtigt.

Annehmen oder ablehnen:
  https://meetings.test/requests/1

--\x20
Automatisch versandt von meetings. Ihre Antwort geht an Vera Visitor.
"""
    )


async def test_a_blocked_attempt_names_calendar_time_both_remedies_and_the_way_to_the_settings(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    mail = await delivered(a_blocked_attempt(), mailer, catcher)
    assert mail.subject == "Somebody tried to book, but a calendar cannot be read"
    assert (
        mail.text
        == """\
Nobody can book a meeting with you right now

Hello Anna Höst, somebody tried to book a meeting with you and could not: a
calendar that you selected cannot be read any more, so nobody can tell when
you are free.

Calendar:
  Team calendar (team@host.test)
Attempted booking:
  Intro call: Tuesday, March 3, 2026, 4:00 PM (Central European Standard Time, Europe/Berlin, UTC+01:00); tried on \
Sunday, March 1, 2026, 1:00 PM (Central European Standard Time, Europe/Berlin, UTC+01:00)

There are two ways to mend this. Either ask the owner of the calendar to
give you access again. Or remove the calendar from your selected calendars;
it is then no longer asked when you are free.

Open your calendar settings:
  https://meetings.test/settings/calendars

--\x20
Sent automatically by meetings.
"""
    )


async def test_several_blocked_attempts_and_calendars_come_in_one_letter(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    letter = a_blocked_attempt(
        to=ANNA,
        calendars=(LostCalendar("Team", "team@host.test"), LostCalendar("Familie", "familie@host.test")),
        attempts=tuple(
            BookingAttempt("Erstgespräch", datetime(2026, 3, day, 9, tzinfo=UTC), datetime(2026, 3, 1, day, tzinfo=UTC))
            for day in (3, 4, 5)
        ),
    )
    mail = await delivered(letter, mailer, catcher)
    assert mail.subject == "3 Mal wollte jemand buchen, aber 2 Kalender sind nicht lesbar"
    assert "Kalender:\n  Team (team@host.test)\n  Familie (familie@host.test)\n" in mail.text
    assert mail.text.count("Erstgespräch: ") == 3
    assert "Erstgespräch: Donnerstag, 5. März 2026, 10:00 (Mitteleuropäische Normalzeit, Europe/Berlin" in mail.text
    assert "Bitten Sie den Eigentümer des Kalenders, Ihnen den Zugriff wieder zu erlauben." in words(mail)
    assert "Oder entfernen Sie den Kalender aus Ihrer Auswahl" in words(mail)
    assert "https://meetings.test/settings/calendars" in mail.text


@pytest.mark.parametrize(
    ("locale", "subject", "sentence"),
    [
        (
            "en",
            "Your Google calendar is no longer connected",
            "Until you connect it again your scheduling pages are offline.",
        ),
        (
            "de-AT",
            "Ihr Google-Kalender ist nicht mehr verbunden",
            "Bis Sie es erneut verbinden, sind Ihre Buchungsseiten offline.",
        ),
    ],
)
async def test_a_lost_connection_says_what_follows_and_where_to_mend_it(
    mailer: SmtpMailer, catcher: MailCatcher, locale: str, subject: str, sentence: str
) -> None:
    mail = await delivered(a_lost_connection(to=replace(ANNA, locale=locale)), mailer, catcher)
    assert mail.subject == subject
    assert sentence in words(mail)
    assert "anna@host.test" in mail.text
    assert "https://meetings.test/settings/calendars" in mail.text


@pytest.mark.parametrize(
    ("locale", "headline", "action"),
    [
        ("en", "Please enter the password of your Exchange mailbox again", "Enter the password:"),
        ("de", "Bitte geben Sie das Passwort Ihres Exchange-Postfachs erneut ein", "Passwort eingeben:"),
    ],
)
async def test_where_a_password_is_not_accepted_any_more_a_new_one_is_asked_for(
    mailer: SmtpMailer, catcher: MailCatcher, locale: str, headline: str, action: str
) -> None:
    """B-EX4."""
    letter = a_lost_connection(to=replace(ANNA, locale=locale), provider="Exchange", with_password=True)
    mail = await delivered(letter, mailer, catcher)
    assert words(mail).startswith(headline)
    assert action in mail.text
    assert "offline" in mail.text
    for sentence in ("permission was withdrawn", "Erlaubnis wurde entzogen"):
        assert sentence not in words(mail)


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("en", "no mail is sent through the mailbox"), ("de", "wird auch aus dem Postfach dieses Kontos nichts gesendet")],
)
async def test_a_mailbox_that_was_lost_with_the_calendar_is_told_in_the_same_letter(
    mailer: SmtpMailer, catcher: MailCatcher, locale: str, sentence: str
) -> None:
    to = replace(ANNA, locale=locale)
    assert sentence in words(await delivered(a_lost_connection(to=to, with_mailbox=True), mailer, catcher))
    assert sentence not in words(await delivered(a_lost_connection(to=to), mailer, catcher))


@pytest.mark.parametrize(
    ("letter", "locale", "subject", "sentences"),
    [
        (
            a_lost_mailbox(),
            "en",
            "Your Google mailbox is no longer connected",
            ["no mail is sent through it", "Connect again:"],
        ),
        (
            a_lost_mailbox(provider="IMAP", with_password=True),
            "de",
            "Ihr Postfach bei IMAP ist nicht mehr verbunden",
            ["nimmt das Passwort nicht mehr an", "Passwort eingeben:"],
        ),
        (
            a_lost_team_mailbox(),
            "en",
            "The mailbox of Support is no longer connected",
            ["mail of the team is sent from support-1@meetings.test"],
        ),
        (
            a_lost_team_mailbox(),
            "de",
            "Das Postfach von Support ist nicht mehr verbunden",
            ["wird Post des Teams von support-1@meetings.test gesendet"],
        ),
    ],
)
async def test_a_lost_mailbox_says_what_follows_and_where_to_mend_it(
    mailer: SmtpMailer,
    catcher: MailCatcher,
    letter: MailboxLostLetter,
    locale: str,
    subject: str,
    sentences: list[str],
) -> None:
    """B-EX4, A-NO4."""
    mail = await delivered(replace(letter, to=replace(ANNA, locale=locale)), mailer, catcher)
    assert mail.subject == subject
    assert all(sentence in words(mail) or sentence in mail.text for sentence in sentences)
    assert "anna@host.test" in mail.text
    assert "https://meetings.test/settings/inbox" in mail.text


@pytest.mark.parametrize(
    ("locale", "subject", "sentences"),
    [
        ("en", "HubSpot is no longer connected", ["meetings and mails are not put on record", "Connect again:"]),
        ("de", "HubSpot ist nicht mehr verbunden", ["was zu erfassen ist, wartet", "Neu verbinden:"]),
    ],
)
async def test_a_letter_about_a_crm_that_refuses_us_says_what_follows_and_where_to_mend_it(
    mailer: SmtpMailer, catcher: MailCatcher, locale: str, subject: str, sentences: list[str]
) -> None:
    """A-CR8."""
    mail = await delivered(a_refused_crm(to=replace(ANNA, locale=locale)), mailer, catcher)
    assert mail.subject == subject
    assert all(sentence.casefold() in words(mail).casefold() for sentence in sentences)
    assert "https://meetings.test/settings/calendar" in mail.text


@pytest.mark.parametrize(
    ("news", "locale", "subject", "sentence"),
    [
        (
            DomainNews.ENDANGERED,
            "en",
            "The DNS record of meet.host.test is gone",
            "If the record is not back by Tuesday, March 3, 2026, 4:00 PM (Central European Standard Time, "
            "Europe/Berlin, UTC+01:00), they no longer will be.",
        ),
        (
            DomainNews.ENDANGERED,
            "de-CH",
            "Der DNS-Eintrag von meet.host.test fehlt",
            "Noch sind Ihre Buchungsseiten dort erreichbar.",
        ),
        (
            DomainNews.LOST,
            "en",
            "meet.host.test no longer serves your scheduling pages",
            "set the record that stands here; it is another one than before.",
        ),
        (
            DomainNews.LOST,
            "de",
            "meet.host.test zeigt Ihre Buchungsseiten nicht mehr",
            "setzen Sie den Eintrag, der hier steht; es ist ein anderer als zuvor.",
        ),
    ],
)
async def test_a_letter_about_a_domain_says_what_follows_and_which_record_is_needed(
    mailer: SmtpMailer, catcher: MailCatcher, news: DomainNews, locale: str, subject: str, sentence: str
) -> None:
    """CD-2."""
    until = START if news is DomainNews.ENDANGERED else None
    mail = await delivered(a_domain_letter(news=news, to=replace(ANNA, locale=locale), until=until), mailer, catcher)
    assert mail.subject == subject
    assert sentence in words(mail)
    for told in (
        "_meetings-verification.meet.host.test",
        "meetings-verification=0f",
        "https://meetings.test/settings/calendar",
    ):
        assert told in mail.text


INVITEE_SENTENCES = {
    ("en", MeetingNews.REQUESTED): (
        "Requested, not confirmed yet: Intro call, March 3, 2026",
        "It is requested, not confirmed: nothing is in a calendar yet, and the time is not reserved for you.",
    ),
    ("en", MeetingNews.CONFIRMED): (
        "Confirmed: Intro call, March 3, 2026",
        "your meeting with Anna Höst is confirmed.",
    ),
    ("en", MeetingNews.MOVED): (
        "Moved: Intro call, now March 3, 2026",
        "The new time is confirmed, the old one no longer holds.",
    ),
    ("en", MeetingNews.CANCELLED): (
        "Cancelled: Intro call, March 3, 2026",
        "your meeting with Anna Höst is cancelled and will not take place.",
    ),
    ("en", MeetingNews.DECLINED): (
        "Declined: Intro call, March 3, 2026",
        "Anna Höst declined your request. The meeting will not take place.",
    ),
    ("en", MeetingNews.FAILED): (
        "Not booked: Intro call, March 3, 2026 – please choose another time",
        "the calendar of Anna Höst refused the meeting. It is not booked, and the time is no longer reserved for you.",
    ),
    ("en", MeetingNews.REMINDER): (
        "Reminder: Intro call, March 3, 2026",
        "this is a reminder of your meeting with Anna Höst.",
    ),
    ("de", MeetingNews.REMINDER): (
        "Erinnerung: Intro call, 3. März 2026",
        "wir erinnern Sie an Ihren Termin mit Anna Höst.",
    ),
    ("de", MeetingNews.REQUESTED): (
        "Angefragt, noch nicht bestätigt: Intro call, 3. März 2026",
        "Er ist angefragt, nicht bestätigt: Er steht noch in keinem Kalender",
    ),
    ("de", MeetingNews.CONFIRMED): (
        "Bestätigt: Intro call, 3. März 2026",
        "Ihr Termin mit Anna Höst ist bestätigt.",
    ),
    ("de", MeetingNews.MOVED): (
        "Verschoben: Intro call, jetzt am 3. März 2026",
        "Die neue Zeit ist bestätigt, die alte gilt nicht mehr.",
    ),
    ("de", MeetingNews.CANCELLED): (
        "Abgesagt: Intro call, 3. März 2026",
        "Ihr Termin mit Anna Höst ist abgesagt und findet nicht statt.",
    ),
    ("de", MeetingNews.DECLINED): (
        "Abgelehnt: Intro call, 3. März 2026",
        "Anna Höst hat Ihre Anfrage abgelehnt. Der Termin findet nicht statt.",
    ),
    ("de", MeetingNews.FAILED): (
        "Nicht gebucht: Intro call, 3. März 2026 – bitte wählen Sie eine andere Zeit",
        "Er ist nicht gebucht, und die Zeit ist nicht mehr für Sie reserviert. Bitte wählen Sie eine andere Zeit.",
    ),
}

HOST_SENTENCES = {
    ("en", MeetingNews.REQUESTED): (
        "Meeting request from Vera Visitor: Intro call, March 3, 2026",
        "open the request and choose Accept: your calendar is checked once more before the meeting is written to it.",
    ),
    ("en", MeetingNews.CONFIRMED): (
        "New meeting with Vera Visitor: Intro call, March 3, 2026",
        "It is confirmed and in your calendar.",
    ),
    ("en", MeetingNews.MOVED): (
        "Moved: Intro call with Vera Visitor, now March 3, 2026",
        "Your calendar shows the new time, the old one is free again.",
    ),
    ("en", MeetingNews.CANCELLED): (
        "Cancelled: Intro call with Vera Visitor, March 3, 2026",
        "It is taken out of your calendar, and the time can be booked again.",
    ),
    ("en", MeetingNews.DECLINED): (
        "You declined: Intro call with Vera Visitor, March 3, 2026",
        "You declined the request of Vera Visitor, who was told by mail.",
    ),
    ("en", MeetingNews.FAILED): (
        "Not booked: Intro call with Vera Visitor, March 3, 2026",
        "your calendar refused it. It is not booked, the time is free again",
    ),
    ("en", MeetingNews.REMINDER): (
        "Reminder: Intro call with Vera Visitor, March 3, 2026",
        "This is a reminder of your meeting with Vera Visitor.",
    ),
    ("de", MeetingNews.REMINDER): (
        "Erinnerung: Intro call mit Vera Visitor, 3. März 2026",
        "Wir erinnern Sie an Ihren Termin mit Vera Visitor.",
    ),
    ("de", MeetingNews.REQUESTED): (
        "Terminanfrage von Vera Visitor: Intro call, 3. März 2026",
        "öffnen Sie dann die Anfrage und wählen Sie „Annehmen“",
    ),
    ("de", MeetingNews.CONFIRMED): (
        "Neuer Termin mit Vera Visitor: Intro call, 3. März 2026",
        "Er ist bestätigt und steht in Ihrem Kalender.",
    ),
    ("de", MeetingNews.MOVED): (
        "Verschoben: Intro call mit Vera Visitor, jetzt am 3. März 2026",
        "Ihr Kalender zeigt die neue Zeit, die alte ist wieder frei.",
    ),
    ("de", MeetingNews.CANCELLED): (
        "Abgesagt: Intro call mit Vera Visitor, 3. März 2026",
        "Er wird aus Ihrem Kalender genommen, und die Zeit kann wieder gebucht werden.",
    ),
    ("de", MeetingNews.DECLINED): (
        "Von Ihnen abgelehnt: Intro call mit Vera Visitor, 3. März 2026",
        "Sie haben die Anfrage von Vera Visitor abgelehnt",
    ),
    ("de", MeetingNews.FAILED): (
        "Nicht gebucht: Intro call mit Vera Visitor, 3. März 2026",
        "Er ist nicht gebucht, die Zeit ist wieder frei",
    ),
}

EVERY_MEETING_LETTER = [
    (audience, locale, news, *sentences)
    for audience, table in ((Audience.INVITEE, INVITEE_SENTENCES), (Audience.HOST, HOST_SENTENCES))
    for (locale, news), sentences in table.items()
]


def test_every_kind_of_news_has_its_sentences_here_for_both_sides_and_languages() -> None:
    expected = {(audience, locale, news) for audience in Audience for locale in ("en", "de") for news in MeetingNews}
    assert {case[:3] for case in EVERY_MEETING_LETTER} == expected


@pytest.mark.parametrize(("audience", "locale", "news", "subject", "sentence"), EVERY_MEETING_LETTER)
async def test_each_letter_says_what_happened_in_text_and_html(
    mailer: SmtpMailer,
    catcher: MailCatcher,
    audience: Audience,
    locale: str,
    news: MeetingNews,
    subject: str,
    sentence: str,
) -> None:
    to = replace(VERA if audience is Audience.INVITEE else ANNA, locale=locale, time_zone="Europe/Berlin")
    mail = await delivered(a_letter(to=to, audience=audience, news=news), mailer, catcher)
    assert mail.subject == subject
    assert sentence in words(mail)
    assert sentence in " ".join(mail.html.split())
    assert f'<html lang="{locale}">' in mail.html
    assert mail.message["Content-Language"] == locale
    assert "https://meetings.test/b/token-1" in mail.text
    assert '<a class="link" href="https://meetings.test/b/token-1"' in mail.html


async def test_a_moved_meeting_shows_the_new_and_the_old_time(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    # On 31 March summer time has begun in both places.
    letter = a_letter(
        news=MeetingNews.MOVED, start=datetime(2026, 3, 31, 14, tzinfo=UTC), previous_start=START, sequence=1
    )
    mail = await delivered(letter, mailer, catcher)
    assert (
        "New time:\n"
        "  Tuesday, March 31, 2026, 10:00 AM – 10:30 AM (Eastern Daylight Time, America/New_York, UTC-04:00)\n"
        "Old time:\n  Tuesday, March 3, 2026, 10:00 AM (Eastern Standard Time, America/New_York, UTC-05:00)\n"
    ) in mail.text


async def test_a_cancellation_gives_the_reason(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    mail = await delivered(a_letter(news=MeetingNews.CANCELLED, reason="I am ill.\nSorry!"), mailer, catcher)
    assert "Reason:\n  I am ill.\n  Sorry!\n" in mail.text
    assert "I am ill.<br>Sorry!" in mail.html


async def test_the_message_of_a_request_goes_to_the_host_and_not_back(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    to_host = await delivered(a_host_letter(news=MeetingNews.REQUESTED, reason="Please!"), mailer, catcher)
    to_invitee = await delivered(a_letter(news=MeetingNews.REQUESTED, reason="Please!"), mailer, catcher)
    assert "Nachricht:\n  Please!\n" in to_host.text
    assert "Please!" not in to_invitee.text + to_invitee.html


async def test_a_visitor_in_new_york_who_booked_ten_o_clock_reads_ten_o_clock_with_the_zone(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    mail = await delivered(a_letter(), mailer, catcher)
    line = "Tuesday, March 3, 2026, 10:00 AM – 10:30 AM (Eastern Standard Time, America/New_York, UTC-05:00)"
    assert line in mail.text
    assert line in mail.html
    assert "In the time zone of the booking" not in mail.text


async def test_where_the_booking_was_made_in_another_zone_both_times_are_shown(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    mail = await delivered(a_letter(to=replace(VERA, time_zone="Asia/Tokyo")), mailer, catcher)
    assert (
        "When:\n  Wednesday, March 4, 2026, 12:00 AM – 12:30 AM (Japan Standard Time, Asia/Tokyo, UTC+09:00)\n"
        "In the time zone of the booking:\n"
        "  Tuesday, March 3, 2026, 10:00 AM – 10:30 AM (Eastern Standard Time, America/New_York, UTC-05:00)\n"
    ) in mail.text


async def test_the_invitee_does_not_get_the_answers_back(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    """Whoever typed them may have given somebody else's address."""
    mail = await delivered(a_letter(answers=(AnswerLine("Message", ("Buy now",)),)), mailer, catcher)
    assert "Buy now" not in mail.text
    assert "Buy now" not in mail.html


async def test_without_a_manage_link_nothing_is_offered(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    mail = await delivered(a_letter(manage_url=None), mailer, catcher)
    assert "https://" not in mail.text
    assert "<a " not in mail.html
    assert "Move or cancel" not in mail.text


async def test_headers_tell_who_writes_whom_to_answer_and_that_a_machine_sent_it(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    mail = await delivered(a_letter(), mailer, catcher)
    assert (mail.sender, mail.recipients) == ("no-reply@meetings.test", ("vera@visitor.test",))
    assert {name: mail.message[name] for name in mail.message if name != "Content-Type"} == {
        "From": "Anna Höst via meetings <no-reply@meetings.test>",
        "To": "Vera Visitor <vera@visitor.test>",
        "Reply-To": "Anna Höst <anna@host.test>",
        "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
        "Message-ID": "<booking-1.0@meetings.test>",
        "Auto-Submitted": "auto-generated",
        "Subject": "Confirmed: Intro call, March 3, 2026",
        "MIME-Version": "1.0",
        "Content-Language": "en",
    }


async def test_a_visitor_cannot_choose_the_name_a_host_sees_as_sender(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    mail = await delivered(a_host_letter(), mailer, catcher)
    assert mail.message["From"] == "meetings <no-reply@meetings.test>"
    assert mail.message["Reply-To"] == "Vera Visitor <vera@visitor.test>"


async def test_the_parts_are_text_then_html_then_the_calendar_file(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    mail = await delivered(a_letter(), mailer, catcher)
    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    (attachment,) = mail.message.iter_attachments()
    assert attachment.get_filename() == "meeting.ics"
    assert attachment["Content-Type"].params == {"charset": "utf-8", "method": "PUBLISH"}


@pytest.mark.parametrize("news", list(MeetingNews))
async def test_only_an_invitee_whose_calendar_changes_gets_a_file(
    mailer: SmtpMailer, catcher: MailCatcher, news: MeetingNews
) -> None:
    to_invitee = await delivered(a_letter(news=news), mailer, catcher)
    to_host = await delivered(a_host_letter(news=news), mailer, catcher)
    changes = news in {MeetingNews.CONFIRMED, MeetingNews.MOVED, MeetingNews.CANCELLED}
    assert (to_invitee.calendar is not None) == changes
    assert to_host.calendar is None


def test_long_subjects_and_names_keep_every_space_in_lines_that_every_server_takes() -> None:
    """Where a line breaks between words outside ASCII, careless folding loses the space or makes an invalid header."""
    vocabulary = (
        "Großes Gespräch über die Möglichkeiten der künftigen Zusammenarbeit, für Söhne & Töchter – März 2026 "
        "您的会议已确认请参加 会议时间安排 اجتماع تأكيد 🎉🎉 Überprüfungsausschusssitzungsgesprächstermin"
    ).split()
    dice = random.Random(2026)
    for _ in range(60):
        title, name = (" ".join(dice.choices(vocabulary, k=dice.randint(3, 9))) for _ in range(2))
        letter = a_host_letter(title=title, invitee=Correspondent(name, "vera@visitor.test"))
        mail = message_of(letter, sender=Sender("meetings", "no-reply@meetings.test"), written_at=WRITTEN_AT)
        head = mail.as_bytes().split(b"\r\n\r\n")[0]
        assert head.isascii()
        assert max(map(len, head.split(b"\r\n"))) <= 79
        assert b"?==?" not in head  # RFC 2047 5: white space between two encoded words
        # Read by the library's older parser: the newer one does not join the parts of a long name as RFC 2047 6.2 says.
        delivered_mail = message_from_bytes(mail.as_bytes(), policy=compat32)
        read = {key: str(make_header(decode_header(delivered_mail[key]))) for key in ("Subject", "Reply-To")}
        assert read["Subject"] == f"Neuer Termin mit {name}: {title}, 3. März 2026"
        assert read["Reply-To"].replace('"', "") == f"{name} <vera@visitor.test>"


async def test_html_needs_nothing_from_the_network_and_follows_dark_mode(
    mailer: SmtpMailer, catcher: MailCatcher
) -> None:
    html = (await delivered(a_letter(manage_url=None), mailer, catcher)).html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme: dark" in html
    assert not [found for found in ("<img", "<script", "src=", "url(", "@import", "http") if found in html]


def test_every_language_has_the_same_letters() -> None:
    templates = files("meetings.adapters.smtp") / "templates"

    def names(language: str) -> set[str]:
        folder = templates / language
        nested = {f"{kind}/{entry.name}" for kind in ("invitee", "host") for entry in (folder / kind).iterdir()}
        return nested | {entry.name for entry in folder.iterdir() if entry.is_file()}

    assert names("en") == names("de")
    assert len(names("en")) == 2 * len(MeetingNews) + len(DomainNews) + 6
