"""Dates and times as words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from meetings.application.local_times import language_of, locale_of, moment_words, span_words


@pytest.mark.parametrize(
    ("tag", "language", "words"),
    [
        ("de", "de", "Dienstag, 3. März 2026, 16:00"),
        ("de-DE", "de", "Dienstag, 3. März 2026, 16:00"),
        ("de-CH", "de", "Dienstag, 3. März 2026, 16:00"),
        ("DE_at", "de", "Dienstag, 3. März 2026, 16:00"),
        ("de-Latn-DE-u-co-phonebk", "de", "Dienstag, 3. März 2026, 16:00"),
        ("en", "en", "Tuesday, March 3, 2026, 4:00 PM"),
        ("en-US", "en", "Tuesday, March 3, 2026, 4:00 PM"),
        ("en-GB", "en", "Tuesday, 3 March 2026, 16:00"),
        ("en-XX", "en", "Tuesday, March 3, 2026, 4:00 PM"),
        ("fr-FR", "en", "Tuesday, March 3, 2026, 4:00 PM"),
        ("den", "en", "Tuesday, March 3, 2026, 4:00 PM"),
        ("", "en", "Tuesday, March 3, 2026, 4:00 PM"),
    ],
)
def test_german_reads_german_everybody_else_english_each_in_the_style_of_their_country(
    tag: str, language: str, words: str
) -> None:
    at = datetime(2026, 3, 3, 15, tzinfo=UTC)
    assert language_of(tag) == language
    assert moment_words(at, zone="Europe/Berlin", locale=locale_of(tag)).startswith(words + " (")


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        ("America/New_York", (2026, 1, 15), "9:00 AM (Eastern Standard Time, America/New_York, UTC-05:00)"),
        ("America/New_York", (2026, 7, 15), "10:00 AM (Eastern Daylight Time, America/New_York, UTC-04:00)"),
        ("Europe/Berlin", (2026, 7, 15), "4:00 PM (Central European Summer Time, Europe/Berlin, UTC+02:00)"),
        ("Europe/Dublin", (2026, 1, 15), "2:00 PM (Greenwich Mean Time, Europe/Dublin, UTC+00:00)"),
        ("Europe/Dublin", (2026, 7, 15), "3:00 PM (Irish Standard Time, Europe/Dublin, UTC+01:00)"),
        ("Australia/Lord_Howe", (2026, 1, 15), "1:00 AM (Lord Howe Daylight Time, Australia/Lord_Howe, UTC+11:00)"),
        ("Australia/Lord_Howe", (2026, 7, 15), "12:30 AM (Lord Howe Standard Time, Australia/Lord_Howe, UTC+10:30)"),
        ("Asia/Kathmandu", (2026, 1, 15), "7:45 PM (Asia/Kathmandu, UTC+05:45)"),
        ("America/Sao_Paulo", (2026, 1, 15), "11:00 AM (Brasilia Standard Time, America/Sao_Paulo, UTC-03:00)"),
        ("UTC", (2026, 1, 15), "2:00 PM (Coordinated Universal Time, UTC, UTC+00:00)"),
    ],
)
def test_the_zone_is_named_as_it_is_called_on_that_day_with_its_offset(
    zone: str, at: tuple[int, int, int], words: str
) -> None:
    moment = datetime(*at, 14, tzinfo=UTC)
    assert moment_words(moment, zone=zone, locale=locale_of("en")).endswith(f", {words}")


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    in_berlin: Any = {"zone": "Europe/Berlin", "locale": locale_of("de")}
    assert span_words(first, first + timedelta(minutes=15), **in_berlin) == (
        "Sonntag, 25. Oktober 2026, 02:30 – 02:45 (Mitteleuropäische Sommerzeit, Europe/Berlin, UTC+02:00)"
    )
    assert span_words(second, second + timedelta(minutes=15), **in_berlin) == (
        "Sonntag, 25. Oktober 2026, 02:30 – 02:45 (Mitteleuropäische Normalzeit, Europe/Berlin, UTC+01:00)"
    )


def test_a_meeting_across_the_clock_change_gives_both_offsets() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert span_words(start, start + timedelta(hours=1), zone="Europe/Berlin", locale=locale_of("en-GB")) == (
        "Sunday, 25 October 2026, 02:30 (Central European Summer Time, Europe/Berlin, UTC+02:00) – "
        "Sunday, 25 October 2026, 02:30 (Central European Standard Time, Europe/Berlin, UTC+01:00)"
    )


def test_a_meeting_over_midnight_names_both_days() -> None:
    start = datetime(2026, 3, 3, 22, 45, tzinfo=UTC)
    assert span_words(start, start + timedelta(minutes=30), zone="Europe/Berlin", locale=locale_of("en-GB")) == (
        "Tuesday, 3 March 2026, 23:45 – Wednesday, 4 March 2026, 00:15 "
        "(Central European Standard Time, Europe/Berlin, UTC+01:00)"
    )
