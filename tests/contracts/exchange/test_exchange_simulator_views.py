"""Calendar views, series, and searches."""

from datetime import UTC, date, datetime, timedelta

import pytest
from exchangelib import CalendarItem, EWSDate, EWSDateTime, EWSTimeZone
from exchangelib.recurrence import Recurrence, WeeklyPattern
from lxml import etree

from meetings.adapters.exchange.simulator import ExchangeSimulator
from tests.contracts.exchange.clients import (
    ADA,
    BOB,
    Answer,
    account,
    ask,
    change_item,
    delete_item,
    folder_id,
    get_item,
    new_item,
    set_field,
    view,
)

BERLIN = EWSTimeZone("Europe/Berlin")
HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MARCH = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


def _pattern(xml: str) -> etree._Element:
    return etree.fromstring(f'<t:Recurrence xmlns:t="{TYPES}">{xml}</t:Recurrence>')[0]


def _days(exchange: ExchangeSimulator, start: str, end: str) -> list[str]:
    """Where occurrences begin, in Berlin."""
    found = ask(exchange, view(start, end, paths=("calendar:Start",)), zone="W. Europe Standard Time")
    return [text[:16] for text in found.all("//t:Start/text()")]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (
            "<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>",
            ["2026-03-03", "2026-03-06", "2026-03-09", "2026-03-12"],
        ),
        (
            "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Tuesday Friday</t:DaysOfWeek>"
            "<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>",
            ["2026-03-03", "2026-03-06", "2026-03-17", "2026-03-20"],
        ),
        (
            "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Sunday Tuesday</t:DaysOfWeek>"
            "<t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>",
            ["2026-03-03", "2026-03-08", "2026-03-17", "2026-03-22"],
        ),
        (
            "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>"
            "</t:AbsoluteMonthlyRecurrence>",
            ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"],
        ),
        (
            "<t:RelativeMonthlyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Tuesday</t:DaysOfWeek>"
            "<t:DayOfWeekIndex>First</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
            ["2026-03-03", "2026-05-05", "2026-07-07", "2026-09-01"],
        ),
        (
            "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek>"
            "<t:DayOfWeekIndex>Last</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>",
            ["2026-03-31", "2026-04-30", "2026-05-29", "2026-06-30"],
        ),
        (
            "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>3</t:DayOfMonth><t:Month>March</t:Month>"
            "</t:AbsoluteYearlyRecurrence>",
            ["2026-03-03", "2027-03-03"],
        ),
        (
            "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Thursday</t:DaysOfWeek><t:DayOfWeekIndex>Fourth"
            "</t:DayOfWeekIndex><t:Month>November</t:Month></t:RelativeYearlyRecurrence>",
            ["2026-11-26", "2027-11-25"],
        ),
    ],
)
def test_each_pattern_takes_place_when_it_should(
    exchange: ExchangeSimulator, pattern: str, expected: list[str]
) -> None:
    calendar = exchange.calendar_of(ADA)
    exchange.add_recurring(calendar, "Series", NINE, NINE + HOUR, times=4, pattern=_pattern(pattern))
    days = _days(exchange, "2026-03-01T00:00:00Z", "2028-01-01T00:00:00Z")
    assert [day[:10] for day in days] == expected
    assert {day[11:] for day in days} == {"09:00"}


def test_a_series_made_by_a_client_is_a_master_with_occurrences(exchange: ExchangeSimulator) -> None:
    ada = account(exchange)
    CalendarItem(
        account=ada,
        folder=ada.calendar,
        subject="Weekly",
        start=EWSDateTime(2026, 3, 17, 10, tzinfo=BERLIN),
        end=EWSDateTime(2026, 3, 17, 11, tzinfo=BERLIN),
        recurrence=Recurrence(
            pattern=WeeklyPattern(interval=1, weekdays=["Tuesday"]), start=EWSDate(2026, 3, 17), number=3
        ),
    ).save()
    (master,) = ada.calendar.all()
    assert (master.type, master.recurrence.boundary.number) == ("RecurringMaster", 3)
    assert master.first_occurrence.start == EWSDateTime(2026, 3, 17, 10, tzinfo=BERLIN)
    assert master.last_occurrence.start == EWSDateTime(2026, 3, 31, 10, tzinfo=BERLIN)
    span = {"start": EWSDateTime(2026, 3, 1, tzinfo=BERLIN), "end": EWSDateTime(2026, 5, 1, tzinfo=BERLIN)}
    found = list(ada.calendar.view(**span))
    assert [each.start.astimezone(BERLIN).hour for each in found] == [10, 10, 10]
    assert [(each.start - found[0].start).total_seconds() for each in found] == [0, 7 * 86_400, 14 * 86_400 - 3600]
    assert {(each.type, each.is_recurring, each.uid) for each in found} == {("Occurrence", True, master.uid)}
    assert len({each.id for each in found} | {master.id}) == 4
    second = found[1]
    second.refresh()
    assert (second.start, second.type) == (found[1].start, "Occurrence")


def test_moved_and_cancelled_occurrences_show_in_views_and_in_the_master(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)
    series = exchange.add_recurring(calendar, "Series", NINE, NINE + HOUR, times=4)
    later = [NINE + timedelta(days=7 * week) for week in range(4)]
    exchange.move_instance(series, later[1], later[1] + timedelta(days=1), later[1] + timedelta(days=1, hours=2))
    exchange.cancel_instance(series, later[2])
    assert _days(exchange, *MARCH) == ["2026-03-03T09:00", "2026-03-11T09:00", "2026-03-24T09:00"]
    found = ask(exchange, view(*MARCH, paths=("calendar:CalendarItemType", "calendar:OriginalStart")))
    assert found.all("//t:CalendarItemType/text()") == ["Occurrence", "Exception", "Occurrence"]
    assert found.all("//t:OriginalStart/text()") == ["2026-03-10T08:00:00Z"]
    master = ask(exchange, get_item(series, shape="AllProperties"))
    assert master.all("//t:ModifiedOccurrences//t:Start/text()") == ["2026-03-11T08:00:00Z"]
    assert master.all("//t:DeletedOccurrences//t:Start/text()") == ["2026-03-17T08:00:00Z"]
    assert master.first("//t:LastOccurrence/t:Start/text()") == "2026-03-24T08:00:00Z"


def test_an_occurrence_keeps_its_id_when_it_is_changed_and_loses_it_when_it_is_removed(
    exchange: ExchangeSimulator,
) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Series", NINE, NINE + HOUR, times=3)
    second = exchange.instance_id(series, NINE + timedelta(days=7))
    update = set_field("item:Subject", "<t:Subject>Special</t:Subject>")
    assert ask(exchange, change_item(second, None, update, ConflictResolution="AlwaysOverwrite")).codes == ["NoError"]
    read = ask(exchange, get_item(second, paths=("item:Subject", "calendar:CalendarItemType")))
    assert (read.first("//t:Subject/text()"), read.first("//t:CalendarItemType/text()")) == ("Special", "Exception")
    assert ask(exchange, delete_item(second)).codes == ["NoError"]
    assert ask(exchange, get_item(second)).codes == ["ErrorItemNotFound"]
    assert ask(exchange, get_item(series)).codes == ["NoError"]
    assert exchange.events(exchange.deleted_items_of(ADA)) == []


def test_an_occurrence_is_found_by_its_index_and_a_master_by_its_occurrence(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Series", NINE, NINE + HOUR, times=3)
    exchange.cancel_instance(series, NINE + timedelta(days=7))

    def by_index(index: int) -> Answer:
        named = f'<t:OccurrenceItemId RecurringMasterId="{series}" InstanceIndex="{index}"/>'
        return ask(exchange, get_item(series, paths=("calendar:Start",)).replace(f'<t:ItemId Id="{series}"/>', named))

    assert by_index(3).first("//t:Start/text()") == "2026-03-17T08:00:00Z"
    assert by_index(2).codes == ["ErrorCalendarOccurrenceIsDeletedFromRecurrence"]
    assert by_index(4).codes == ["ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange"]
    third = by_index(3).first("//t:ItemId/@Id")
    named = f'<t:RecurringMasterItemId OccurrenceId="{third}"/>'
    master = ask(exchange, get_item("x", paths=("calendar:CalendarItemType",)).replace('<t:ItemId Id="x"/>', named))
    assert master.first("//t:ItemId/@Id") == series
    assert master.first("//t:CalendarItemType/text()") == "RecurringMaster"


def test_a_guests_series_is_recurring_and_the_organizers_is_not(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(BOB), "Series", NINE, NINE + HOUR, times=3)
    exchange.change_event(series, attendees=(ADA,))
    paths = ("calendar:IsRecurring", "calendar:CalendarItemType")
    (copy,) = exchange.events(exchange.calendar_of(ADA))
    told = [ask(exchange, get_item(each, paths=paths), email=who) for who, each in ((BOB, series), (ADA, copy.id))]
    assert [answer.first("//t:CalendarItemType/text()") for answer in told] == ["RecurringMaster"] * 2
    assert [answer.first("//t:IsRecurring/text()") for answer in told] == ["false", "true"]
    assert len(ask(exchange, view(*MARCH)).all("//t:CalendarItem")) == 3


def test_a_series_that_is_dragged_away_starts_afresh(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Series", NINE, NINE + HOUR, times=3)
    exchange.cancel_instance(series, NINE + timedelta(days=7))
    exchange.move_event(series, NINE + timedelta(days=1), NINE + timedelta(days=1, hours=1))
    assert _days(exchange, *MARCH) == ["2026-03-04T09:00", "2026-03-11T09:00", "2026-03-18T09:00"]


def test_a_series_moved_by_a_client_moves_with_its_pattern(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Series", NINE, NINE + HOUR, times=3)
    update = set_field("calendar:Start", "<t:Start>2026-03-05T12:00:00Z</t:Start>")
    update += set_field("calendar:End", "<t:End>2026-03-05T13:00:00Z</t:End>")
    assert ask(exchange, change_item(series, None, update, ConflictResolution="AlwaysOverwrite")).codes == ["NoError"]
    assert _days(exchange, *MARCH) == ["2026-03-05T13:00", "2026-03-12T13:00", "2026-03-19T13:00"]


def test_a_recurrence_without_any_day_is_refused(exchange: ExchangeSimulator) -> None:
    never = (
        "<t:Start>2026-03-03T08:00:00Z</t:Start><t:End>2026-03-03T09:00:00Z</t:End><t:Recurrence><t:WeeklyRecurrence>"
        "<t:Interval>1</t:Interval><t:DaysOfWeek>Monday</t:DaysOfWeek></t:WeeklyRecurrence><t:EndDateRecurrence>"
        "<t:StartDate>2026-03-03</t:StartDate><t:EndDate>2026-03-05</t:EndDate></t:EndDateRecurrence></t:Recurrence>"
    )
    assert ask(exchange, new_item(never)).codes == ["ErrorRecurrenceHasNoOccurrence"]


def test_a_view_has_what_touches_it_by_start(exchange: ExchangeSimulator) -> None:
    """It is half-open on both sides; an item without length counts where it starts."""
    calendar = exchange.calendar_of(ADA)
    for name, start, minutes in (
        ("ends at its start", -60, 60),
        ("reaches into it", -30, 60),
        ("inside", 60, 30),
        ("no length at its start", 0, 0),
        ("no length at its end", 120, 0),
        ("begins at its end", 120, 60),
        ("around it", -300, 900),
    ):
        begins = NINE + timedelta(minutes=start)
        exchange.add_event(calendar, name, begins, begins + timedelta(minutes=minutes))
    asked = view("2026-03-03T08:00:00Z", "2026-03-03T10:00:00Z", paths=("item:Subject",))
    found = ask(exchange, asked).all("//t:Subject/text()")
    assert found == ["around it", "reaches into it", "no length at its start", "inside"]


def test_a_view_that_is_cut_off_says_so(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)
    for hour in range(5):
        exchange.add_event(calendar, f"Talk {hour}", NINE + hour * HOUR, NINE + (hour + 1) * HOUR)
    answer = ask(exchange, view(*MARCH, most=3, paths=("item:Subject",)))
    assert answer.all("//t:Subject/text()") == ["Talk 0", "Talk 1", "Talk 2"]
    assert answer.first("//m:RootFolder/@IncludesLastItemInRange") == "false"
    whole = ask(exchange, view(*MARCH, most=5))
    assert whole.first("//m:RootFolder/@IncludesLastItemInRange") == "true"


def test_no_answer_has_more_items_than_the_policy_allows(unchecked_exchange: ExchangeSimulator) -> None:
    """Exchange 2007's clients get an error instead of the first thousand."""
    exchange = unchecked_exchange
    calendar = exchange.calendar_of(ADA)
    pattern = _pattern("<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>")
    for hour in range(2):
        exchange.add_recurring(calendar, "Daily", NINE + hour * HOUR, NINE + (hour + 1) * HOUR, pattern=pattern)
    long = view("2026-03-01T00:00:00Z", "2028-02-01T00:00:00Z")
    answer = ask(exchange, long)
    assert len(answer.all("//t:CalendarItem")) == 1000
    assert answer.first("//m:RootFolder/@IncludesLastItemInRange") == "false"
    assert ask(exchange, long, version="Exchange2007_SP1").codes == ["ErrorExceededFindCountLimit"]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z", "ErrorCalendarEndDateIsEarlierThanStartDate"),
        ("2026-03-03T00:00:00Z", "2028-03-10T00:00:00Z", "ErrorCalendarViewRangeTooBig"),
        ("2026-03-03T00:00:00Z", "2028-03-03T00:00:00Z", "NoError"),
    ],
)
def test_a_view_goes_forward_for_two_years_at_most(
    exchange: ExchangeSimulator, start: str, end: str, code: str
) -> None:
    assert ask(exchange, view(start, end)).codes == [code]


def test_a_view_needs_a_calendar_and_takes_no_restriction(exchange: ExchangeSimulator) -> None:
    inbox = '<t:DistinguishedFolderId Id="inbox"/>'
    assert ask(exchange, view(*MARCH, folder=inbox)).codes == ["ErrorCalendarFolderIsInvalidForCalendarView"]
    restricted = view(*MARCH).replace("<m:ParentFolderIds>", f"{_subject_is('x')}<m:ParentFolderIds>")
    assert ask(exchange, restricted).codes == ["ErrorInvalidRequest"]


@pytest.mark.parametrize("path", ["item:Body", "calendar:RequiredAttendees", "calendar:Recurrence"])
def test_a_search_does_not_return_what_only_get_item_does(exchange: ExchangeSimulator, path: str) -> None:
    assert ask(exchange, view(*MARCH, paths=(path,))).codes == ["ErrorInvalidPropertyRequest"]


def _subject_is(value: str) -> str:
    return (
        '<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="item:Subject"/><t:FieldURIOrConstant>'
        f'<t:Constant Value="{value}"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>'
    )


def test_a_search_finds_masters_and_single_items_page_by_page(exchange: ExchangeSimulator) -> None:
    ada = account(exchange)
    calendar = exchange.calendar_of(ADA)
    for number in range(5):
        start = NINE + timedelta(days=number)
        exchange.add_recurring(calendar, f"Series {number}", start, start + HOUR, times=3)
    found = list(ada.calendar.all().only("subject", "type").order_by("start"))
    assert [(each.subject, each.type) for each in found] == [(f"Series {n}", "RecurringMaster") for n in range(5)]
    paged = ada.calendar.all().only("subject")
    paged.page_size = 2
    exchange.forget_calls()
    assert {each.subject for each in paged} == {f"Series {n}" for n in range(5)}
    assert len(exchange.requests_for("FindItem")) == 3


def test_a_search_by_an_extended_property_finds_exactly_that_value(exchange: ExchangeSimulator) -> None:
    ada = account(exchange)
    for key in ("b-1", "b-2", "B-1", None):
        start = EWSDateTime(2026, 3, 3, 9, tzinfo=BERLIN)
        CalendarItem(account=ada, folder=ada.calendar, subject="x", start=start, end=start, booking_key=key).save()
    assert [each.booking_key for each in ada.calendar.filter(booking_key="b-1")] == ["b-1"]
    assert len(list(ada.calendar.filter(booking_key__exists=True))) == 3
    assert [each.booking_key for each in ada.calendar.filter(booking_key__in=["b-1", "b-2"])] == ["b-1", "b-2"]
    assert list(ada.trash.filter(booking_key="b-1")) == []


def test_the_uid_cannot_be_searched_for(exchange: ExchangeSimulator) -> None:
    exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    asked = (
        '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>'
        f"{_subject_is('x').replace('item:Subject', 'calendar:UID')}<m:ParentFolderIds>"
        f"{folder_id(exchange.calendar_of(ADA))}</m:ParentFolderIds></m:FindItem>"
    )
    assert ask(exchange, asked).codes == ["ErrorUnsupportedPathForQuery"]


def test_whole_days_in_a_view_are_days_of_their_zone(exchange: ExchangeSimulator) -> None:
    exchange.add_event(exchange.calendar_of(BOB), "Trip", date(2026, 3, 7), date(2026, 3, 9))
    answer = ask(exchange, view(*MARCH, paths=("calendar:Start", "calendar:End")), email=BOB)
    assert (answer.first("//t:Start/text()"), answer.first("//t:End/text()")) == (
        "2026-03-07T05:00:00Z",
        "2026-03-09T04:00:00Z",
    )
