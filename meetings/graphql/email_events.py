"""What happens to mails, live."""

import datetime
import enum
from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from meetings.application.ports.reads import JournalEntry
from meetings.application.watch_emails import watch_emails
from meetings.domain import email as domain
from meetings.domain import email_thread
from meetings.graphql.context import Info, closed_after, while_signed_in
from meetings.graphql.emails import EmailMessage, EmailThread


@strawberry.enum(description="What happened to a mail.")
class InboxEventType(enum.Enum):
    """Named in the past tense."""

    EMAIL_QUEUED = strawberry.enum_value("EMAIL_QUEUED", description="It was written, and is about to leave.")
    EMAIL_SENT = strawberry.enum_value("EMAIL_SENT", description="It left.")
    EMAIL_FAILED = strawberry.enum_value("EMAIL_FAILED", description="It did not leave, and will not.")
    EMAIL_UNCERTAIN = strawberry.enum_value("EMAIL_UNCERTAIN", description="Nobody can say whether it left.")
    EMAIL_BOUNCED = strawberry.enum_value("EMAIL_BOUNCED", description="It could not be delivered, and came back.")
    REPLY_RECEIVED = strawberry.enum_value("REPLY_RECEIVED", description="Somebody answered a mail of ours.")
    AUTOMATIC_REPLY_RECEIVED = strawberry.enum_value(
        "AUTOMATIC_REPLY_RECEIVED", description="An answering machine answered a mail of ours."
    )
    EMAIL_RECEIVED = strawberry.enum_value(
        "EMAIL_RECEIVED", description="A contact's mail was logged that answers none of ours."
    )
    EMAIL_LOGGED = strawberry.enum_value(
        "EMAIL_LOGGED", description="A mail was logged that its owner sent with another program."
    )


_TYPES = {
    domain.MailQueued.__name__: InboxEventType.EMAIL_QUEUED,
    domain.MailSent.__name__: InboxEventType.EMAIL_SENT,
    domain.MailNotSent.__name__: InboxEventType.EMAIL_FAILED,
    domain.MailUncertain.__name__: InboxEventType.EMAIL_UNCERTAIN,
    domain.MailBounced.__name__: InboxEventType.EMAIL_BOUNCED,
    domain.ReplyReceived.__name__: InboxEventType.REPLY_RECEIVED,
    domain.AutomaticReplyReceived.__name__: InboxEventType.AUTOMATIC_REPLY_RECEIVED,
    domain.MailReceived.__name__: InboxEventType.EMAIL_RECEIVED,
    domain.MailSentByPerson.__name__: InboxEventType.EMAIL_LOGGED,
}


@strawberry.type(description="Something that happened to a mail.")
class InboxEvent:
    """In order, none left out and none twice."""

    cursor: str = strawberry.field(description="Where this watcher stands, for `after`.")
    type: InboxEventType = strawberry.field(description="What happened.")
    occurred_at: datetime.datetime = strawberry.field(description="When.")
    message: EmailMessage = strawberry.field(description="The mail as it is now.")
    thread: EmailThread = strawberry.field(description="Its conversation as it is now.")

    @classmethod
    def of(cls, entry: JournalEntry, email: domain.Email, thread: email_thread.EmailThread) -> "InboxEvent":
        return cls(
            cursor=str(entry.position),
            type=_TYPES[entry.kind],
            occurred_at=entry.at,
            message=EmailMessage.of(email),
            thread=EmailThread.of(thread),
        )


@strawberry.type(description="Subscriptions to mails.")
class EmailSubscriptions:
    """Part of the schema's subscriptions."""

    @strawberry.subscription(
        description="For signed-in people: what happens to their own mails with contacts. Without `after`, from now "
        "on; with it, everything since. Ends with `UNAUTHENTICATED` within seconds of signing out."
    )
    async def inbox_events(
        self,
        info: Info,
        after: Annotated[
            str | None, strawberry.argument(description="The last cursor seen; nothing is left out after it.")
        ] = None,
    ) -> AsyncGenerator[InboxEvent, None]:
        operation = info.context
        caller, tools = operation.signed_in_to_read(), operation.tools
        events = watch_emails(caller, after, reads=tools.reads, email_reads=tools.email_reads, fan_out=tools.fan_out)
        async with closed_after(while_signed_in(events, operation)) as seen:
            async for entry, email, thread in seen:
                yield InboxEvent.of(entry, email, thread)
