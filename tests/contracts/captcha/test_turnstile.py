"""What Turnstile says about tokens, and what is made of it."""

import logging
import socket
from collections.abc import Iterator
from uuid import uuid4

import pytest

from meetings.adapters.captcha.turnstile import Turnstile
from meetings.application.ports.captcha import CaptchaToken, CaptchaUnavailable
from tests.siteverify import SECRET, SiteVerify


@pytest.fixture
def siteverify() -> Iterator[SiteVerify]:
    with SiteVerify().serve() as server:
        yield server


@pytest.fixture
def turnstile(siteverify: SiteVerify) -> Turnstile:
    return Turnstile("site-key", SECRET, siteverify.url)


async def test_a_token_that_was_given_out_is_good_once(turnstile: Turnstile, siteverify: SiteVerify) -> None:
    given = CaptchaToken(siteverify.gives("good"), uuid4())
    assert await turnstile.solved(given)
    assert not await turnstile.solved(CaptchaToken("good", uuid4()))
    assert await turnstile.solved(given), "the same attempt, sent again"
    assert siteverify.asked[0] == {"secret": SECRET, "response": "good", "idempotency_key": str(given.attempt)}


@pytest.mark.parametrize("token", ["made up", "x" * 2048, "ü\n&secret=x"])
async def test_any_other_text_is_not(turnstile: Turnstile, token: str) -> None:
    assert not await turnstile.solved(CaptchaToken(token, uuid4()))


@pytest.mark.parametrize("token", ["", "x" * 2049])
async def test_what_cannot_be_a_token_is_not_even_asked_about(
    turnstile: Turnstile, siteverify: SiteVerify, token: str
) -> None:
    assert not await turnstile.solved(CaptchaToken(token, uuid4()))
    assert siteverify.asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>Bad gateway</html>"),
        (200, b""),
        (200, b"true"),
        (200, b'{"success": "yes"}'),
        (500, b'{"success": false, "error-codes": ["internal-error"]}'),
    ],
)
async def test_an_answer_that_says_nothing_lets_nobody_through(
    turnstile: Turnstile, siteverify: SiteVerify, status: int, body: bytes
) -> None:
    siteverify.status, siteverify.body = status, body
    with pytest.raises(CaptchaUnavailable):
        await turnstile.solved(CaptchaToken(siteverify.gives("good"), uuid4()))


async def test_a_wrong_secret_is_ours_to_mend_and_stands_nowhere(
    siteverify: SiteVerify, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Turnstile("site-key", "not-the-secret", siteverify.url)
    with caplog.at_level(logging.DEBUG), pytest.raises(CaptchaUnavailable) as refused:
        await wrong.solved(CaptchaToken(siteverify.gives("good"), uuid4()))
    assert "captchas cannot be checked" in caplog.text
    assert "not-the-secret" not in f"{caplog.text} {refused.value!r} {wrong!r}"


async def test_a_server_that_is_not_there_lets_nobody_through() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(CaptchaUnavailable):
        await Turnstile("site-key", SECRET, f"http://127.0.0.1:{port}/").solved(CaptchaToken("good", uuid4()))


def test_a_page_shows_what_cloudflare_says_a_page_should() -> None:
    """ "Embed the widget", "Implicit rendering": the script has to come from exactly there."""
    widget = Turnstile("site-key", SECRET).widget
    assert widget.script == "https://challenges.cloudflare.com/turnstile/v0/api.js"
    assert (widget.element, widget.field) == ("cf-turnstile", "cf-turnstile-response")
