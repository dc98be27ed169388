"""Calendar items one by one: made, read, changed, removed."""

from datetime import UTC, datetime, timedelta

import pytest
from exchangelib import CalendarItem, EWSDateTime, EWSTimeZone, HTMLBody
from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorInvalidRecipients,
    ErrorIrresolvableConflict,
    ErrorItemNotFound,
)
from exchangelib.items import SEND_TO_ALL_AND_SAVE_COPY
from exchangelib.properties import Attendee, Mailbox

from meetings.adapters.exchange.simulator import ExchangeSimulator
from meetings.adapters.exchange.simulator.versions import version_of
from tests.contracts.exchange.clients import (
    ADA,
    BOB,
    CALENDAR,
    account,
    ask,
    change_item,
    delete_item,
    folder_id,
    get_item,
    new_item,
    set_field,
)

BERLIN = EWSTimeZone("Europe/Berlin")
START = EWSDateTime(2026, 3, 3, 9, tzinfo=BERLIN)
NINE = datetime(2026, 3, 3, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERA = Attendee(mailbox=Mailbox(email_address="vera@visitors.example", name="Vera Visitor"))
TIMES = "<t:Start>2026-03-03T08:00:00Z</t:Start><t:End>2026-03-03T09:00:00Z</t:End>"


def _coffee(exchange: ExchangeSimulator, **fields: object) -> CalendarItem:
    ada = account(exchange)
    about = {"subject": "Coffee", "start": START, "end": START + HOUR, **fields}
    return CalendarItem(account=ada, folder=ada.calendar, **about)


def test_an_item_comes_back_as_it_was_written(exchange: ExchangeSimulator) -> None:
    made = _coffee(exchange, body="Agenda:\ncoffee & cake", location="Café Central", booking_key="b-1")
    made.save()
    read = account(exchange).calendar.get(booking_key="b-1")
    assert (read.id, read.changekey) == (made.id, made.changekey)
    assert (read.subject, read.location, read.booking_key) == ("Coffee", "Café Central", "b-1")
    assert (read.start, read.end) == (START, START + HOUR)
    assert read._start_timezone == BERLIN
    assert (read.type, read.my_response_type, read.legacy_free_busy_status) == ("Single", "Organizer", "Busy")
    assert (read.is_meeting, read.is_cancelled, read.is_all_day, read.is_recurring) == (False, False, False, False)
    assert read.organizer.email_address == ADA
    assert read.uid
    (event,) = exchange.events(exchange.calendar_of(ADA))
    assert (event.subject, event.body, event.start, event.zone) == (
        "Coffee",
        "Agenda:\ncoffee & cake",
        NINE,
        "Europe/Berlin",
    )


def test_invitations_go_out_only_when_the_request_says_so(exchange: ExchangeSimulator) -> None:
    _coffee(exchange, required_attendees=[VERA]).save()
    assert exchange.mails == []
    invited = _coffee(exchange, required_attendees=[VERA])
    invited.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    assert [(mail.to, mail.kind, mail.sender) for mail in exchange.mails] == [
        ("vera@visitors.example", "invitation", ADA)
    ]
    invited.refresh()
    assert (invited.is_meeting, invited.meeting_request_was_sent) == (True, True)
    assert [(each.mailbox.email_address, each.response_type) for each in invited.required_attendees] == [
        ("vera@visitors.example", "Unknown")
    ]


def test_a_change_of_guests_tells_each_what_concerns_them(exchange: ExchangeSimulator) -> None:
    gus = Attendee(mailbox=Mailbox(email_address="gus@visitors.example", name="Gus"))
    item = _coffee(exchange, required_attendees=[VERA])
    item.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    item.required_attendees = [VERA, gus]
    item.save(update_fields=["required_attendees"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    item.required_attendees = [gus]
    item.save(update_fields=["required_attendees"], send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    item.delete(send_meeting_cancellations=SEND_TO_ALL_AND_SAVE_COPY)
    told = [(mail.to.partition("@")[0], mail.kind) for mail in exchange.mails]
    assert told == [
        ("vera", "invitation"),
        ("gus", "invitation"),
        ("vera", "update"),
        ("gus", "update"),
        ("vera", "cancellation"),
        ("gus", "cancellation"),
    ]


def test_a_mail_to_no_address_is_refused_and_nothing_is_made(exchange: ExchangeSimulator) -> None:
    nobody = Attendee(mailbox=Mailbox(email_address="not an address", name="Nobody"))
    with pytest.raises(ErrorInvalidRecipients):
        _coffee(exchange, required_attendees=[nobody]).save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    assert (exchange.events(exchange.calendar_of(ADA)), exchange.mails) == ([], [])


def test_a_guest_with_a_mailbox_here_finds_the_meeting_and_answers_it(exchange: ExchangeSimulator) -> None:
    made = _coffee(exchange, required_attendees=[Attendee(mailbox=Mailbox(email_address=BOB))])
    made.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    (copy,) = account(exchange, BOB).calendar.all()
    assert (copy.my_response_type, copy.legacy_free_busy_status) == ("NoResponseReceived", "Tentative")
    assert (copy.organizer.email_address, copy.uid) == (ADA, account(exchange).calendar.get(subject="Coffee").uid)
    copy.accept()
    copy.refresh()
    made.refresh()
    assert (copy.my_response_type, copy.legacy_free_busy_status) == ("Accept", "Busy")
    assert made.required_attendees[0].response_type == "Accept"


def test_a_declined_meeting_moves_to_deleted_items(exchange: ExchangeSimulator) -> None:
    invited = exchange.invite(ADA, BOB, "Plan", NINE, NINE + HOUR)
    (copy,) = account(exchange).calendar.all()
    assert copy.id == invited
    copy.decline()
    assert exchange.events(exchange.calendar_of(ADA)) == []
    (deleted,) = exchange.events(exchange.deleted_items_of(ADA))
    assert (deleted.response, deleted.busy) == ("Decline", "Free")
    (plan,) = exchange.events(exchange.calendar_of(BOB))
    assert plan.attendees == ((ADA, "Decline"),)


def test_a_cancelled_meeting_stays_with_its_guests_marked_as_cancelled(exchange: ExchangeSimulator) -> None:
    made = _coffee(exchange, required_attendees=[Attendee(mailbox=Mailbox(email_address=BOB)), VERA])
    made.save(send_meeting_invitations=SEND_TO_ALL_AND_SAVE_COPY)
    made.cancel()
    assert exchange.events(exchange.calendar_of(ADA)) == []
    (copy,) = exchange.events(exchange.calendar_of(BOB))
    assert (copy.subject, copy.cancelled, copy.busy) == ("Canceled: Coffee", True, "Free")
    assert [mail.kind for mail in exchange.mails][-2:] == ["cancellation", "cancellation"]


def test_who_is_not_invited_any_more_sees_the_meeting_cancelled(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Plan", NINE, NINE + HOUR, attendees=(BOB,))
    exchange.change_event(made, attendees=("vera@visitors.example",))
    (copy,) = exchange.events(exchange.calendar_of(BOB))
    assert copy.cancelled
    told = [(mail.to.partition("@")[0], mail.kind) for mail in exchange.mails]
    assert told == [("bob", "invitation"), ("vera", "invitation"), ("bob", "cancellation")]


def test_another_time_asks_for_another_answer(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Plan", NINE, NINE + HOUR, attendees=(BOB,))
    (copy,) = exchange.events(exchange.calendar_of(BOB))
    exchange.respond(copy.id, "Accept")
    exchange.change_event(made, subject="Better plan")
    accepted = exchange.event(copy.id)
    assert (accepted.subject, accepted.response, accepted.busy) == ("Better plan", "Accept", "Busy")
    exchange.move_event(made, NINE + HOUR, NINE + 2 * HOUR)
    moved = exchange.event(copy.id)
    assert (moved.start, moved.response, moved.busy) == (NINE + HOUR, "NoResponseReceived", "Tentative")


def test_a_cancelled_occurrence_is_off_for_its_guests_too(exchange: ExchangeSimulator) -> None:
    series = exchange.add_recurring(exchange.calendar_of(ADA), "Weekly", NINE, NINE + HOUR, times=3)
    exchange.change_event(series, attendees=(BOB,))
    (copy,) = exchange.events(exchange.calendar_of(BOB))
    second = exchange.instance_id(series, NINE + timedelta(days=7))
    assert ask(exchange, delete_item(second, sends="SendToAllAndSaveCopy")).codes == ["NoError"]
    theirs = exchange.instance_id(copy.id, NINE + timedelta(days=7))
    assert ask(exchange, get_item(theirs), email=BOB).codes == ["ErrorItemNotFound"]
    assert [mail.kind for mail in exchange.mails] == ["invitation", "cancellation"]


def test_a_removed_item_moves_to_deleted_items_under_another_id(exchange: ExchangeSimulator) -> None:
    made = _coffee(exchange, booking_key="b-1")
    made.save()
    old = made.id
    made.move_to_trash()
    ada = account(exchange)
    (binned,) = ada.trash.filter(booking_key="b-1")
    assert binned.id != old
    assert list(ada.calendar.filter(booking_key="b-1")) == []
    with pytest.raises(ErrorItemNotFound):
        ada.calendar.get(id=old)
    exchange.purge(ADA)
    assert list(ada.trash.filter(booking_key="b-1")) == []


@pytest.mark.parametrize("kind", ["HardDelete", "SoftDelete"])
def test_an_item_that_is_deleted_for_good_lies_nowhere(exchange: ExchangeSimulator, kind: str) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    assert ask(exchange, delete_item(made, kind=kind)).codes == ["NoError"]
    assert exchange.events(exchange.deleted_items_of(ADA)) == []
    assert ask(exchange, delete_item(made, kind=kind)).codes == ["ErrorItemNotFound"]


def test_a_stale_change_key_conflicts_unless_the_writer_overwrites(exchange: ExchangeSimulator) -> None:
    first = _coffee(exchange)
    first.save()
    second = account(exchange).calendar.get(subject="Coffee")
    second.subject = "Tea"
    second.save(update_fields=["subject"])
    first.subject = "Beer"
    with pytest.raises(ErrorIrresolvableConflict):
        first.save(update_fields=["subject"], conflict_resolution="NeverOverwrite")
    assert [event.subject for event in exchange.events(exchange.calendar_of(ADA))] == ["Tea"]
    first.save(update_fields=["subject"], conflict_resolution="AlwaysOverwrite")
    assert [event.subject for event in exchange.events(exchange.calendar_of(ADA))] == ["Beer"]


@pytest.mark.parametrize(
    ("key", "code"), [(None, "ErrorChangeKeyRequiredForWriteOperations"), ("nonsense", "ErrorInvalidChangeKey")]
)
def test_an_update_needs_a_change_key(exchange: ExchangeSimulator, key: str | None, code: str) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    update = set_field("item:Subject", "<t:Subject>Tea</t:Subject>")
    assert ask(exchange, change_item(made, key, update)).codes == [code]
    overwriting = ask(exchange, change_item(made, None, update, ConflictResolution="AlwaysOverwrite"))
    assert overwriting.codes == ["NoError"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (new_item(TIMES, sends=None), "ErrorSendMeetingInvitationsRequired"),
        (
            change_item("{id}", None, set_field("item:Subject", "<t:Subject>Tea</t:Subject>"),
                        ConflictResolution="AlwaysOverwrite", SendMeetingInvitationsOrCancellations=""),
            "ErrorSendMeetingInvitationsOrCancellationsRequired",
        ),
        (delete_item("{id}", sends=None), "ErrorSendMeetingCancellationsRequired"),
    ],
)  # fmt: skip
def test_each_write_has_to_say_whether_guests_are_told(exchange: ExchangeSimulator, request_: str, code: str) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    assert ask(exchange, request_.replace("{id}", made)).codes == [code]
    assert [event.subject for event in exchange.events(exchange.calendar_of(ADA))] == ["Coffee"]


def test_an_end_before_the_start_is_refused(exchange: ExchangeSimulator) -> None:
    wrong = "<t:Start>2026-03-03T09:00:00Z</t:Start><t:End>2026-03-03T08:00:00Z</t:End>"
    assert ask(exchange, new_item(wrong)).codes == ["ErrorCalendarEndDateIsEarlierThanStartDate"]


def test_a_field_can_be_taken_away_and_text_added(exchange: ExchangeSimulator) -> None:
    item = _coffee(exchange, location="Wien", body="One", booking_key="b-1")
    item.save()
    item.location, item.booking_key = None, None
    item.save(update_fields=["location", "booking_key"])
    more = (
        '<t:AppendToItemField><t:FieldURI FieldURI="item:Body"/><t:CalendarItem><t:Body BodyType="Text"> and two'
        "</t:Body></t:CalendarItem></t:AppendToItemField>"
    )
    assert ask(exchange, change_item(item.id, None, more, ConflictResolution="AlwaysOverwrite")).codes == ["NoError"]
    (event,) = exchange.events(exchange.calendar_of(ADA))
    assert (event.location, event.body) == ("", "One and two")
    assert list(account(exchange).calendar.filter(booking_key="b-1")) == []


def test_a_body_comes_in_the_kind_that_is_asked_for(exchange: ExchangeSimulator) -> None:
    """Plain text has CRLF ends of lines; HTML is a document."""
    plain, rich = _coffee(exchange, body="One\n<two>"), _coffee(exchange, body=HTMLBody("<p>One</p><p>&lt;two&gt;</p>"))
    plain.save()
    rich.save()
    bodies = {
        (item.id, kind): ask(exchange, get_item(item.id, paths=("item:Body",), body=kind)).first("//t:Body")
        for item in (plain, rich)
        for kind in ("Text", "HTML", "Best")
    }
    assert [bodies[item.id, "Text"].text for item in (plain, rich)] == ["One\r\n<two>"] * 2
    assert "One<br>\r\n&lt;two&gt;" in bodies[plain.id, "HTML"].text
    assert [bodies[item.id, "Best"].get("BodyType") for item in (plain, rich)] == ["Text", "HTML"]


def test_whole_days_run_from_midnight_to_midnight_of_the_items_zone(exchange: ExchangeSimulator) -> None:
    """The clocks change in Berlin on 29 March: that day has 23 hours."""
    day = (
        "<t:Start>2026-03-29T05:00:00Z</t:Start><t:End>2026-03-29T09:00:00Z</t:End><t:IsAllDayEvent>true"
        '</t:IsAllDayEvent><t:StartTimeZone Id="W. Europe Standard Time"/>'
    )
    assert ask(exchange, new_item(day)).codes == ["NoError"]
    (event,) = exchange.events(exchange.calendar_of(ADA))
    assert (event.start, event.end) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert (event.all_day, event.busy) == (True, "Free")


def test_times_are_shown_in_the_zone_of_the_request(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    asked = get_item(made, paths=("calendar:Start", "calendar:StartTimeZone"))
    assert ask(exchange, asked).first("//t:Start/text()") == "2026-03-03T08:00:00Z"
    shown = ask(exchange, asked, zone="Eastern Standard Time")
    assert shown.first("//t:Start/text()") == "2026-03-03T03:00:00-05:00"
    assert shown.first("//t:StartTimeZone/@Id") == "W. Europe Standard Time"


def test_a_time_without_an_offset_is_in_the_zone_of_the_item_or_of_the_request(exchange: ExchangeSimulator) -> None:
    naive = "<t:Start>2026-07-01T09:00:00</t:Start><t:End>2026-07-01T10:00:00</t:End>"
    ask(exchange, new_item(naive))
    ask(exchange, new_item(naive), zone="Eastern Standard Time")
    ask(exchange, new_item(f'{naive}<t:StartTimeZone Id="Tokyo Standard Time"/>'), zone="Eastern Standard Time")
    assert [event.start.hour for event in exchange.events(exchange.calendar_of(ADA))] == [9, 13, 0]


def test_a_zone_nobody_knows_is_refused(exchange: ExchangeSimulator) -> None:
    wrong = f'{TIMES}<t:StartTimeZone Id="Atlantis Standard Time"/>'
    assert ask(exchange, new_item(wrong)).codes == ["ErrorCalendarInvalidTimeZone"]


@pytest.mark.parametrize("rights", ["reader", "free_busy", "none"])
def test_a_calendar_that_may_not_be_written_refuses_writes(exchange: ExchangeSimulator, rights: str) -> None:
    calendar = exchange.add_calendar(ADA, "Team")
    made = exchange.add_event(calendar, "Coffee", NINE, NINE + HOUR)
    exchange.set_rights(calendar, rights)
    update = set_field("item:Subject", "<t:Subject>Tea</t:Subject>")
    for asked in (
        new_item(TIMES, folder=folder_id(calendar)),
        change_item(made, None, update, ConflictResolution="AlwaysOverwrite"),
        delete_item(made),
    ):
        assert ask(exchange, asked).codes == ["ErrorAccessDenied"]
    reading = ask(exchange, get_item(made)).codes
    assert reading == (["NoError"] if rights == "reader" else ["ErrorAccessDenied"])


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorFolderNotFound", "ErrorItemNotFound"])
def test_lost_access_refuses_the_folder_and_its_items(exchange: ExchangeSimulator, code: str) -> None:
    calendar = exchange.add_calendar(ADA, "Team")
    made = exchange.add_event(calendar, "Coffee", NINE, NINE + HOUR)
    exchange.lose_access(calendar, code=code)
    for asked in (new_item(TIMES, folder=folder_id(calendar)), get_item(made), delete_item(made)):
        assert ask(exchange, asked).codes == [code]
    exchange.restore_access(calendar)
    assert ask(exchange, get_item(made)).codes == ["NoError"]


def test_somebody_elses_item_is_not_found(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(BOB), "Secret", NINE, NINE + HOUR)
    assert ask(exchange, get_item(made)).codes == ["ErrorFolderNotFound"]
    exchange.share_mailbox(BOB, ADA)
    assert ask(exchange, get_item(made)).codes == ["NoError"]


def test_one_bad_id_does_not_touch_the_others(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    asked = get_item(made).replace("</m:ItemIds>", '<t:ItemId Id="nonsense"/></m:ItemIds>')
    assert ask(exchange, asked).codes == ["NoError", "ErrorInvalidIdMalformed"]


def test_a_calendar_item_needs_a_calendar(exchange: ExchangeSimulator) -> None:
    inbox = '<t:DistinguishedFolderId Id="inbox"/>'
    assert ask(exchange, new_item(TIMES, folder=inbox)).codes == ["ErrorCannotCreateCalendarItemInNonCalendarFolder"]
    assert ask(exchange, new_item(TIMES, folder=CALENDAR)).codes == ["NoError"]


@pytest.mark.parametrize(
    ("version", "code"), [("14.2", "ErrorSchemaValidation"), ("15.0", "NoError"), ("15.2", "NoError")]
)
def test_working_elsewhere_came_with_2013(unchecked_exchange: ExchangeSimulator, version: str, code: str) -> None:
    unchecked_exchange.settings.version = version_of(version)
    item = new_item(f"{TIMES}<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>")
    assert ask(unchecked_exchange, item).code == code


def test_a_read_only_property_cannot_be_set(exchange: ExchangeSimulator) -> None:
    made = exchange.add_event(exchange.calendar_of(ADA), "Coffee", NINE, NINE + HOUR)
    wrong = set_field("calendar:IsCancelled", "<t:IsCancelled>true</t:IsCancelled>")
    asked = change_item(made, None, wrong, ConflictResolution="AlwaysOverwrite")
    assert ask(exchange, asked).codes == ["ErrorInvalidPropertySet"]


def test_access_that_is_denied_reaches_exchangelib_as_such(exchange: ExchangeSimulator) -> None:
    exchange.lose_access(exchange.calendar_of(ADA))
    with pytest.raises(ErrorAccessDenied):
        _coffee(exchange).save()
