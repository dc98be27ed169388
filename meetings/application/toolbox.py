"""Everything of the outside that reactions work with, handed to the worker in one piece."""

from collections.abc import Callable
from dataclasses import dataclass

from meetings.application.links import Links
from meetings.application.policy import Policy
from meetings.application.ports.calendars import CalendarsOf, ListenerOf, Providers, PushOf
from meetings.application.ports.captcha import Captcha
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.crm_connections import CrmSignIn, TryCrm
from meetings.application.ports.crm_trips import CrmTrips
from meetings.application.ports.dns import TextRecords
from meetings.application.ports.email_reads import EmailReads
from meetings.application.ports.emails import MailSchedule
from meetings.application.ports.fan_out import FanOut
from meetings.application.ports.identities import Identities, Passwords
from meetings.application.ports.mail import Mailer
from meetings.application.ports.mail_accounts import InboxOffers, MailAccountOf
from meetings.application.ports.outbox import Outbox
from meetings.application.ports.page_signs import DatabasePulse, ReadPageSigns
from meetings.application.ports.reads import Reads
from meetings.application.ports.sequence_reads import SequenceReads
from meetings.application.ports.sign_in_attempts import SignInAttempts
from meetings.application.ports.sync_schedule import SyncSchedule
from meetings.application.ports.unit_of_work import Begin
from meetings.application.signed_tokens import SignedTokens


@dataclass(frozen=True, kw_only=True)
class Toolbox:
    """One process' connections to the outside. `begin_as` makes a `Begin` for somebody, named in the journal."""

    begin_as: Callable[[str], Begin]
    look: Begin
    reads: Reads
    page_signs: ReadPageSigns
    pulse: DatabasePulse
    outbox: Outbox
    schedule: SyncSchedule
    mail_schedule: MailSchedule
    email_reads: EmailReads
    sequence_reads: SequenceReads
    identities: Identities
    sign_in_attempts: SignInAttempts
    passwords: Passwords
    providers: Providers
    calendars_of: CalendarsOf
    push_of: PushOf
    listener_of: ListenerOf
    crm_of: CrmOf
    try_crm: TryCrm
    crm_sign_in: CrmSignIn | None
    crm_trips: CrmTrips
    inbox_offers: InboxOffers
    mail_account_of: MailAccountOf
    team_mail_domain: str
    mailer: Mailer
    fan_out: FanOut
    links: Links
    dns: TextRecords
    visitor_tokens: SignedTokens
    captcha: Captcha | None
    clock: Clock
    policy: Policy

    @property
    def begin(self) -> Begin:
        """Units of work of the product itself."""
        return self.begin_as("system")
