"""The mail of teams: their channels, the mailboxes behind them, and sending (S93, A-IN7, A-IN9)."""

from contextlib import suppress
from dataclasses import dataclass
from html import escape
from uuid import UUID, uuid4, uuid5

from meetings.application.grants import give_back, note_lost_mailbox
from meetings.application.ports.calendars import AccessNotGranted, Providers, ReauthorizationNeeded
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.mail import Mailer, MailRefused, TeamLetter
from meetings.application.ports.mail_accounts import MailAccountOf, MailNotAccepted, MailPerson, OutgoingMail
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.repeated_commands import CommandKey, KeptMeanwhile, earlier_result, keep_result
from meetings.application.store_mailbox import OpenedAccount, Replaced, is_unused
from meetings.domain.base import DomainError, refuse
from meetings.domain.calendar_connection import Grant
from meetings.domain.identifiers import MailboxId, TeamChannelId
from meetings.domain.mailbox import Mailbox, MailboxAlreadyConnected
from meetings.domain.team_channel import TeamChannel, TeamMailProvider, name_taken
from meetings.domain.text import email_problem, text_problem

MAX_SUBJECT = 200
MAX_TEXT = 20_000


class TeamMailRefused(DomainError):
    """The mail was not sent and never will be: its address or its content is not accepted."""


@dataclass(frozen=True, slots=True)
class TeamMail:
    """A mail to be sent in a team's name. `key` makes it safe to ask for twice."""

    to: str
    subject: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class SentTeamMail:
    """From which address a mail left."""

    sender: str


async def create_channel(
    provider: TeamMailProvider, name: str, *, hosted_domain: str, caller: Caller, begin: Begin, clock: Clock
) -> TeamChannelId:
    """Give a team a name and an address. It takes no credentials: mail can be sent at once (A-IN9).

    Raises:
        PermissionMissing: neither owner nor admin.
        TeamMailUnsupported: mailboxes of this provider cannot be a team's (S93).
        InvalidInput: the name cannot be sent under, or another channel of the account has it.
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        channel = TeamChannel.create(
            TeamChannelId(uuid4()),
            account_id=caller.account_id,
            provider=provider,
            name=name,
            hosted_domain=hosted_domain,
            created_by=caller.user_id,
            now=clock(),
        )
        if any(other.name.casefold() == channel.name.casefold() for other in await work.team_channels.all()):
            raise name_taken()
        work.team_channels.add(channel)
        await work.commit()
    return channel.id


async def attach_mailbox(
    opened: OpenedAccount, channel_id: TeamChannelId, *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Have mail of a team leave through the mailbox that was just signed in to, its own again or another one.

    Raises:
        PermissionMissing: neither owner nor admin any more.
        NotFound: the channel was removed meanwhile.
        MailboxAlreadyConnected: somebody has the address as their own, or another team (A-IN6).
    """
    async with begin(caller.account_id) as work:
        await work.host_times.lock([caller.user_id])
        (await work.users.get(caller.user_id)).check_administers()
        channel = await work.team_channels.get(channel_id)
        mailbox = await work.mailboxes.by_email(opened.email)
        if await _is_a_persons_calendar(work, caller, opened) or (mailbox and mailbox.id != channel.mailbox_id):
            raise MailboxAlreadyConnected
        if mailbox is not None:
            mailbox.reconnect(provider=opened.provider, consent=opened.consent, server=opened.server, now=clock())
            await work.mailboxes.replace_credentials(mailbox.id, opened.credentials)
        else:
            await _let_go(channel, work, caller, clock)
            mailbox = _first(opened, caller, clock)
            work.mailboxes.add(mailbox, opened.credentials)
        channel.attach(mailbox.id, now=clock())
        await work.commit()


def _first(opened: OpenedAccount, caller: Caller, clock: Clock) -> Mailbox:
    return Mailbox.connect(
        MailboxId(uuid4()),
        account_id=caller.account_id,
        user_id=caller.user_id,
        provider=opened.provider,
        email=opened.email,
        consent=opened.consent,
        server=opened.server,
        team=True,
        now=clock(),
    )


async def _is_a_persons_calendar(work: UnitOfWork, caller: Caller, opened: OpenedAccount) -> bool:
    connection = (await work.connections.of_users([caller.user_id])).get(caller.user_id)
    if connection is None or connection.grant is Grant.RETURNED:
        return False
    return connection.account_email.casefold() == opened.email.casefold()


async def _let_go(channel: TeamChannel, work: UnitOfWork, caller: Caller, clock: Clock) -> Replaced | None:
    """Disconnect the channel's mailbox; gives the grant that is to be given back, if any."""
    if channel.mailbox_id is None:
        return None
    mailbox = await work.mailboxes.get(channel.mailbox_id)
    mailbox.disconnect(now=clock())
    credentials = await work.mailboxes.replace_credentials(mailbox.id, None)
    whose = mailbox.provider.calendar_provider
    if credentials is None or whose is None:
        return None
    returned = Replaced(whose, mailbox.email, credentials)
    return returned if await is_unused(returned, work, caller) else None


async def remove_channel(
    channel_id: TeamChannelId, *, caller: Caller, begin: Begin, providers: Providers, clock: Clock
) -> None:
    """Give a team's name and address up, and its mailbox back to its provider.

    Raises:
        PermissionMissing: neither owner nor admin.
        NotFound: no such channel (any more).
    """
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        channel = await work.team_channels.get(channel_id)
        returned = await _let_go(channel, work, caller, clock)
        channel.remove(now=clock())
        await work.commit()
    if returned is not None:
        await give_back(providers, returned.provider, returned.credentials)


async def send_team_mail(
    mail: TeamMail,
    channel_id: TeamChannelId,
    *,
    caller: Caller,
    begin: Begin,
    look: Begin,
    mail_account_of: MailAccountOf,
    mailer: Mailer,
    clock: Clock,
) -> SentTeamMail:
    """Send a mail in a team's name: through its mailbox while that works, else from the hosted address (A-IN9).

    The same key sends once: what was sent under it is kept, and where the process died in between the mail is looked
    for among the mailbox's sent ones first. From the hosted address it could leave twice then, with one message id.

    Raises:
        NotFound: no such channel.
        InvalidInput: everything wrong in what was typed in.
        IdempotencyConflict: another mail was sent under the key.
        TeamMailRefused: it will never be accepted.
        ProviderError, MailUnavailable: worth another try.
    """
    refuse(
        email_problem(mail.to.strip(), "to"),
        text_problem(mail.subject, "subject", most=MAX_SUBJECT),
        text_problem(mail.text, "text", most=MAX_TEXT, lines=True),
    )
    given = {"to": mail.to, "subject": mail.subject, "text": mail.text}
    command = CommandKey.of("sendTeamEmail", str(channel_id), mail.key, given)
    async with look(caller.account_id) as work:
        channel = await work.team_channels.get(channel_id)
        mailbox = None if channel.mailbox_id is None else await work.mailboxes.get(channel.mailbox_id)
        sent_through = await earlier_result(work, command)
    if sent_through is not None:
        through_mailbox = mailbox is not None and sent_through == mailbox.id
        return SentTeamMail(mailbox.email if mailbox and through_mailbox else channel.hosted_address)
    message_id = _message_id(channel, mail.key)
    if mailbox is not None and mailbox.usable:
        try:
            await _through(mailbox, channel, mail, message_id, mail_account_of)
            await _keep(command, mailbox.id, caller, begin)
            return SentTeamMail(mailbox.email)
        except (ReauthorizationNeeded, AccessNotGranted):
            await note_lost_mailbox(mailbox, begin=begin, clock=clock)
        except MailNotAccepted as never:
            raise TeamMailRefused from never
    try:
        await mailer.send(
            TeamLetter(
                message_id=message_id,
                to=mail.to.strip(),
                sender_name=channel.name,
                sender_address=channel.hosted_address,
                subject=mail.subject,
                text=mail.text,
            )
        )
    except MailRefused as never:
        raise TeamMailRefused from never
    await _keep(command, channel.id, caller, begin)
    return SentTeamMail(channel.hosted_address)


async def _keep(command: CommandKey, through: UUID, caller: Caller, begin: Begin) -> None:
    async with begin(caller.account_id) as work:
        with suppress(KeptMeanwhile):  # the same mail at the same moment, with the same message id
            await keep_result(work, command, through)
            await work.commit()


async def _through(
    mailbox: Mailbox, channel: TeamChannel, mail: TeamMail, message_id: str, mail_account_of: MailAccountOf
) -> None:
    account = mail_account_of(mailbox)
    if await account.find_sent(message_id) is not None:
        return
    paragraphs = escape(mail.text).replace("\r\n", "\n").replace("\n", "<br>\n")
    await account.send(
        OutgoingMail(
            message_id=message_id,
            sender=MailPerson(channel.name, mailbox.email),
            to=(MailPerson("", mail.to.strip()),),
            subject=mail.subject,
            text=mail.text,
            html=f"<p>{paragraphs}</p>",
        )
    )


def _message_id(channel: TeamChannel, key: str) -> str:
    domain = channel.hosted_address.rpartition("@")[2]
    return f"<team-{uuid5(channel.id, key).hex}@{domain}>"
