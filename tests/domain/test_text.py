from zoneinfo import available_timezones

import pytest
from babel.localedata import locale_identifiers

from meetings.domain.base import ProblemCode, Rule
from meetings.domain.text import (
    color_problem,
    email_problem,
    is_time_zone,
    locale_problem,
    text_problem,
    time_zone_problem,
    url_problem,
)
from tests.domain.problems import told


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", Rule.REQUIRED),
        (" \t ", Rule.REQUIRED),
        ("abcdef", Rule.TOO_LONG),
        ("a\x00", Rule.CONTROL_CHARACTERS),
        ("a\nb", Rule.CONTROL_CHARACTERS),
        ("a\tb", Rule.CONTROL_CHARACTERS),
        ("a\x7f", Rule.CONTROL_CHARACTERS),
        ("a\x85", Rule.CONTROL_CHARACTERS),
        ("a\u2028", Rule.CONTROL_CHARACTERS),
    ],
)
def test_a_text_that_is_missing_too_long_or_not_showable_is_refused(text: str, rule: Rule) -> None:
    assert told([text_problem(text, "name", most=5)]) == [("name", rule)]


def test_half_of_a_surrogate_pair_is_refused_because_nothing_can_store_it() -> None:
    for half in (0xD800, 0xDBFF, 0xDC00, 0xDFFF):
        assert told([text_problem("a" + chr(half), "name", most=5)]) == [("name", Rule.CONTROL_CHARACTERS)]


@pytest.mark.parametrize("text", ["a", "abcde", "äöü߀", "😀😀😀😀😀", "\ue000\uffff", "a b"])
def test_a_text_within_its_limit_is_fine(text: str) -> None:
    assert text_problem(text, "name", most=5) is None


def test_a_text_that_may_be_missing_or_have_lines_is_fine_without_or_with_them() -> None:
    assert text_problem("", "message", most=5, required=False) is None
    assert text_problem("a\r\n\tb", "message", most=5, lines=True) is None
    assert told([text_problem("a\x0b", "message", most=5, lines=True)]) == [("message", Rule.CONTROL_CHARACTERS)]


@pytest.mark.parametrize(
    "address", ["ivo@example.org", "ivo.visitor+tag@sub.example.co.uk", "o'neil@example.org", "josé@example.org"]
)
def test_an_address_has_no_problem(address: str) -> None:
    assert email_problem(address, "email") is None


@pytest.mark.parametrize(
    "address",
    [
        "ivo",
        "ivo@",
        "@example.org",
        "ivo@example",
        "ivo@example.",
        "ivo@@example.org",
        "ivo@exa mple.org",
        "ivo@example.org ",
        "ivo@example.org\r\nBcc: x@example.org",
        "ivo@example.org,other@example.org",
        "Ivo <ivo@example.org>",
        "ivo\x00@example.org",
        "i" * 250 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused_with_its_own_code(address: str) -> None:
    assert told([email_problem(address, "email")]) == [("email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)]


def test_a_missing_address_is_a_missing_value() -> None:
    assert told([email_problem("  ", "email")]) == [("email", Rule.REQUIRED)]


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://example.com:8080/a?b=c#d", "https://[::1]/x", "HTTPS://example.com/ü"]
)
def test_an_absolute_web_address_is_fine(url: str) -> None:
    assert url_problem(url, "redirectUrl") is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/thanks",
        "//example.com",
        "http:",
        "http://",
        "https:///thanks",
        "https:example.com",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://example.com",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.com",
        "mailto:ivo@example.org",
        "blob:https://example.com/x",
        "https://user:word@example.com",
        "https://good.example@evil.example",
        "https://example.com\\@evil.example",
        "https://exa mple.com",
        'https://example.com/"onclick=',
        "https://example.com/<script>",
        "https://example.com/\r\nSet-Cookie: x",
        "https://example.com/\x00",
        "https://example.com:port",
        "https://example.com:99999",
        "https://[::1",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_anything_that_is_no_plain_web_address_is_refused(url: str) -> None:
    assert told([url_problem(url, "redirectUrl")]) == [("redirectUrl", Rule.NOT_A_URL)]


def test_every_zone_of_the_database_is_known() -> None:
    own = {"localtime"}  # what some systems mix in
    assert [zone for zone in sorted(available_timezones() - own) if not is_time_zone(zone)] == []


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/X",
        "europe/berlin ",
        "Europe",
        "Europe/",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/Berlin\x00",
        "x" * 5000,
        "CEST",
        "+01:00",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "zone.tab",
    ],
)
def test_what_is_no_zone_is_refused_with_its_own_code(zone: str) -> None:
    assert told([time_zone_problem(zone, "timeZone")]) == [
        ("timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID)
    ]


@pytest.mark.parametrize("tag", ["de", "en-GB", "zh-Hant-TW", "es-419", "fil", "sr-Latn"])
def test_a_language_tag_is_fine(tag: str) -> None:
    assert locale_problem(tag, "locale") is None


def test_every_language_whose_dates_can_be_written_is_known() -> None:
    languages = {identifier.split("_")[0] for identifier in locale_identifiers()}
    assert [language for language in sorted(languages) if locale_problem(language)] == []


@pytest.mark.parametrize("tag", ["", "xx", "xx-DE", "english", "DE", "de_DE", "de-de", "de-DE-x", "de\n", "d", "12"])
def test_an_unknown_locale_is_refused(tag: str) -> None:
    assert told([locale_problem(tag, "locale")]) == [("locale", Rule.NOT_A_LOCALE)]


def test_a_colour_has_six_hexadecimal_digits() -> None:
    assert color_problem("#1a2B3c", "accentColor") is None
    for wrong in ("", "1a2b3c", "#1a2b3", "#1a2b3cd", "#1a2b3g", "red", "#1a2b3c;", "#1a2b3c\n"):
        assert told([color_problem(wrong, "accentColor")]) == [("accentColor", Rule.NOT_A_COLOR)]
