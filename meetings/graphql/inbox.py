"""Connected mailboxes: what is connected, how it is doing, connecting and disconnecting."""

from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.connect_calendar import StartConnection
from meetings.application.connect_exchange import ConnectExchange
from meetings.application.connect_imap import ConnectImap, ImapRefused, check_imap, connect_imap
from meetings.application.manage_inbox import disconnect_inbox
from meetings.application.ports.calendars import LoginProblem
from meetings.application.ports.mail_accounts import ImapCredentials, InboxOffer, ServerAddress
from meetings.domain import mailbox as domain
from meetings.domain.account_use import EMAIL_ONLY, AccountUse
from meetings.domain.calendar_connection import WITH_PASSWORD, Grant
from meetings.domain.identifiers import AccountId, MailboxId, UserId
from meetings.domain.mailbox import InboxNotConnected, MailboxAlreadyConnected, TeamMailboxNotAllowed
from meetings.graphql.calendars import CalendarConnection, ConnectWith, shown_connection
from meetings.graphql.consent_trips import StartConnectionPayload, begin_trip, offered_mailboxes
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import AccountUse as ShownUse
from meetings.graphql.enums import ConnectionAction, ConnectionStatus, InboxProvider, Rule
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    Access,
    InputError,
    MailboxError,
    RefusedError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.exchange import ExchangeInput, connect_mailbox, count_try
from meetings.graphql.node_ids import Kind, from_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.scalars import URL, EmailAddress

_STATUS_MESSAGES = {
    ConnectionStatus.REAUTH_REQUIRED: "The provider does not accept our access any more. Please connect again.",
    ConnectionStatus.DISCONNECTED: "The mailbox was disconnected.",
}


@strawberry.type(description="A person's connected mailbox.")
class InboxConnection(Node):
    """Holds no secret: passwords and tokens are never part of the API."""

    provider: InboxProvider = strawberry.field(description="Whose mailbox it is.")
    email: EmailAddress = strawberry.field(description="Its address.")
    status: ConnectionStatus = strawberry.field(description="How it is doing.")
    status_message: str | None = strawberry.field(description="The status in words; null while all is well.")
    needs_action: ConnectionAction | None = strawberry.field(description="What to do about it; null for nothing.")
    connected_at: datetime = strawberry.field(description="When it was last signed in to.")
    log_replies: bool = strawberry.field(description="Whether answers to mails sent through it are logged.")
    shares_sign_in: bool = strawberry.field(
        description="Whether one sign-in serves this mailbox and the person's calendar; each can be disconnected alone."
    )
    server_url: URL | None = strawberry.field(
        description="Where its server is called; null where it is the provider's own."
    )

    @classmethod
    def of(cls, mailbox: domain.Mailbox) -> "InboxConnection":
        action = None
        if mailbox.grant is not Grant.HELD:
            action = ConnectionAction.UPDATE_PASSWORD if _with_password(mailbox.provider) else None
            action = action or ConnectionAction.SIGN_IN_AGAIN
        return cls(
            id=to_id(Kind.INBOX, mailbox.id),
            provider=mailbox.provider,
            email=EmailAddress(mailbox.email),
            status=mailbox.status,
            status_message=_STATUS_MESSAGES.get(mailbox.status),
            needs_action=action,
            connected_at=mailbox.connected_at,
            log_replies=mailbox.log_replies,
            shares_sign_in=mailbox.connection_id is not None,
            server_url=URL(mailbox.server.url) if mailbox.server else None,
        )


def _with_password(provider: domain.InboxProvider) -> bool:
    calendar = provider.calendar_provider
    return calendar is None or calendar in WITH_PASSWORD


async def inboxes_of(operation: Operation, account_id: AccountId, user_id: UserId) -> list[InboxConnection]:
    """A person's mailboxes that were not disconnected, in the order in which they were connected."""
    async with operation.tools.look(account_id) as work:
        own = await work.mailboxes.of_user(user_id)
    return [InboxConnection.of(mailbox) for mailbox in own if mailbox.grant is not Grant.RETURNED]


@strawberry.type(description="What a person must read and accept before a mailbox is connected.")
class InboxDisclosure:
    """Accepted by its version."""

    provider: InboxProvider = strawberry.field(description="For whose mailboxes.")
    version: str = strawberry.field(description="Names this very text.")
    title: str = strawberry.field(description="Its headline.")
    body_markdown: str = strawberry.field(description="What access is asked for, and what it is used for.")
    notes: list[str] = strawberry.field(description="What to keep in mind before going on.")

    @classmethod
    def of(cls, offer: InboxOffer) -> "InboxDisclosure":
        disclosure = offer.disclosure
        return cls(
            provider=offer.provider,
            version=disclosure.version,
            title=disclosure.title,
            body_markdown=disclosure.body_markdown,
            notes=list(disclosure.notes),
        )


@strawberry.type(description="A kind of mailbox that can be connected here.")
class ConnectableInbox:
    """What a dialog for connecting needs."""

    provider: InboxProvider = strawberry.field(description="Whose mailboxes.")
    connect_with: ConnectWith = strawberry.field(description="How.")
    disclosure: InboxDisclosure = strawberry.field(description="What to read and accept before.")

    @classmethod
    def of(cls, offer: InboxOffer) -> "ConnectableInbox":
        return cls(
            provider=offer.provider,
            connect_with=ConnectWith.PASSWORD if _with_password(offer.provider) else ConnectWith.CONSENT_PAGE,
            disclosure=InboxDisclosure.of(offer),
        )


@strawberry.input(description="Where a server is.")
class ServerInput:
    """Always over TLS."""

    host: str = strawberry.field(description="Its name, such as `imap.example.com`.")
    port: int = strawberry.field(description="Such as 993 for IMAP, 465 or 587 for SMTP.")
    starttls: bool = strawberry.field(
        default=False, description="Whether TLS begins after `STARTTLS`; otherwise from the first byte."
    )

    def address(self) -> ServerAddress:
        return ServerAddress(self.host.strip(), self.port, self.starttls)


@strawberry.input(description="What a person types in to connect a mailbox by IMAP and SMTP.")
class ImapInput:
    """Texts as they are typed: what is wrong with them comes back as errors, all at once."""

    email: str | None = strawberry.field(default=None, description="The mailbox's address. Required.")
    password: str | None = strawberry.field(
        default=None, description="Its password, or an app password where signing in takes a second factor. Required."
    )
    username: str | None = strawberry.field(
        default=None, description="The name to sign in with; left out, the address."
    )
    imap: ServerInput | None = strawberry.field(
        default=None, description="Where mail is read. Left out, an admin's preset is taken, else it is looked for."
    )
    smtp: ServerInput | None = strawberry.field(
        default=None, description="Where mail is sent. Left out, it is looked for by the address."
    )

    def __repr__(self) -> str:
        return "ImapInput(...)"

    def mailbox(self) -> ImapCredentials:
        return ImapCredentials(
            email=self.email or "",
            password=self.password or "",
            username=self.username,
            imap=self.imap.address() if self.imap else None,
            smtp=self.smtp.address() if self.smtp else None,
        )


@strawberry.type(description="What became of a mailbox.")
class InboxPayload:
    """Either a mailbox or errors."""

    inbox: InboxConnection | None = strawberry.field(default=None, description="The mailbox as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="A mailbox that was connected, and its calendar where that was wanted too.")
class ConnectExchangeInboxPayload:
    """Either what was connected or errors."""

    inbox: InboxConnection | None = strawberry.field(default=None, description="The mailbox as it is now.")
    connection: CalendarConnection | None = strawberry.field(default=None, description="Its calendar as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was connected.")


_DISCLOSED = Annotated[str, strawberry.argument(description="The version of the disclosure that was accepted.")]
_RECONNECT = Annotated[
    strawberry.ID | None, strawberry.argument(description="The mailbox to sign in to again; what was logged is kept.")
]


@strawberry.type(description="Mutations of mailboxes.")
class InboxMutations:
    """Part of the schema's mutations."""

    @mutation(
        StartConnectionPayload,
        Access.SIGNED_IN,
        "Begin to connect a mailbox, and nothing but the mailbox. As `startCalendarConnection`; the redirect to "
        "`returnTo` carries `inbox=connected`, or `inbox=failed` and the same `reason`s, also "
        "`SHARED_MAILBOX_NOT_ALLOWED` (the address is a team's) and `ALREADY_CONNECTED` (somebody has it connected).",
        Code.CONSENT_REQUIRED,
        Code.NOT_FOUND,
        Code.VALIDATION,
    )
    async def start_inbox_connection(
        self,
        info: Info,
        provider: Annotated[InboxProvider, strawberry.argument(description="Whose mailbox.")],
        return_to: Annotated[
            URL,
            strawberry.argument(
                description="Where the browser goes afterwards; on this server, its dashboard, or an allowed origin."
            ),
        ],
        accepted_disclosure: _DISCLOSED,
        reconnect: _RECONNECT = None,
        login_hint: Annotated[
            str | None, strawberry.argument(description="The address the person wants to sign in with.")
        ] = None,
    ) -> StartConnectionPayload:
        operation = info.context
        offered = offered_mailboxes(operation, provider.calendar_provider)
        return await begin_trip(
            operation,
            StartConnection(
                provider=offered.provider,
                accepted_disclosure=accepted_disclosure,
                return_to=return_to,
                login_hint=login_hint,
                uses=EMAIL_ONLY,
                reconnect_mailbox=_mailbox_id(reconnect),
            ),
        )

    @mutation(
        ConnectExchangeInboxPayload,
        Access.SIGNED_IN,
        "Connect the mail of a mailbox on an Exchange server with a password, and its calendar too where "
        "`capabilities` say so. As `connectExchangeCalendar`, with whose tries it is counted. A mailbox that was "
        "connected by IMAP under the same address is replaced; what was logged is kept.",
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
    async def connect_exchange_inbox(
        self,
        info: Info,
        input: Annotated[ExchangeInput, strawberry.argument(description="What was typed in.")],
        accepted_disclosure: _DISCLOSED,
        capabilities: Annotated[
            list[ShownUse] | None, strawberry.argument(description="What it is to be used for; left out, for mail.")
        ] = None,
        reconnect: _RECONNECT = None,
    ) -> ConnectExchangeInboxPayload:
        operation = info.context
        uses = EMAIL_ONLY if capabilities is None else frozenset(capabilities)
        wish = ConnectExchange(
            accepted_disclosure, input.mailbox(), uses=uses, reconnect_mailbox=_mailbox_id(reconnect)
        )
        stored = await connect_mailbox(operation, wish)
        if stored.mailbox_refused is not None:
            raise stored.mailbox_refused
        return ConnectExchangeInboxPayload(
            inbox=await _shown(operation, stored.mailbox_id) if AccountUse.EMAIL in uses else None,
            connection=await shown_connection(operation, stored.connection_id),
        )

    @mutation(
        InboxPayload,
        Access.SIGNED_IN,
        "Connect a mailbox by IMAP and SMTP. Nothing is stored unless all of it succeeds; a wrong password is tried "
        "once. Limited together with `connectExchangeCalendar`. What the server is missing is told as `VALIDATION` "
        "with the rule `REQUIRED_BY_SERVER`.",
        Code.CONSENT_REQUIRED,
        Code.VALIDATION,
        Code.ALREADY_CONNECTED,
        Code.SHARED_MAILBOX_NOT_ALLOWED,
        Code.NOT_FOUND,
        Code.CREDENTIALS_REJECTED,
        Code.APP_PASSWORD_REQUIRED,
        Code.MAIL_SERVER_UNREACHABLE,
        Code.RATE_LIMITED,
        Code.PROVIDER_UNAVAILABLE,
        Code.CONCURRENT_CHANGE,
    )
    async def connect_imap_inbox(
        self,
        info: Info,
        input: Annotated[ImapInput, strawberry.argument(description="What was typed in.")],
        accepted_disclosure: _DISCLOSED,
        reconnect: _RECONNECT = None,
    ) -> InboxPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        wish = ConnectImap(accepted_disclosure, input.mailbox(), _mailbox_id(reconnect))
        check_imap(wish, tools.inbox_offers)
        await count_try(operation, wish.mailbox)
        stored = await connect_imap(
            wish,
            caller=caller,
            begin=operation.begin,
            look=tools.look,
            offers=tools.inbox_offers,
            providers=tools.providers,
            clock=tools.clock,
        )
        return InboxPayload(inbox=await _shown(operation, stored.mailbox_id))

    @mutation(
        InboxPayload,
        Access.SIGNED_IN,
        "Disconnect a mailbox: nothing is sent or read through it any more. The calendar of the same account stays, "
        "and so does what was logged. Disconnecting twice succeeds.",
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def disconnect_inbox(
        self,
        info: Info,
        connection_id: Annotated[strawberry.ID, strawberry.argument(description="Which mailbox.")],
    ) -> InboxPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        mailbox = MailboxId(from_id(Kind.INBOX, connection_id))
        await again_on_conflict(
            lambda: disconnect_inbox(
                mailbox, caller=caller, begin=operation.begin, providers=tools.providers, clock=tools.clock
            )
        )
        return InboxPayload(inbox=await _shown(operation, mailbox))


def _mailbox_id(given: strawberry.ID | None) -> MailboxId | None:
    return None if given is None else MailboxId(from_id(Kind.INBOX, given))


async def _shown(operation: Operation, mailbox_id: MailboxId | None) -> InboxConnection | None:
    if mailbox_id is None:
        return None
    async with operation.tools.look(operation.signed_in().account_id) as work:
        return InboxConnection.of(await work.mailboxes.get(mailbox_id))


# ---- how refusals are told ----------------------------------------------------------------------------------------


@as_user_errors.register
def _(error: MailboxAlreadyConnected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.ALREADY_CONNECTED, detail="MAILBOX"))]


@as_user_errors.register
def _(error: TeamMailboxNotAllowed, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.SHARED_MAILBOX_NOT_ALLOWED))]


@as_user_errors.register
def _(error: InboxNotConnected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.NOT_CONNECTED, detail="MAILBOX"))]


_REQUIRED = {LoginProblem.USERNAME_REQUIRED: "username", LoginProblem.URL_REQUIRED: "imap"}

_REFUSALS: dict[LoginProblem, tuple[Code, str | None, str]] = {
    # the code, the wording where it is a special one, and where the person has to look
    LoginProblem.CREDENTIALS_REJECTED: (Code.CREDENTIALS_REJECTED, "MAILBOX", "password"),
    LoginProblem.APP_PASSWORD_REQUIRED: (Code.APP_PASSWORD_REQUIRED, None, "password"),
    LoginProblem.ADDRESS_FORBIDDEN: (Code.MAIL_SERVER_UNREACHABLE, "FORBIDDEN", "imap"),
    LoginProblem.CERTIFICATE_INVALID: (Code.MAIL_SERVER_UNREACHABLE, "CERTIFICATE", "imap"),
}


@as_user_errors.register
def _(error: ImapRefused, wording: Wording) -> list[UserError]:
    if error.problem in _REQUIRED:
        path, rule = (_REQUIRED[error.problem],), Rule.REQUIRED_BY_SERVER
        return [InputError(**wording.base(Code.VALIDATION, path, detail=f"IMAP_{error.problem.value}"), rule=rule)]
    code, detail, field = _REFUSALS.get(error.problem, (Code.MAIL_SERVER_UNREACHABLE, None, "imap"))
    better = error.suggestion
    return [
        MailboxError(
            **wording.base(code, (field,), detail=detail),
            suggestion=better if code is Code.MAIL_SERVER_UNREACHABLE else None,
            server_version=None,
            help_url=URL(better) if better and code is Code.APP_PASSWORD_REQUIRED else None,
            use_instead=None,
        )
    ]
