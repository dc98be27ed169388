from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from meetings.domain.availability import Pool
from meetings.domain.base import ProblemCode, Rule
from meetings.domain.booking import BookingSource, UtmTag
from meetings.domain.booking_form import ConsentOption, FieldKind, FormField, GuestPolicy
from meetings.domain.page_settings import FixedWindow, RollingWindow
from meetings.domain.period import Period
from meetings.domain.scheduling_page import (
    BookingForm,
    PageArchived,
    PageChanged,
    PageCreated,
    PageHost,
    PageRestored,
    PageType,
    SchedulingPage,
    StaleRevision,
    check_window_request,
)
from tests.builders import NOW, START, a_booking, a_form, a_page, account_id, page_id, page_settings, user_id
from tests.domain.problems import refused

BERLIN = ZoneInfo("Europe/Berlin")
LATER = NOW + timedelta(minutes=5)
ANNA, BERT = user_id(), user_id()


def create(**given: Any) -> SchedulingPage:
    values: dict[str, Any] = {
        "account_id": account_id(),
        "type": PageType.ONE_ON_ONE,
        "slug": "anna/intro",
        "organizer_id": ANNA,
        "hosts": [PageHost(ANNA)],
        "settings": page_settings(),
        "now": NOW,
    }
    return SchedulingPage.create(page_id(), **(values | given))


# ---- publishing and changing --------------------------------------------------------------------------------------


def test_a_new_page_is_up_at_its_slug_in_its_normal_form() -> None:
    page = create(slug=" /Anna/Intro/ ")
    assert (page.slug, page.revision, page.created_at, page.updated_at) == ("anna/intro", 1, NOW, NOW)
    assert (page.archived_at, page.hosts) == (None, (PageHost(ANNA),))
    assert page.pull_events() == (PageCreated(at=NOW, page_id=page.id),)


def test_a_page_is_refused_with_everything_wrong_in_hosts_slug_and_settings() -> None:
    def wrong() -> SchedulingPage:
        return create(hosts=[], slug="graphql", settings=page_settings(internal_name="", durations_minutes=()))

    assert refused(wrong) == [
        ("hosts", Rule.REQUIRED),
        ("slug", Rule.RESERVED, ProblemCode.SLUG_INVALID),
        ("internalName", Rule.REQUIRED),
        ("durationsMinutes", Rule.REQUIRED),
    ]


@pytest.mark.parametrize(
    ("hosts", "problems"),
    [
        ([], [("hosts", Rule.REQUIRED)]),
        ([PageHost(ANNA), PageHost(BERT)], [("hosts", Rule.TOO_MANY)]),
        ([PageHost(ANNA), PageHost(ANNA)], [("hosts", Rule.TOO_MANY), ("hosts.1.userId", Rule.DUPLICATE)]),
        ([PageHost(ANNA, max_per_day=0)], [("hosts.0.maxPerDay", Rule.TOO_SMALL)]),
        ([PageHost(ANNA, weight=-1)], [("hosts.0.weight", Rule.TOO_SMALL)]),
        ([PageHost(ANNA, weight=1001)], [("hosts.0.weight", Rule.TOO_LARGE)]),
    ],
)
def test_a_one_on_one_page_has_one_host_within_limits(hosts: list[PageHost], problems: list[object]) -> None:
    assert refused(lambda: create(hosts=hosts)) == problems


@pytest.mark.parametrize("type", [PageType.GROUP, PageType.ROUND_ROBIN])
def test_other_types_than_one_on_one_say_that_they_come_later(type: PageType) -> None:
    assert refused(lambda: create(type=type)) == [("type", Rule.NOT_AVAILABLE_YET)]


def test_a_change_takes_the_new_settings_whole_and_counts_a_revision() -> None:
    page = a_page()
    settings = page_settings(headline="Meet us")
    page.change(settings, now=LATER)
    assert (page.settings, page.revision, page.updated_at) == (settings, 2, LATER)
    assert page.pull_events() == (PageChanged(at=LATER, page_id=page.id),)


def test_settings_equal_to_the_current_ones_change_nothing() -> None:
    page = a_page(slug="anna/intro")
    page.change(replace(page.settings), now=LATER, slug="/ANNA/intro", hosts=list(page.hosts), type=PageType.ONE_ON_ONE)
    assert (page.revision, page.updated_at, page.pull_events()) == (1, NOW, ())


def test_slug_and_hosts_change_only_where_given() -> None:
    page = a_page(ANNA, slug="anna/intro")
    page.change(page_settings(headline="Meet us"), now=LATER)
    assert (page.slug, page.hosts) == ("anna/intro", (PageHost(ANNA),))
    page.change(page.settings, now=LATER, slug="anna/hello", hosts=[PageHost(BERT)])
    assert (page.slug, page.hosts, page.revision) == ("anna/hello", (PageHost(BERT),), 3)


def test_a_bad_change_is_refused_with_everything_wrong_and_changes_nothing() -> None:
    page = a_page()
    before = (page.settings, page.slug, page.hosts, page.revision)

    def wrong() -> None:
        page.change(page_settings(headline=""), now=LATER, slug="", hosts=[], type=PageType.GROUP)

    assert refused(wrong) == [
        ("type", Rule.CANNOT_CHANGE),
        ("slug", Rule.REQUIRED, ProblemCode.SLUG_INVALID),
        ("hosts", Rule.REQUIRED),
        ("headline", Rule.REQUIRED),
    ]
    assert (page.settings, page.slug, page.hosts, page.revision) == before
    assert page.pull_events() == ()


def test_a_change_of_a_page_somebody_else_changed_since_is_stale() -> None:
    page = a_page()
    page.change(page_settings(headline="Meet us"), now=NOW, if_revision=1)
    with pytest.raises(StaleRevision) as refusal:
        page.change(page_settings(headline="Meet me"), now=NOW, if_revision=1)
    assert (refusal.value.current, page.settings.headline) == (2, "Meet us")


def test_a_page_is_archived_and_restored_once_each() -> None:
    page = a_page()
    page.archive(now=LATER)
    page.archive(now=LATER + timedelta(days=1))
    assert (page.archived_at, page.revision) == (LATER, 2)
    page.restore(now=LATER)
    page.restore(now=LATER)
    assert (page.archived_at, page.revision) == (None, 3)
    assert page.pull_events() == (PageArchived(at=LATER, page_id=page.id), PageRestored(at=LATER, page_id=page.id))


def test_a_copy_is_a_new_page_with_the_same_settings_under_its_own_slug_and_name() -> None:
    page = a_page(ANNA, headline="Meet us", internal_name="Intro")
    copy = page.copy(page_id(), "bert/intro", organizer_id=BERT, hosts=[PageHost(BERT)], now=LATER)
    assert copy.settings == replace(page.settings, internal_name="Intro (2)")
    assert (copy.slug, copy.organizer_id, copy.hosts, copy.account_id) == (
        "bert/intro",
        BERT,
        (PageHost(BERT),),
        page.account_id,
    )
    assert (copy.revision, copy.pull_events()) == (1, (PageCreated(at=LATER, page_id=copy.id),))
    assert copy.id != page.id


def test_a_copy_needs_a_good_slug_and_a_name_that_still_fits() -> None:
    page = a_page(internal_name="x" * 200)
    assert len(page.copy(page_id(), "bert", organizer_id=BERT, hosts=page.hosts, now=NOW).settings.internal_name) == 200
    assert refused(lambda: page.copy(page_id(), "a b", organizer_id=BERT, hosts=page.hosts, now=NOW)) == [
        ("slug", Rule.MALFORMED, ProblemCode.SLUG_INVALID)
    ]


# ---- what a visitor sends (A-BO1, A-BO4, A-FO1, A-FO2, A-SP12) ----------------------------------------------------

ASKING = a_page(
    ANNA,
    durations_minutes=(30, 60),
    form_fields=(FormField("topic", "Topic", FieldKind.SHORT_TEXT, required=True),),
    guests=GuestPolicy(allowed=True, most=2),
    consents=(ConsentOption("terms", "Terms", required=True),),
)
COMPLETE: dict[str, Any] = {"answers": {"topic": ("weather",)}, "consents": ("terms",)}


def utm(*tags: tuple[str, str]) -> BookingSource:
    return BookingSource(utm=tuple(UtmTag(key, value) for key, value in tags))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"duration_minutes": 60},
        {"first_name": "x" * 100, "last_name": "Øst"},
        {"email": " ivo@example.org "},
        {"locale": "de-DE"},
        {"message": "First line\nsecond line"},
        {"message": ""},
        {"guests": ("a@example.org", " b@example.org")},
        {"source": utm(("utm_source", "letter"), ("utm_term", ""))},
        {"source": utm(*[("utm_source", "letter")] * 20)},
    ],
)
def test_a_complete_form_has_no_problem(given: dict[str, Any]) -> None:
    ASKING.check_form(a_form(**(COMPLETE | given)))


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"first_name": ""}, [("invitee.firstName", Rule.REQUIRED)]),
        ({"last_name": " "}, [("invitee.lastName", Rule.REQUIRED)]),
        ({"last_name": "x" * 101}, [("invitee.lastName", Rule.TOO_LONG)]),
        ({"first_name": "Ivo\r\nBcc: x"}, [("invitee.firstName", Rule.CONTROL_CHARACTERS)]),
        ({"email": ""}, [("invitee.email", Rule.REQUIRED)]),
        ({"email": "nobody"}, [("invitee.email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID)]),
        ({"time_zone": "Mars/X"}, [("timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID)]),
        ({"locale": "xx"}, [("locale", Rule.NOT_A_LOCALE)]),
        ({"message": "x" * 2001}, [("message", Rule.TOO_LONG)]),
        ({"message": "\x00"}, [("message", Rule.CONTROL_CHARACTERS)]),
        *(
            ({"duration_minutes": wrong}, [("durationMinutes", Rule.NOT_ONE_OF, ProblemCode.DURATION_NOT_OFFERED)])
            for wrong in (0, 17, -30, 90)
        ),
        ({"answers": {}}, [("answers.topic", Rule.REQUIRED, ProblemCode.FORM_FIELD_MISSING)]),
        (
            {"answers": {"topic": ("x",), "size": ("L",)}},
            [("answers.size", Rule.UNKNOWN, ProblemCode.FORM_FIELD_UNKNOWN)],
        ),
        (
            {"guests": ("a@example.org", "b@example.org", "c@example.org")},
            [("guests", Rule.TOO_MANY, ProblemCode.GUESTS_NOT_ALLOWED)],
        ),
        ({"guests": ("a@example.org", " A@example.org")}, [("guests.1", Rule.DUPLICATE)]),
        ({"guests": ("ivo@example.org",), "email": " Ivo@example.org"}, [("guests.0", Rule.DUPLICATE)]),
        ({"consents": ()}, [("consents.terms", Rule.REQUIRED, ProblemCode.LEGAL_CONSENT_MISSING)]),
        ({"consents": ("terms", "news")}, [("consents.1", Rule.UNKNOWN)]),
        ({"source": utm(*[("utm_source", "x")] * 21)}, [("utm", Rule.TOO_MANY)]),
        ({"source": utm(("", "x"))}, [("utm.0.key", Rule.REQUIRED)]),
        ({"source": utm(("a", "x"), ("b", "x" * 1001))}, [("utm.1.value", Rule.TOO_LONG)]),
        ({"source": utm(("a", "\x00"))}, [("utm.0.value", Rule.CONTROL_CHARACTERS)]),
    ],
)
def test_a_bad_value_of_a_form_is_told_by_its_path_and_rule(given: dict[str, Any], problems: list[object]) -> None:
    form = a_form(**(COMPLETE | given))
    assert refused(lambda: ASKING.check_form(form)) == problems


def test_a_page_without_guests_refuses_them() -> None:
    assert refused(lambda: a_page().check_form(a_form(guests=("a@example.org",)))) == [
        ("guests", Rule.NOT_ALLOWED_HERE, ProblemCode.GUESTS_NOT_ALLOWED)
    ]


def test_everything_wrong_in_a_form_is_told_at_once() -> None:
    form = BookingForm("", "", "nobody", "Mars/X", 17, answers={"size": ("L",)}, guests=("x",), consents=("news",))
    assert refused(lambda: ASKING.check_form(form)) == [
        ("invitee.firstName", Rule.REQUIRED),
        ("invitee.lastName", Rule.REQUIRED),
        ("invitee.email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID),
        ("timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID),
        ("durationMinutes", Rule.NOT_ONE_OF, ProblemCode.DURATION_NOT_OFFERED),
        ("answers.size", Rule.UNKNOWN, ProblemCode.FORM_FIELD_UNKNOWN),
        ("answers.topic", Rule.REQUIRED, ProblemCode.FORM_FIELD_MISSING),
        ("guests.0", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID),
        ("consents.0", Rule.UNKNOWN),
        ("consents.terms", Rule.REQUIRED, ProblemCode.LEGAL_CONSENT_MISSING),
    ]


def test_the_duration_is_one_the_page_offers() -> None:
    assert [ASKING.offered_duration(minutes) for minutes in (None, 30, 60)] == [30, 30, 60]
    for wrong in (0, 17):
        assert refused(partial(ASKING.offered_duration, wrong)) == [
            ("durationMinutes", Rule.NOT_ONE_OF, ProblemCode.DURATION_NOT_OFFERED)
        ]


# ---- the event's title (A-SP2) ------------------------------------------------------------------------------------


def titled(template: str, **given: Any) -> str:
    company = FormField("company", "Company", FieldKind.SHORT_TEXT)
    colours = FormField("colours", "Colours", FieldKind.MULTI_SELECT, options=("red", "green"))
    page = a_page(event_title=template, headline="Meet us", form_fields=(company, colours))
    return page.event_title(a_form(**given), "Anna Host")


@pytest.mark.parametrize(
    ("template", "title"),
    [
        ("Call with {{company}}", "Call with Example Ltd"),
        ("{{firstName}} {{lastName}} – {{host}}", "Ivo Visitor – Anna Host"),
        ("{{name}} <{{email}}>: {{page}}", "Ivo Visitor <ivo@example.org>: Meet us"),
        ("{{colours}}", "red, green"),
    ],
)
def test_a_title_is_made_of_what_page_and_visitor_say(template: str, title: str) -> None:
    assert titled(template, answers={"company": ("Example Ltd",), "colours": ("red", "green")}) == title


def test_an_answer_nobody_gave_is_left_out_of_the_title() -> None:
    assert titled("Call with {{company}}!") == "Call with !"


def test_a_title_of_which_nothing_is_left_is_the_headline() -> None:
    assert titled("{{company}}") == titled("{{company}}", answers={"company": (" ",)}) == "Meet us"


def test_an_answer_cannot_pass_itself_off_as_the_host() -> None:
    field = FormField("host", "Host", FieldKind.SHORT_TEXT)
    page = a_page(event_title="{{host}}", form_fields=(field,))
    assert page.event_title(a_form(answers={"host": ("Mallory",)}), "Anna Host") == "Anna Host"


# ---- dates and times ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "pool"), [(PageType.ONE_ON_ONE, Pool.ALL), (PageType.GROUP, Pool.ALL), (PageType.ROUND_ROBIN, Pool.ANY)]
)
def test_only_a_round_robin_is_content_with_any_one_host(type: PageType, pool: Pool) -> None:
    page = a_page()
    page.type = type
    assert page.pool is pool


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (RollingWindow(7), date(2026, 11, 3), date(2026, 11, 10)),
        (FixedWindow(date(2026, 12, 1), date(2026, 12, 24)), date(2026, 12, 1), date(2026, 12, 24)),
        (FixedWindow(date(2026, 10, 1), date(2026, 12, 24)), date(2026, 11, 3), date(2026, 12, 24)),
        (FixedWindow(date(2026, 10, 1), date(2026, 10, 31)), date(2026, 11, 3), date(2026, 10, 31)),
    ],
    ids=["rolling", "yet to come", "begun", "over"],
)
def test_the_booking_window_is_whole_days_of_the_page_s_zone_and_never_reaches_back(
    window: RollingWindow | FixedWindow, first: date, last: date
) -> None:
    late_evening = datetime(2026, 11, 2, 23, 30, tzinfo=ZoneInfo("UTC"))  # the 3rd has begun in Berlin
    assert a_page(window=window).booking_dates(now=late_evening) == (first, last)


def test_an_invitee_may_change_a_booking_until_the_notice_on_the_page_s_wall_clock() -> None:
    start = datetime(2026, 3, 29, 9, 0, tzinfo=BERLIN)  # the clock went forward in the night before
    booking = a_booking(start=start)
    assert a_page().changeable_until(booking) == start
    assert a_page(cancellation_notice=Period(days=1)).changeable_until(booking) == datetime(
        2026, 3, 28, 9, 0, tzinfo=BERLIN
    )
    assert a_page(cancellation_notice=Period(minutes=1440)).changeable_until(booking) == datetime(
        2026, 3, 28, 8, 0, tzinfo=BERLIN
    )


def test_a_window_that_is_asked_for_has_an_order_and_a_limit() -> None:
    first, day = START.date(), timedelta(days=1)
    check_window_request(first, first, most_days=62)
    check_window_request(first, first + 61 * day, most_days=62)
    assert refused(lambda: check_window_request(first, first + 62 * day, most_days=62)) == [("to", Rule.TOO_LARGE)]
    assert refused(lambda: check_window_request(first, first - day, most_days=62)) == [("to", Rule.END_BEFORE_START)]
