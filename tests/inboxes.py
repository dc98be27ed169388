"""Anna's mailboxes at any provider: connecting them the way the provider wants it, sending, looking."""

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from meetings.application.connect_calendar import FinishedConnection, StartConnection, start_connection
from meetings.application.connect_exchange import ConnectExchange, connect_exchange
from meetings.application.manage_inbox import disconnect_inbox
from meetings.application.ports.mail_accounts import MailPerson, OutgoingMail
from meetings.application.store_connection import StoredAccount
from meetings.application.uses import disclosure_of
from meetings.domain.account_use import BOTH, AccountUse
from meetings.domain.identifiers import ConnectionId, MailboxId
from meetings.domain.mailbox import Mailbox
from meetings.domain.user import User
from tests.hosted import Hosted
from tests.world import DASHBOARD, Callback, World


async def sign_in(
    anna: Hosted,
    uses: frozenset[AccountUse] = BOTH,
    *,
    user: User | None = None,
    reconnect: ConnectionId | None = None,
    reconnect_mailbox: MailboxId | None = None,
) -> StoredAccount | FinishedConnection:
    """Connect her account for these uses, at a consent page or with the password, and let what follows happen."""
    here, tools = anna.here, anna.here.tools
    caller = here.caller_of(user or here.anna)
    version = disclosure_of(anna.offered, uses).version
    typed = anna.place.type_in()
    done: StoredAccount | FinishedConnection
    if typed is not None:
        done = await connect_exchange(
            ConnectExchange(version, typed, reconnect, uses, reconnect_mailbox),
            caller=caller,
            begin=tools.begin,
            look=tools.look,
            providers=tools.providers,
            clock=here.clock,
        )
    else:
        started = await start_connection(
            StartConnection(
                anna.provider, version, DASHBOARD, reconnect, uses=uses, reconnect_mailbox=reconnect_mailbox
            ),
            caller=caller,
            look=tools.look,
            providers=tools.providers,
            attempts=tools.sign_in_attempts,
            links=tools.links,
            clock=here.clock,
            policy=tools.policy,
        )
        state = parse_qs(urlsplit(started.authorization_url).query)["state"][0]
        code = anna.place.consent(started.authorization_url)
        done = await here.come_back(Callback(state, code, None, started.browser_secret, anna.provider))
    await here.settle_down()
    return done


async def mailboxes_of(here: World, user: User | None = None) -> list[Mailbox]:
    """A person's mailboxes, also disconnected ones."""
    person = user or here.anna
    async with here.tools.look(person.account_id) as work:
        return await work.mailboxes.of_user(person.id)


async def disconnect(here: World, mailbox: Mailbox, user: User | None = None) -> None:
    tools = here.tools
    await disconnect_inbox(
        mailbox.id,
        caller=here.caller_of(user or here.anna),
        begin=tools.begin,
        providers=tools.providers,
        clock=here.clock,
    )
    await here.settle_down()


async def send(here: World, mailbox: Mailbox, subject: str = "Hello") -> None:
    """Send a mail through it, as the product does."""
    mail = OutgoingMail(
        message_id=f"<{uuid4().hex}@meetings.test>",
        sender=MailPerson("Anna Albers", mailbox.email),
        to=(MailPerson("Bob", "bob@example.com"),),
        subject=subject,
        text="How are you?",
        html="<p>How are you?</p>",
    )
    await here.tools.mail_account_of(mailbox).send(mail)
