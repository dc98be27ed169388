"""How errors are told: what cannot be provoked over HTTP, languages, and what must not be swallowed."""

from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLError

from meetings.application.ports.calendars import ProviderUnavailable, RateLimited, ReauthorizationNeeded
from meetings.application.ports.unit_of_work import HoldLimitReached, LockTimeout
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.calendar_connection import Capability, CapabilityUnsupported, Provider
from meetings.graphql.context import again_on_conflict
from meetings.graphql.errors import CapabilityError, ConflictError, TemporaryError, UserError, Wording, as_user_errors
from meetings.graphql.rate_limits import TooOften
from meetings.graphql.top_level_errors import told
from tests.api.documents import BOOK, CREATE_PAGE, at, book
from tests.api.setting_up import connected
from tests.product import ApiClient, Product

ENGLISH = Wording("en", lambda path: list(path) or None)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ConcurrentChange("x"), ConflictError, "CONCURRENT_CHANGE"),
        (LockTimeout(), TemporaryError, "PROVIDER_UNAVAILABLE"),
        (ProviderUnavailable("host name"), TemporaryError, "PROVIDER_UNAVAILABLE"),
        (ReauthorizationNeeded("x"), UserError, "CREDENTIALS_REJECTED"),
        (CapabilityUnsupported(Provider.GOOGLE, Capability.CHANGE_BOOKINGS), CapabilityError, "CAPABILITY_UNSUPPORTED"),
        (HoldLimitReached(), UserError, "RATE_LIMITED"),
        (NotFound("something"), UserError, "NOT_FOUND"),
    ],
)
def test_every_error_of_the_application_is_told_by_its_class(
    error: Exception, kind: type[UserError], code: str
) -> None:
    [found] = as_user_errors(error, ENGLISH)
    assert isinstance(found, kind)
    assert found.code.name == code
    assert "host name" not in found.message


def test_a_wait_that_is_known_is_told() -> None:
    [limited] = as_user_errors(RateLimited(retry_after=30), ENGLISH)
    assert isinstance(limited, TemporaryError)
    assert limited.retry_after == timedelta(seconds=30)
    [unknown] = as_user_errors(RateLimited(), ENGLISH)
    assert isinstance(unknown, TemporaryError)
    assert unknown.retry_after is None


def test_an_error_nobody_registered_is_raised_again() -> None:
    with pytest.raises(ZeroDivisionError):
        as_user_errors(ZeroDivisionError("secret"), ENGLISH)


async def test_a_lost_race_is_run_again_and_lost_at_the_end() -> None:
    tries = 0

    async def losing() -> None:
        nonlocal tries
        tries += 1
        raise ConcurrentChange

    async def winning() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConcurrentChange
        return "won"

    assert (await again_on_conflict(winning), tries) == ("won", 3)
    tries = 0
    with pytest.raises(ConcurrentChange):
        await again_on_conflict(losing)
    assert tries == 5


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (TooOften(3, 7), "RATE_LIMITED"),
        (TimeoutError(), "UPSTREAM_UNAVAILABLE"),
        (LockTimeout(), "UPSTREAM_UNAVAILABLE"),
        (ProviderUnavailable("/secret/path"), "UPSTREAM_UNAVAILABLE"),
        (RuntimeError("/secret/path"), "INTERNAL_SERVER_ERROR"),
        (KeyError("/secret/path"), "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_top_level_error_has_a_code_and_the_requests_id_and_hides_the_rest(cause: Exception, code: str) -> None:
    error = GraphQLError(str(cause), original_error=cause, path=["viewer"])
    found = told(error, "request-1", default="INTERNAL_SERVER_ERROR")
    assert found.extensions is not None
    assert (found.extensions["code"], found.extensions["requestId"]) == (code, "request-1")
    assert "secret" not in str(found.formatted)
    assert found.path == ["viewer"]


async def test_messages_are_in_the_language_of_the_form_the_person_or_the_browser(
    served: Product, host: ApiClient
) -> None:
    async with served.visitor(**{"Accept-Language": "de-AT,en;q=0.5"}) as visitor:
        unknown = (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]["errors"]
        assert unknown[0]["message"] == "Unter dieser Adresse gibt es keine Seite (mehr)."
        english = (await visitor.ask(BOOK, input=book(at("10:00"), locale="en-GB")))["bookMeeting"]["errors"]
        assert english[0]["message"] == "There is no page at this address (any more)."
        other = (await visitor.ask(BOOK, input=book(at("10:00"), locale="fr")))["bookMeeting"]["errors"]
        assert other[0]["message"] == "Unter dieser Adresse gibt es keine Seite (mehr)."
    host.http.headers["Accept-Language"] = "en"
    await host.ask('mutation { updateSettings(input: {locale: "de"}) { errors { code } } }')
    [error] = (await host.ask(CREATE_PAGE, input={"internalName": "x", "slug": "x", "durationsMinutes": []}))[
        "createSchedulingPage"
    ]["errors"]
    assert error["message"] == "Bitte ausfüllen."


async def test_an_operation_that_takes_too_long_is_ended(served: Product, visitor: ApiClient) -> None:
    """The calendar answers after the time an operation has; nothing is booked by what was given up."""
    await connected(served)
    await served.here.page()
    served.google.fault("freebusy.query", delay_before=60, times=None)
    began = datetime.now(UTC)
    payload = (await visitor.ask(BOOK, input=book(at("10:00"))))["bookMeeting"]
    assert datetime.now(UTC) - began < timedelta(seconds=12)
    assert [error["code"] for error in payload["errors"]] == ["PROVIDER_UNAVAILABLE"]
    served.google.clear_faults()
