"""Connecting a mailbox on an Exchange server of one's own: with an address and a password, in one submit."""

from datetime import timedelta
from typing import Annotated

import strawberry

from meetings.application.connect_exchange import (
    ConnectExchange,
    NoWritableCalendar,
    ServerAsksToWait,
    check_mailbox,
    check_wish,
    connect_exchange,
    examine_exchange,
    login_names,
)
from meetings.application.ports.calendars import LoginCheck, LoginRefused, MailboxCredentials
from meetings.application.ports.mail_accounts import ImapCredentials
from meetings.application.store_connection import StoredAccount
from meetings.application.uses import usual_uses
from meetings.domain.account_use import CALENDAR_ONLY
from meetings.domain.exchange_address import ExchangeUrlInvalid, HostedByMicrosoft
from meetings.domain.identifiers import ConnectionId
from meetings.graphql.calendars import CalendarConnection, shown_connection
from meetings.graphql.context import Info, Operation
from meetings.graphql.enums import AccountUse, LoginProblem, LoginStep, Provider, Rule, ServerAuth, StepOutcome
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    Access,
    InputError,
    LimitError,
    MailboxError,
    RefusedError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.scalars import URL

LOGIN_SECONDS = 100.0
"""How long an operation may take that signs in to somebody's server: many calls, to a machine that may be slow."""


@strawberry.input(description="What a person types in to connect a mailbox on an Exchange server.")
class ExchangeInput:
    """Texts as they are typed: what is wrong with them comes back as errors, all at once."""

    email: str | None = strawberry.field(default=None, description="The mailbox's address. Required.")
    password: str | None = strawberry.field(
        default=None, description="Its password, or an app password where signing in takes a second factor. Required."
    )
    username: str | None = strawberry.field(
        default=None,
        description="The name to sign in with, such as `hmueller`, `CORP\\hmueller` or another address. Left out, the "
        "address is tried, then the part before the `@`.",
    )
    server_url: str | None = strawberry.field(
        default=None,
        description="Such as `https://mail.example.com/ews/exchange.asmx`. Left out, an admin's preset is taken, else "
        "the server is looked for by the address.",
    )
    auth: ServerAuth = strawberry.field(default=ServerAuth.AUTO, description="How the password is shown to the server.")
    ca_certificate: str | None = strawberry.field(
        default=None,
        description="Certificates (PEM) of a private authority that this connection alone believes in. Certificates "
        "are checked in any case.",
    )

    def __repr__(self) -> str:
        return "ExchangeInput(...)"

    def mailbox(self) -> MailboxCredentials:
        return MailboxCredentials(
            email=self.email or "",
            password=self.password or "",
            username=self.username,
            server_url=self.server_url,
            auth=self.auth,
            ca_certificate=self.ca_certificate,
        )


@strawberry.type(description="A mailbox that was connected.")
class ConnectExchangeCalendarPayload:
    """Either a connection or errors."""

    connection: CalendarConnection | None = strawberry.field(default=None, description="The connection as it is now.")
    redirect_to: URL | None = strawberry.field(
        default=None, description="Where to go now: the dashboard, where scheduling pages are made."
    )
    selection_kept: bool | None = strawberry.field(
        default=None,
        description="False when another account was connected before, so that calendars have to be chosen again.",
    )
    inbox_connected: bool | None = strawberry.field(
        default=None,
        description="Whether its mailbox was connected with it. False where that was not wanted, and where somebody "
        "else has the address connected.",
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was connected.")


@strawberry.type(description="What became of one step of connecting a mailbox.")
class ConnectionCheck:
    """Steps come in their order."""

    step: LoginStep = strawberry.field(description="Which step.")
    outcome: StepOutcome = strawberry.field(description="What became of it.")
    detail: str = strawberry.field(description="One sentence about it.")
    problem: LoginProblem | None = strawberry.field(description="Why it failed, where that is known.")

    @classmethod
    def of(cls, check: LoginCheck) -> "ConnectionCheck":
        return cls(step=check.step, outcome=check.outcome, detail=check.detail, problem=check.problem)


@strawberry.type(description="What connecting would come to.")
class ConnectionTestPayload:
    """Either checks or errors. A step that failed is no error: the test was carried out."""

    checks: list[ConnectionCheck] | None = strawberry.field(default=None, description="Every step, in order.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was tested.")


InputArgument = Annotated[ExchangeInput, strawberry.argument(description="What was typed in.")]


@strawberry.type(description="Mutations of Exchange mailboxes.")
class ExchangeMutations:
    """Part of the schema's mutations."""

    @mutation(
        ConnectExchangeCalendarPayload,
        Access.SIGNED_IN,
        "Connect a mailbox on an Exchange server with a password. Nothing is stored unless all of it succeeds; a wrong "
        "password is tried once. Tries are limited per person, per account and per mailbox, together with "
        "`testExchangeConnection`. What the server is missing is told as `VALIDATION` with the rule "
        "`REQUIRED_BY_SERVER`.",
        Code.CONSENT_REQUIRED,
        Code.VALIDATION,
        Code.ALREADY_CONNECTED,
        Code.NOT_FOUND,
        Code.CREDENTIALS_REJECTED,
        Code.APP_PASSWORD_REQUIRED,
        Code.EXCHANGE_URL_INVALID,
        Code.EXCHANGE_UNREACHABLE,
        Code.EXCHANGE_VERSION_UNSUPPORTED,
        Code.USE_OFFICE365,
        Code.SHARED_MAILBOX_NOT_ALLOWED,
        Code.MAILBOX_NOT_FOUND,
        Code.CALENDAR_NOT_ELIGIBLE,
        Code.RATE_LIMITED,
        Code.PROVIDER_UNAVAILABLE,
        Code.CONCURRENT_CHANGE,
    )
    async def connect_exchange_calendar(
        self,
        info: Info,
        input: InputArgument,
        accepted_disclosure: Annotated[
            str, strawberry.argument(description="The version of the disclosure that was accepted.")
        ],
        reconnect: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The connection to enter the password of again; pages and chosen calendars are kept."
            ),
        ] = None,
        capabilities: Annotated[
            list[AccountUse] | None,
            strawberry.argument(
                description="What the mailbox is to be used for. Left out, for its calendar and, as far as that is "
                "offered, its mail; on entering a password again for its calendar."
            ),
        ] = None,
    ) -> ConnectExchangeCalendarPayload:
        operation = info.context
        again = None if reconnect is None else ConnectionId(from_id(Kind.CONNECTION, reconnect))
        uses = _uses(operation, capabilities, reconnecting=again is not None)
        wish = ConnectExchange(accepted_disclosure, input.mailbox(), again, uses)
        stored = await connect_mailbox(operation, wish)
        return ConnectExchangeCalendarPayload(
            connection=await shown_connection(operation, stored.connection_id),
            redirect_to=URL(operation.tools.links.dashboard_url),
            selection_kept=stored.selection_kept,
            inbox_connected=stored.mailbox_id is not None,
        )

    @mutation(
        ConnectionTestPayload,
        Access.SIGNED_IN,
        "Go through connecting a mailbox without connecting it: nothing is stored, nothing is written there. Limited "
        "together with `connectExchangeCalendar`.",
        Code.VALIDATION,
        Code.RATE_LIMITED,
        Code.PROVIDER_UNAVAILABLE,
    )
    async def test_exchange_connection(self, info: Info, input: InputArgument) -> ConnectionTestPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        given = input.mailbox()
        check_mailbox(given, tools.providers)
        await count_try(operation, given)
        checks = await examine_exchange(given, caller=caller, look=tools.look, providers=tools.providers)
        return ConnectionTestPayload(checks=[ConnectionCheck.of(check) for check in checks])


def _uses(operation: Operation, given: list[AccountUse] | None, *, reconnecting: bool) -> frozenset[AccountUse]:
    if given is not None:
        return frozenset(given)
    offered = operation.tools.providers.get(Provider.EXCHANGE)
    return CALENDAR_ONLY if offered is None or reconnecting else usual_uses(offered)


async def connect_mailbox(operation: Operation, wish: ConnectExchange) -> StoredAccount:
    """As `connect_exchange`; counted as a try once it is clear that there is something to try."""
    caller, tools = operation.signed_in(), operation.tools
    check_wish(wish, tools.providers)
    await count_try(operation, wish.mailbox)
    return await connect_exchange(
        wish, caller=caller, begin=operation.begin, look=tools.look, providers=tools.providers, clock=tools.clock
    )


async def count_try(operation: Operation, given: MailboxCredentials | ImapCredentials) -> None:
    """Count a try before a password leaves for anywhere, and give the operation the time it needs."""
    caller, rates = operation.signed_in(), operation.options.rates
    await operation.count(rates.mailbox, "mailbox", str(caller.user_id))
    await operation.count(rates.mailbox_per_account, "mailboxOfAccount", str(caller.account_id))
    for name in login_names(given):
        await operation.count(rates.mailbox_per_login, "mailboxLogin", name[:512])
    operation.may_take(LOGIN_SECONDS)


# ---- how refusals are told ----------------------------------------------------------------------------------------

_REQUIRED = {LoginProblem.USERNAME_REQUIRED: "username", LoginProblem.URL_REQUIRED: "serverUrl"}

_REFUSALS: dict[LoginProblem, tuple[Code, str | None, str]] = {
    # the code, the wording where it is a special one, and where the person has to look
    LoginProblem.CREDENTIALS_REJECTED: (Code.CREDENTIALS_REJECTED, "MAILBOX", "password"),
    LoginProblem.APP_PASSWORD_REQUIRED: (Code.APP_PASSWORD_REQUIRED, None, "password"),
    LoginProblem.URL_INVALID: (Code.EXCHANGE_URL_INVALID, None, "serverUrl"),
    LoginProblem.ADDRESS_FORBIDDEN: (Code.EXCHANGE_URL_INVALID, "FORBIDDEN", "serverUrl"),
    LoginProblem.UNREACHABLE: (Code.EXCHANGE_UNREACHABLE, None, "serverUrl"),
    LoginProblem.CERTIFICATE_INVALID: (Code.EXCHANGE_UNREACHABLE, "CERTIFICATE", "serverUrl"),
    LoginProblem.VERSION_UNSUPPORTED: (Code.EXCHANGE_VERSION_UNSUPPORTED, None, "serverUrl"),
    LoginProblem.USE_OFFICE365: (Code.USE_OFFICE365, None, "email"),
    LoginProblem.SHARED_MAILBOX: (Code.SHARED_MAILBOX_NOT_ALLOWED, None, "email"),
    LoginProblem.MAILBOX_NOT_FOUND: (Code.MAILBOX_NOT_FOUND, None, "email"),
}


@as_user_errors.register
def _(error: LoginRefused, wording: Wording) -> list[UserError]:
    if error.problem in _REQUIRED:
        path, rule = (_REQUIRED[error.problem],), Rule.REQUIRED_BY_SERVER
        return [InputError(**wording.base(Code.VALIDATION, path, detail=error.problem.value), rule=rule)]
    code, detail, field = _REFUSALS[error.problem]
    better = error.suggestion
    values = {"suggestion": better, "version": better, "ranges": better} if better else {}
    return [
        MailboxError(
            **wording.base(code, (field,), detail=detail, values=values),
            suggestion=better if code is Code.EXCHANGE_URL_INVALID else None,
            server_version=better if code is Code.EXCHANGE_VERSION_UNSUPPORTED else None,
            help_url=URL(better) if better and code is Code.APP_PASSWORD_REQUIRED else None,
            use_instead=Provider.OFFICE365 if code is Code.USE_OFFICE365 else None,
        )
    ]


@as_user_errors.register
def _(error: ExchangeUrlInvalid, wording: Wording) -> list[UserError]:
    return as_user_errors(LoginRefused(LoginProblem.URL_INVALID, suggestion=error.suggestion), wording)


@as_user_errors.register
def _(error: HostedByMicrosoft, wording: Wording) -> list[UserError]:
    base = wording.base(Code.USE_OFFICE365, ("serverUrl",))
    instead = Provider.OFFICE365
    return [MailboxError(**base, suggestion=None, server_version=None, help_url=None, use_instead=instead)]


@as_user_errors.register
def _(error: ServerAsksToWait, wording: Wording) -> list[UserError]:
    wait = None if error.retry_after is None else timedelta(seconds=error.retry_after)
    return [LimitError(**wording.base(Code.RATE_LIMITED, detail="SERVER"), limit=None, retry_after=wait)]


@as_user_errors.register
def _(error: NoWritableCalendar, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CALENDAR_NOT_ELIGIBLE, detail="MAILBOX"))]
