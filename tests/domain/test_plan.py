"""Plans, seats and gates. The matrix below is the whole of it; `pytest -s` prints it."""

from collections.abc import Iterable

import pytest

from meetings.domain.base import Rule
from meetings.domain.identifiers import UserId
from meetings.domain.plan import (
    FREE_PAGES,
    GATES,
    PAID_PAGES,
    Feature,
    Gate,
    Hub,
    PageLimitReached,
    Plan,
    PlanRequired,
    PlanRules,
    SeatRequired,
    Subscription,
    Tier,
)
from tests.builders import user_id
from tests.domain.problems import refused

GATED = PlanRules(all_features=False)
ANNA, BEN = user_id(), user_id()

MATRIX = """
feature              hub        FREE   STARTER  PROFESSIONAL  ENTERPRISE
EDIT_MEETING_URL     MARKETING  plan   plan     plan          plan
EDIT_MEETING_URL     SALES      plan   seat     seat          seat
EDIT_MEETING_URL     SERVICE    plan   seat     seat          seat
EDIT_MEETING_URL     CMS        plan   plan     plan          plan
CHOOSE_DEFAULT_LINK  MARKETING  plan   plan     plan          plan
CHOOSE_DEFAULT_LINK  SALES      plan   seat     seat          seat
CHOOSE_DEFAULT_LINK  SERVICE    plan   seat     seat          seat
CHOOSE_DEFAULT_LINK  CMS        plan   plan     plan          plan
CUSTOM_DOMAIN        MARKETING  plan   open     open          open
CUSTOM_DOMAIN        SALES      plan   plan     plan          plan
CUSTOM_DOMAIN        SERVICE    plan   plan     plan          plan
CUSTOM_DOMAIN        CMS        plan   open     open          open
TEAM_PAGES           MARKETING  plan   plan     plan          plan
TEAM_PAGES           SALES      plan   open     open          open
TEAM_PAGES           SERVICE    plan   open     open          open
TEAM_PAGES           CMS        plan   plan     plan          plan
HOST_TEAM_PAGES      MARKETING  plan   plan     plan          plan
HOST_TEAM_PAGES      SALES      plan   seat     seat          seat
HOST_TEAM_PAGES      SERVICE    plan   seat     seat          seat
HOST_TEAM_PAGES      CMS        plan   plan     plan          plan
MANY_PAGES           MARKETING  plan   open     open          open
MANY_PAGES           SALES      plan   open     open          open
MANY_PAGES           SERVICE    plan   open     open          open
MANY_PAGES           CMS        plan   open     open          open
REMOVE_BRANDING      MARKETING  plan   open     open          open
REMOVE_BRANDING      SALES      plan   open     open          open
REMOVE_BRANDING      SERVICE    plan   open     open          open
REMOVE_BRANDING      CMS        plan   open     open          open
ROTATIONS            MARKETING  plan   plan     plan          plan
ROTATIONS            SALES      plan   plan     seat          seat
ROTATIONS            SERVICE    plan   plan     seat          seat
ROTATIONS            CMS        plan   plan     plan          plan
SEQUENCES            MARKETING  plan   plan     plan          plan
SEQUENCES            SALES      plan   plan     open          open
SEQUENCES            SERVICE    plan   plan     open          open
SEQUENCES            CMS        plan   plan     plan          plan
"""
"""An account with one hub at one tier: the feature is open to everybody, to people with a seat, or needs a plan."""


def of(hub: Hub, tier: Tier, *holders: UserId, seats: int | None = None) -> Plan:
    plan = Plan().subscribed([Subscription(hub, tier, seats)])
    return plan.with_seats(hub, holders, GATED) if holders else plan


def answer(feature: Feature, hub: Hub, tier: Tier) -> str:
    """What the gate says to somebody without a seat, and whether a seat of this very hub helps."""
    try:
        of(hub, tier).check(feature, ANNA, GATED)
    except PlanRequired:
        return "plan"
    except SeatRequired:
        assert of(hub, tier, ANNA).allows(feature, ANNA, GATED)
        assert not of(hub, tier, BEN).allows(feature, ANNA, GATED)
        return "seat"
    return "open"


def lines() -> Iterable[str]:
    yield "feature              hub        FREE   STARTER  PROFESSIONAL  ENTERPRISE"
    for feature in Feature:
        for hub in Hub:
            free, starter, professional, enterprise = (answer(feature, hub, tier) for tier in Tier)
            yield f"{feature.value:<20} {hub.value:<10} {free:<6} {starter:<8} {professional:<13} {enterprise}"


def test_the_whole_matrix_of_hubs_tiers_and_seats_is_this() -> None:
    printed = "\n".join(lines())
    print(f"\n{printed}")
    assert printed == MATRIX.strip()


def test_every_feature_has_a_gate() -> None:
    assert set(GATES) == set(Feature)


def test_an_error_says_what_would_satisfy_it() -> None:
    with pytest.raises(PlanRequired) as plan:
        of(Hub.MARKETING, Tier.ENTERPRISE).check(Feature.EDIT_MEETING_URL, ANNA, GATED)
    assert plan.value.gate == Gate((Hub.SALES, Hub.SERVICE), Tier.STARTER, seat=True)
    with pytest.raises(SeatRequired) as seat:
        of(Hub.SALES, Tier.STARTER, BEN).check(Feature.EDIT_MEETING_URL, ANNA, GATED)
    assert (seat.value.hubs, seat.value.user_id) == ((Hub.SALES,), ANNA)


def test_a_seat_of_another_hub_than_the_subscribed_one_does_not_help() -> None:
    plan = of(Hub.SERVICE, Tier.STARTER, ANNA).subscribed([Subscription(Hub.SALES, Tier.ENTERPRISE)])
    with pytest.raises(SeatRequired) as needed:
        plan.check(Feature.EDIT_MEETING_URL, ANNA, GATED)
    assert needed.value.hubs == (Hub.SALES,)


def test_a_lower_tier_keeps_the_seats_and_closes_the_gates_until_it_rises_again() -> None:
    plan = of(Hub.SALES, Tier.STARTER, ANNA)
    lower = plan.subscribed([Subscription(Hub.SALES, Tier.FREE)])
    assert lower.seats_of(ANNA) == (Hub.SALES,)
    assert not lower.allows(Feature.EDIT_MEETING_URL, ANNA, GATED)
    assert lower.subscribed(plan.subscriptions).allows(Feature.EDIT_MEETING_URL, ANNA, GATED)


@pytest.mark.parametrize(("plan", "rules"), [(Plan(), PlanRules()), (Plan().subscribed([], everything=True), GATED)])
def test_everything_is_open_to_everybody_where_nothing_is_gated(plan: Plan, rules: PlanRules) -> None:
    assert plan.features(ANNA, rules) == tuple(Feature)
    plan.check_one_more_page(ANNA, rules, own=5_000, of_account=50_000)
    assert plan.with_seats(Hub.SALES, [ANNA, BEN], rules).seats_of(BEN) == (Hub.SALES,)


def test_sequences_can_be_set_to_begin_at_another_tier() -> None:
    starter = of(Hub.SALES, Tier.STARTER)
    assert not starter.allows(Feature.SEQUENCES, ANNA, GATED)
    assert starter.allows(Feature.SEQUENCES, ANNA, PlanRules(all_features=False, sequences_from=Tier.STARTER))


def test_there_are_no_more_holders_than_seats() -> None:
    plan = of(Hub.SALES, Tier.STARTER, ANNA, seats=1)
    assert plan.with_seats(Hub.SALES, [ANNA], GATED) == plan
    assert refused(lambda: plan.with_seats(Hub.SALES, [BEN], GATED)) == [("userIds", Rule.TOO_MANY)]
    assert plan.without_seats(Hub.SALES, [ANNA]).with_seats(Hub.SALES, [BEN], GATED).seats_of(BEN) == (Hub.SALES,)


def test_fewer_seats_than_holders_take_nobodys_seat_but_allow_no_further_one() -> None:
    fewer = of(Hub.SALES, Tier.STARTER, ANNA, BEN).subscribed([Subscription(Hub.SALES, Tier.STARTER, 1)])
    assert fewer.seats_of(ANNA) == fewer.seats_of(BEN) == (Hub.SALES,)
    assert refused(lambda: fewer.with_seats(Hub.SALES, [user_id()], GATED)) == [("userIds", Rule.TOO_MANY)]


def test_only_sales_and_service_have_seats() -> None:
    assert refused(lambda: of(Hub.CMS, Tier.ENTERPRISE, ANNA)) == [("hub", Rule.NOT_ONE_OF)]
    assert refused(lambda: of(Hub.CMS, Tier.STARTER, seats=3)) == [("subscriptions.CMS", Rule.NOT_ALLOWED_HERE)]


def test_a_subscription_that_makes_no_sense_is_refused() -> None:
    twice = [Subscription(Hub.SALES, Tier.STARTER), Subscription(Hub.SALES, Tier.FREE)]
    assert refused(lambda: Plan().subscribed(twice)) == [("subscriptions.SALES", Rule.DUPLICATE)] * 2
    assert refused(lambda: of(Hub.SALES, Tier.STARTER, seats=-1)) == [("subscriptions.SALES", Rule.TOO_SMALL)]
    assert refused(lambda: of(Hub.SALES, Tier.STARTER, seats=10**6)) == [("subscriptions.SALES", Rule.TOO_LARGE)]


def test_one_page_is_free_and_a_thousand_are_paid_for() -> None:
    Plan().check_one_more_page(ANNA, GATED, own=0, of_account=7)
    with pytest.raises(PageLimitReached) as free:
        Plan().check_one_more_page(ANNA, GATED, own=FREE_PAGES, of_account=FREE_PAGES)
    assert (free.value.most, free.value.gate) == (1, GATES[Feature.MANY_PAGES])
    paid = of(Hub.MARKETING, Tier.STARTER)
    paid.check_one_more_page(ANNA, GATED, own=999, of_account=999)
    with pytest.raises(PageLimitReached) as full:
        paid.check_one_more_page(ANNA, GATED, own=0, of_account=PAID_PAGES)
    assert (full.value.most, full.value.gate) == (1_000, None)
