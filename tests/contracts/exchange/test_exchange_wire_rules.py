"""The adapter's rules: builds, addresses, refusals, the outside of answers, the event of a booking, credentials."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from requests import Response
from requests.structures import CaseInsensitiveDict

from meetings.adapters.exchange import booking_event
from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.addresses import is_exchange_online, owner_link, server_address
from meetings.adapters.exchange.answers import check_answer, offered
from meetings.adapters.exchange.booking_event import Existing
from meetings.adapters.exchange.disclosure import DISCLOSURE
from meetings.adapters.exchange.refusals import Asked, Refused, as_provider_error, seconds
from meetings.adapters.exchange.trial import PasswordTrial, best_offered
from meetings.adapters.exchange.versions import ServerBuild
from meetings.application.ports.calendars import (
    Attendee,
    CalendarEvent,
    CalendarUnreadable,
    CursorExpired,
    EventKey,
    EventRefused,
    LoginProblem,
    LoginRefused,
    MailboxCredentials,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    ServerAuth,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown", "supported"),
    [
        ("8.1.436.0", "Exchange 2007 SP1 (8.1.436.0)", False),
        ("14.1.438.0", "Exchange 2010 SP1 (14.1.438.0)", False),
        ("14.2.247.5", "Exchange 2010 SP2 (14.2.247.5)", True),
        ("14.3.123.4", "Exchange 2010 SP3 (14.3.123.4)", True),
        ("15.0.1497.2", "Exchange 2013 (15.0.1497.2)", True),
        ("15.1.2507.0", "Exchange 2016 (15.1.2507.0)", True),
        ("15.2.1118.7", "Exchange 2019 (15.2.1118.7)", True),
        ("15.2.2562.17", "Exchange Server Subscription Edition (15.2.2562.17)", True),
        ("16.1", "Exchange Online (16.1.0.0)", True),
    ],
)
def test_a_build_tells_the_version_and_whether_it_will_do(text: str, shown: str, supported: bool) -> None:
    build = ServerBuild.parse(text)
    assert (build.shown, build.supported) == (shown, supported)


def test_exchange_online_is_known_by_its_build() -> None:
    assert [ServerBuild.parse(each).is_online for each in ("15.20.9000.1", "15.2.1118.7")] == [True, False]


@pytest.mark.parametrize("text", ["", "15", "15.1.x", "15.1.2507.0.1", "-1.2", "999999.1"])
def test_what_is_no_build_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no build"):
        ServerBuild.parse(text)


@pytest.mark.parametrize(
    "typed",
    [
        "https://mail.example.com/EWS/Exchange.asmx",
        "https://mail.example.com/ews/exchange.asmx",
        "HTTPS://Mail.Example.com/ews/EXCHANGE.ASMX",
        "  https://mail.example.com/EWS/Exchange.asmx ",
    ],
)
def test_the_web_services_address_is_taken_in_any_case(typed: str) -> None:
    assert server_address(typed) == "https://mail.example.com/EWS/Exchange.asmx"


@pytest.mark.parametrize(
    "typed",
    [
        "https://mail.example.com/owa",
        "https://mail.example.com/home",
        "https://mail.example.com",
        "http://mail.example.com/EWS/Exchange.asmx",
        "mail.example.com",
        "https://mail.example.com/EWS/Exchange.asmx?a=b",
        "https://ada:secret@mail.example.com/EWS/Exchange.asmx",
    ],
)
def test_other_addresses_are_refused_with_the_one_that_was_meant(typed: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        server_address(typed)
    assert refused.value.problem is LoginProblem.URL_INVALID
    assert refused.value.suggestion == "https://mail.example.com/ews/exchange.asmx"


@pytest.mark.parametrize(
    "typed",
    ["https://outlook.office365.com/EWS/Exchange.asmx", "https://outlook.office365.us/owa", "outlook.office.com"],
)
def test_an_address_of_exchange_online_belongs_to_office_365(typed: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        server_address(typed)
    assert refused.value.problem is LoginProblem.USE_OFFICE365


def test_microsofts_names_are_known_and_names_that_only_look_like_them_are_not() -> None:
    assert is_exchange_online("autodiscover-s.outlook.com")
    assert is_exchange_online("contoso.onmicrosoft.com.")
    assert not is_exchange_online("outlook.com.example.net")
    assert not is_exchange_online("notoutlook.com")


def test_the_owner_sees_an_event_by_its_id_or_where_that_is_not_possible_the_calendar() -> None:
    url = "https://mail.example.com/EWS/Exchange.asmx"
    assert owner_link(url, "AAM+/=", modern=True) == (
        "https://mail.example.com/owa/?ItemID=AAM%2B%2F%3D&exvsurl=1&viewmodel=ReadMessageItem"
    )
    assert owner_link(url, "AAM+/=", modern=False) == "https://mail.example.com/owa/?cmd=contents&module=calendar"


@pytest.mark.parametrize(
    ("code", "asked", "kind"),
    [
        ("HTTP401", Asked.ACCOUNT, ReauthorizationNeeded),
        ("HTTP401.Locked", Asked.CALENDAR, ReauthorizationNeeded),
        ("ErrorPasswordExpired", Asked.CALENDAR, ReauthorizationNeeded),
        ("ErrorAccountDisabled", Asked.EVENT, ReauthorizationNeeded),
        ("ErrorServerBusy", Asked.CALENDAR, RateLimited),
        ("ErrorExceededConnectionCount", Asked.EVENT, RateLimited),
        ("HTTP429", Asked.CHANGES, RateLimited),
        ("HTTP503", Asked.CALENDAR, ProviderUnavailable),
        ("HTTP500", Asked.EVENT, ProviderUnavailable),
        ("HTTP403", Asked.CALENDAR, ProviderUnavailable),
        ("WebPage", Asked.CALENDAR, ProviderUnavailable),
        ("ErrorNonExistentMailbox", Asked.CALENDAR, MailboxNotFound),
        ("ErrorMailboxMoveInProgress", Asked.CALENDAR, ProviderUnavailable),
        ("ErrorMailboxStoreUnavailable", Asked.CALENDAR, ProviderUnavailable),
        ("ErrorInternalServerError", Asked.EVENT, ProviderUnavailable),
        ("ErrorAccessDenied", Asked.CALENDAR, CalendarUnreadable),
        ("ErrorItemNotFound", Asked.CHANGES, CalendarUnreadable),
        ("ErrorFolderNotFound", Asked.EVENT, CalendarUnreadable),
        ("ErrorAccessDenied", Asked.ACCOUNT, ProviderUnavailable),
        ("ErrorInvalidSyncStateData", Asked.CHANGES, CursorExpired),
        ("ErrorInvalidSyncStateData", Asked.CALENDAR, ProviderUnavailable),
        ("ErrorIrresolvableConflict", Asked.EVENT, ProviderUnavailable),
        ("ErrorInvalidRecipients", Asked.EVENT, EventRefused),
        ("ErrorCalendarDurationIsTooLong", Asked.EVENT, EventRefused),
        ("ErrorInvalidRecipients", Asked.CALENDAR, ProviderUnavailable),
        ("ErrorInventedLater", Asked.EVENT, ProviderUnavailable),
    ],
)
def test_what_a_refusal_means(code: str, asked: Asked, kind: type[ProviderError]) -> None:
    assert type(as_provider_error(Refused(code), asked, NOW)) is kind


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (None, None),
        (0.0, None),
        (12.5, 12.5),
        ("17", 17.0),
        (" 3.5 ", 3.5),
        ("Mon, 02 Mar 2026 08:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_how_long_to_wait(wait: float | str | None, told: float | None) -> None:
    assert seconds(wait, NOW) == told


def test_a_server_that_says_how_long_to_wait_is_not_down() -> None:
    error = as_provider_error(Refused("HTTP503", wait="17"), Asked.CALENDAR, NOW)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 17


def test_a_refusal_repeats_only_a_word_of_the_answer() -> None:
    assert str(Refused("<b>Ada's secret plan</b>\nSet-Cookie: a" * 9)).isascii()
    assert "\n" not in str(Refused("Error\nBroken"))


def _answer(status: int, body: str = "", **headers: str) -> Response:
    answer = Response()
    answer.status_code = status
    answer._content = body.encode()
    answer.headers = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_answer(200, "<html>", Content_Type="text/html"), "WebPage"),
        (_answer(302, Location="/owa/auth/logon.aspx"), "WebPage"),
        (_answer(401), "HTTP401"),
        (_answer(401, X_MS_Diagnostics="Multi-factor authentication is required"), "HTTP401.AppPassword"),
        (_answer(401, "<p>Use an app password instead.</p>"), "HTTP401.AppPassword"),
        (_answer(401, "The referenced account is currently locked out"), "HTTP401.Locked"),
        (_answer(401, "Your password has expired."), "HTTP401.Expired"),
        (_answer(401, "This account is disabled."), "HTTP401.Disabled"),
        (_answer(404, Content_Type="text/html"), "HTTP404"),
        (_answer(500, "<html>", Content_Type="text/html"), "HTTP500"),
        (_answer(503, Retry_After="9"), "HTTP503"),
    ],
)
def test_the_outside_of_an_answer_that_is_no_answer(answer: Response, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_answer(answer)
    assert refused.value.code == code
    assert refused.value.wait == answer.headers.get("Retry-After")


@pytest.mark.parametrize("status", [200, 500])
def test_answers_of_the_web_service_pass(status: int) -> None:
    check_answer(_answer(status, "<s/>", Content_Type="text/xml; charset=utf-8"))


@pytest.mark.parametrize(
    ("header", "ways"),
    [
        ("NTLM", {"ntlm"}),
        ('Negotiate, NTLM, Basic realm="mail, NTLM of example.com"', {"negotiate", "ntlm", "basic"}),
        ('Bearer client_id="a", trusted_issuers="b", token_types="c", Basic realm=""', {"bearer", "basic"}),
        ("", set()),
    ],
)
def test_the_ways_to_sign_in_are_read_from_the_challenge(header: str, ways: set[str]) -> None:
    assert offered(_answer(401, WWW_Authenticate=header)) == ways


@pytest.mark.parametrize(
    ("wished", "offers", "taken"),
    [
        (ServerAuth.AUTO, {"basic", "ntlm"}, ServerAuth.NTLM),
        (ServerAuth.AUTO, {"basic"}, ServerAuth.BASIC),
        (ServerAuth.AUTO, {"negotiate"}, ServerAuth.NTLM),
        (ServerAuth.AUTO, {"bearer"}, None),
        (ServerAuth.AUTO, set(), None),
        (ServerAuth.BASIC, {"basic", "ntlm"}, ServerAuth.BASIC),
        (ServerAuth.BASIC, {"ntlm"}, None),
        (ServerAuth.NTLM, {"basic"}, None),
    ],
)
def test_the_best_offered_way_is_taken_and_no_other(
    wished: ServerAuth, offers: set[str], taken: ServerAuth | None
) -> None:
    assert best_offered(wished, frozenset(offers)) is taken


def _tried(given: MailboxCredentials, code: str) -> tuple[list[str], LoginProblem]:
    names: list[str] = []
    trial = PasswordTrial(given)

    def attempt(name: str) -> None:
        names.append(name)
        raise Refused(code)

    for _ in range(2):
        with pytest.raises(LoginRefused) as refused:
            trial.run(attempt)
    return names, refused.value.problem


ADA = MailboxCredentials("ada@example.com", "secret")


def test_without_a_user_name_the_address_is_tried_and_then_the_part_before_the_at_each_once() -> None:
    assert _tried(ADA, "HTTP401") == (["ada@example.com", "ada"], LoginProblem.USERNAME_REQUIRED)


def test_a_given_user_name_is_the_only_one_tried() -> None:
    given = replace(ADA, username=r"EXAMPLE\hmueller")
    assert _tried(given, "HTTP401") == ([r"EXAMPLE\hmueller"], LoginProblem.CREDENTIALS_REJECTED)


@pytest.mark.parametrize("why", ["Locked", "Disabled", "Expired", "AppPassword"])
def test_an_answer_about_the_account_itself_ends_the_trial(why: str) -> None:
    names, _ = _tried(ADA, f"HTTP401.{why}")
    assert names == ["ada@example.com"]


def test_a_name_that_was_accepted_is_kept() -> None:
    trial, names = PasswordTrial(ADA), list[str]()

    def attempt(name: str) -> str:
        names.append(name)
        if "@" in name:
            raise Refused("HTTP401")
        return name

    assert [trial.run(attempt), trial.run(attempt)] == ["ada", "ada"]
    assert names == ["ada@example.com", "ada", "ada"]


def test_a_server_in_trouble_says_nothing_about_a_name() -> None:
    trial = PasswordTrial(ADA)

    def attempt(name: str) -> None:
        raise Refused("HTTP503", wait="5")

    with pytest.raises(Refused):
        trial.run(attempt)
    assert trial.username is None


# ---- the event of a booking -----------------------------------------------------------------------------------------

WISH = CalendarEvent(
    key=EventKey("booking-1", "host-1", 0),
    title="Coffee",
    description="Agenda",
    start=datetime(2026, 3, 4, 9, tzinfo=UTC),
    end=datetime(2026, 3, 4, 10, tzinfo=UTC),
    time_zone="Europe/Berlin",
    attendees=(Attendee("Vera", "vera@x.example"),),
)


def _as_written(wish: CalendarEvent, *added: Attendee) -> Existing:
    return Existing(
        item_id="e1",
        change_key="k",
        start=wish.start,
        end=wish.end,
        properties=booking_event.properties(wish),
        organized_here=True,
        cancelled=False,
        attendees=(*wish.attendees, *added),
    )


def test_keys_differ_by_booking_host_and_generation() -> None:
    keys = [EventKey("b", "h", 0), EventKey("b", "h", 1), EventKey("b", "i", 0), EventKey("c", "h", 0)]
    assert len({booking_event.key_text(each) for each in keys}) == 4


def test_what_stands_as_wished_is_left_alone() -> None:
    assert not booking_event.needs_change(WISH, _as_written(WISH))
    assert not booking_event.needs_change(replace(WISH, conference=True), _as_written(WISH))


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Tea"},
        {"description": ""},
        {"location": "Wien"},
        {"time_zone": "UTC"},
        {"attendees": ()},
        {"start": datetime(2026, 3, 4, 8, tzinfo=UTC)},
        {"sequence": 1},
    ],
)
def test_anything_else_is_a_change(change: dict[str, Any]) -> None:
    assert booking_event.needs_change(replace(WISH, **change), _as_written(WISH))


def test_a_newer_wish_that_was_written_stays() -> None:
    newer = _as_written(replace(WISH, sequence=2))
    assert not booking_event.needs_change(replace(WISH, title="Old", sequence=1), newer)


def test_guests_whom_the_host_added_stay_and_ours_come_and_go() -> None:
    by_hand, gus = Attendee("Boss", "boss@x.example"), Attendee("Gus", "gus@x.example")
    existing = _as_written(WISH, by_hand)
    assert booking_event.guests(replace(WISH, attendees=(gus,)), existing) == (gus, by_hand)
    assert booking_event.guests(WISH, existing) == (*WISH.attendees, by_hand)


def test_an_event_is_ours_only_with_key_booking_and_owner() -> None:
    existing = _as_written(WISH)
    assert existing.is_ours(WISH.key)
    for other in (
        replace(existing, organized_here=False),
        replace(existing, properties={**existing.properties, booking_event.BOOKING: "other"}),
        replace(existing, properties={booking_event.KEY: booking_event.key_text(WISH.key)}),
    ):
        assert not other.is_ours(WISH.key)


# ---- credentials ----------------------------------------------------------------------------------------------------

ACCESS = MailboxAccess(
    email="ada@example.com",
    username="ada",
    password="hunter2 and more",
    url="https://mail.example.com/EWS/Exchange.asmx",
    auth=ServerAuth.NTLM,
    build=ServerBuild(15, 1, 2507, 0),
    ca="-----BEGIN CERTIFICATE-----",
)


def test_credentials_come_back_as_they_were_stored() -> None:
    assert MailboxAccess.from_text(ACCESS.to_text()) == ACCESS


def test_credentials_show_no_password() -> None:
    assert "hunter2" not in repr(ACCESS)
    assert "hunter2" not in ACCESS.fingerprint


def test_two_logins_with_the_same_password_are_two() -> None:
    again = replace(ACCESS, login="another")
    assert again.fingerprint != ACCESS.fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"access_token": 1}',
        "[" * 100_000,
        ACCESS.to_text().replace('"NTLM"', '"AUTO"'),
        ACCESS.to_text().replace('"ada"', "7"),
        ACCESS.to_text().replace("15.1", "fifteen"),
    ],
)
def test_credentials_that_are_not_ours_need_the_person(text: str) -> None:
    with pytest.raises(ReauthorizationNeeded):
        MailboxAccess.from_text(text)


def test_nothing_heavy_is_imported_before_a_server_is_called() -> None:
    """exchangelib costs most of a second and 44 MB, also for those who never connect an Exchange mailbox."""
    program = (
        "import sys; from meetings.adapters.exchange.provider import *;"
        "provider = exchange_provider(ExchangeSettings(), now=lambda: None);"
        "provider.calendars(None); provider.listen(None);"
        "sys.exit(bool({'exchangelib', 'lxml', 'requests_ntlm', 'spnego'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_notes_say_what_has_to_be_known_before_connecting() -> None:
    notes = " ".join(DISCLOSURE.notes)
    for statement in (
        "Exchange 2010 SP2 or later",  # S23, S81
        "ask your IT department first",  # S23
        "With Exchange Online, choose Office 365",  # S82
        "app password",  # S31
        "Only personal mailboxes",  # S92
        "use a hosted address",  # S93
        "cannot be cancelled or moved here",  # S94
        "not synchronized in either direction",  # S95
        "CRM record are not added to your Exchange calendar",  # S96
        "do not appear in the CRM",  # S97
        "Clickable times cannot be inserted",  # S98
    ):
        assert statement in notes
