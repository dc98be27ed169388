from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from meetings.domain.base import DomainError, ProblemCode, Rule
from meetings.domain.calendar_connection import (
    CalendarAccess,
    CalendarAccessLost,
    CalendarAccessRegained,
    CalendarConnected,
    CalendarConnection,
    CalendarDisconnected,
    CalendarHealth,
    CalendarSelectionChanged,
    CalendarsListed,
    Capability,
    CapabilityUnsupported,
    ConnectedCalendar,
    ConnectionAction,
    ConnectionStatus,
    Consent,
    Grant,
    GrantLost,
    ListedCalendar,
    MailServer,
    Provider,
    lifted_limits,
)
from meetings.domain.identifiers import CalendarId
from tests.builders import (
    NOW,
    a_calendar,
    a_connection,
    a_listed_calendar,
    account_id,
    calendar_id,
    connection_id,
    user_id,
)
from tests.domain.problems import refused

CONSENT = Consent("google-2026-11", NOW)
PRIMARY = a_listed_calendar("anna@example.com", name="Anna", primary=True)
TEAM = a_listed_calendar("team@example.com", name="Team", access=CalendarAccess.WRITER)
HOLIDAYS = a_listed_calendar("holidays@example.com", name="Holidays", access=CalendarAccess.READER)
COLLEAGUE = a_listed_calendar("bert@example.com", name="Bert", access=CalendarAccess.FREE_BUSY)
ALL = (PRIMARY, TEAM, HOLIDAYS, COLLEAGUE)
NOT_ELIGIBLE = ProblemCode.CALENDAR_NOT_ELIGIBLE


def connected(*listed: ListedCalendar) -> CalendarConnection:
    """A connection to an account with these calendars, by default all kinds; no events waiting."""
    connection = CalendarConnection.connect(
        connection_id(),
        account_id=account_id(),
        user_id=user_id(),
        provider=Provider.GOOGLE,
        account_email="anna@example.com",
        consent=CONSENT,
        listed=listed or ALL,
        now=NOW,
    )
    connection.pull_events()
    return connection


def reconnect(
    connection: CalendarConnection,
    *listed: ListedCalendar,
    email: str = "anna@example.com",
    provider: Provider = Provider.GOOGLE,
    **more: Any,
) -> bool:
    given = {"consent": CONSENT, "listed": listed or ALL, "now": NOW, **more}
    return connection.reconnect(provider=provider, account_email=email, **given)


def the(connection: CalendarConnection, listed: ListedCalendar) -> ConnectedCalendar:
    return next(each for each in connection.calendars if each.external_id == listed.external_id)


def ids(connection: CalendarConnection, *listed: ListedCalendar) -> list[CalendarId]:
    return [the(connection, each).id for each in listed]


def names(calendars: list[ConnectedCalendar]) -> list[str]:
    return [calendar.name for calendar in calendars]


def events(connection: CalendarConnection) -> list[type]:
    return [type(event) for event in connection.pull_events()]


def select(connection: CalendarConnection, *listed: ListedCalendar) -> None:
    connection.select(ids(connection, *listed), now=NOW)
    connection.pull_events()


# ---- connecting ---------------------------------------------------------------------------------------------------


def test_a_new_connection_has_its_consent_and_lets_the_primary_calendar_block_and_receive_bookings() -> None:
    connection = CalendarConnection.connect(
        connection_id(),
        account_id=account_id(),
        user_id=user_id(),
        provider=Provider.GOOGLE,
        account_email="anna@example.com",
        consent=CONSENT,
        listed=(TEAM, PRIMARY, HOLIDAYS),
        now=NOW,
    )
    assert (connection.consent, connection.connected_at, connection.usable) == (CONSENT, NOW, True)
    assert connection.default_calendar == the(connection, PRIMARY)
    assert connection.selected_calendars == [the(connection, PRIMARY)]
    assert connection.pull_events() == (
        CalendarConnected(at=NOW, connection_id=connection.id, user_id=connection.user_id),
    )


def test_a_calendar_keeps_what_its_provider_says_of_it() -> None:
    listed = replace(TEAM, color="#112233", time_zone="Europe/Berlin", primary=True)
    (calendar,) = connected(listed).calendars
    assert (calendar.external_id, calendar.name, calendar.access) == (listed.external_id, listed.name, listed.access)
    assert (calendar.primary, calendar.color, calendar.time_zone) == (True, "#112233", "Europe/Berlin")
    assert (calendar.listed, calendar.health) == (True, CalendarHealth.UNREAD)


@pytest.mark.parametrize(
    ("listed", "default"),
    [
        ((replace(PRIMARY, access=CalendarAccess.READER), TEAM), "Team"),
        ((HOLIDAYS, replace(TEAM, primary=False)), "Team"),
    ],
)
def test_without_a_primary_calendar_that_can_be_written_the_first_that_can_receives_bookings(
    listed: tuple[ListedCalendar, ...], default: str
) -> None:
    connection = connected(*listed)
    assert connection.default_calendar
    assert connection.default_calendar.name == default


@pytest.mark.parametrize(
    ("access", "can_write", "can_block"),
    [
        (CalendarAccess.OWNER, True, True),
        (CalendarAccess.WRITER, True, True),
        (CalendarAccess.READER, False, True),
        (CalendarAccess.FREE_BUSY, False, False),
    ],
)
def test_what_one_may_do_with_a_calendar_decides_what_it_is_good_for(
    access: CalendarAccess, can_write: bool, can_block: bool
) -> None:
    calendar = a_calendar(access=access)
    assert (access.can_write, calendar.eligible) == (can_write, can_block)
    assert not a_calendar(access=access, listed=False).eligible


# ---- connecting again (B-CC1) -------------------------------------------------------------------------------------


def test_signing_in_again_with_the_same_address_keeps_ids_selection_and_default_calendar() -> None:
    connection = connected()
    select(connection, PRIMARY, HOLIDAYS, TEAM)
    connection.choose_default(the(connection, TEAM).id, now=NOW)
    connection.mark_readable(the(connection, TEAM).id, now=NOW)
    before = {calendar.external_id: calendar for calendar in connection.calendars}
    connection.disconnect(now=NOW)
    connection.pull_events()
    newer = Consent("google-2027-01", NOW)
    assert reconnect(connection, email="ANNA@Example.com", consent=newer)
    assert {calendar.external_id: calendar for calendar in connection.calendars} == before
    assert connection.default_calendar == the(connection, TEAM)
    assert (connection.grant, connection.consent) == (Grant.HELD, newer)
    assert events(connection) == [CalendarConnected]


def test_signing_in_with_another_address_starts_over_with_its_primary_calendar() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    other = a_listed_calendar("berta@example.com", name="Berta", primary=True)
    assert not reconnect(connection, other, TEAM, email="berta@example.com")
    assert (connection.account_email, names(connection.calendars)) == ("berta@example.com", ["Berta", "Team"])
    assert connection.selected_calendars == [connection.default_calendar] == [the(connection, other)]


def test_signing_in_again_keeps_a_selected_calendar_that_is_gone_so_that_its_loss_is_seen() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    assert reconnect(connection, PRIMARY, HOLIDAYS)
    assert names(connection.selected_calendars) == ["Anna", "Team"]
    assert not the(connection, TEAM).listed


# ---- losing the grant, giving it back -----------------------------------------------------------------------------


def test_a_lost_grant_is_news_once() -> None:
    connection = connected()
    connection.lose_grant(now=NOW)
    connection.lose_grant(now=NOW)
    assert (connection.usable, events(connection)) == (False, [GrantLost])


def test_disconnecting_twice_succeeds_and_is_news_once() -> None:
    connection = connected()
    connection.disconnect(now=NOW)
    connection.disconnect(now=NOW)
    assert (connection.usable, events(connection)) == (False, [CalendarDisconnected])


def test_a_grant_that_was_lost_can_be_given_back_but_one_given_back_is_not_lost() -> None:
    lost = connected()
    lost.lose_grant(now=NOW)
    lost.disconnect(now=NOW)
    assert (lost.grant, events(lost)) == (Grant.RETURNED, [GrantLost, CalendarDisconnected])
    lost.lose_grant(now=NOW)
    assert (lost.grant, events(lost)) == (Grant.RETURNED, [])


def test_disconnecting_keeps_the_calendars_for_the_day_of_signing_in_again() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    connection.disconnect(now=NOW)
    assert names(connection.selected_calendars) == ["Anna", "Team"]


# ---- the provider's list (S58, A-CS1) -----------------------------------------------------------------------------


def test_a_calendar_made_at_the_provider_appears_with_the_next_list() -> None:
    connection = connected(PRIMARY)
    connection.take_list((PRIMARY, TEAM), now=NOW)
    assert names(connection.calendars) == ["Anna", "Team"]
    assert not the(connection, TEAM).selected
    assert events(connection) == [CalendarsListed]


def test_the_same_list_again_is_no_news() -> None:
    connection = connected()
    connection.take_list(ALL, now=NOW)
    assert events(connection) == []


def test_a_renamed_calendar_stays_the_same_one() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    before = the(connection, TEAM)
    connection.take_list((PRIMARY, replace(TEAM, name="Crew", access=CalendarAccess.READER)), now=NOW)
    assert the(connection, TEAM) == replace(before, name="Crew", access=CalendarAccess.READER)


def test_a_calendar_that_is_listed_no_more_goes_unless_it_is_selected() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    connection.take_list((PRIMARY,), now=NOW)
    assert [(calendar.name, calendar.listed) for calendar in connection.calendars] == [("Anna", True), ("Team", False)]
    connection.take_list(ALL, now=NOW)
    assert the(connection, TEAM).listed


# ---- choosing what blocks time (S44, S52 to S57) ------------------------------------------------------------------


def test_further_calendars_are_joined_to_the_default_one() -> None:
    connection = connected()
    connection.select(ids(connection, PRIMARY, TEAM, HOLIDAYS), now=NOW)
    assert names(connection.selected_calendars) == ["Anna", "Team", "Holidays"]
    assert events(connection) == [CalendarSelectionChanged]


def test_a_calendar_is_removed_by_leaving_it_out() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM, HOLIDAYS)
    connection.select(ids(connection, PRIMARY, HOLIDAYS), now=NOW)
    assert names(connection.selected_calendars) == ["Anna", "Holidays"]


def test_the_same_choice_in_another_order_is_no_news() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    connection.select(ids(connection, TEAM, PRIMARY, TEAM), now=NOW)
    assert (names(connection.selected_calendars), events(connection)) == (["Anna", "Team"], [])


@pytest.mark.parametrize(
    ("choose", "problems"),
    [
        (lambda c: ids(c, TEAM), [("calendarIds", Rule.DEFAULT_CALENDAR_MUST_BLOCK)]),
        (lambda c: [], [("calendarIds", Rule.DEFAULT_CALENDAR_MUST_BLOCK)]),
        (lambda c: [*ids(c, PRIMARY), calendar_id()], [("calendarIds.1", Rule.UNKNOWN, NOT_ELIGIBLE)]),
        (lambda c: ids(c, PRIMARY, COLLEAGUE), [("calendarIds.1", Rule.UNKNOWN, NOT_ELIGIBLE)]),
        (
            lambda c: [calendar_id(), *ids(c, TEAM, COLLEAGUE)],
            [
                ("calendarIds.0", Rule.UNKNOWN, NOT_ELIGIBLE),
                ("calendarIds.2", Rule.UNKNOWN, NOT_ELIGIBLE),
                ("calendarIds", Rule.DEFAULT_CALENDAR_MUST_BLOCK),
            ],
        ),
    ],
    ids=["without the default", "nothing", "unknown", "only free or busy is seen", "several at once"],
)
def test_a_bad_choice_is_refused_whole_with_everything_wrong_in_it(
    choose: Callable[[CalendarConnection], list[CalendarId]], problems: list[object]
) -> None:
    connection = connected()
    select(connection, PRIMARY, HOLIDAYS)
    assert refused(lambda: connection.select(choose(connection), now=NOW)) == problems
    assert (names(connection.selected_calendars), events(connection)) == (["Anna", "Holidays"], [])


def test_a_selected_calendar_that_cannot_be_read_any_more_may_stay_chosen() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    connection.take_list((PRIMARY, HOLIDAYS, replace(TEAM, access=CalendarAccess.FREE_BUSY)), now=NOW)
    connection.select(ids(connection, PRIMARY, TEAM, HOLIDAYS), now=NOW)
    assert names(connection.selected_calendars) == ["Anna", "Holidays", "Team"]


# ---- where bookings are written (S59, B-CS1) ----------------------------------------------------------------------


def test_another_calendar_that_can_be_written_may_receive_bookings_and_blocks_from_then_on() -> None:
    connection = connected()
    connection.choose_default(the(connection, TEAM).id, now=NOW)
    assert connection.default_calendar == the(connection, TEAM)
    assert names(connection.selected_calendars) == ["Anna", "Team"]
    assert events(connection) == [CalendarSelectionChanged]
    connection.choose_default(the(connection, TEAM).id, now=NOW)
    assert events(connection) == []


def test_the_former_default_calendar_can_be_removed_afterwards() -> None:
    connection = connected()
    connection.choose_default(the(connection, TEAM).id, now=NOW)
    select(connection, TEAM)
    assert names(connection.selected_calendars) == ["Team"]


@pytest.mark.parametrize(
    ("listed", "rule"), [(HOLIDAYS, Rule.NOT_WRITABLE), (COLLEAGUE, Rule.UNKNOWN)], ids=["read only", "free or busy"]
)
def test_bookings_go_only_where_they_can_be_written(listed: ListedCalendar, rule: Rule) -> None:
    connection = connected()
    wrong = the(connection, listed).id
    assert refused(lambda: connection.choose_default(wrong, now=NOW)) == [("calendarId", rule, NOT_ELIGIBLE)]
    assert (connection.default_calendar, events(connection)) == (the(connection, PRIMARY), [])


def test_bookings_do_not_go_into_a_calendar_that_is_unknown_or_not_listed_any_more() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    connection.take_list((PRIMARY,), now=NOW)
    for gone in (calendar_id(), the(connection, TEAM).id):
        assert refused(partial(connection.choose_default, gone, now=NOW)) == [
            ("calendarId", Rule.UNKNOWN, NOT_ELIGIBLE)
        ]


# ---- losing and regaining one calendar (S60 to S63) ---------------------------------------------------------------


def readable(connection: CalendarConnection) -> CalendarConnection:
    for calendar in connection.selected_calendars:
        connection.mark_readable(calendar.id, now=NOW)
    connection.pull_events()
    return connection


def with_team_lost() -> CalendarConnection:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    readable(connection).mark_lost(the(connection, TEAM).id, now=NOW)
    return connection


def test_losing_one_selected_calendar_is_news_once_and_it_stays_listed() -> None:
    connection = with_team_lost()
    team = the(connection, TEAM)
    connection.mark_lost(team.id, now=NOW)
    assert connection.lost_calendars == [team]
    assert team in connection.calendars
    assert connection.pull_events() == (
        CalendarAccessLost(at=NOW, connection_id=connection.id, user_id=connection.user_id, calendar_id=team.id),
    )


def test_access_that_comes_back_heals_without_any_change_of_settings() -> None:
    connection = with_team_lost()
    connection.pull_events()
    connection.mark_readable(the(connection, TEAM).id, now=NOW)
    connection.mark_readable(the(connection, TEAM).id, now=NOW)
    assert (connection.lost_calendars, connection.status) == ([], ConnectionStatus.ACTIVE)
    assert events(connection) == [CalendarAccessRegained]


def test_removing_the_lost_calendar_heals_at_once() -> None:
    connection = with_team_lost()
    select(connection, PRIMARY)
    assert (connection.lost_calendars, connection.status) == ([], ConnectionStatus.ACTIVE)


def test_a_lost_calendar_that_was_removed_is_read_anew_when_it_is_chosen_again() -> None:
    connection = with_team_lost()
    select(connection, PRIMARY)
    select(connection, PRIMARY, TEAM)
    assert the(connection, TEAM).health is CalendarHealth.UNREAD
    assert (connection.lost_calendars, connection.status) == ([], ConnectionStatus.SYNCING)


def test_a_lost_default_calendar_is_healed_by_choosing_another_first() -> None:
    connection = readable(connected())
    connection.mark_lost(the(connection, PRIMARY).id, now=NOW)
    assert refused(lambda: connection.select(ids(connection, TEAM), now=NOW)) == [
        ("calendarIds", Rule.DEFAULT_CALENDAR_MUST_BLOCK)
    ]
    connection.choose_default(the(connection, TEAM).id, now=NOW)
    select(connection, TEAM)
    assert connection.lost_calendars == []


def test_a_calendar_nobody_chose_does_not_block_when_it_is_lost() -> None:
    connection = readable(connected())
    connection.mark_lost(the(connection, HOLIDAYS).id, now=NOW)
    assert (connection.lost_calendars, connection.status) == ([], ConnectionStatus.ACTIVE)


def test_a_calendar_of_another_account_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        connected().mark_lost(calendar_id(), now=NOW)


# ---- how it is doing (A-CS5) --------------------------------------------------------------------------------------

UNREAD, READABLE, LOST = CalendarHealth.UNREAD, CalendarHealth.READABLE, CalendarHealth.LOST


@pytest.mark.parametrize(
    ("grant", "healths", "status", "action"),
    [
        (Grant.HELD, [READABLE], ConnectionStatus.ACTIVE, None),
        (Grant.HELD, [READABLE, UNREAD], ConnectionStatus.SYNCING, None),
        (Grant.HELD, [UNREAD, LOST], ConnectionStatus.DEGRADED, ConnectionAction.GRANT_ACCESS),
        (Grant.HELD, [READABLE, LOST], ConnectionStatus.DEGRADED, ConnectionAction.GRANT_ACCESS),
        (Grant.LOST, [READABLE, LOST], ConnectionStatus.REAUTH_REQUIRED, ConnectionAction.SIGN_IN_AGAIN),
        (Grant.RETURNED, [LOST, UNREAD], ConnectionStatus.DISCONNECTED, ConnectionAction.SIGN_IN_AGAIN),
    ],
)
def test_the_status_follows_from_the_grant_and_the_calendars(
    grant: Grant, healths: list[CalendarHealth], status: ConnectionStatus, action: ConnectionAction | None
) -> None:
    connection = a_connection(grant=grant, calendars=[a_calendar(health=health) for health in healths])
    assert (connection.status, connection.needs_action) == (status, action)


# ---- what a provider can do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("capability", Capability)
def test_asking_for_what_a_provider_cannot_do_names_both(provider: Provider, capability: Capability) -> None:
    connection = a_connection(provider=provider)
    if connection.can(capability):
        connection.require(capability)
        return
    with pytest.raises(CapabilityUnsupported) as refusal:
        connection.require(capability)
    assert (refusal.value.provider, refusal.value.capability) == (provider, capability)


EVERYTHING = set(Capability)

CAN_DO: dict[tuple[Provider, bool], set[Capability]] = {
    # provider, whether the account lifted the limits of Exchange
    (Provider.GOOGLE, False): EVERYTHING,
    (Provider.GOOGLE, True): EVERYTHING,
    (Provider.OFFICE365, False): EVERYTHING,
    (Provider.OFFICE365, True): EVERYTHING,
    (Provider.EXCHANGE, False): set(),  # S94 to S98
    (Provider.EXCHANGE, True): EVERYTHING,  # B-EX1 to B-EX3
}


@pytest.mark.parametrize(("provider", "full_sync"), CAN_DO)
def test_what_calendars_can_do_follows_from_the_provider_and_the_accounts_switch(
    provider: Provider, full_sync: bool
) -> None:
    connection = a_connection(provider=provider, lifted=lifted_limits(provider, exchange_full_sync=full_sync))
    assert {each for each in Capability if connection.can(each)} == CAN_DO[provider, full_sync]


def test_the_table_leaves_no_provider_out() -> None:
    assert set(CAN_DO) == {(provider, full_sync) for provider in Provider for full_sync in (False, True)}


@pytest.mark.parametrize(
    ("provider", "action"),
    [
        (Provider.GOOGLE, ConnectionAction.SIGN_IN_AGAIN),
        (Provider.OFFICE365, ConnectionAction.SIGN_IN_AGAIN),
        (Provider.EXCHANGE, ConnectionAction.UPDATE_PASSWORD),
    ],
)
@pytest.mark.parametrize("grant", [Grant.LOST, Grant.RETURNED])
def test_what_mends_a_lost_grant_depends_on_how_people_connect(
    provider: Provider, action: ConnectionAction, grant: Grant
) -> None:
    assert a_connection(provider=provider, grant=grant).needs_action is action


# ---- a server of one's own ----------------------------------------------------------------------------------------

SERVER = MailServer("https://mail.example.com/EWS/Exchange.asmx", "Exchange 2016 (15.1.2507.0)")


def test_a_connection_keeps_the_server_it_was_made_with_and_takes_a_newer_one() -> None:
    connection = a_connection(provider=Provider.EXCHANGE, server=SERVER)
    newer = replace(SERVER, version="Exchange 2019 (15.2.1544.4)")
    assert reconnect(connection, provider=Provider.EXCHANGE, server=newer)
    assert connection.server == newer


def test_the_same_address_at_another_provider_starts_over() -> None:
    connection = connected()
    select(connection, PRIMARY, TEAM)
    before = connection.id
    assert not reconnect(connection, PRIMARY, provider=Provider.EXCHANGE, server=SERVER)
    assert (connection.id, connection.provider, connection.server) == (before, Provider.EXCHANGE, SERVER)
    assert names(connection.selected_calendars) == ["Anna"]
    assert not reconnect(connection, provider=Provider.GOOGLE)
    assert connection.server is None


# ---- through any history ------------------------------------------------------------------------------------------

EXTERNAL = ["anna@example.com", "team@example.com", "holidays@example.com"]
some_listed = st.lists(
    st.builds(a_listed_calendar, st.sampled_from(EXTERNAL), access=st.sampled_from(CalendarAccess)),
    unique_by=lambda listed: listed.external_id,
).map(lambda listed: (*listed, a_listed_calendar("own@example.com", primary=True)))


class ConnectionMachine(RuleBasedStateMachine):
    """What always holds of a connection (behaviour: section 17), whatever host and provider do."""

    @initialize(listed=some_listed)
    def begin(self, listed: tuple[ListedCalendar, ...]) -> None:
        self.connection = connected(*listed)

    @rule(listed=some_listed)
    def the_list_changes(self, listed: tuple[ListedCalendar, ...]) -> None:
        self.connection.take_list(listed, now=NOW)

    @rule(listed=some_listed, email=st.sampled_from(["anna@example.com", "berta@example.com"]))
    def the_host_signs_in_again(self, listed: tuple[ListedCalendar, ...], email: str) -> None:
        reconnect(self.connection, *listed, email=email)

    @rule(chosen=st.sets(st.integers(0, 5)))
    def the_host_selects(self, chosen: set[int]) -> None:
        calendars = self.connection.calendars
        wish = [calendar.id for number, calendar in enumerate(calendars) if number in chosen]
        eligible = {calendar.id for calendar in calendars if calendar.eligible or calendar.selected}
        good = self.connection.default_calendar_id in wish and set(wish) <= eligible
        self.attempt(lambda: self.connection.select(wish, now=NOW), good)
        if good:
            assert {calendar.id for calendar in self.connection.selected_calendars} == set(wish)

    @rule(number=st.integers(0, 5))
    def the_host_chooses_where_bookings_go(self, number: int) -> None:
        calendar = self.connection.calendars[number % len(self.connection.calendars)]
        good = calendar.eligible and calendar.access.can_write
        self.attempt(lambda: self.connection.choose_default(calendar.id, now=NOW), good)

    @rule(number=st.integers(0, 5), lost=st.booleans())
    def a_calendar_is_read(self, number: int, lost: bool) -> None:
        calendar = self.connection.calendars[number % len(self.connection.calendars)]
        (self.connection.mark_lost if lost else self.connection.mark_readable)(calendar.id, now=NOW)
        assert (self.connection.calendar(calendar.id) in self.connection.lost_calendars) == (lost and calendar.selected)

    @rule(given_back=st.booleans())
    def the_grant_ends(self, given_back: bool) -> None:
        (self.connection.disconnect if given_back else self.connection.lose_grant)(now=NOW)

    def attempt(self, action: Callable[[], object], good: bool) -> None:
        before = self.seen()
        try:
            action()
            assert good
        except DomainError:
            assert not good
            assert self.seen() == before

    def seen(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self.connection).items() if name != "_events"}

    @invariant()
    def exactly_one_default_calendar_and_it_blocks(self) -> None:
        default = self.connection.default_calendar
        assert default
        assert default.selected
        assert default in self.connection.selected_calendars

    @invariant()
    def no_calendar_is_there_twice(self) -> None:
        calendars = self.connection.calendars
        assert len({calendar.id for calendar in calendars}) == len(calendars)
        assert len({calendar.external_id for calendar in calendars}) == len(calendars)

    @invariant()
    def the_status_says_the_worst(self) -> None:
        connection = self.connection
        assert (connection.status is ConnectionStatus.DEGRADED) == (
            connection.usable and any(calendar.health is LOST for calendar in connection.selected_calendars)
        )
        assert connection.usable == (
            connection.status not in (ConnectionStatus.REAUTH_REQUIRED, ConnectionStatus.DISCONNECTED)
        )


ConnectionMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20)
TestConnectionThroughAnyHistory = ConnectionMachine.TestCase
