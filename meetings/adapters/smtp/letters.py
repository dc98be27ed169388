"""Letters as mails: which template, which facts, which headers. The sentences live in `templates/`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from textwrap import fill

from jinja2 import Environment, PackageLoader, StrictUndefined

from meetings.adapters.smtp.addresses import address_of
from meetings.adapters.smtp.calendar_file import CalendarEntry, calendar_file
from meetings.adapters.smtp.free_text import header_text, one_line, shown_name, web_link
from meetings.adapters.smtp.labels import LABELS
from meetings.application.free_text import harmless, plain
from meetings.application.local_times import day_words, language_of, locale_of, moment_words, span_words
from meetings.application.message_headers import MAIL
from meetings.application.ports.mail import (
    Audience,
    BlockedAttemptLetter,
    ConnectionLostLetter,
    Correspondent,
    CrmRefusedLetter,
    DomainLetter,
    InvitationLetter,
    Letter,
    MailboxLostLetter,
    MeetingLetter,
    MeetingNews,
    UnsafeLetter,
)

_WITH_FILE = {MeetingNews.CONFIRMED, MeetingNews.MOVED, MeetingNews.CANCELLED}
_CALLED_OFF = {MeetingNews.CANCELLED, MeetingNews.DECLINED}
_TAKES_PLACE = {MeetingNews.REQUESTED, MeetingNews.CONFIRMED, MeetingNews.MOVED, MeetingNews.REMINDER}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from: the product's own name and the one address it may send as."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class _Fact:
    """A label with one or more lines of text, or with a link."""

    label: str
    lines: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A letter before it is worded; everything in it is harmless text or a checked link."""

    template: str
    words: Mapping[str, object]
    facts: tuple[_Fact, ...]
    link: str | None
    other_side: Correspondent | None = None
    entry: CalendarEntry | None = None


def message_of(letter: Letter, *, sender: Sender, written_at: datetime) -> EmailMessage:
    """The whole mail: plain text and HTML in the recipient's language, and the calendar file where one belongs.

    `written_at` is aware; it becomes the Date header and the calendar file's DTSTAMP.

    Raises:
        UnsafeLetter: a value that a header, an address or a link would carry holds what must not stand there.
    """
    labels = LABELS[language_of(letter.to.locale)]
    draft = _draft(letter, labels)
    message = EmailMessage(policy=MAIL)
    message["From"] = _from(letter, sender, labels)
    message["To"] = address_of(letter.to.email, name=shown_name(letter.to.name, field="to.name"), field="to")
    if draft.other_side:
        name = shown_name(draft.other_side.name, field="reply_to.name")
        message["Reply-To"] = address_of(draft.other_side.email, name=name, field="reply_to")
    message["Date"] = written_at
    message["Message-ID"] = _message_id(letter.message_id)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: asks for no out-of-office answers
    _word(message, letter, draft, footer=_footer(draft, sender, labels))
    if draft.entry:
        message.add_attachment(
            calendar_file(draft.entry, written_at=written_at),
            maintype="text",
            subtype="calendar",
            filename="meeting.ics",
            params={"charset": "utf-8", "method": draft.entry.method},
        )
    # Last, because the calls above move every Content- header into the part they make.
    message["Content-Language"] = language_of(letter.to.locale)
    return message


def entry_of(letter: MeetingLetter) -> CalendarEntry:
    """The meeting of a letter as a calendar entry; a stranger's words in it are without working links."""
    return CalendarEntry(
        uid=letter.uid,
        sequence=letter.sequence,
        title=harmless(letter.title),
        start=letter.start,
        end=letter.end,
        organizer=letter.host,
        attendees=(letter.invitee, *(Correspondent("", guest) for guest in letter.guests)),
        description="\n\n".join(text for text in (letter.description, letter.join_url) if text),
        location=letter.location or letter.join_url,
        url=letter.manage_url,
        cancelled=letter.news is MeetingNews.CANCELLED,
    )


def _draft(letter: Letter, labels: Mapping[str, str]) -> _Draft:
    if isinstance(letter, MeetingLetter):
        return _meeting_draft(letter, labels)
    if isinstance(letter, BlockedAttemptLetter):
        return _blocked_attempt_draft(letter, labels)
    if isinstance(letter, InvitationLetter):
        return _invitation_draft(letter)
    if isinstance(letter, DomainLetter):
        return _domain_draft(letter, labels)
    if isinstance(letter, MailboxLostLetter):
        return _mailbox_lost_draft(letter, labels)
    if isinstance(letter, CrmRefusedLetter):
        return _crm_refused_draft(letter)
    return _connection_lost_draft(letter, labels)


def _meeting_draft(letter: MeetingLetter, labels: Mapping[str, str]) -> _Draft:
    to_invitee = letter.audience is Audience.INVITEE
    facts = (
        _Fact(labels["what"], (shown_name(letter.title, field="title"),)),
        *_time_facts(letter, labels),
        *_people_facts(letter, labels),
        *_reason_facts(letter, labels),
        *(_place_facts(letter, labels) if letter.news in _TAKES_PLACE else ()),
        *(() if to_invitee or letter.news not in _TAKES_PLACE else _answer_facts(letter)),
    )
    return _Draft(
        template=f"{letter.audience.value.lower()}/{letter.news.value.lower()}.j2",
        words={
            "title": shown_name(letter.title, field="title"),
            "host": shown_name(letter.host.name, field="host.name"),
            "invitee": shown_name(letter.invitee.name, field="invitee.name"),
            "day": day_words(letter.start, zone=letter.to.time_zone, locale=locale_of(letter.to.locale), form="long"),
            "times": len(letter.proposed) or 1,
        },
        facts=tuple(fact for fact in facts if fact.lines or fact.link),
        link=web_link(letter.manage_url, field="manage_url") if letter.manage_url else None,
        other_side=letter.host if to_invitee else letter.invitee,
        # The host's calendar holds the event itself, a file would double it.
        entry=entry_of(letter) if to_invitee and letter.news in _WITH_FILE else None,
    )


def _time_facts(letter: MeetingLetter, labels: Mapping[str, str]) -> tuple[_Fact, ...]:
    """When it takes place, in the reader's zone, and in the zone it was booked in where that is another one."""
    locale, duration = locale_of(letter.to.locale), letter.end - letter.start
    starts = letter.proposed or (letter.start,)
    label = "proposed" if len(starts) > 1 else "now" if letter.news is MeetingNews.MOVED else "when"

    def spans(zone: str) -> tuple[str, ...]:
        return tuple(span_words(start, start + duration, zone=zone, locale=locale) for start in starts)

    facts = [_Fact(labels[label], spans(letter.to.time_zone))]
    if letter.booking_time_zone != letter.to.time_zone:
        facts.append(_Fact(labels["booked"], spans(letter.booking_time_zone)))
    if letter.previous_start is not None:
        before = moment_words(letter.previous_start, zone=letter.to.time_zone, locale=locale)
        facts.append(_Fact(labels["before"], (before,)))
    return tuple(facts)


def _people_facts(letter: MeetingLetter, labels: Mapping[str, str]) -> tuple[_Fact, ...]:
    role, person = ("host", letter.host) if letter.audience is Audience.INVITEE else ("invitee", letter.invitee)
    name = shown_name(person.name, field=f"{role}.name")
    email = address_of(person.email, name="", field=role).addr_spec
    guests = tuple(address_of(guest, name="", field="guests").addr_spec for guest in letter.guests)
    return _Fact(labels[role], (f"{name} <{email}>",)), _Fact(labels["guests"], guests)


def _reason_facts(letter: MeetingLetter, labels: Mapping[str, str]) -> tuple[_Fact, ...]:
    """Why it was called off; before that, what the invitee wrote to the host.

    As with the answers, the invitee does not get their own words back: they may have given somebody else's address.
    """
    words = _lines(harmless(letter.reason or ""))
    if letter.news in _CALLED_OFF:
        return (_Fact(labels["reason"], words),)
    return (_Fact(labels["message"], words),) if letter.audience is Audience.HOST else ()


def _place_facts(letter: MeetingLetter, labels: Mapping[str, str]) -> tuple[_Fact, ...]:
    return (
        _Fact(labels["where"], _lines(plain(letter.location or ""))),
        _Fact(labels["join"], link=web_link(letter.join_url, field="join_url") if letter.join_url else None),
        _Fact(labels["about"], _lines(plain(letter.description or ""))),
    )


def _answer_facts(letter: MeetingLetter) -> tuple[_Fact, ...]:
    return tuple(
        _Fact(
            one_line(harmless(answer.label)),
            tuple(line for value in answer.values for line in _lines(harmless(value))),
        )
        for answer in letter.answers
    )


def _blocked_attempt_draft(letter: BlockedAttemptLetter, labels: Mapping[str, str]) -> _Draft:
    zone, locale = letter.to.time_zone, locale_of(letter.to.locale)
    calendars = tuple(
        f"{one_line(plain(calendar.name))} ({one_line(plain(calendar.account_email))})" for calendar in letter.calendars
    )
    attempts = tuple(
        labels["tried"].format(
            page=one_line(plain(attempt.page)),
            wished=moment_words(attempt.wished_start, zone=zone, locale=locale),
            tried=moment_words(attempt.tried_at, zone=zone, locale=locale),
        )
        for attempt in letter.attempts
    )
    return _Draft(
        template="blocked_attempt.j2",
        words={
            "name": shown_name(letter.to.name, field="to.name"),
            "calendars": len(calendars),
            "attempts": len(attempts),
        },
        facts=(
            _Fact(labels["calendar" if len(calendars) == 1 else "calendars"], calendars),
            _Fact(labels["attempt" if len(attempts) == 1 else "attempts"], attempts),
        ),
        link=web_link(letter.settings_url, field="settings_url"),
    )


def _connection_lost_draft(letter: ConnectionLostLetter, labels: Mapping[str, str]) -> _Draft:
    return _Draft(
        template="connection_lost.j2",
        words={
            "name": shown_name(letter.to.name, field="to.name"),
            "provider": shown_name(letter.provider, field="provider"),
            "with_password": letter.with_password,
            "with_mailbox": letter.with_mailbox,
        },
        facts=(_Fact(labels["account"], (one_line(plain(letter.account_email)),)),),
        link=web_link(letter.settings_url, field="settings_url"),
    )


def _mailbox_lost_draft(letter: MailboxLostLetter, labels: Mapping[str, str]) -> _Draft:
    return _Draft(
        template="mailbox_lost.j2" if letter.team is None else "team_mailbox_lost.j2",
        words={
            "name": shown_name(letter.to.name, field="to.name"),
            "provider": shown_name(letter.provider, field="provider"),
            "with_password": letter.with_password,
            "team": shown_name(letter.team or "", field="team"),
            "hosted_address": header_text(letter.hosted_address or "", field="hosted_address"),
        },
        facts=(_Fact(labels["account"], (one_line(plain(letter.email)),)),),
        link=web_link(letter.settings_url, field="settings_url"),
    )


def _crm_refused_draft(letter: CrmRefusedLetter) -> _Draft:
    return _Draft(
        template="crm_refused.j2",
        words={"name": shown_name(letter.to.name, field="to.name"), "crm": shown_name(letter.crm, field="crm")},
        facts=(),
        link=web_link(letter.settings_url, field="settings_url"),
    )


def _invitation_draft(letter: InvitationLetter) -> _Draft:
    locale = locale_of(letter.to.locale)
    return _Draft(
        template="invitation.j2",
        words={
            "name": shown_name(letter.to.name, field="to.name"),
            "account": shown_name(letter.account, field="account"),
            "until": day_words(letter.expires_at, zone=letter.to.time_zone, locale=locale, form="long"),
        },
        facts=(),
        link=web_link(letter.url, field="url"),
    )


def _domain_draft(letter: DomainLetter, labels: Mapping[str, str]) -> _Draft:
    zone, locale = letter.to.time_zone, locale_of(letter.to.locale)
    return _Draft(
        template=f"domain_{letter.news.value.lower()}.j2",
        words={
            "name": shown_name(letter.to.name, field="to.name"),
            "host": header_text(letter.host, field="host"),
            "until": moment_words(letter.until, zone=zone, locale=locale) if letter.until else "",
        },
        facts=(
            _Fact(labels["record_name"], (one_line(plain(letter.record_name)),)),
            _Fact(labels["record_value"], (one_line(plain(letter.record_value)),)),
        ),
        link=web_link(letter.settings_url, field="settings_url"),
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in text.strip().split("\n")) if text.strip() else ()


def _from(letter: Letter, sender: Sender, labels: Mapping[str, str]) -> Address:
    """Always our own address, the only one our mail server may send as (SPF, DKIM, DMARC).

    The invitee sees the host's name before it. A host does not see the visitor's there: a visitor chooses a name
    freely, and nobody should be able to appear in a host's inbox as "Your bank".
    """
    name = sender.name
    if isinstance(letter, MeetingLetter) and letter.audience is Audience.INVITEE:
        name = labels["via"].format(name=shown_name(letter.host.name, field="host.name"), product=sender.name)
    return address_of(sender.address, name=name, field="sender")


def _message_id(message_id: str) -> str:
    if not re.fullmatch(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}@[A-Za-z0-9.-]{1,128}>", message_id):
        raise UnsafeLetter("message_id is not of the form <left@right>")
    return message_id


def _footer(draft: _Draft, sender: Sender, labels: Mapping[str, str]) -> str:
    sentences = [labels["footer"].format(product=sender.name)]
    if draft.other_side:
        sentences.append(labels["answer"].format(name=shown_name(draft.other_side.name, field="reply_to.name")))
    return " ".join(sentences)


def _word(message: EmailMessage, letter: Letter, draft: _Draft, *, footer: str) -> None:
    """Fill in subject and body; one template gives the sentences to a layout for each of them."""
    language = language_of(letter.to.locale)
    name = f"{language}/{draft.template}"
    context = {**draft.words, "language": language, "facts": draft.facts, "link": draft.link, "footer": footer}
    subject = _TEXT.get_template(name).render(context, layout="subject.txt.j2")
    message["Subject"] = one_line(subject)
    message.set_content(_TEXT.get_template(name).render(context, layout="layout.txt.j2").strip() + "\n")
    html = _HTML.get_template(name).render(context, layout="layout.html.j2")
    message.add_alternative(html.strip() + "\n", subtype="html")


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("meetings.adapters.smtp"),
        autoescape=html,  # noqa: S701 - plain text is not escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = lambda text: fill(
        one_line(text), width=76, break_long_words=False, break_on_hyphens=False
    )
    return environment


_TEXT = _environment(html=False)
_HTML = _environment(html=True)
