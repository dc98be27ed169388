"""The steps of one login, in order, and what became of each. Blocks; runs in one of the adapter's threads."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import requests

from meetings.adapters.exchange import wire
from meetings.adapters.exchange.access import MailboxAccess
from meetings.adapters.exchange.addresses import is_exchange_online, server_address, web_service_suggestion
from meetings.adapters.exchange.answers import WEB_PAGE, check_answer, offered
from meetings.adapters.exchange.autodiscover import Autodiscover, CanonicalName
from meetings.adapters.exchange.guarded_http import GuardedSession
from meetings.adapters.exchange.login_problems import SAID, Reaching
from meetings.adapters.exchange.mailbox_folders import list_calendars
from meetings.adapters.exchange.refusals import Asked, Refused, as_provider_error
from meetings.adapters.exchange.transport import Transport, readable
from meetings.adapters.exchange.trial import PasswordTrial, best_offered
from meetings.adapters.exchange.versions import OLDEST, ServerBuild
from meetings.application.ports.calendars import (
    ConnectedMailbox,
    LoginCheck,
    LoginProblem,
    LoginRefused,
    LoginStep,
    MailboxCredentials,
    MailboxNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    ReauthorizationNeeded,
    ServerAuth,
    StepOutcome,
)
from meetings.application.ports.clock import Clock
from meetings.domain.calendar_connection import ListedCalendar
from meetings.domain.timespan import TimeSpan

if TYPE_CHECKING:
    from meetings.adapters.exchange.soap import Mailbox

T = TypeVar("T")

_CALL_SECONDS = 8.0
"""A server that says nothing for so long is not reached: somebody waits."""
_NOBODY_ASKED = b'<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>'


class Attempt:
    """One login. `report` may be asked at any time, also while `connect` still runs in another thread."""

    def __init__(
        self,
        given: MailboxCredentials,
        transport: Transport,
        static_ranges: tuple[str, ...],
        canonical_name: CanonicalName,
        now: Clock,
    ) -> None:
        self._given = given
        self._transport = transport
        self._static_ranges = static_ranges
        self._canonical_name = canonical_name
        self._now = now
        self._trial = PasswordTrial(given)
        self._checks: dict[LoginStep, LoginCheck] = {}
        self._until = 0.0

    def report(self) -> tuple[LoginCheck, ...]:
        """One check per step. The first without one has failed by taking too long; those after it were skipped."""
        checks = []
        failed = False
        for step in LoginStep:
            check = self._checks.get(step)
            if check is None:
                outcome = StepOutcome.SKIPPED if failed else StepOutcome.FAILED
                detail = "Not tried." if failed else "There was no answer in time."
                check = LoginCheck(step, outcome, detail)
            failed = failed or check.outcome is StepOutcome.FAILED
            checks.append(check)
        return tuple(checks)

    def connect(self, until: float) -> ConnectedMailbox:
        """As `MailboxLogin.connect`."""
        self._until = until
        typed = self._step(LoginStep.ADDRESS, self._address)
        url = self._step(LoginStep.DISCOVERY, lambda: typed or self._discover())
        offers = self._step(LoginStep.TLS, lambda: self._knock(url))
        access, build = self._step(LoginStep.AUTHENTICATION, lambda: self._sign_in(url, offers))
        access = self._step(LoginStep.VERSION, lambda: self._version(access, build))
        connection = self._transport.connect(access)
        try:
            self._step(LoginStep.MAILBOX, lambda: self._ask(access, connection, self._mailbox))
            calendars = self._step(LoginStep.CALENDAR, lambda: self._ask(access, connection, list_calendars))
            self._step(
                LoginStep.FREE_BUSY, lambda: self._ask(access, connection, lambda box: self._busy(box, calendars))
            )
        finally:
            connection.close()
        return ConnectedMailbox(
            account_email=self._given.email,
            credentials=access.to_text(),
            server_url=access.url,
            server_version=access.build.shown,
            calendars=calendars,
        )

    # ---- keeping the record -----------------------------------------------------------------------------------------

    def _step(self, step: LoginStep, work: Callable[[], T]) -> T:
        try:
            result = work()
        except LoginRefused as refused:
            self._checks[step] = LoginCheck(step, StepOutcome.FAILED, SAID[refused.problem], refused.problem)
            raise
        except ProviderError as error:
            self._checks[step] = LoginCheck(step, StepOutcome.FAILED, f"It did not work: {error}.")
            raise
        if step is LoginStep.DISCOVERY and self._given.server_url:
            self._checks[step] = LoginCheck(step, StepOutcome.SKIPPED, "The server's address was given.")
        else:
            self._checks[step] = LoginCheck(step, StepOutcome.PASSED, self._passed(step, result))
        return result

    def _passed(self, step: LoginStep, result: object) -> str:
        if isinstance(result, MailboxAccess):
            return f"The server runs {result.build.shown}."
        return {
            LoginStep.ADDRESS: "What was typed in is complete.",
            LoginStep.DISCOVERY: f"The server was found: {result}.",
            LoginStep.TLS: "The server answers, and its certificate is valid.",
            LoginStep.AUTHENTICATION: f"The server accepts the password for {self._trial.username}.",
            LoginStep.MAILBOX: "It is a personal mailbox.",
            LoginStep.CALENDAR: "The calendars can be listed.",
            LoginStep.FREE_BUSY: "The calendar can be read.",
        }[step]

    # ---- the steps --------------------------------------------------------------------------------------------------

    def _address(self) -> str | None:
        """The address of the web service as it was typed in, judged by its text; None without one."""
        if not self._given.server_url:
            if is_exchange_online(self._given.email.rpartition("@")[2]):
                raise LoginRefused(LoginProblem.USE_OFFICE365)
            return None
        url = server_address(self._given.server_url)
        with self._reaching():
            self._transport.guard.check_url(url)
        return url

    def _discover(self) -> str:
        search = Autodiscover(self._session, self._transport.guard, self._show_password, self._canonical_name)
        return search.find(self._given.email).url

    def _show_password(
        self, offers: frozenset[str], send: Callable[[requests.auth.AuthBase], requests.Response]
    ) -> tuple[requests.Response, str]:
        from meetings.adapters.exchange.soap import authentication

        auth = self._scheme(offers)

        def attempt(name: str) -> tuple[requests.Response, str]:
            answer = send(authentication(auth, name, self._given.password))
            if answer.status_code == 401:
                check_answer(answer)
            return answer, name

        return self._trial.run(attempt)

    def _knock(self, url: str) -> frozenset[str]:
        """The ways to sign in that the server offers to somebody who says nothing about himself."""
        with self._reaching(), self._session() as session:
            answer = session.post(
                url,
                data=_NOBODY_ASKED,
                headers={"Content-Type": "text/xml; charset=utf-8", "User-Agent": "meetings"},
                timeout=self._call_until() - time.monotonic(),
            )
        if answer.status_code == 401:
            return offered(answer)
        try:
            check_answer(answer)
        except Refused as refused:
            raise self._outside(refused, url) from None
        return frozenset()

    def _outside(self, refused: Refused, url: str) -> ProviderError:
        """What an answer means that is not the web service's."""
        if refused.code in (WEB_PAGE, "HTTP404", "HTTP405", "HTTP400", "HTTP410"):
            return LoginRefused(LoginProblem.URL_INVALID, suggestion=web_service_suggestion(url))
        if refused.code in ("HTTP403", "HTTP407"):
            return self._unreachable()
        return self._error(refused)

    def _sign_in(self, url: str, offers: frozenset[str]) -> tuple[MailboxAccess, ServerBuild | None]:
        """Asks for the calendar of whoever signs in."""
        auth = self._scheme(offers)

        def attempt(name: str) -> tuple[MailboxAccess, ServerBuild | None]:
            access = MailboxAccess(
                email=self._given.email,
                username=name,
                password=self._given.password,
                url=url,
                auth=auth,
                build=OLDEST,
                ca=self._given.ca_certificate,
            )
            return access, self._first_call(access)

        try:
            return self._trial.run(attempt)
        except Refused as refused:
            raise self._outside(refused, url) from None

    def _first_call(self, access: MailboxAccess) -> ServerBuild | None:
        """The server's build. One that does not know the words of 2010 SP2 does not say which it is, and is asked in
        older ones."""
        return self._build(access, asks_version=False) or self._build(access, asks_version=True)

    def _build(self, access: MailboxAccess, *, asks_version: bool) -> ServerBuild | None:
        """What the server says about the mailbox is the business of a later step."""
        from meetings.adapters.exchange import operations
        from meetings.adapters.exchange.soap import Mailbox

        connection = self._transport.connect(access, asks_version=asks_version)
        mailbox = Mailbox(connection, access.email, self._call_until(), zone=False)
        try:
            with readable(), self._reaching():
                operations.folders(mailbox, operations.own_folder("calendar"))
        except Refused as refused:
            if not refused.code.startswith("Error") or isinstance(self._error(refused), RateLimited):
                raise
        finally:
            connection.close()
        return mailbox.build

    def _version(self, access: MailboxAccess, build: ServerBuild | None) -> MailboxAccess:
        if build is None:
            raise ProviderUnavailable("the server does not say which version it is")
        if build.is_online:
            raise LoginRefused(LoginProblem.USE_OFFICE365)
        if not build.supported:
            raise LoginRefused(LoginProblem.VERSION_UNSUPPORTED, suggestion=build.shown)
        return replace(access, build=build)

    def _mailbox(self, mailbox: "Mailbox") -> None:
        """Whether the address is the mailbox of the person who signs in, and that of a person (S92).

        No answer of Exchange names the kind of a mailbox. Of a shared one, its calendar is another one than that of
        whoever signs in; of a room or a thing, the calendar accepts invitations by itself. A shared mailbox whose own
        account is used to sign in cannot be told from a personal one.
        """
        from meetings.adapters.exchange import operations

        (own,) = map(wire.folder, operations.folders(mailbox, operations.own_folder("calendar")))
        named = operations.folder_of("calendar", self._given.email)
        try:
            (other,) = map(wire.folder, operations.folders(mailbox, named))
        except Refused as refused:
            if refused.code in ("ErrorFolderNotFound", "ErrorAccessDenied", "ErrorItemNotFound"):
                raise LoginRefused(LoginProblem.SHARED_MAILBOX) from None
            raise
        if own.folder_id != other.folder_id:
            raise LoginRefused(LoginProblem.SHARED_MAILBOX)
        with suppress(Refused):  # a server that does not tell
            told = operations.configuration(mailbox, "Calendar", operations.own_folder("calendar"), "Dictionary")
            if told is not None and wire.books_itself(told):
                raise LoginRefused(LoginProblem.SHARED_MAILBOX)

    def _busy(self, mailbox: "Mailbox", calendars: tuple[ListedCalendar, ...]) -> None:
        from meetings.adapters.exchange import operations

        now = self._now()
        page = operations.calendar_view(
            mailbox, calendars[0].external_id, TimeSpan(now, now + timedelta(days=1)), largest=100
        )
        for element in page.elements:
            wire.item(element, {})

    # ---- calling ----------------------------------------------------------------------------------------------------

    def _ask(self, access: MailboxAccess, connection: object, work: Callable[["Mailbox"], T]) -> T:
        from meetings.adapters.exchange.soap import Connection, Mailbox

        assert isinstance(connection, Connection)
        try:
            with readable(), self._reaching():
                return work(Mailbox(connection, access.email, self._call_until()))
        except Refused as refused:
            raise self._error(refused) from None

    def _error(self, refused: Refused) -> ProviderError:
        error = as_provider_error(refused, Asked.ACCOUNT, self._now())
        if isinstance(error, MailboxNotFound):
            return LoginRefused(LoginProblem.MAILBOX_NOT_FOUND)
        return LoginRefused(LoginProblem.CREDENTIALS_REJECTED) if isinstance(error, ReauthorizationNeeded) else error

    def _scheme(self, offers: frozenset[str]) -> ServerAuth:
        auth = best_offered(self._given.auth, offers)
        if auth is None:
            # Nothing was shown to the server: a password it did not ask for would not be accepted.
            raise LoginRefused(LoginProblem.CREDENTIALS_REJECTED, suggestion=", ".join(sorted(offers)) or None)
        return auth

    def _session(self) -> GuardedSession:
        try:
            return self._transport.session(self._given.ca_certificate)
        except ValueError:
            raise LoginRefused(LoginProblem.CERTIFICATE_INVALID) from None

    def _call_until(self) -> float:
        now = time.monotonic()
        return now + max(min(self._until - now, _CALL_SECONDS), 0.001)

    def _unreachable(self) -> LoginRefused:
        return LoginRefused(LoginProblem.UNREACHABLE, suggestion=", ".join(self._static_ranges) or None)

    def _reaching(self) -> Reaching:
        return Reaching(self._unreachable())
