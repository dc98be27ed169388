"""What reads the same in any provider's answer."""

from datetime import UTC, datetime

import pytest

from meetings.application.ports.provider_answers import retry_after_seconds, word

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("17", 17),
        (" 2.5 ", 2.5),
        ("Mon, 02 Mar 2026 08:01:30 GMT", 90),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0),
        ("Mon, 99 Mar 2026 07:00:00 GMT", None),
        ("Mon, 02 Mar 2026 08:01:30", None),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 5000, None),
    ],
)
def test_the_pause_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@pytest.mark.parametrize(
    ("told", "safe"),
    [
        ("rateLimitExceeded", "rateLimitExceeded"),
        ("push.webhook_Url-2", "push.webhook_Url-2"),
        ("two\r\nlines <b>", "two??lines??b?"),
        ("ada@example.com", "ada?example.com"),
        ("y" * 500, "y" * 64),
        ("", ""),
    ],
)
def test_a_word_from_outside_comes_to_logs_in_a_safe_form_only(told: str, safe: str) -> None:
    assert word(told) == safe
