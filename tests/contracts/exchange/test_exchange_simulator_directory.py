"""Folders, people, zones, ids, versions, and free/busy time."""

from datetime import UTC, datetime, timedelta

import pytest
from exchangelib import EWSDateTime, EWSTimeZone
from exchangelib.errors import ErrorFolderNotFound, ErrorNonExistentMailbox
from exchangelib.folders import Calendar
from exchangelib.properties import AlternateId
from exchangelib.version import Version

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.exchange.simulator.versions import VERSIONS, ServerVersion, version_of
from tests.contracts.exchange.clients import ADA, BOB, CALENDAR, account, ask, view

BERLIN = EWSTimeZone("Europe/Berlin")
HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)


def _get_folder(named: str, shape: str = "Default") -> str:
    return (
        f"<m:GetFolder><m:FolderShape><t:BaseShape>{shape}</t:BaseShape></m:FolderShape>"
        f"<m:FolderIds>{named}</m:FolderIds></m:GetFolder>"
    )


def _calendar_of(email: str) -> str:
    mailbox = f"<t:Mailbox><t:EmailAddress>{email}</t:EmailAddress></t:Mailbox>"
    return f'<t:DistinguishedFolderId Id="calendar">{mailbox}</t:DistinguishedFolderId>'


# -- folders


def test_calendar_folders_are_found_below_the_root_with_their_rights(exchange: ExchangeSimulator) -> None:
    exchange.add_calendar(ADA, "Choir")
    exchange.add_calendar(ADA, "Holidays", rights="reader")
    ada = account(exchange)
    found = {each.name: each for each in ada.msg_folder_root.walk() if isinstance(each, Calendar)}
    assert set(found) == {"Calendar", "Choir", "Holidays"}
    assert [found[name].effective_rights.create_contents for name in ("Calendar", "Choir", "Holidays")] == [
        True,
        True,
        False,
    ]
    assert found["Holidays"].effective_rights.read
    assert found["Choir"].parent == found["Calendar"]
    assert {each.name for each in ada.calendar.children} == {"Choir", "Holidays"}


def test_a_folder_counts_what_is_in_it(exchange: ExchangeSimulator) -> None:
    calendar = exchange.calendar_of(ADA)
    exchange.add_event(calendar, "Talk", NINE, NINE + HOUR)
    exchange.add_calendar(ADA, "Choir")
    found = ask(exchange, _get_folder(CALENDAR))
    assert found.first("//t:CalendarFolder/t:FolderId/@Id") == calendar
    assert [found.first(f"//t:{name}/text()") for name in ("DisplayName", "TotalCount", "ChildFolderCount")] == [
        "Calendar",
        "1",
        "1",
    ]


def test_folders_come_page_by_page(exchange: ExchangeSimulator) -> None:
    for number in range(5):
        exchange.add_calendar(ADA, f"Calendar {number}")
    names: list[str] = []
    for offset in (0, 2, 4):
        answer = ask(
            exchange,
            '<m:FindFolder Traversal="Deep"><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>'
            f'<m:IndexedPageFolderView MaxEntriesReturned="2" Offset="{offset}" BasePoint="Beginning"/>'
            f"<m:ParentFolderIds>{CALENDAR}</m:ParentFolderIds></m:FindFolder>",
        )
        names += answer.all("//t:DisplayName/text()")
        assert answer.first("//m:RootFolder/@IncludesLastItemInRange") == ("true" if offset == 4 else "false")
        assert answer.first("//m:RootFolder/@IndexedPagingOffset") == str(min(offset + 2, 5))
    assert names == [f"Calendar {number}" for number in range(5)]


def test_a_lost_or_removed_calendar_is_not_found_any_more(exchange: ExchangeSimulator) -> None:
    lost, removed = exchange.add_calendar(ADA, "Lost"), exchange.add_calendar(ADA, "Removed")
    exchange.lose_access(lost)
    exchange.remove_calendar(removed)
    assert list(account(exchange).calendar.children) == []
    for folder, code in ((lost, "ErrorAccessDenied"), (removed, "ErrorFolderNotFound")):
        assert ask(exchange, _get_folder(f'<t:FolderId Id="{folder}"/>')).codes == [code]


def test_a_mailbox_that_is_missing_moving_or_somebody_elses_says_so(exchange: ExchangeSimulator) -> None:
    exchange.add_account("nobody@example.com", has_mailbox=False)
    assert ask(exchange, _get_folder(CALENDAR), email="nobody@example.com").codes == ["ErrorNonExistentMailbox"]
    with pytest.raises(ErrorNonExistentMailbox):
        _ = account(exchange, "nobody@example.com").calendar
    assert ask(exchange, _get_folder(_calendar_of("who@example.com"))).codes == ["ErrorNonExistentMailbox"]
    assert ask(exchange, _get_folder(_calendar_of(BOB))).codes == ["ErrorFolderNotFound"]
    exchange.move_mailbox(ADA)
    assert ask(exchange, _get_folder(CALENDAR)).codes == ["ErrorMailboxMoveInProgress"]
    exchange.move_mailbox(ADA, moving=False)
    assert ask(exchange, _get_folder(CALENDAR)).codes == ["NoError"]


def test_a_shared_mailbox_is_another_than_that_of_who_signs_in(exchange: ExchangeSimulator) -> None:
    exchange.add_account("sales@example.com", "Sales", kind="shared")
    with pytest.raises(ErrorFolderNotFound):
        _ = account(exchange, "sales@example.com", username=ADA).calendar
    exchange.share_mailbox("sales@example.com", ADA)
    own = ask(exchange, _get_folder(CALENDAR)).first("//t:FolderId/@Id")
    shared = ask(exchange, _get_folder(_calendar_of("sales@example.com"))).first("//t:FolderId/@Id")
    assert (own, shared) == (exchange.calendar_of(ADA), exchange.calendar_of("sales@example.com"))
    assert ask(exchange, _get_folder(CALENDAR), email="sales@example.com").status == 401


# -- configurations


@pytest.mark.parametrize(("kind", "processing"), [("personal", 1), ("room", 2), ("equipment", 2)])
def test_a_resources_calendar_books_itself(exchange: ExchangeSimulator, kind: str, processing: int) -> None:
    exchange.add_account("thing@example.com", "Thing", kind=kind)
    exchange.disable("thing@example.com", disabled=False)
    calendar = account(exchange, "thing@example.com").calendar
    assert calendar.get_user_configuration("Calendar").dictionary == {"AutomateProcessing": processing}


def test_the_owners_zone_stands_in_two_configurations(exchange: ExchangeSimulator) -> None:
    ada = account(exchange)
    options = ada.msg_folder_root.get_user_configuration("OWA.UserOptions")
    assert options.dictionary == {"timezone": "W. Europe Standard Time"}
    hours = ada.calendar.get_user_configuration("WorkHours")
    assert b"<Name>W. Europe Standard Time</Name>" in hours.xml_data


# -- people


def test_people_are_found_by_address_alias_and_name(exchange: ExchangeSimulator) -> None:
    protocol = account(exchange).protocol
    for entry in (ADA, "ada", "Ada Lovelace", "lovelace", f"smtp:{ADA}"):
        ((mailbox, contact),) = protocol.resolve_names([entry], return_full_contact_data=True)
        assert (mailbox.email_address, mailbox.mailbox_type, contact.display_name) == (ADA, "Mailbox", "Ada Lovelace")


def test_nobody_and_several_are_told_as_such(exchange: ExchangeSimulator) -> None:
    exchange.add_account("adam@example.com", "Adam Smith")
    asked = '<m:ResolveNames ReturnFullContactData="false"><m:UnresolvedEntry>{}</m:UnresolvedEntry></m:ResolveNames>'
    assert ask(exchange, asked.format("zoe")).codes == ["ErrorNameResolutionNoResults"]
    several = ask(exchange, asked.format("ada"))
    assert several.codes == ["ErrorNameResolutionMultipleResults"]
    assert several.first("//m:ResolveNamesResponseMessage/@ResponseClass") == "Warning"
    assert several.all("//t:EmailAddress/text()") == [ADA, "adam@example.com"]


# -- zones


def test_zones_come_with_the_rules_of_the_year(exchange: ExchangeSimulator) -> None:
    protocol = account(exchange).protocol
    zones = [EWSTimeZone(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC")]
    berlin, york, nepal, utc = sorted(
        protocol.get_timezones(timezones=zones, return_full_timezone_data=True),
        key=lambda zone: [each.ms_id for each in zones].index(zone.id),
    )
    assert [zone.id for zone in (berlin, york, nepal, utc)] == [zone.ms_id for zone in zones]
    assert [each.bias for each in berlin.periods] == [timedelta(hours=-1), timedelta(hours=-2)]
    rules = [(rule.month, rule.occurrence, rule.offset) for rule in york.transitions_groups[0].transitions]
    assert rules == [(3, 2, timedelta(hours=2)), (11, 1, timedelta(hours=2))]
    assert [[each.bias for each in zone.periods] for zone in (nepal, utc)] == [
        [timedelta(hours=-5, minutes=-45)],
        [timedelta()],
    ]


def test_all_zones_are_told_and_unknown_ones_left_out(exchange: ExchangeSimulator) -> None:
    everything = ask(exchange, '<m:GetServerTimeZones ReturnFullTimeZoneData="false"/>')
    assert len(everything.all("//t:TimeZoneDefinition")) > 100
    some = "<m:GetServerTimeZones><m:Ids><t:Id>UTC</t:Id><t:Id>Atlantis</t:Id></m:Ids></m:GetServerTimeZones>"
    assert ask(exchange, some).all("//t:TimeZoneDefinition/@Id") == ["UTC"]


# -- ids


@pytest.mark.parametrize("form", ["HexEntryId", "EntryId", "OwaId", "StoreId", "EwsLegacyId"])
def test_ids_go_there_and_back(exchange: ExchangeSimulator, form: str) -> None:
    item = exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    protocol = account(exchange).protocol
    given = AlternateId(id=item, format="EwsId", mailbox=ADA)
    (there,) = protocol.convert_ids([given], destination_format=form)
    (back,) = protocol.convert_ids([there], destination_format="EwsId")
    assert (there.format, back.id) == (form, item)
    assert form == "EwsLegacyId" or there.id != item


# -- versions


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_each_version_says_which_it_is(unchecked_exchange: ExchangeSimulator, version: ServerVersion) -> None:
    unchecked_exchange.settings.version = version
    protocol = account(unchecked_exchange).protocol
    protocol.config.version = None
    found = Version.guess(protocol)
    assert str(found.build) == unchecked_exchange.settings.version.text
    assert found.api_version == unchecked_exchange.settings.version.schemas[-1]


@pytest.mark.parametrize(
    ("server", "asked", "code"),
    [
        ("8.1", "Exchange2010", "ErrorInvalidServerVersion"),
        ("14.1", "Exchange2010_SP2", "ErrorInvalidServerVersion"),
        ("14.2", "Exchange2013", "ErrorInvalidServerVersion"),
        ("14.2", "Exchange2010_SP1", "NoError"),
        ("14.2", None, "NoError"),
        ("15.0", "Exchange2016", "ErrorInvalidServerVersion"),
        ("15.2", "Exchange2016", "NoError"),
    ],
)
def test_a_request_newer_than_the_server_is_refused(
    unchecked_exchange: ExchangeSimulator, server: str, asked: str | None, code: str
) -> None:
    unchecked_exchange.settings.version = version_of(server)
    answer = ask(unchecked_exchange, view("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"), version=asked)
    assert (answer.status, answer.code) == (200 if code == "NoError" else 500, code)


@pytest.mark.parametrize(("server", "code"), [("8.1", "ErrorSchemaValidation"), ("14.1", "NoError")])
def test_operations_came_with_their_release(unchecked_exchange: ExchangeSimulator, server: str, code: str) -> None:
    unchecked_exchange.settings.version = version_of(server)
    assert ask(unchecked_exchange, "<m:GetServerTimeZones/>", version="Exchange2007_SP1").code == code


def test_what_is_not_simulated_is_said(unchecked_exchange: ExchangeSimulator) -> None:
    answer = ask(unchecked_exchange, "<m:EmptyFolder/>", version=None)
    assert (answer.status, answer.code) == (500, "ErrorSchemaValidation")


# -- free/busy


def test_free_busy_tells_the_owner_details_and_others_times(exchange: ExchangeSimulator) -> None:
    exchange.add_event(exchange.calendar_of(ADA), "Secret", NINE, NINE + HOUR, busy="OOF")
    span = {"start": EWSDateTime(2026, 3, 3, tzinfo=BERLIN), "end": EWSDateTime(2026, 3, 4, tzinfo=BERLIN)}
    for asker, detailed in ((ADA, True), (BOB, False)):
        (shown,) = account(exchange, asker).protocol.get_free_busy_info(
            accounts=[(ADA, "Organizer", False)], merged_free_busy_interval=60, **span
        )
        (event,) = shown.calendar_events
        assert (event.busy_type, event.start) == ("OOF", EWSDateTime(2026, 3, 3, 9, tzinfo=BERLIN))
        assert shown.merged == "0" * 9 + "3" + "0" * 14
        assert (event.details is not None) is detailed
    assert shown.working_hours_timezone.bias == -60


def test_free_busy_follows_series_and_zones(exchange: ExchangeSimulator) -> None:
    """Weekly at nine in Berlin, asked for from New York around the change of the clocks there (8 March)."""
    exchange.add_recurring(exchange.calendar_of(ADA), "Weekly", NINE, NINE + HOUR, times=3)
    york = EWSTimeZone("America/New_York")
    (shown,) = account(exchange, BOB).protocol.get_free_busy_info(
        accounts=[(ADA, "Organizer", False)],
        start=EWSDateTime(2026, 3, 1, tzinfo=york),
        end=EWSDateTime(2026, 3, 31, tzinfo=york),
    )
    assert [each.start.astimezone(BERLIN).hour for each in shown.calendar_events] == [9, 9, 9]


def test_each_mailbox_has_its_own_answer(exchange: ExchangeSimulator) -> None:
    exchange.add_event(exchange.calendar_of(ADA), "Talk", NINE, NINE + HOUR)
    exchange.lose_access(exchange.calendar_of(BOB))
    mailboxes = "".join(
        f"<t:MailboxData><t:Email><t:Address>{email}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType>"
        "</t:MailboxData>"
        for email in (ADA, "who@example.com", BOB)
    )
    never = "<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>0</t:DayOrder><t:Month>0</t:Month>"
    asked = (
        f"<m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>{never}"
        f"<t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime>{never}<t:DayOfWeek>Sunday</t:DayOfWeek>"
        f"</t:DaylightTime></t:TimeZone><m:MailboxDataArray>{mailboxes}</m:MailboxDataArray><t:FreeBusyViewOptions>"
        "<t:TimeWindow><t:StartTime>2026-03-03T00:00:00</t:StartTime><t:EndTime>{}</t:EndTime></t:TimeWindow>"
        "<t:RequestedView>FreeBusy</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>"
    )
    answer = ask(exchange, asked.format("2026-03-04T00:00:00"))
    assert answer.codes == ["NoError", "ErrorMailRecipientNotFound", "ErrorNoFreeBusyAccess"]
    assert answer.all("//t:CalendarEvent/t:StartTime/text()") == ["2026-03-03T08:00:00"]
    assert ask(exchange, asked.format("2026-06-04T00:00:00")).code == "ErrorTimeIntervalTooBig"
    assert ask(exchange, asked.format("2026-03-02T00:00:00")).code == "ErrorInvalidTimeInterval"
