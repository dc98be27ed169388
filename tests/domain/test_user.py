from dataclasses import replace

import pytest

from meetings.domain.base import PermissionMissing, ProblemCode, Rule
from meetings.domain.user import DefaultPageChosen, Role, SettingsChanged, UserSettings, Weekday
from tests.builders import NOW, a_user, page_id, user_id, weekday_hours
from tests.domain.problems import refused

NEW = UserSettings(time_zone="Europe/Berlin", locale="de", working_hours=weekday_hours())


def test_by_default_pages_take_bookings_and_the_calendar_is_kept_in_step() -> None:
    settings = a_user().settings
    assert (settings.scheduling_pages, settings.calendar_sync, settings.working_hours) == (True, True, None)


def test_settings_are_taken_whole_and_are_news_when_they_differ() -> None:
    user = a_user()
    user.change_settings(NEW, now=NOW)
    user.change_settings(replace(NEW), now=NOW)
    assert user.settings == NEW
    assert user.pull_events() == (SettingsChanged(at=NOW, user_id=user.id),)


def test_bad_settings_are_refused_with_everything_wrong_and_change_nothing() -> None:
    user = a_user(settings=NEW)
    bad = UserSettings(time_zone="Mars/X", locale="xx", working_hours=weekday_hours(start=1020, end=540))
    assert refused(lambda: user.change_settings(bad, now=NOW)) == [
        ("timeZone", Rule.NOT_A_TIME_ZONE, ProblemCode.TIMEZONE_INVALID),
        ("locale", Rule.NOT_A_LOCALE),
        ("workingHours.weekly.0.to", Rule.END_BEFORE_START),
    ]
    assert (user.settings, user.pull_events()) == (NEW, ())


def test_choosing_a_default_page_is_news_once() -> None:
    user, page = a_user(), page_id()
    user.choose_default_page(page, now=NOW)
    user.choose_default_page(page, now=NOW)
    assert user.default_page_id == page
    assert user.pull_events() == (DefaultPageChosen(at=NOW, user_id=user.id, page_id=page),)


@pytest.mark.parametrize(
    ("role", "others"), [(Role.OWNER, True), (Role.ADMIN, True), (Role.MEMBER, False)], ids=lambda value: str(value)
)
def test_everybody_manages_their_own_pages_and_owners_and_admins_everybody_s(role: Role, others: bool) -> None:
    user = a_user(role=role)
    user.check_may_manage(user.id)
    if others:
        user.check_may_manage(user_id())
    else:
        with pytest.raises(PermissionMissing, match="scheduling pages"):
            user.check_may_manage(user_id())


def test_a_person_has_a_name_and_an_address() -> None:
    assert refused(lambda: a_user(name=" ", email="nobody")) == [
        ("name", Rule.REQUIRED),
        ("email", Rule.NOT_AN_EMAIL, ProblemCode.EMAIL_INVALID),
    ]


def test_a_person_does_not_show_their_password_in_a_log() -> None:
    assert "argon2" not in repr(a_user(password_hash="$argon2id$secret"))


def test_weekdays_count_as_dates_do() -> None:
    assert [day.name for day in sorted(Weekday, key=lambda day: day.value)][NOW.weekday()] == "MONDAY"
