"""Mails with contacts: conversations, writing, and which mails are logged."""

import datetime
from typing import Annotated

import strawberry

from meetings.application.carry_out import carry_out
from meetings.application.email_settings import mark_thread, set_email_logging
from meetings.application.ports.reads import Slice
from meetings.application.reactions import SEND_EMAIL
from meetings.application.send_email import SendEmail, send_email
from meetings.application.settle_now import carried_out_now
from meetings.domain import email as domain
from meetings.domain import email_thread, reply_logging
from meetings.domain.email import DailyMailLimit, EmailState
from meetings.domain.identifiers import AccountId, EmailId, EmailThreadId, MailboxId, UserId
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.crm import Contact
from meetings.graphql.email_templates import default_link
from meetings.graphql.enums import EmailOrigin, EmailStatus, LoggingRule, MailDirection
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, LimitError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, OutsideKind, from_id, from_outside_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, PageInfo, check_first, page_info
from meetings.graphql.scalars import EmailAddress


@strawberry.type(description="Somebody a mail came from.")
class EmailPerson:
    """As the mail says it."""

    name: str | None = strawberry.field(description="Their name, if the mail has one.")
    email: EmailAddress = strawberry.field(description="Their address.")


@strawberry.type(description="One mail of a conversation.")
class EmailMessage(Node):
    """Shown to the person whose mail it is. What others see stands on the contact's timeline."""

    direction: MailDirection = strawberry.field(description="Whether we wrote it or got it.")
    origin: EmailOrigin = strawberry.field(description="Where it came from.")
    status: EmailStatus = strawberry.field(description="What became of it.")
    from_: EmailPerson = strawberry.field(name="from", description="Who wrote it.")
    to: list[EmailAddress] = strawberry.field(description="Whom it went to.")
    subject: str = strawberry.field(description="Its subject.")
    text: str = strawberry.field(description="What it says; of a mail that came, without what it quotes.")
    html: str | None = strawberry.field(description="The same as HTML, safe to show; null for one that came.")
    automatic: bool = strawberry.field(description="Whether a machine sent it, such as an out-of-office reply.")
    created_at: datetime.datetime = strawberry.field(description="When it was written, or logged.")
    sent_at: datetime.datetime | None = strawberry.field(description="When it left, or came; null before it left.")
    failure: str | None = strawberry.field(description="Why it did not leave, in words for developers.")
    own: strawberry.Private[domain.Email]

    @strawberry.field(description="The conversation it belongs to.")
    async def thread(self, info: Info) -> "EmailThread | None":
        account_id = AccountId(self.own.account_id)
        found = await info.context.loaders(account_id).email_threads.load(self.own.thread_id)
        return EmailThread.of(found) if found else None

    @classmethod
    def of(cls, email: domain.Email) -> "EmailMessage":
        return cls(
            id=to_id(Kind.EMAIL, email.id),
            direction=MailDirection.OUTBOUND if email.outgoing else MailDirection.INBOUND,
            origin=email.origin,
            status=email.state,
            from_=EmailPerson(name=email.sender.name or None, email=EmailAddress(email.sender.email)),
            to=[EmailAddress(address) for address in email.recipients],
            subject=email.content.subject,
            text=email.content.text,
            html=email.content.html,
            automatic=email.automatic,
            created_at=email.created_at,
            sent_at=email.sent_at,
            failure=email.failure,
            own=email,
        )


@strawberry.type(description="A mail in a list.")
class EmailMessageEdge:
    """With its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: EmailMessage = strawberry.field(description="The mail.")


@strawberry.type(description="Mails, the newest first.")
class EmailMessageConnection:
    """A page of them."""

    edges: list[EmailMessageEdge] = strawberry.field(description="The mails with their places.")
    nodes: list[EmailMessage] = strawberry.field(description="The mails.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")

    @classmethod
    def of(cls, found: Slice[domain.Email], after: str | None) -> "EmailMessageConnection":
        edges = [EmailMessageEdge(cursor=cursor, node=EmailMessage.of(email)) for cursor, email in found.items]
        info = page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after)
        return cls(edges=edges, nodes=[edge.node for edge in edges], page_info=info)


@strawberry.type(description="Mails with a contact that answer each other.")
class EmailThread(Node):
    """Shown to the person whose conversation it is."""

    subject: str = strawberry.field(description="The subject of its first mail.")
    contact_email: EmailAddress = strawberry.field(description="The contact's address.")
    last_message_at: datetime.datetime = strawberry.field(description="When its newest mail came or was written.")
    unread: bool = strawberry.field(description="Whether something came that its owner has not seen.")
    created_at: datetime.datetime = strawberry.field(description="Since when it is here.")
    own: strawberry.Private[email_thread.EmailThread]

    @strawberry.field(description="Whom it is with; null once they are not on record any more.")
    async def contact(self, info: Info) -> Contact | None:
        account_id = AccountId(self.own.account_id)
        contact = await info.context.loaders(account_id).contacts.load(self.own.contact)
        return Contact.of(contact, account_id) if contact else None

    @strawberry.field(description="Its mails, the newest first.")
    async def messages(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> EmailMessageConnection | None:
        reads, account_id = info.context.tools.email_reads, AccountId(self.own.account_id)
        if after is None:
            beginnings = info.context.loaders(account_id).thread_beginnings
            found = await beginnings.load((self.own.id, check_first(first)))
        else:
            found = await reads.messages(account_id, self.own.id, first=check_first(first), after=after)
        return EmailMessageConnection.of(found or Slice([], False), after)

    @classmethod
    def of(cls, thread: email_thread.EmailThread) -> "EmailThread":
        return cls(
            id=to_id(Kind.EMAIL_THREAD, thread.id),
            subject=thread.subject,
            contact_email=EmailAddress(thread.contact_email),
            last_message_at=thread.last_at,
            unread=thread.unread,
            created_at=thread.created_at,
            own=thread,
        )


@strawberry.type(description="A conversation in a list.")
class EmailThreadEdge:
    """With its place."""

    cursor: str = strawberry.field(description="For `after`.")
    node: EmailThread = strawberry.field(description="The conversation.")


@strawberry.type(description="Conversations, those with the newest mail first.")
class EmailThreadConnection:
    """A page of them."""

    edges: list[EmailThreadEdge] = strawberry.field(description="The conversations with their places.")
    nodes: list[EmailThread] = strawberry.field(description="The conversations.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")


async def threads_of(
    operation: Operation,
    account_id: AccountId,
    user_id: UserId,
    *,
    contact_id: str | None,
    unread_only: bool,
    first: int,
    after: str | None,
) -> EmailThreadConnection:
    """A page of a person's conversations."""
    found = await operation.tools.email_reads.threads(
        account_id,
        user=user_id,
        contact=None if contact_id is None else from_outside_id(OutsideKind.CONTACT, contact_id),
        unread_only=unread_only,
        first=check_first(first),
        after=after,
    )
    edges = [EmailThreadEdge(cursor=cursor, node=EmailThread.of(thread)) for cursor, thread in found.items]
    info = page_info([edge.cursor for edge in edges], has_next=found.has_next, after=after)
    return EmailThreadConnection(edges=edges, nodes=[edge.node for edge in edges], page_info=info)


async def emails_in(
    operation: Operation, account_id: AccountId, user_id: UserId, status: EmailState, first: int, after: str | None
) -> EmailMessageConnection:
    """A page of a person's mails that stand like this."""
    found = await operation.tools.email_reads.in_state(
        account_id, user=user_id, state=status, first=check_first(first), after=after
    )
    return EmailMessageConnection.of(found, after)


@strawberry.type(description="Which mails of connected mailboxes are logged.")
class EmailLogging:
    """Set by owners and admins, for everybody in the account. Nothing is kept of a mail that is not logged."""

    rule: LoggingRule = strawberry.field(description="Which mails are logged at all.")
    never_log: list[str] = strawberry.field(
        description="Addresses, and domains with everything below them: mail from and to these is not logged."
    )

    @classmethod
    def of(cls, stored: reply_logging.EmailLogging) -> "EmailLogging":
        return cls(rule=stored.rule, never_log=list(stored.never_log))


@strawberry.input(description="A mail to a contact.")
class SendEmailInput:
    """New, or one more of a conversation."""

    contact_id: strawberry.ID = strawberry.field(description="Whom it is for.")
    subject: str = strawberry.field(description="Its subject, at most 250 characters.")
    body_markdown: str = strawberry.field(
        description="What it says, as Markdown (CommonMark), at most 50,000 characters. `{{ meeting_link }}` is the "
        "address of the writer's default page as of now, `{{ sender_name }}` and `{{ sender_email }}` are theirs."
    )
    idempotency_key: str = strawberry.field(description="The same key and input again send nothing again. Kept 72 h.")
    thread_id: strawberry.ID | None = strawberry.field(
        default=None, description="The conversation it goes on with; left out, it begins one."
    )
    include_meeting_link: bool = strawberry.field(
        default=False, description="Whether the link stands at the end, unless it stands somewhere already."
    )
    inbox_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Which of the writer's mailboxes it leaves through; left out, that of the conversation, else the "
        "first that works.",
    )

    def wish(self) -> SendEmail:
        return SendEmail(
            contact_id=from_outside_id(OutsideKind.CONTACT, self.contact_id),
            subject=self.subject,
            body_markdown=self.body_markdown,
            idempotency_key=self.idempotency_key,
            thread_id=None if self.thread_id is None else EmailThreadId(from_id(Kind.EMAIL_THREAD, self.thread_id)),
            include_meeting_link=self.include_meeting_link,
            mailbox_id=None if self.inbox_id is None else MailboxId(from_id(Kind.INBOX, self.inbox_id)),
        )


@strawberry.type(description="What became of a mail.")
class EmailPayload:
    """Either the mail or errors."""

    message: EmailMessage | None = strawberry.field(
        default=None, description="The mail; QUEUED when its provider takes longer than a few seconds."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was sent.")


@strawberry.type(description="What became of a conversation.")
class EmailThreadPayload:
    """Either the conversation or errors."""

    thread: EmailThread | None = strawberry.field(default=None, description="The conversation as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of the account's setting.")
class EmailLoggingPayload:
    """Either the setting or errors."""

    email_logging: EmailLogging | None = strawberry.field(default=None, description="The setting as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="Mutations of mails.")
class EmailMutations:
    """Part of the schema's mutations."""

    @mutation(
        EmailPayload,
        Access.SIGNED_IN,
        "Write to a contact. The mail leaves through the writer's connected mailbox, is among its sent mails, and "
        "stands on the contact's timeline once it has left; answers to it are logged. Mails of one conversation leave "
        "in order.",
        Code.VALIDATION,
        Code.NOT_FOUND,
        Code.PAGE_NOT_FOUND,
        Code.NOT_CONNECTED,
        Code.RATE_LIMITED,
        Code.IDEMPOTENCY_CONFLICT,
        Code.PROVIDER_UNAVAILABLE,
        Code.CONCURRENT_CHANGE,
        paths={"template": ("bodyMarkdown",)},
    )
    async def send_email(
        self, info: Info, input: Annotated[SendEmailInput, strawberry.argument(description="The mail.")]
    ) -> EmailPayload:
        operation, tools = info.context, info.context.tools
        caller, wish = operation.signed_in(), input.wish()
        link = await default_link(operation)
        email_id = await again_on_conflict(
            lambda: send_email(
                wish,
                caller=caller,
                link=link,
                begin=operation.begin,
                look=tools.look,
                crm_of=tools.crm_of,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        return EmailPayload(message=EmailMessage.of(await _handed_over(operation, caller.account_id, email_id)))

    @mutation(
        EmailThreadPayload,
        Access.SIGNED_IN,
        "Note that the signed-in person has seen a conversation of theirs, or wants to see it again.",
        Code.NOT_FOUND,
        Code.CONCURRENT_CHANGE,
    )
    async def mark_email_thread(
        self,
        info: Info,
        thread_id: Annotated[strawberry.ID, strawberry.argument(description="The conversation.")],
        read: Annotated[bool, strawberry.argument(description="Whether it was seen.")] = True,
    ) -> EmailThreadPayload:
        operation = info.context
        caller, own = operation.signed_in(), EmailThreadId(from_id(Kind.EMAIL_THREAD, thread_id))
        await again_on_conflict(lambda: mark_thread(own, read=read, caller=caller, begin=operation.begin))
        found = await operation.tools.email_reads.threads_by_id(caller.account_id, [own])
        return EmailThreadPayload(thread=EmailThread.of(found[own]))

    @mutation(
        EmailLoggingPayload,
        Access.SIGNED_IN,
        "For owners and admins: decide which mails of connected mailboxes are logged from here on. What was logged "
        "stays.",
        Code.VALIDATION,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def set_email_logging(
        self,
        info: Info,
        rule: Annotated[LoggingRule, strawberry.argument(description="Which mails are logged at all.")],
        never_log: Annotated[
            list[str] | None,
            strawberry.argument(
                description="Addresses and domains whose mail is never logged, at most 500; left out, the list stays."
            ),
        ] = None,
    ) -> EmailLoggingPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: set_email_logging(rule, never_log, caller=caller, begin=operation.begin, clock=clock)
        )
        account = await operation.tools.reads.account(caller.account_id)
        return EmailLoggingPayload(email_logging=EmailLogging.of(account.email_logging) if account else None)


async def _handed_over(operation: Operation, account_id: AccountId, email_id: EmailId) -> domain.Email:
    """The mail, once it has left, or has taken too long to wait for."""
    tools = operation.tools

    async def present() -> domain.Email:
        async with tools.look(account_id) as work:
            return await work.emails.get(email_id)

    return await carried_out_now(
        SEND_EMAIL,
        email_id,
        present,
        lambda email: email.state is not EmailState.QUEUED,
        seconds=tools.policy.settle_seconds,
        outbox=tools.outbox,
        carry_out=lambda intent: carry_out(intent, tools),
    )


@as_user_errors.register
def _(error: DailyMailLimit, wording: Wording) -> list[UserError]:
    base = wording.base(Code.RATE_LIMITED, detail="MAILS", values={"most": error.most})
    return [LimitError(**base, limit=error.most, retry_after=error.wait)]
