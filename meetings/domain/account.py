"""The organisation everything belongs to, and what its admins set for all of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from meetings.domain.base import Aggregate, DomainEvent, NotFound, Problem, Rule, refuse
from meetings.domain.blocked_addresses import block_list_problems
from meetings.domain.identifiers import UserId
from meetings.domain.mail_domain import mail_domain
from meetings.domain.plan import Hub, Plan, PlanRules, Subscription
from meetings.domain.reply_logging import EmailLogging, LoggingRule

MOST_PRESETS = 200


class MailServerKind(Enum):
    """How the mailboxes of a domain are reached. Each kind has settings of its own; a domain has those of one kind."""

    EXCHANGE = "EXCHANGE"
    IMAP = "IMAP"


@dataclass(frozen=True, slots=True)
class MailPreset:
    """The server that people with addresses in `domain` need not type in (A-EX3).

    `domain` is in the form of `mail_domain`; `address` is a URL for EXCHANGE.
    """

    domain: str
    kind: MailServerKind
    address: str


@dataclass(frozen=True, kw_only=True)
class MailServerPreset(DomainEvent):
    """An admin preset the server of a domain."""

    domain: str
    kind: MailServerKind


@dataclass(frozen=True, kw_only=True)
class MailServerPresetRemoved(DomainEvent):
    """A domain has no preset server any more."""

    domain: str
    kind: MailServerKind


@dataclass(frozen=True, kw_only=True)
class ExchangeFullSyncSwitched(DomainEvent):
    """An admin decided whether the limits of Exchange hold."""

    on: bool


@dataclass(frozen=True, kw_only=True)
class EmailLoggingChanged(DomainEvent):
    """An admin decided which mails of connected mailboxes are logged; `never` counts the exceptions."""

    rule: LoggingRule
    never: int


@dataclass(frozen=True, kw_only=True)
class AuditLogRead(DomainEvent):
    """An owner looked at what happened."""


@dataclass(frozen=True, kw_only=True)
class InternalDomainsChosen(DomainEvent):
    """An admin said which mail domains are the organisation's own."""

    domains: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlanChanged(DomainEvent):
    """The account subscribes to something else now: `HUB TIER SEATS` for each, seats left out where they are open."""

    subscriptions: tuple[str, ...]
    everything: bool


@dataclass(frozen=True, kw_only=True)
class SeatsAssigned(DomainEvent):
    """People got seats of a hub."""

    hub: Hub
    users: tuple[UserId, ...]


@dataclass(frozen=True, kw_only=True)
class SeatsRevoked(DomainEvent):
    """People have no seat of a hub any more."""

    hub: Hub
    users: tuple[UserId, ...]


@dataclass(kw_only=True, eq=False)
class Account(Aggregate):
    """An organisation. Its `id` and `account_id` are the same; nothing of it is visible to another.

    `mail_presets` holds each domain at most once, in the order they were set. `exchange_full_sync` lifts limits of
    Exchange: see `calendar_connection.FULL_SYNC`. `owners_revision` counts changes of who is an active owner, so that
    of two such changes at the same time one sees the other. `internal_domains` are mail domains of the organisation
    beside those of its people, sorted, in the form of `mail_domain`: who has an address there is a colleague and no
    contact, when calendars are looked through (A-CR1).
    """

    name: str
    created_at: datetime
    exchange_full_sync: bool = False
    mail_presets: tuple[MailPreset, ...] = ()
    plan: Plan = Plan()
    owners_revision: int = 0
    email_logging: EmailLogging = EmailLogging()
    internal_domains: tuple[str, ...] = ()

    def subscribe(self, subscriptions: Iterable[Subscription], *, everything: bool, now: datetime) -> None:
        """Have these subscriptions instead of the present ones. Nothing that is there is taken down (A-PL5).

        Raises:
            InvalidInput: see `Plan.subscribed`.
        """
        plan = self.plan.subscribed(subscriptions, everything=everything)
        if plan != self.plan:
            self.plan = plan
            told = tuple(_told(each) for each in plan.subscriptions)
            self.record(PlanChanged(at=now, subscriptions=told, everything=everything))

    def assign_seats(self, hub: Hub, users: Collection[UserId], rules: PlanRules, *, now: datetime) -> None:
        """Give people seats of a hub; who has one keeps it.

        Raises:
            InvalidInput: the hub has no seats (any more).
        """
        new = tuple(sorted(set(users) - self.plan.holders.get(hub, frozenset())))
        self.plan = self.plan.with_seats(hub, users, rules)
        if new:
            self.record(SeatsAssigned(at=now, hub=hub, users=new))

    def revoke_seats(self, hub: Hub, users: Collection[UserId], *, now: datetime) -> None:
        """Take people's seats of a hub away; who has none is fine. What they set up stays (A-PL5)."""
        gone = tuple(sorted(set(users) & self.plan.holders.get(hub, frozenset())))
        if gone:
            self.plan = self.plan.without_seats(hub, gone)
            self.record(SeatsRevoked(at=now, hub=hub, users=gone))

    def preset_mail_server(self, preset: MailPreset, *, now: datetime) -> None:
        """Set a domain's server, or another one of the same kind. The same again changes nothing.

        Raises:
            InvalidInput: the domain has settings of the other kind (A-EX3), or there are too many domains.
        """
        known = self.mail_preset(preset.domain)
        if known == preset:
            return
        others = tuple(each for each in self.mail_presets if each is not known)
        refuse(
            Problem(("domain",), Rule.OTHER_MAIL_SETTINGS) if known and known.kind is not preset.kind else None,
            Problem(("domain",), Rule.TOO_MANY, values={"most": MOST_PRESETS}) if len(others) >= MOST_PRESETS else None,
        )
        self.mail_presets = (*others, preset)
        self.record(MailServerPreset(at=now, domain=preset.domain, kind=preset.kind))

    def remove_mail_preset(self, domain: str, kind: MailServerKind, *, now: datetime) -> None:
        """Have people of a domain type their server in again.

        Raises:
            NotFound: the domain has no preset of this kind.
        """
        known = self.mail_preset(domain)
        if known is None or known.kind is not kind:
            raise NotFound("preset", ("domain",))
        self.mail_presets = tuple(each for each in self.mail_presets if each is not known)
        self.record(MailServerPresetRemoved(at=now, domain=domain, kind=kind))

    def mail_preset(self, domain: str) -> MailPreset | None:
        """What is preset for a domain (in the form of `mail_domain`)."""
        return next((preset for preset in self.mail_presets if preset.domain == domain), None)

    def switch_exchange_full_sync(self, *, on: bool, now: datetime) -> None:
        """Decide whether the limits of Exchange hold. The same again changes nothing."""
        if on != self.exchange_full_sync:
            self.exchange_full_sync = on
            self.record(ExchangeFullSyncSwitched(at=now, on=on))

    def log_emails(self, logging: EmailLogging, *, now: datetime) -> None:
        """Decide which mails are logged from here on; what was logged stays. The same again changes nothing."""
        if logging != self.email_logging:
            self.email_logging = logging
            self.record(EmailLoggingChanged(at=now, rule=logging.rule, never=len(logging.never_log)))

    def choose_internal_domains(self, domains: Sequence[str], *, now: datetime) -> None:
        """Have exactly these as the organisation's own, in any spelling. The same again changes nothing.

        Raises:
            InvalidInput: too many, or one that is no domain.
        """
        refuse(*block_list_problems(domains, "domains"))
        chosen = tuple(sorted({known for domain in domains if (known := mail_domain(domain))}))
        if chosen != self.internal_domains:
            self.internal_domains = chosen
            self.record(InternalDomainsChosen(at=now, domains=chosen))


def _told(subscription: Subscription) -> str:
    seats = "" if subscription.seats is None else f" {subscription.seats}"
    return f"{subscription.hub.value} {subscription.tier.value}{seats}"
