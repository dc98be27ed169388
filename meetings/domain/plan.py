"""What an account has subscribed to, who holds a seat, and which features that opens: one table, `GATES`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from meetings.domain.base import DomainError, Problem, Rule, refuse
from meetings.domain.identifiers import UserId

FREE_PAGES = 1
"""How many pages a person may have without MANY_PAGES (A-PL2, A-SP20)."""
PAID_PAGES = 1_000
"""How many pages an account may have with MANY_PAGES (A-PL2)."""
MOST_SEATS = 100_000


class Hub(Enum):
    """What can be subscribed to. Seats exist for SALES and SERVICE."""

    MARKETING = "MARKETING"
    SALES = "SALES"
    SERVICE = "SERVICE"
    CMS = "CMS"


class Tier(Enum):
    """How much of a hub, from least to most."""

    FREE = "FREE"
    STARTER = "STARTER"
    PROFESSIONAL = "PROFESSIONAL"
    ENTERPRISE = "ENTERPRISE"

    def covers(self, other: "Tier") -> bool:
        """Whether this is `other` or more."""
        tiers = list(Tier)
        return tiers.index(self) >= tiers.index(other)


SEAT_HUBS = (Hub.SALES, Hub.SERVICE)
_ANY_HUB = tuple(Hub)
_CONTENT_HUBS = (Hub.MARKETING, Hub.CMS)


class Feature(Enum):
    """What not every account has. Whatever is not here is for everybody, such as connecting calendars (S1, S44)."""

    EDIT_MEETING_URL = "EDIT_MEETING_URL"
    CHOOSE_DEFAULT_LINK = "CHOOSE_DEFAULT_LINK"
    CUSTOM_DOMAIN = "CUSTOM_DOMAIN"
    TEAM_PAGES = "TEAM_PAGES"
    HOST_TEAM_PAGES = "HOST_TEAM_PAGES"
    MANY_PAGES = "MANY_PAGES"
    REMOVE_BRANDING = "REMOVE_BRANDING"
    ROTATIONS = "ROTATIONS"
    SEQUENCES = "SEQUENCES"


@dataclass(frozen=True, slots=True)
class Gate:
    """What opens a feature: one of `hubs` at `tier` or above, and with `seat` also a seat of such a hub."""

    hubs: tuple[Hub, ...]
    tier: Tier
    seat: bool = False


GATES: Mapping[Feature, Gate] = {
    Feature.EDIT_MEETING_URL: Gate(SEAT_HUBS, Tier.STARTER, seat=True),  # X6: S42 and S45
    Feature.CHOOSE_DEFAULT_LINK: Gate(SEAT_HUBS, Tier.STARTER, seat=True),  # X8: S45
    Feature.CUSTOM_DOMAIN: Gate(_CONTENT_HUBS, Tier.STARTER),  # X7: S64
    Feature.TEAM_PAGES: Gate(SEAT_HUBS, Tier.STARTER),  # A-PL1
    Feature.HOST_TEAM_PAGES: Gate(SEAT_HUBS, Tier.STARTER, seat=True),  # A-SP18
    Feature.MANY_PAGES: Gate(_ANY_HUB, Tier.STARTER),  # A-PL2, A-SP20
    Feature.REMOVE_BRANDING: Gate(_ANY_HUB, Tier.STARTER),  # A-PL2, A-SP20
    Feature.ROTATIONS: Gate(SEAT_HUBS, Tier.PROFESSIONAL, seat=True),  # A-PL3
    Feature.SEQUENCES: Gate(SEAT_HUBS, Tier.PROFESSIONAL),  # A-PL4, see `PlanRules.sequences_from`
}


class PlanRequired(DomainError):
    """The account's subscriptions do not include the feature; `gate` says which would."""

    def __init__(self, feature: Feature, gate: Gate) -> None:
        self.feature = feature
        self.gate = gate
        super().__init__(f"{feature.value} needs {gate.tier.value} of {', '.join(hub.value for hub in gate.hubs)}")


class SeatRequired(DomainError):
    """The account has the feature, but this person lacks a seat of one of `hubs`.

    `path` says where they stand in the input, if it names them.
    """

    def __init__(self, feature: Feature, hubs: tuple[Hub, ...], user_id: UserId, path: tuple[str, ...] = ()) -> None:
        self.feature = feature
        self.hubs = hubs
        self.user_id = user_id
        self.path = path
        super().__init__(f"{feature.value} needs a seat of {', '.join(hub.value for hub in hubs)}")


class PageLimitReached(DomainError):
    """No more than `most` pages; `gate` says what allows more, None where nothing does."""

    def __init__(self, most: int, gate: Gate | None) -> None:
        self.most = most
        self.gate = gate
        super().__init__(f"at most {most} pages")


@dataclass(frozen=True, slots=True)
class PlanRules:
    """How gates are applied here. With `all_features`, every account has every feature and every person a seat.

    `sequences_from` is the lowest tier of Sales or Service with sequences (A-PL4).
    """

    all_features: bool = True
    sequences_from: Tier = Tier.PROFESSIONAL

    def gate(self, feature: Feature) -> Gate:
        gate = GATES[feature]
        return replace(gate, tier=self.sequences_from) if feature is Feature.SEQUENCES else gate


@dataclass(frozen=True, slots=True)
class Subscription:
    """A hub at a tier, with so many seats; None leaves their number open. Only SALES and SERVICE have seats."""

    hub: Hub
    tier: Tier
    seats: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an account has. A hub that is not subscribed to is FREE.

    `everything` opens all features for this one account. `holders` are the people with a seat of each hub; they keep
    it through a downgrade, and it opens nothing while the hub's tier is too low (A-PL5).
    """

    subscriptions: tuple[Subscription, ...] = ()
    everything: bool = False
    holders: Mapping[Hub, frozenset[UserId]] = field(default_factory=dict)

    def tier(self, hub: Hub) -> Tier:
        return next((each.tier for each in self.subscriptions if each.hub is hub), Tier.FREE)

    def seats(self, hub: Hub) -> int | None:
        """How many seats there are; None when their number is open."""
        found = next((each for each in self.subscriptions if each.hub is hub), None)
        return found.seats if found else 0

    def seats_of(self, user_id: UserId) -> tuple[Hub, ...]:
        """The hubs somebody has a seat of."""
        return tuple(hub for hub in SEAT_HUBS if user_id in self.holders.get(hub, frozenset()))

    def features(self, user_id: UserId, rules: PlanRules) -> tuple[Feature, ...]:
        """Everything that is open to somebody."""
        return tuple(feature for feature in Feature if self.allows(feature, user_id, rules))

    def check(self, feature: Feature, user_id: UserId, rules: PlanRules) -> None:
        """Whether somebody of the account may use a feature.

        Raises:
            PlanRequired: the account has none of the hubs at a sufficient tier.
            SeatRequired: it has, but the person holds a seat of none of these.
        """
        if self.unlimited(rules):
            return
        gate = rules.gate(feature)
        open_hubs = tuple(hub for hub in gate.hubs if self.tier(hub).covers(gate.tier))
        if not open_hubs:
            raise PlanRequired(feature, gate)
        if gate.seat and not set(open_hubs) & set(self.seats_of(user_id)):
            raise SeatRequired(feature, open_hubs, user_id)

    def allows(self, feature: Feature, user_id: UserId, rules: PlanRules) -> bool:
        """Whether `check` lets it pass."""
        try:
            self.check(feature, user_id, rules)
        except (PlanRequired, SeatRequired):
            return False
        return True

    def check_one_more_page(self, user_id: UserId, rules: PlanRules, *, own: int, of_account: int) -> None:
        """Whether one more page is possible for somebody who has `own`, in an account that has `of_account`.

        Raises:
            PageLimitReached: otherwise (A-SP20).
        """
        if not self.allows(Feature.MANY_PAGES, user_id, rules):
            if own >= FREE_PAGES:
                raise PageLimitReached(FREE_PAGES, rules.gate(Feature.MANY_PAGES))
        elif of_account >= PAID_PAGES and not self.unlimited(rules):
            raise PageLimitReached(PAID_PAGES, None)

    def unlimited(self, rules: PlanRules) -> bool:
        """Whether nothing is gated."""
        return rules.all_features or self.everything

    def subscribed(self, subscriptions: Iterable[Subscription], *, everything: bool = False) -> "Plan":
        """The plan with these subscriptions instead; people keep their seats (A-PL5).

        Raises:
            InvalidInput: a hub is named twice, seats of a hub that has none, or no sensible number.
        """
        wanted = tuple(subscriptions)
        hubs = [each.hub for each in wanted]
        refuse(*(_subscription_problem(each, hubs) for each in wanted))
        return replace(self, subscriptions=wanted, everything=everything)

    def with_seats(self, hub: Hub, users: Iterable[UserId], rules: PlanRules) -> "Plan":
        """The plan in which these people have a seat too; who has one keeps it.

        Raises:
            InvalidInput: the hub has no seats (any more).
        """
        now = self.holders.get(hub, frozenset())
        holders = now | frozenset(users)
        most = None if self.unlimited(rules) else self.seats(hub)
        full = most is not None and len(holders) > max(most, len(now))
        refuse(
            Problem(("hub",), Rule.NOT_ONE_OF, values={"options": _names(SEAT_HUBS)}) if hub not in SEAT_HUBS else None,
            Problem(("userIds",), Rule.TOO_MANY, values={"most": most}) if full else None,
        )
        return replace(self, holders={**self.holders, hub: holders})

    def without_seats(self, hub: Hub, users: Iterable[UserId]) -> "Plan":
        """The plan in which these people have no seat of the hub; who has none is fine."""
        left = self.holders.get(hub, frozenset()) - frozenset(users)
        others = {each: holders for each, holders in self.holders.items() if each is not hub}
        return replace(self, holders={**others, hub: left} if left else others)


def _subscription_problem(subscription: Subscription, hubs: list[Hub]) -> Problem | None:
    path = ("subscriptions", subscription.hub.value)
    if hubs.count(subscription.hub) > 1:
        return Problem(path, Rule.DUPLICATE)
    if subscription.seats is None:
        return None
    if subscription.hub not in SEAT_HUBS:
        return Problem(path, Rule.NOT_ALLOWED_HERE)
    if subscription.seats < 0:
        return Problem(path, Rule.TOO_SMALL, values={"least": 0})
    if subscription.seats > MOST_SEATS:
        return Problem(path, Rule.TOO_LARGE, values={"most": MOST_SEATS})
    return None


def _names(hubs: Iterable[Hub]) -> str:
    return ", ".join(hub.value for hub in hubs)
