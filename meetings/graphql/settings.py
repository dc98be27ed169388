"""A person's own settings."""

from dataclasses import replace
from typing import Annotated, Any

import strawberry

from meetings.application.change_settings import change_settings
from meetings.application.meeting_url import change_meeting_url
from meetings.domain import user as domain
from meetings.domain.base import InvalidInput, Problem
from meetings.graphql.availability_rules import AvailabilityRulesInput
from meetings.graphql.context import Info, again_on_conflict
from meetings.graphql.enums import Capability, Rule, Weekday
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation
from meetings.graphql.people import ViewerSettings
from meetings.graphql.scalars import TimeZone


@strawberry.input(description="A field left out is unchanged; `null` clears what can be empty.")
class SettingsInput:
    """What to change."""

    time_zone: strawberry.Maybe[TimeZone | None] = strawberry.field(
        default=None, description="The zone this person works in."
    )
    locale: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The language they are written to, such as `de` or `de-DE`."
    )
    week_starts_on: strawberry.Maybe[Weekday | None] = strawberry.field(
        default=None, description="Which day calendars show first."
    )
    hour12: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Whether times are shown with AM and PM."
    )
    calendar_sync: strawberry.Maybe[bool | None] = strawberry.field(
        default=None,
        description="CRM meetings become calendar events and back. Refused where the calendar's provider cannot.",
    )
    scheduling_pages: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Off makes all of this person's pages refuse bookings."
    )
    working_hours: strawberry.Maybe[AvailabilityRulesInput | None] = strawberry.field(
        default=None, description="Hours that narrow every page of this person; `null` for none."
    )

    def applied_to(self, settings: domain.UserSettings) -> domain.UserSettings:
        """The settings with these changes.

        Raises:
            InvalidInput: a `null` where there has to be a value, together with everything else that is wrong.
        """
        changes: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, graphql_name in _VALUES.items():
            given: strawberry.Some[Any] | None = getattr(self, name)
            if given is not None and given.value is None:
                problems.append(Problem((graphql_name,), Rule.REQUIRED))
            elif given is not None:
                changes[name] = given.value
        if self.working_hours is not None:
            hours = self.working_hours.value
            changes["working_hours"] = hours.rules() if hours else None
        changed = replace(settings, **changes)
        if problems:
            raise InvalidInput([*problems, *_problems_of(changed)])
        return changed


_VALUES = {
    "time_zone": "timeZone",
    "locale": "locale",
    "week_starts_on": "weekStartsOn",
    "hour12": "hour12",
    "calendar_sync": "calendarSync",
    "scheduling_pages": "schedulingPages",
}


def _problems_of(settings: domain.UserSettings) -> tuple[Problem, ...]:
    try:
        settings.check()
    except InvalidInput as wrong:
        return wrong.problems
    return ()


@strawberry.type(description="What became of the settings.")
class SettingsPayload:
    """Either settings or errors."""

    settings: ViewerSettings | None = strawberry.field(default=None, description="The settings as they are now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of the meeting URL.")
class MeetingUrlPayload:
    """Either the path or errors."""

    meeting_url: str | None = strawberry.field(
        default=None, description="What addresses of pages created from now on begin with."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="Mutations of a person's own settings.")
class SettingsMutations:
    """Part of the schema's mutations."""

    @mutation(
        SettingsPayload,
        Access.SIGNED_IN,
        "Change the signed-in person's own settings, all of the changes or none.",
        Code.VALIDATION,
        Code.CAPABILITY_UNSUPPORTED,
        Code.CONCURRENT_CHANGE,
    )
    async def update_settings(
        self, info: Info, input: Annotated[SettingsInput, strawberry.argument(description="What to change.")]
    ) -> SettingsPayload:
        operation = info.context
        caller = operation.signed_in()
        tools = operation.tools
        needs = (Capability.CALENDAR_SYNC,) if input.calendar_sync is not None else ()
        await again_on_conflict(
            lambda: change_settings(
                input.applied_to, caller=caller, begin=operation.begin, clock=tools.clock, needs=needs
            )
        )
        operation.forget_loaded()
        user = await operation.viewer()
        return SettingsPayload(settings=ViewerSettings.of(user) if user else None)

    @mutation(
        MeetingUrlPayload,
        Access.SIGNED_IN,
        "Have addresses of the signed-in person's pages begin with another path, from the next page on. Pages that "
        "exist keep theirs. It takes a connected calendar and the feature `EDIT_MEETING_URL`.",
        Code.SLUG_INVALID,
        Code.SLUG_TAKEN,
        Code.NOT_CONNECTED,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.CONCURRENT_CHANGE,
        paths={"slug": ("meetingUrl",)},
    )
    async def update_meeting_url(
        self,
        info: Info,
        meeting_url: Annotated[
            str,
            strawberry.argument(
                description="Such as `anna`: small letters, digits, `.`, `_`, `-`, at most 60; letter case and outer "
                "slashes are ignored."
            ),
        ],
    ) -> MeetingUrlPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: change_meeting_url(
                meeting_url, caller=caller, begin=operation.begin, clock=tools.clock, policy=tools.policy
            )
        )
        operation.forget_loaded()
        user = await operation.viewer()
        return MeetingUrlPayload(meeting_url=user.meeting_url if user else None)
