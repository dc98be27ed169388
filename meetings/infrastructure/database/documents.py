"""The values that are stored as JSON documents, written out by hand in both directions.

What is written here is read by later versions: a new field needs a default in its `..._from` function.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from meetings.domain.account import MailPreset, MailServerKind
from meetings.domain.availability_rules import AvailabilityRules, DateOverride, WallRange, WeeklyHours
from meetings.domain.booking import (
    Booking,
    BookingChannel,
    BookingSource,
    Cancellation,
    CancelledBy,
    Invitee,
    UtmTag,
)
from meetings.domain.booking_form import Answer, ConsentOption, FieldKind, FormField, GivenConsent, GuestPolicy
from meetings.domain.chat_profile import ChatProfile
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.page_settings import (
    AvatarChoice,
    ColorScheme,
    FixedWindow,
    LocationKind,
    MeetingLocation,
    PageSettings,
    PageTheme,
    RollingWindow,
)
from meetings.domain.period import Period
from meetings.domain.plan import Hub, Plan, Subscription, Tier
from meetings.domain.reply_logging import EmailLogging, LoggingRule
from meetings.domain.scheduling_page import PageHost
from meetings.domain.user import UserSettings, Weekday

Json = dict[str, Any]


# ---- accounts -----------------------------------------------------------------------------------------------------


def mail_presets_to(presets: Iterable[MailPreset]) -> list[Json]:
    return [{"domain": preset.domain, "kind": preset.kind.value, "address": preset.address} for preset in presets]


def mail_presets_from(stored: Iterable[Mapping[str, Any]]) -> tuple[MailPreset, ...]:
    return tuple(MailPreset(entry["domain"], MailServerKind(entry["kind"]), entry["address"]) for entry in stored)


def email_logging_to(logging: EmailLogging) -> Json | None:
    """None for an account that never set anything."""
    if logging == EmailLogging():
        return None
    return {"rule": logging.rule.value, "never_log": list(logging.never_log)}


def email_logging_from(stored: Mapping[str, Any] | None) -> EmailLogging:
    if stored is None:
        return EmailLogging()
    return EmailLogging(LoggingRule(stored["rule"]), tuple(stored["never_log"]))


def plan_to(plan: Plan) -> Json | None:
    """None for an account that never had anything but the free plan."""
    if plan == Plan():
        return None
    return {
        "subscriptions": [
            {"hub": each.hub.value, "tier": each.tier.value, "seats": each.seats} for each in plan.subscriptions
        ],
        "everything": plan.everything,
        "holders": {hub.value: sorted(user.hex for user in users) for hub, users in plan.holders.items() if users},
    }


def plan_from(stored: Mapping[str, Any] | None) -> Plan:
    if stored is None:
        return Plan()
    return Plan(
        subscriptions=tuple(
            Subscription(Hub(each["hub"]), Tier(each["tier"]), each["seats"]) for each in stored["subscriptions"]
        ),
        everything=stored["everything"],
        holders={Hub(hub): frozenset(UserId(UUID(user)) for user in users) for hub, users in stored["holders"].items()},
    )


# ---- users --------------------------------------------------------------------------------------------------------


def user_settings_to(settings: UserSettings) -> Json:
    return {
        "time_zone": settings.time_zone,
        "locale": settings.locale,
        "week_starts_on": settings.week_starts_on.value,
        "hour12": settings.hour12,
        "calendar_sync": settings.calendar_sync,
        "scheduling_pages": settings.scheduling_pages,
        "working_hours": None if settings.working_hours is None else availability_to(settings.working_hours),
    }


def user_settings_from(stored: Mapping[str, Any]) -> UserSettings:
    hours = stored["working_hours"]
    return UserSettings(
        time_zone=stored["time_zone"],
        locale=stored["locale"],
        week_starts_on=Weekday(stored["week_starts_on"]),
        hour12=stored["hour12"],
        calendar_sync=stored["calendar_sync"],
        scheduling_pages=stored["scheduling_pages"],
        working_hours=None if hours is None else availability_from(hours),
    )


# ---- beside a chat ------------------------------------------------------------------------------------------------


def chat_profile_to(profile: ChatProfile) -> Json | None:
    """None for one that nobody touched."""
    if profile == ChatProfile():
        return None
    return {
        "display_name": profile.display_name,
        "avatar_url": profile.avatar_url,
        "shows_link": profile.shows_link,
        "link_text": profile.link_text,
        "page_id": profile.page_id.hex if profile.page_id else None,
    }


def chat_profile_from(stored: Mapping[str, Any] | None) -> ChatProfile:
    if stored is None:
        return ChatProfile()
    chosen = stored["page_id"]
    return ChatProfile(
        display_name=stored["display_name"],
        avatar_url=stored["avatar_url"],
        shows_link=stored["shows_link"],
        link_text=stored["link_text"],
        page_id=PageId(UUID(chosen)) if chosen else None,
    )


# ---- opening hours ------------------------------------------------------------------------------------------------


def availability_to(rules: AvailabilityRules) -> Json:
    return {
        "time_zone": rules.time_zone,
        "weekly": [{"days": list(entry.days), "hours": _range_to(entry.hours)} for entry in rules.weekly],
        "overrides": [
            {"date": entry.date.isoformat(), "hours": [_range_to(hours) for hours in entry.hours]}
            for entry in rules.overrides
        ],
    }


def availability_from(stored: Mapping[str, Any]) -> AvailabilityRules:
    return AvailabilityRules(
        time_zone=stored["time_zone"],
        weekly=tuple(WeeklyHours(tuple(entry["days"]), WallRange(*entry["hours"])) for entry in stored["weekly"]),
        overrides=tuple(
            DateOverride(date.fromisoformat(entry["date"]), tuple(WallRange(*hours) for hours in entry["hours"]))
            for entry in stored["overrides"]
        ),
    )


def _range_to(hours: WallRange) -> list[int]:
    return [hours.start, hours.end]


# ---- pages --------------------------------------------------------------------------------------------------------


def page_hosts_to(hosts: Iterable[PageHost]) -> list[Json]:
    return [
        {
            "user_id": host.user_id.hex,
            "weight": host.weight,
            "check_availability": host.check_availability,
            "max_per_day": host.max_per_day,
        }
        for host in hosts
    ]


def page_hosts_from(stored: Iterable[Mapping[str, Any]]) -> tuple[PageHost, ...]:
    return tuple(
        PageHost(
            user_id=UserId(UUID(entry["user_id"])),
            weight=entry["weight"],
            check_availability=entry["check_availability"],
            max_per_day=entry["max_per_day"],
        )
        for entry in stored
    )


def page_settings_to(settings: PageSettings) -> Json:
    return {
        "internal_name": settings.internal_name,
        "headline": settings.headline,
        "durations_minutes": list(settings.durations_minutes),
        "availability": availability_to(settings.availability),
        "event_title": settings.event_title,
        "description": settings.description,
        "location": location_to(settings.location),
        "locale": settings.locale,
        "theme": _theme_to(settings.theme),
        "default_duration_minutes": settings.default_duration_minutes,
        "start_increment_minutes": settings.start_increment_minutes,
        "buffer_before_minutes": settings.buffer_before_minutes,
        "buffer_after_minutes": settings.buffer_after_minutes,
        "minimum_notice": _period_to(settings.minimum_notice),
        "cancellation_notice": _period_to(settings.cancellation_notice),
        "window": _window_to(settings.window),
        "max_per_day": settings.max_per_day,
        "max_per_week": settings.max_per_week,
        "form_fields": [_field_to(entry) for entry in settings.form_fields],
        "guests": {"allowed": settings.guests.allowed, "most": settings.guests.most},
        "consents": [
            {"key": option.key, "text_markdown": option.text_markdown, "required": option.required}
            for option in settings.consents
        ],
        "redirect_url": settings.redirect_url,
        "reminders": [_period_to(reminder) for reminder in settings.reminders],
        "reminders_include_description": settings.reminders_include_description,
        "blocked_email_domains": list(settings.blocked_email_domains),
        "block_free_email": settings.block_free_email,
        "captcha": settings.captcha,
    }


def page_settings_from(stored: Mapping[str, Any]) -> PageSettings:
    return PageSettings(
        internal_name=stored["internal_name"],
        headline=stored["headline"],
        durations_minutes=tuple(stored["durations_minutes"]),
        availability=availability_from(stored["availability"]),
        event_title=stored["event_title"],
        description=stored["description"],
        location=location_from(stored["location"]),
        locale=stored["locale"],
        theme=_theme_from(stored["theme"]),
        default_duration_minutes=stored["default_duration_minutes"],
        start_increment_minutes=stored["start_increment_minutes"],
        buffer_before_minutes=stored["buffer_before_minutes"],
        buffer_after_minutes=stored["buffer_after_minutes"],
        minimum_notice=_period_from(stored["minimum_notice"]),
        cancellation_notice=_period_from(stored["cancellation_notice"]),
        window=_window_from(stored["window"]),
        max_per_day=stored["max_per_day"],
        max_per_week=stored["max_per_week"],
        form_fields=tuple(_field_from(entry) for entry in stored["form_fields"]),
        guests=GuestPolicy(stored["guests"]["allowed"], stored["guests"]["most"]),
        consents=tuple(
            ConsentOption(entry["key"], entry["text_markdown"], entry["required"]) for entry in stored["consents"]
        ),
        redirect_url=stored["redirect_url"],
        reminders=tuple(_period_from(reminder) for reminder in stored["reminders"]),
        reminders_include_description=stored["reminders_include_description"],
        blocked_email_domains=tuple(stored.get("blocked_email_domains", ())),
        block_free_email=stored.get("block_free_email", False),
        captcha=stored.get("captcha", False),
    )


def location_to(location: MeetingLocation) -> Json:
    return {"kind": location.kind.value, "text": location.text}


def location_from(stored: Mapping[str, Any]) -> MeetingLocation:
    return MeetingLocation(LocationKind(stored["kind"]), stored["text"])


def _theme_to(theme: PageTheme) -> Json:
    return {
        "accent_color": theme.accent_color,
        "color_scheme": theme.color_scheme.value,
        "logo_url": theme.logo_url,
        "avatar": theme.avatar.value,
        "avatar_url": theme.avatar_url,
    }


def _theme_from(stored: Mapping[str, Any]) -> PageTheme:
    return PageTheme(
        accent_color=stored["accent_color"],
        color_scheme=ColorScheme(stored["color_scheme"]),
        logo_url=stored["logo_url"],
        avatar=AvatarChoice(stored["avatar"]),
        avatar_url=stored["avatar_url"],
    )


def _period_to(period: Period) -> list[int]:
    return [period.days, period.minutes]


def _period_from(stored: list[int]) -> Period:
    return Period(days=stored[0], minutes=stored[1])


def _window_to(window: RollingWindow | FixedWindow) -> Json:
    if isinstance(window, RollingWindow):
        return {"days": window.days}
    return {"first": window.first.isoformat(), "last": window.last.isoformat()}


def _window_from(stored: Mapping[str, Any]) -> RollingWindow | FixedWindow:
    if "days" in stored:
        return RollingWindow(stored["days"])
    return FixedWindow(date.fromisoformat(stored["first"]), date.fromisoformat(stored["last"]))


def _field_to(entry: FormField) -> Json:
    return {
        "key": entry.key,
        "label": entry.label,
        "kind": entry.kind.value,
        "required": entry.required,
        "options": list(entry.options),
        "contact_property": entry.contact_property,
        "hidden": entry.hidden,
    }


def _field_from(stored: Mapping[str, Any]) -> FormField:
    return FormField(
        key=stored["key"],
        label=stored["label"],
        kind=FieldKind(stored["kind"]),
        required=stored["required"],
        options=tuple(stored["options"]),
        contact_property=stored["contact_property"],
        hidden=stored["hidden"],
    )


# ---- bookings -----------------------------------------------------------------------------------------------------


def booking_details_to(booking: Booking) -> Json:
    """What a booking holds beside its columns: who comes, what they said, how it ended."""
    return {
        "invitee": _invitee_to(booking.invitee),
        "location": location_to(booking.location),
        "answers": [
            {"key": answer.key, "label": answer.label, "values": list(answer.values)} for answer in booking.answers
        ],
        "guests": list(booking.guests),
        "consents": [
            {
                "key": consent.key,
                "text_markdown": consent.text_markdown,
                "given_at": consent.given_at.isoformat(),
            }
            for consent in booking.consents
        ],
        "message": booking.message,
        "proposed": [start.isoformat() for start in booking.proposed],
        "source": {
            "channel": booking.source.channel.value,
            "utm": [[tag.key, tag.value] for tag in booking.source.utm],
        },
        "cancellation": None if booking.cancellation is None else _cancellation_to(booking.cancellation),
    }


def booking_details_from(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `Booking` that `booking_details_to` wrote."""
    cancellation = stored["cancellation"]
    return {
        "invitee": Invitee(**stored["invitee"]),
        "location": location_from(stored["location"]),
        "answers": tuple(Answer(entry["key"], entry["label"], tuple(entry["values"])) for entry in stored["answers"]),
        "guests": tuple(stored["guests"]),
        "consents": tuple(
            GivenConsent(entry["key"], entry["text_markdown"], datetime.fromisoformat(entry["given_at"]))
            for entry in stored["consents"]
        ),
        "message": stored["message"],
        "proposed": tuple(datetime.fromisoformat(start) for start in stored["proposed"]),
        "source": BookingSource(
            BookingChannel(stored["source"]["channel"]),
            tuple(UtmTag(key, value) for key, value in stored["source"]["utm"]),
        ),
        "cancellation": None if cancellation is None else _cancellation_from(cancellation),
    }


def _invitee_to(invitee: Invitee) -> Json:
    return {
        "first_name": invitee.first_name,
        "last_name": invitee.last_name,
        "email": invitee.email,
        "time_zone": invitee.time_zone,
        "locale": invitee.locale,
    }


def _cancellation_to(cancellation: Cancellation) -> Json:
    return {"by": cancellation.by.value, "reason": cancellation.reason, "at": cancellation.at.isoformat()}


def _cancellation_from(stored: Mapping[str, Any]) -> Cancellation:
    return Cancellation(CancelledBy(stored["by"]), stored["reason"], datetime.fromisoformat(stored["at"]))
