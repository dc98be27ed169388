"""Log lines: one each, with the request's id, and without anything secret (TP-6, I8)."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import structlog

from meetings.infrastructure.logs import log_request, set_up_logs
from meetings.infrastructure.settings import LogFormat

SECRETS = {
    "an API token": "the token mtg_abcdefghijklmnop was used",
    "an access token": "ya29.a0AfH6SMBx-abc_def was refused",
    "a refresh token": "got 1//0gabcdefghijk-xyz",
    "a client secret": "GOCSPX-abcdefghijklmnop does not fit",
    "a header": "sent Authorization: Bearer abcdef.ghijkl.mnopqr",
    "a password in an address": "cannot reach postgresql+asyncpg://user:hidden-password@host/db",
    "a code in an address": "GET /oauth/google/callback?code=4/hidden-code&state=hidden-state",
    "a manage link": "GET /b/AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQrSt",
}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lines_in(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def test_a_line_is_one_object_with_the_requests_id(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogFormat.JSON, "INFO")
    with structlog.contextvars.bound_contextvars(request_id="request-1"):
        logging.getLogger("meetings.some.place").info("a thing happened", extra={"booking": "b-1"})
    (line,) = lines_in(capsys.readouterr().err)
    assert line.pop("timestamp")
    assert line == {
        "event": "a thing happened",
        "logger": "meetings.some.place",
        "level": "info",
        "request_id": "request-1",
        "booking": "b-1",
    }


@pytest.mark.parametrize("format", LogFormat)
@pytest.mark.parametrize("what", SECRETS)
def test_texts_that_look_like_secrets_are_masked(
    what: str, format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(format, "INFO")
    logging.getLogger("meetings").info("%s", SECRETS[what])
    logging.getLogger("meetings").info("it failed", extra={"error": SECRETS[what], "more": [{"deep": SECRETS[what]}]})
    try:
        raise ValueError(SECRETS[what])
    except ValueError:
        logging.getLogger("meetings").exception("it raised")
    said = capsys.readouterr().err
    assert said.count("[masked]") >= 4
    for hidden in ("hidden", "abcdefghijk", "AbCdEf", "a0AfH6SM", "ghijkl"):
        assert hidden not in said


@pytest.mark.parametrize("name", ["password", "refresh_token", "Authorization", "client_secret", "cookie", "verifier"])
def test_values_with_a_secret_name_are_masked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogFormat.JSON, "INFO")
    logging.getLogger("meetings").info("signed in", extra={name: "plain", "inner": {name: "plain"}})
    (line,) = lines_in(capsys.readouterr().err)
    assert (line[name], line["inner"]) == ("[masked]", {name: "[masked]"})


@pytest.mark.parametrize("format", LogFormat)
@pytest.mark.parametrize("injected", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x00b", "a\x85b"])
def test_a_strangers_text_cannot_look_like_a_line_of_ours(
    injected: str, format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(format, "INFO")
    logging.getLogger("meetings").info("name is %s", injected, extra={"title": injected})
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not set(said[:-1]) & set("\r\x1b\x00\x85\u2028")


def test_libraries_that_write_down_headers_are_kept_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogFormat.JSON, "DEBUG")
    for name in ("googleapiclient.http", "httplib2", "urllib3.connectionpool", "aiosmtplib", "google.auth.transport"):
        logging.getLogger(name).debug("header and body")
    logging.getLogger("meetings").debug("ours")
    assert [line["event"] for line in lines_in(capsys.readouterr().err)] == ["ours"]


@pytest.mark.parametrize("request_id", ["0123456789abcdef", "request-1", "ya29.hidden-by-a-caller"])
def test_the_line_of_a_request_says_the_same_whichever_way_it_is_written(
    request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"/b/{'AbCdEfGhIj' * 5}\u2028?token=hidden"
    set_up_logs(LogFormat.JSON, "INFO")
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        log_request(request_id, "GET", path, 200, 1.5)
        logging.getLogger().addHandler(logging.NullHandler())
        log_request(request_id, "GET", path, 200, 1.5)
    said = capsys.readouterr().err
    straight, usual = said.splitlines()
    found = json.loads(straight)
    assert datetime.fromisoformat(found.pop("timestamp")).utcoffset() == timedelta(0)
    assert list(found) == ["request_id", "event", "logger", "level", "method", "path", "status", "milliseconds"]
    expected = json.loads(usual)
    expected.pop("timestamp")
    assert found == expected
    assert "hidden" not in said
    assert "AbCdEfGhIj" not in said


def test_the_line_of_a_request_leaves_out_what_nobody_asked_to_hear(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogFormat.JSON, "WARNING")
    log_request("request-1", "GET", "/", 200, 1.0)
    assert capsys.readouterr().err == ""


def test_a_request_does_not_fail_because_nobody_reads_the_log_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = io.StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    set_up_logs(LogFormat.JSON, "INFO")
    gone.close()
    log_request("request-1", "GET", "/", 200, 1.0)
