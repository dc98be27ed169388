"""Settings: where they come from, what they refuse, and that nothing secret leaks out of them."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from meetings.adapters.smtp.mailer import SmtpSecurity
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.provider_settings import NAMES
from meetings.infrastructure.secrets import new_key
from meetings.infrastructure.settings import Environment, Settings, SettingsUnusable, read_settings

KEY = new_key()
Reading = Callable[..., Settings]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://meetings.example.com",
    "SMTP_URL": "smtp://user:password@mail.example.com:587",
    "MAIL_FROM": "Meetings <meetings@example.com>",
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without settings, and a folder without `.env`."""
    for name in [name for name in os.environ if name.startswith("MEETINGS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Reads the settings of an environment with these variables, a good key among them."""

    def reading(**variables: str) -> Settings:
        for name, value in ({"SECRET_KEYS": KEY} | variables).items():
            monkeypatch.setenv(f"MEETINGS_{name}", value)
        return read_settings()

    return reading


def problems_of(reading: Reading, **variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsUnusable) as refused:
        reading(**variables)
    return refused.value.problems


def test_a_key_is_all_that_is_needed_at_home(read: Reading) -> None:
    settings = read()
    assert settings.environment is Environment.DEVELOPMENT
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///meetings.db"
    assert settings.redis_url is None
    assert settings.dashboard == settings.public_url == "http://127.0.0.1:8000"
    assert settings.shows_explorer


def test_without_a_key_one_sentence_names_the_variable_and_how_to_make_one() -> None:
    with pytest.raises(SettingsUnusable) as refused:
        read_settings()
    (problem,) = refused.value.problems
    assert problem.startswith("MEETINGS_SECRET_KEYS is missing: run `meetings init`")
    assert "openssl rand -base64 32" in problem


@pytest.mark.parametrize(
    "keys",
    ["", "k1", "k1:short", "k1:***", pytest.param(f"{KEY},{KEY}", id="the same id twice"), "no id:AAAA"],
)
def test_a_malformed_key_is_refused(read: Reading, keys: str) -> None:
    (problem,) = problems_of(read, SECRET_KEYS=keys)
    assert problem.startswith("MEETINGS_SECRET_KEYS ")
    assert "openssl rand" in problem


def test_every_problem_is_told_at_once(read: Reading) -> None:
    problems = problems_of(
        read,
        DATABASE_URL="mysql://user:hidden@host/db",
        REDIS_URL="http://host",
        PUBLIC_URL="meetings.example.com",
        TRUSTED_PROXIES="10.0.0.0/8, proxy.local",
        ALLOWED_ORIGINS="https://www.example.com/path",
        LOG_LEVEL="LOUD",
        EXPLORER="perhaps",
        LEASE_SECONDS="0",
        POLICY__SETTLE_SECONDS="soon",
    )
    assert sorted(problem.split(" ")[0] for problem in problems) == [
        f"MEETINGS_{name}"
        for name in (
            "ALLOWED_ORIGINS",
            "DATABASE_URL",
            "EXPLORER",
            "LEASE_SECONDS",
            "LOG_LEVEL",
            "POLICY__SETTLE_SECONDS",
            "PUBLIC_URL",
            "REDIS_URL",
            "TRUSTED_PROXIES",
        )
    ]
    assert "hidden" not in " ".join(problems)


def test_production_needs_what_is_good_enough_at_home_only(read: Reading) -> None:
    assert problems_of(read, ENVIRONMENT="production") == (
        "MEETINGS_PUBLIC_URL is missing: set it to where people reach the server, such as"
        " https://meetings.example.com.",
    )
    assert read(**PRODUCTION).production


@pytest.mark.parametrize("missing", ["PUBLIC_URL", "SMTP_URL", "MAIL_FROM"])
def test_production_names_each_setting_it_misses(read: Reading, missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    (problem,) = problems_of(read, **given)
    assert problem.startswith(f"MEETINGS_{missing} is missing: ")


def test_production_is_served_over_https(read: Reading) -> None:
    (problem,) = problems_of(read, **(PRODUCTION | {"PUBLIC_URL": "http://meetings.example.com"}))
    assert problem.startswith("MEETINGS_PUBLIC_URL must begin with https://")


def test_half_a_google_client_is_refused(read: Reading) -> None:
    (problem,) = problems_of(read, GOOGLE_CLIENT_ID="client")
    assert problem.startswith("MEETINGS_GOOGLE_CLIENT_ID and MEETINGS_GOOGLE_CLIENT_SECRET belong together")


@pytest.mark.parametrize("half", ["HUBSPOT_CLIENT_ID", "HUBSPOT_CLIENT_SECRET"])
def test_half_a_hubspot_client_is_refused(read: Reading, half: str) -> None:
    (problem,) = problems_of(read, **{half: "a-half"})
    assert "MEETINGS_HUBSPOT_CLIENT_ID and MEETINGS_HUBSPOT_CLIENT_SECRET go together" in problem
    assert "a-half" not in problem


def test_settings_of_a_provider_come_from_the_settings_file_too(read: Reading, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MEETINGS_GOOGLE_CLIENT_ID=client\nMEETINGS_GOOGLE_CLIENT_SECRET=one\n")
    settings = read(GOOGLE_CLIENT_SECRET="two", GOOGLE_THREADS="3", GOOGLE_API_URL="https://gate.example.com/v3/")
    google = settings.providers[Provider.GOOGLE]
    assert (google.client_id, google.client_secret, google.threads) == ("client", "two", 3)
    assert google.api_url == "https://gate.example.com/v3"


@pytest.mark.parametrize(("name", "value"), [("GOOGLE_THREADS", "hidden"), ("GOOGLE_API_URL", "hidden")])
def test_a_bad_setting_of_a_provider_is_named(read: Reading, name: str, value: str) -> None:
    (problem,) = problems_of(read, GOOGLE_CLIENT_ID="client", GOOGLE_CLIENT_SECRET="s", **{name: value})
    assert problem.startswith(f"MEETINGS_{name} cannot be used: ")
    assert value not in problem


def test_a_secret_can_stand_in_a_file(read: Reading, tmp_path: Path) -> None:
    (tmp_path / "google").write_text("the secret\n")
    settings = read(GOOGLE_CLIENT_ID="client", GOOGLE_CLIENT_SECRET_FILE=str(tmp_path / "google"))
    assert settings.providers[Provider.GOOGLE].client_secret == "the secret"


def test_a_file_that_cannot_be_read_is_named(read: Reading, tmp_path: Path) -> None:
    (problem,) = problems_of(read, SMTP_URL_FILE=str(tmp_path / "nowhere"))
    assert problem.startswith("MEETINGS_SMTP_URL_FILE names a file that cannot be read")


def test_the_environment_beats_the_settings_file(read: Reading, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MEETINGS_LOG_LEVEL=DEBUG\nMEETINGS_SWEEP_SECONDS=3\nPOSTGRES_PASSWORD=other\n")
    settings = read(LOG_LEVEL="ERROR")
    assert (settings.log_level, settings.sweep_seconds) == ("ERROR", 3.0)


def test_an_empty_setting_counts_as_left_out(read: Reading) -> None:
    settings = read(REDIS_URL="", EXPLORER="", GOOGLE_CLIENT_ID="", GOOGLE_CLIENT_SECRET="", ALLOWED_ORIGINS="")
    assert settings.redis_url is None
    assert settings.allowed_origins == ()
    assert Provider.GOOGLE not in settings.providers


def test_lists_are_separated_by_commas(read: Reading) -> None:
    settings = read(ALLOWED_ORIGINS="https://a.example, HTTPS://B.example/", TRUSTED_PROXIES="10.0.0.0/8,::1")
    assert settings.allowed_origins == ("https://a.example", "https://b.example")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_limits_of_the_use_cases_can_be_set(read: Reading) -> None:
    settings = read(POLICY__SETTLE_SECONDS="2.5", POLICY__POLL_WITH_PUSH="PT5M", RATES__BOOKING="99/minute, 500/hour")
    assert settings.policy.settle_seconds == 2.5
    assert settings.policy.poll_with_push == timedelta(minutes=5)
    assert settings.rates.booking == ("99/minute", "500/hour")


def test_a_span_of_time_can_be_set_in_seconds(read: Reading) -> None:
    settings = read(POLICY__MIRROR_MAX_AGE="1800", POLICY__POLL_WITHOUT_PUSH="0.5", POLICY__HOLD_MINUTES="7")
    assert settings.policy.mirror_max_age == timedelta(minutes=30)
    assert settings.policy.poll_without_push == timedelta(milliseconds=500)
    assert settings.policy.hold_minutes == 7


def test_nothing_secret_is_in_the_representation(read: Reading) -> None:
    secrets = {
        "DATABASE_URL": "postgresql+asyncpg://user:hidden-1@host/db",
        "REDIS_URL": "redis://:hidden-2@host",
        "GOOGLE_CLIENT_SECRET": "hidden-3",
        "SMTP_URL": "smtps://user:hidden-4@host",
    }
    settings = read(GOOGLE_CLIENT_ID="client", **secrets)
    assert "hidden" not in repr(settings)
    assert KEY.partition(":")[2] not in repr(settings)
    assert "hidden" not in repr(settings.smtp())


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://user:password@mail.example.com:587", SmtpSecurity.STARTTLS, 587),
        ("smtp://user:password@mail.example.com:2525", SmtpSecurity.STARTTLS, 2525),
        ("smtps://user:password@mail.example.com", SmtpSecurity.TLS, 465),
        ("smtp://mail.example.com", SmtpSecurity.STARTTLS, 587),
        ("smtp://mail:1025", SmtpSecurity.NONE, 1025),
        ("smtp://relay:25?security=starttls", SmtpSecurity.STARTTLS, 25),
        ("smtp://relay:587?security=none", SmtpSecurity.NONE, 587),
    ],
)
def test_the_address_of_the_mail_server_says_how_it_is_spoken_to(
    read: Reading, url: str, security: SmtpSecurity, port: int
) -> None:
    smtp = read(SMTP_URL=url).smtp()
    assert (smtp.security, smtp.port) == (security, port)


def test_a_password_with_special_characters_is_decoded(read: Reading) -> None:
    smtp = read(SMTP_URL="smtp://a%40b:p%3Aq%2F@mail.example.com:587").smtp()
    assert (smtp.username, smtp.password) == ("a@b", "p:q/")


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp://user:hidden@host:25?security=none", "smtp://h:x"])
def test_a_mail_server_that_cannot_be_used_is_refused(read: Reading, url: str) -> None:
    (problem,) = problems_of(read, SMTP_URL=url)
    assert "MEETINGS_SMTP_URL" in problem
    assert "hidden" not in problem


def test_providers_call_us_only_over_https_unless_it_is_set(read: Reading) -> None:
    assert not read().uses_push
    assert read(PUBLIC_URL="https://meetings.example.com").uses_push
    assert not read(PUBLIC_URL="https://meetings.example.com", PUSH="false").uses_push


def test_every_setting_of_the_example_is_one() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    named = set(re.findall(r"^#? ?MEETINGS_(\w+)=", example, re.MULTILINE))
    assert {name.lower() for name in named} <= set(Settings.model_fields) | set(NAMES)
