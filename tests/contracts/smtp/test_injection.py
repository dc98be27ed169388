"""Nothing that people type becomes a header, a recipient, markup or a link (IN-4, IN-5, AB-4)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from meetings.adapters.smtp.mailer import SmtpMailer
from meetings.application.free_text import harmless, plain
from meetings.application.ports.mail import (
    AnswerLine,
    BookingAttempt,
    Correspondent,
    DomainNews,
    Letter,
    LostCalendar,
    MailRefused,
    MeetingNews,
    UnsafeLetter,
)
from meetings.infrastructure.demo.mail_catcher import CaughtMail, MailCatcher
from tests.contracts.smtp.injections import (
    ACTIVE_HTML,
    ADDRESSES,
    INJECTIONS,
    LINKS,
    WITH_CONTROLS,
    WITHOUT_CONTROLS,
)
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

Fill = Callable[[str], Letter]

HEADER_FIELDS: dict[str, Fill] = {
    "to.name": lambda text: a_letter(to=replace(VERA, name=text)),
    "host.name": lambda text: a_letter(host=Correspondent(text, "anna@host.test")),
    "host.name to the host": lambda text: a_host_letter(host=Correspondent(text, "anna@host.test")),
    "invitee.name": lambda text: a_letter(invitee=Correspondent(text, "vera@visitor.test")),
    "invitee.name to the host": lambda text: a_host_letter(invitee=Correspondent(text, "vera@visitor.test")),
    "title": lambda text: a_letter(title=text),
    "title to the host": lambda text: a_host_letter(title=text),
    "uid": lambda text: a_letter(uid=text),
    "to.name of a blocked attempt": lambda text: a_blocked_attempt(to=replace(ANNA, name=text)),
    "to.name of a lost connection": lambda text: a_lost_connection(to=replace(ANNA, name=text)),
    "provider": lambda text: a_lost_connection(provider=text),
    "to.name of a lost mailbox": lambda text: a_lost_mailbox(to=replace(ANNA, name=text)),
    "provider of a lost mailbox": lambda text: a_lost_mailbox(provider=text),
    "to.name of a letter about a CRM": lambda text: a_refused_crm(to=replace(ANNA, name=text)),
    "crm": lambda text: a_refused_crm(crm=text),
    "team": lambda text: replace(a_lost_team_mailbox(), team=text),
    "hosted_address": lambda text: replace(a_lost_team_mailbox(), hosted_address=text),
    "to.name of a letter about a domain": lambda text: a_domain_letter(to=replace(ANNA, name=text)),
    "host": lambda text: a_domain_letter(host=text),
}

ADDRESS_FIELDS: dict[str, Fill] = {
    "to.email": lambda text: a_letter(to=replace(VERA, email=text)),
    "host.email": lambda text: a_letter(host=Correspondent("Anna", text)),
    "invitee.email": lambda text: a_host_letter(invitee=Correspondent("Vera", text)),
    "guests": lambda text: a_letter(guests=(text,)),
}

MESSAGE_ID_FIELDS: dict[str, Fill] = {
    "message_id": lambda text: a_letter(message_id=text),
    "message_id of a lost connection": lambda text: a_lost_connection(message_id=text),
    "message_id of a lost mailbox": lambda text: a_lost_mailbox(message_id=text),
    "message_id of a letter about a CRM": lambda text: a_refused_crm(message_id=text),
    "message_id of a letter about a domain": lambda text: a_domain_letter(message_id=text),
}

LINK_FIELDS: dict[str, Fill] = {
    "manage_url": lambda text: a_letter(manage_url=text),
    "join_url": lambda text: a_letter(join_url=text),
    "settings_url": lambda text: a_blocked_attempt(settings_url=text),
    "settings_url of a lost connection": lambda text: a_lost_connection(settings_url=text),
    "settings_url of a lost mailbox": lambda text: a_lost_mailbox(settings_url=text),
    "settings_url of a letter about a CRM": lambda text: a_refused_crm(settings_url=text),
    "settings_url of a letter about a domain": lambda text: a_domain_letter(settings_url=text),
}


def names_and_titles(text: str) -> list[Letter]:
    """Every kind of letter with the text wherever a header may carry it."""
    host, invitee = Correspondent(text, "anna@host.test"), Correspondent(text, "vera@visitor.test")
    return [
        a_letter(to=replace(VERA, name=text), host=host, invitee=invitee, title=text),
        a_host_letter(host=host, invitee=invitee, title=text),
        a_blocked_attempt(to=replace(ANNA, name=text)),
        a_lost_connection(to=replace(ANNA, name=text), provider=text),
        a_lost_mailbox(to=replace(ANNA, name=text), provider=text),
        a_refused_crm(to=replace(ANNA, name=text), crm=text),
        replace(a_lost_team_mailbox(to=replace(ANNA, name=text)), team=text),
        *(a_domain_letter(to=replace(ANNA, name=text), host=text, news=news) for news in DomainNews),
    ]


def free_text(texts: Iterable[str]) -> list[Letter]:
    """Letters with the texts in each field that only the body shows, each text at the beginning of a line."""
    texts = tuple(texts)
    lines = "\n".join(texts)
    words: Any = {"location": lines, "description": lines, "reason": lines}
    return [
        a_host_letter(answers=tuple(AnswerLine(text, (text, text)) for text in texts), **words),
        a_lost_connection(account_email=lines),
        a_lost_mailbox(email=lines),
        a_domain_letter(record_name=lines, record_value=lines),
        a_blocked_attempt(
            calendars=tuple(LostCalendar(text, text) for text in texts),
            attempts=tuple(BookingAttempt(text, START, WRITTEN_AT) for text in texts),
        ),
    ]


HEADERS_OF_EVERY_MAIL = {
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
}


def assert_nothing_slipped_in(mail: CaughtMail, letter: Letter, payload: str) -> None:
    assert mail.sender == "no-reply@meetings.test", payload
    assert mail.recipients == (letter.to.email,), payload
    headers = list(mail.message.keys())
    assert len(headers) == len(set(headers)), payload
    assert set(headers) <= HEADERS_OF_EVERY_MAIL, payload
    known = {"From": ["no-reply@meetings.test"], "To": [letter.to.email]}
    for name, addresses in known.items():
        assert [address.addr_spec for address in mail.message[name].addresses] == addresses, payload
    if "Reply-To" in mail.message:
        (answer_to,) = mail.message["Reply-To"].addresses
        assert answer_to.addr_spec in {"anna@host.test", "vera@visitor.test"}, payload
    kinds = [part.get_content_type() for part in mail.message.walk() if not part.is_multipart()]
    assert kinds in (["text/plain", "text/html"], ["text/plain", "text/html", "text/calendar"]), payload
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998, payload  # RFC 5322 2.1.1


def test_there_are_enough_payloads() -> None:
    assert len(INJECTIONS) >= 100


@pytest.mark.parametrize("field", HEADER_FIELDS)
async def test_a_control_character_in_a_text_bound_for_a_header_is_refused(
    mailer: SmtpMailer, catcher: MailCatcher, field: str
) -> None:
    """IN-4."""
    for payload in WITH_CONTROLS:
        with pytest.raises(UnsafeLetter) as caught:
            await mailer.send(HEADER_FIELDS[field](payload))
        assert "evil.example" not in str(caught.value)
    assert catcher.mails == ()


async def test_any_other_text_bound_for_a_header_stays_one_value(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    """IN-4."""
    for payload in WITHOUT_CONTROLS:
        for letter in names_and_titles(payload):
            await mailer.send(letter)
            assert_nothing_slipped_in(catcher.mails[-1], letter, payload)
    assert len(catcher.mails) == len(names_and_titles("")) * len(WITHOUT_CONTROLS)


async def test_any_text_bound_for_the_body_stays_in_the_body(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    """IN-4."""
    for first in range(0, len(INJECTIONS), 10):
        payloads = INJECTIONS[first : first + 10]
        for letter in free_text(payloads):
            await mailer.send(letter)
            assert_nothing_slipped_in(catcher.mails[-1], letter, repr(payloads))


@pytest.mark.parametrize("field", ADDRESS_FIELDS)
async def test_an_address_that_is_more_or_less_than_one_is_refused(
    mailer: SmtpMailer, catcher: MailCatcher, field: str
) -> None:
    """IN-4. An UnsafeLetter is a MailRefused: nobody tries it again."""
    for payload in {*INJECTIONS, *ADDRESSES} - {"mallory@evil.example"}:
        with pytest.raises(MailRefused) as caught:
            await mailer.send(ADDRESS_FIELDS[field](payload))
        assert isinstance(caught.value, UnsafeLetter), payload
        assert "evil.example" not in str(caught.value)
    assert catcher.mails == ()


@pytest.mark.parametrize("field", MESSAGE_ID_FIELDS)
async def test_a_message_id_of_another_form_is_refused(mailer: SmtpMailer, catcher: MailCatcher, field: str) -> None:
    """IN-4."""
    well_formed = {"<mallory@evil.example>", "<vera@visitor.test>"}
    for payload in {*INJECTIONS, *ADDRESSES} - well_formed:
        with pytest.raises(UnsafeLetter, match="message_id"):
            await mailer.send(MESSAGE_ID_FIELDS[field](payload))
    assert catcher.mails == ()


@pytest.mark.parametrize("field", LINK_FIELDS)
async def test_only_web_links_become_links(mailer: SmtpMailer, catcher: MailCatcher, field: str) -> None:
    wrong = [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.test",
        "//a.test",
        "https://",
        "https:///x",
        "http://[x",
    ]
    wrong += ['https://a.test/"onclick="x', "https://a.test/<b>", "https://a.test/ x", "https://a.test/\r\nBcc: x"]
    for payload in [*wrong, *WITH_CONTROLS]:
        with pytest.raises(UnsafeLetter, match=field.split()[0]):
            await mailer.send(LINK_FIELDS[field](payload))
    assert catcher.mails == ()


class Markup(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.comments: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(f"{name}={value}" for name, value in attributes)))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


async def test_markup_that_people_type_is_shown_and_not_obeyed(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    """IN-5: the page has the same tags and attributes as with an innocent text, and the text is still readable."""

    async def pages(letters: list[Letter]) -> list[Markup]:
        catcher.clear()
        for letter in letters:
            await mailer.send(letter)
        return [Markup(mail.html) for mail in catcher.mails]

    def assert_shown(page: Markup, expected: Markup, payload: str) -> None:
        assert page.tags == expected.tags, payload
        assert page.comments == [], payload
        shown = " ".join("".join(page.texts).split())
        assert any(" ".join(clean(payload).split()) in shown for clean in (plain, harmless)), payload

    innocent = await pages(names_and_titles("innocent"))
    for payload in ACTIVE_HTML:
        for page, expected in zip(await pages(names_and_titles(payload.replace("\x00", ""))), innocent, strict=True):
            assert_shown(page, expected, payload)

    innocent = await pages(free_text(["innocent"] * len(ACTIVE_HTML)))
    for page, expected in zip(await pages(free_text(ACTIVE_HTML)), innocent, strict=True):
        for payload in ACTIVE_HTML:
            assert_shown(page, expected, payload)


def written_by_a_stranger(text: str) -> list[Letter]:
    """What a visitor's words reach, as letters that hold no link of their own."""
    invitee = Correspondent(text, "vera@visitor.test")
    cancelled: Any = {"news": MeetingNews.CANCELLED, "reason": text, "invitee": invitee, "manage_url": None}
    return [
        a_letter(to=replace(VERA, name=text), title=f"Call with {text}", **cancelled),
        a_host_letter(title=f"Call with {text}", **cancelled),
        a_host_letter(answers=(AnswerLine("Message", (f"look: {text}",)),), invitee=invitee, manage_url=None),
    ]


# What mail programs make links of by themselves: a scheme with slashes, a network share, a name with a dot and letters.
LOOKS_LIKE_A_LINK = re.compile(r"\w:[/\\]|\\\\|[\w-]+(?:[.\u3002\uff0e\uff61][\w-]+)*[.\u3002\uff0e\uff61][^\W\d_]{2,}")
OURS = re.compile(r"\b[\w.+-]+@(?:host|visitor|meetings)\.test\b")


def linkable(text: str) -> list[str]:
    return LOOKS_LIKE_A_LINK.findall(OURS.sub("", text))


def test_the_pattern_for_links_finds_them() -> None:
    assert [link for link in LINKS if not linkable(plain(link))] == []


async def test_no_text_of_a_stranger_becomes_a_link(mailer: SmtpMailer, catcher: MailCatcher) -> None:
    """AB-4, in the text, the HTML, the subject, the names and the calendar file."""
    for payload in LINKS:
        for letter in written_by_a_stranger(payload):
            await mailer.send(letter)
            mail = catcher.mails[-1]
            markup = Markup(mail.html)
            assert linkable(mail.subject) == [], payload
            assert linkable(mail.text) == [], payload
            assert linkable("".join(markup.texts)) == [], payload
            assert "a" not in {tag for tag, _ in markup.tags}, payload
            for header in ("From", "To", "Reply-To"):
                assert linkable(mail.message[header].addresses[0].display_name) == [], payload
            file = (mail.calendar or b"").decode().replace("\r\n ", "")
            assert "evil.example" not in file, payload
            assert "://" not in file, payload


def test_ordinary_text_is_left_alone() -> None:
    for text in (
        "Guten Tag, ich komme um 10.30 Uhr.",
        "z. B. am 12.03.2026; 3.14 ist keine Adresse",
        "Wait... what?",
        "Dr. Vera Visitor-Müller (she/her) 👩‍💻",
        "a/b, c\\d, 10:30, note: this",
        "یک‌نفر",
    ):
        assert harmless(text) == text
