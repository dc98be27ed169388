"""Scheduling pages, as their people see and edit them."""

import datetime
from typing import Annotated, Any

import strawberry

from meetings.application.explain_day import Explanation, explain_day
from meetings.application.page_state import PageState
from meetings.application.scheduling_pages import (
    archive_page,
    change_page,
    choose_default_page,
    create_page,
    duplicate_page,
)
from meetings.domain import page_settings
from meetings.domain import scheduling_page as domain
from meetings.domain.base import NotFound
from meetings.domain.identifiers import AccountId, PageId, UserId
from meetings.domain.page_settings import FixedWindow, RollingWindow
from meetings.domain.period import Period
from meetings.domain.scheduling_page import StaleRevision
from meetings.domain.slug import SlugTaken
from meetings.graphql.availability_rules import AvailabilityRules
from meetings.graphql.booking_lists import BookingFilter
from meetings.graphql.bookings import BookingConnection, booking_connection
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import AvatarChoice, BookingMode, ConnectionStatus, PageType, Provider, Reason, Role
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, ConflictError, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, from_id, to_id
from meetings.graphql.nodes import Node
from meetings.graphql.page_input import SchedulingPageInput
from meetings.graphql.page_parts import ConsentOption, FormField, GuestPolicy, MeetingLocation, PageTheme
from meetings.graphql.paging import AFTER, DEFAULT_PAGE, FIRST, PageInfo
from meetings.graphql.people import User
from meetings.graphql.scalars import URL, Locale


@strawberry.type(description="Somebody one can meet on a page.")
class PageHost:
    """With how this page treats them."""

    user: User = strawberry.field(description="Who.")
    weight: int = strawberry.field(description="Their share of a round robin's meetings.")
    check_availability: bool = strawberry.field(description="Whether their calendar is asked; off, hours alone count.")
    max_per_day: int | None = strawberry.field(description="How many meetings a day they take; null for any number.")
    is_offline: bool = strawberry.field(description="Whether there is no calendar behind them.")
    calendar_provider: Provider | None = strawberry.field(description="Whose calendar they connected; null for none.")
    calendar_status: ConnectionStatus | None = strawberry.field(description="How it is doing; null without one.")

    @classmethod
    def of(cls, host: domain.PageHost, state: PageState) -> "PageHost":
        connection = state.connections.get(host.user_id)
        return cls(
            user=User.of(state.users[host.user_id]),
            weight=host.weight,
            check_availability=host.check_availability,
            max_per_day=host.max_per_day,
            is_offline=state.mode_of(host) is BookingMode.OFFLINE,
            calendar_provider=connection.provider if connection else None,
            calendar_status=connection.status if connection else None,
        )


@strawberry.type(description="From when to when one can book: so many days ahead, or between two dates.")
class BookingWindow:
    """In the page's zone."""

    rolling: Period | None = strawberry.field(description="How many days ahead; null for a fixed window.")
    from_: datetime.date | None = strawberry.field(name="from", description="The first day; null for a rolling one.")
    to: datetime.date | None = strawberry.field(description="The last day; null for a rolling one.")

    @classmethod
    def of(cls, window: RollingWindow | FixedWindow) -> "BookingWindow":
        if isinstance(window, RollingWindow):
            return cls(rolling=Period(days=window.days), from_=None, to=None)
        return cls(rolling=None, from_=window.first, to=window.last)


@strawberry.type(description="A span of start times that a page does not offer, for one reason.")
class AvailabilityExplanation:
    """Spans of different reasons overlap."""

    from_: datetime.datetime = strawberry.field(name="from", description="The first start it takes away.")
    to: datetime.datetime = strawberry.field(description="The end; a start right then is not taken away by it.")
    reason: Reason = strawberry.field(description="Which kind of reason.")
    source: str = strawberry.field(description="Which rule, or what is in the way.")
    host: str | None = strawberry.field(description="Whose time it is; null for a rule of the page.")

    @classmethod
    def of(cls, told: Explanation) -> "AvailabilityExplanation":
        return cls(from_=told.start, to=told.end, reason=Reason[told.reason], source=told.source, host=told.host)


@strawberry.type(description="A page people book on, as its people see it.")
class SchedulingPage(Node):
    """Visitors see a `PublicSchedulingPage`."""

    revision: int = strawberry.field(description="Counts changes, for `ifRevision`.")
    type: PageType = strawberry.field(description="How many hosts meet the invitee.")
    internal_name: str = strawberry.field(description="What colleagues call it; visitors never see it.")
    slug: str = strawberry.field(description="Its path, unique over all accounts.")
    archived_at: datetime.datetime | None = strawberry.field(description="When it was taken down; null while it is up.")
    headline: str = strawberry.field(description="What it is about.")
    description: str | None = strawberry.field(description="More words.")
    event_title: str = strawberry.field(description="Title of the calendar event, with its placeholders.")
    location: MeetingLocation = strawberry.field(description="Where one meets.")
    locale: Locale = strawberry.field(description="The page's language.")
    avatar: AvatarChoice = strawberry.field(description="Which picture it shows.")
    durations_minutes: list[int] = strawberry.field(description="How long one can meet.")
    default_duration_minutes: int = strawberry.field(description="The duration that is meant when none is named.")
    start_increment_minutes: int | None = strawberry.field(
        description="Distance of start times; null for the meeting's duration."
    )
    buffer_before: Period = strawberry.field(description="Free time kept before each meeting.")
    buffer_after: Period = strawberry.field(description="Free time kept after each meeting.")
    minimum_notice: Period = strawberry.field(description="How long before it begins a meeting must be booked.")
    cancellation_notice: Period = strawberry.field(
        description="How long before it begins the invitee may last move or cancel a meeting."
    )
    booking_window: BookingWindow = strawberry.field(description="From when to when one can book.")
    max_per_day: int | None = strawberry.field(description="How many meetings a day it takes; null for any number.")
    max_per_week: int | None = strawberry.field(description="How many meetings a week it takes; null for any number.")
    availability: AvailabilityRules = strawberry.field(description="Its opening hours.")
    form_fields: list[FormField] = strawberry.field(description="The form's questions, in order.")
    guests: GuestPolicy = strawberry.field(description="Whether the invitee may bring people.")
    consents: list[ConsentOption] = strawberry.field(description="What is to be agreed to.")
    redirect_url: URL | None = strawberry.field(description="Where the visitor goes after booking.")
    reminders: list[Period] = strawberry.field(description="How long before the meeting the invitee is reminded.")
    reminders_include_description: bool = strawberry.field(description="Whether reminders repeat the description.")
    blocked_email_domains: list[str] = strawberry.field(description="Domains whose addresses cannot book.")
    block_free_email: bool = strawberry.field(
        description="Whether addresses of the large free mail services cannot book."
    )
    captcha: bool = strawberry.field(description="Whether visitors have to solve a captcha, where there is one.")
    created_at: datetime.datetime = strawberry.field(description="When it was published.")
    updated_at: datetime.datetime = strawberry.field(description="When it was last changed.")
    page: strawberry.Private[domain.SchedulingPage]

    @strawberry.field(description="Whose page it is.")
    async def organizer(self, info: Info) -> User | None:
        user = await info.context.loaders(self.page.account_id).users.load(self.page.organizer_id)
        return User.of(user) if user else None

    @strawberry.field(description="Whom one meets.")
    async def hosts(self, info: Info) -> list[PageHost]:
        state = await self._state(info)
        return [PageHost.of(host, state) for host in self.page.hosts if host.user_id in state.users]

    @strawberry.field(description="How it looks.")
    async def theme(self, info: Info) -> PageTheme:
        organizer = await info.context.loaders(self.page.account_id).users.load(self.page.organizer_id)
        return PageTheme.of(self.page.settings.theme, organizer)

    @strawberry.field(description="What it can do now.")
    async def mode(self, info: Info) -> BookingMode:
        return (await self._state(info)).mode

    @strawberry.field(description="Whether times are proposed, not booked.")
    async def is_offline(self, info: Info) -> bool:
        return (await self._state(info)).mode is BookingMode.OFFLINE

    @strawberry.field(description="Whether it stands for its organizer where no page is named.")
    async def is_default(self, info: Info) -> bool:
        return await info.context.loaders(self.page.account_id).default_page_of(self.page.organizer_id) == self.page.id

    @strawberry.field(
        description="Why a day of the page's zone offers nothing, or less: each rule or event that takes start times "
        "away. Null for an archived page. Only for those who may edit the page, else `FORBIDDEN`."
    )
    async def explain(
        self,
        info: Info,
        date: Annotated[datetime.date, strawberry.argument(description="Which day.")],
        duration_minutes: Annotated[
            int | None, strawberry.argument(description="How long to meet; left out, the page's default.")
        ] = None,
    ) -> list[AvailabilityExplanation] | None:
        tools = info.context.tools
        caller = info.context.signed_in()
        try:
            told = await explain_day(
                self.page.id,
                date,
                duration_minutes,
                caller=caller,
                look=tools.look,
                clock=tools.clock,
                policy=tools.policy,
            )
        except NotFound:
            return None
        return [AvailabilityExplanation.of(each) for each in told]

    @strawberry.field(description="What was booked on it, as far as the caller may see: their own; admins see all.")
    async def bookings(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description=FIRST)] = DEFAULT_PAGE,
        after: Annotated[str | None, strawberry.argument(description=AFTER)] = None,
    ) -> BookingConnection | None:
        viewer = await info.context.viewer()
        if viewer is None:
            return None
        host = viewer.id if viewer.role is Role.MEMBER else None
        filter = BookingFilter(AccountId(self.page.account_id), host=host, page=self.page.id)
        return await booking_connection(info.context, filter, first, after)

    @strawberry.field(
        description="Where people book; to be shared at once. Its organizer chose the host by `setMeetingDomain`; "
        "under the standard hosts and the account's other domains it answers as well."
    )
    async def url(self, info: Info) -> URL:
        return URL(await info.context.loaders(self.page.account_id).url_of(self.page, info.context.tools.links))

    async def _state(self, info: Info) -> PageState:
        return await info.context.loaders(self.page.account_id).page_state(self.page)

    @classmethod
    def of(cls, page: domain.SchedulingPage, operation: Operation) -> "SchedulingPage":
        settings = page.settings
        return cls(
            id=to_id(Kind.PAGE, page.id),
            revision=page.revision,
            type=page.type,
            internal_name=settings.internal_name,
            slug=page.slug,
            archived_at=page.archived_at,
            created_at=page.created_at,
            updated_at=page.updated_at,
            page=page,
            **_shown(settings),
        )


def _shown(settings: page_settings.PageSettings) -> dict[str, Any]:
    return {
        "headline": settings.headline,
        "description": settings.description,
        "event_title": settings.event_title,
        "location": MeetingLocation.of(settings.location),
        "locale": Locale(settings.locale),
        "avatar": settings.theme.avatar,
        "durations_minutes": list(settings.durations_minutes),
        "default_duration_minutes": settings.default_duration,
        "start_increment_minutes": settings.start_increment_minutes,
        "buffer_before": Period(minutes=settings.buffer_before_minutes),
        "buffer_after": Period(minutes=settings.buffer_after_minutes),
        "minimum_notice": settings.minimum_notice,
        "cancellation_notice": settings.cancellation_notice,
        "booking_window": BookingWindow.of(settings.window),
        "max_per_day": settings.max_per_day,
        "max_per_week": settings.max_per_week,
        "availability": AvailabilityRules.of(settings.availability),
        "form_fields": [FormField.of(entry) for entry in settings.form_fields],
        "guests": GuestPolicy.of(settings.guests),
        "consents": [ConsentOption.of(option) for option in settings.consents],
        "redirect_url": URL(settings.redirect_url) if settings.redirect_url else None,
        "reminders": list(settings.reminders),
        "reminders_include_description": settings.reminders_include_description,
        "blocked_email_domains": list(settings.blocked_email_domains),
        "block_free_email": settings.block_free_email,
        "captcha": settings.captcha,
    }


@strawberry.type(description="One page in a list.")
class SchedulingPageEdge:
    """With where it stands."""

    cursor: str = strawberry.field(description="Give it to `after` to go on from here.")
    node: SchedulingPage = strawberry.field(description="The page.")


@strawberry.type(description="A page of a list of scheduling pages, oldest first.")
class SchedulingPageConnection:
    """Forward only."""

    edges: list[SchedulingPageEdge] = strawberry.field(description="The pages with their cursors.")
    nodes: list[SchedulingPage] = strawberry.field(description="The pages.")
    page_info: PageInfo = strawberry.field(description="Where this part of the list stands.")
    organizer: strawberry.Private[UserId | None]
    page_type: strawberry.Private[PageType | None]
    archived: strawberry.Private[bool]

    @strawberry.field(description="How many there are in all.")
    async def total_count(self, info: Info) -> int | None:
        caller = info.context.signed_in()
        return await info.context.tools.reads.count_pages(
            caller.account_id, organizer=self.organizer, type=self.page_type, archived=self.archived
        )


@strawberry.type(description="What became of a page.")
class SchedulingPagePayload:
    """Either a page or errors."""

    page: SchedulingPage | None = strawberry.field(default=None, description="The page as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


PageIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Which page.")]

_VALUE_CODES = (Code.VALIDATION, Code.SLUG_INVALID, Code.SLUG_TAKEN)


@strawberry.type(description="Mutations of scheduling pages.")
class PageMutations:
    """Part of the schema's mutations."""

    @mutation(
        SchedulingPagePayload,
        Access.SIGNED_IN,
        "Publish a page. It needs no calendar and can be shared at once. For somebody else only with the permission "
        "`CREATE_PAGES_FOR_OTHERS`. Without `slug` it is found below the organizer's `meetingUrl`.",
        *_VALUE_CODES,
        Code.NOT_FOUND,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.PAGE_LIMIT_REACHED,
        Code.CONCURRENT_CHANGE,
    )
    async def create_scheduling_page(
        self,
        info: Info,
        input: Annotated[SchedulingPageInput, strawberry.argument(description="The page.")],
    ) -> SchedulingPagePayload:
        operation = info.context
        caller = operation.signed_in()
        viewer = await operation.viewer()
        if viewer is None:
            raise NotFound("user")
        wish = input.creation(viewer)
        created = await again_on_conflict(
            lambda: create_page(
                wish,
                caller=caller,
                begin=operation.begin,
                clock=operation.tools.clock,
                policy=operation.tools.policy,
            )
        )
        return await _payload(operation, created)

    @mutation(
        SchedulingPagePayload,
        Access.SIGNED_IN,
        "Change a page: its organizer, or an owner or admin. All of the changes or none. Earlier bookings stay as they "
        "are.",
        *_VALUE_CODES,
        Code.PAGE_NOT_FOUND,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.STALE_REVISION,
        Code.CONCURRENT_CHANGE,
    )
    async def update_scheduling_page(
        self,
        info: Info,
        id: PageIdArgument,
        input: Annotated[SchedulingPageInput, strawberry.argument(description="What to change.")],
        if_revision: Annotated[
            int | None, strawberry.argument(description="Change it only if it is still at this revision.")
        ] = None,
    ) -> SchedulingPagePayload:
        operation = info.context
        caller = operation.signed_in()
        page_id = PageId(from_id(Kind.PAGE, id))
        wish = input.change(page_id, if_revision)
        await again_on_conflict(
            lambda: change_page(
                wish, caller=caller, begin=operation.begin, clock=operation.tools.clock, policy=operation.tools.policy
            )
        )
        return await _payload(operation, page_id)

    @mutation(
        SchedulingPagePayload,
        Access.SIGNED_IN,
        "Make a page of one's own with the settings of another one of the account.",
        Code.SLUG_INVALID,
        Code.SLUG_TAKEN,
        Code.PAGE_NOT_FOUND,
        Code.VALIDATION,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.PAGE_LIMIT_REACHED,
    )
    async def duplicate_scheduling_page(
        self,
        info: Info,
        id: PageIdArgument,
        slug: Annotated[str, strawberry.argument(description="The path of the new page.")],
    ) -> SchedulingPagePayload:
        operation = info.context
        caller = operation.signed_in()
        page_id = PageId(from_id(Kind.PAGE, id))
        copy = await duplicate_page(
            page_id,
            slug,
            caller=caller,
            begin=operation.begin,
            clock=operation.tools.clock,
            policy=operation.tools.policy,
        )
        return await _payload(operation, copy)

    @mutation(
        SchedulingPagePayload,
        Access.SIGNED_IN,
        "Take a page down, or put it up again. Its bookings stay. Doing it twice succeeds. The default page can only "
        "be taken down while there is no other one.",
        Code.VALIDATION,
        Code.PAGE_NOT_FOUND,
        Code.PAGE_LIMIT_REACHED,
        Code.CONCURRENT_CHANGE,
    )
    async def archive_scheduling_page(
        self,
        info: Info,
        id: PageIdArgument,
        archived: Annotated[bool, strawberry.argument(description="False puts it up again.")] = True,
    ) -> SchedulingPagePayload:
        operation = info.context
        caller = operation.signed_in()
        page_id = PageId(from_id(Kind.PAGE, id))
        await again_on_conflict(
            lambda: archive_page(
                page_id,
                archived,
                caller=caller,
                begin=operation.begin,
                clock=operation.tools.clock,
                policy=operation.tools.policy,
            )
        )
        return await _payload(operation, page_id)

    @mutation(
        SchedulingPagePayload,
        Access.SIGNED_IN,
        "Make one of one's own pages the one that is meant where none is named, such as by the link in mails. Mails "
        "that were rendered before keep the link they have.",
        Code.VALIDATION,
        Code.PLAN_REQUIRED,
        Code.SEAT_REQUIRED,
        Code.CONCURRENT_CHANGE,
    )
    async def set_default_scheduling_page(self, info: Info, id: PageIdArgument) -> SchedulingPagePayload:
        operation = info.context
        caller = operation.signed_in()
        page_id = PageId(from_id(Kind.PAGE, id))
        await again_on_conflict(
            lambda: choose_default_page(
                page_id,
                caller=caller,
                begin=operation.begin,
                clock=operation.tools.clock,
                policy=operation.tools.policy,
            )
        )
        return await _payload(operation, page_id)


async def _payload(operation: Operation, page_id: PageId) -> SchedulingPagePayload:
    operation.forget_loaded()
    page = await operation.loaders(operation.signed_in().account_id).pages.load(page_id)
    return SchedulingPagePayload(page=SchedulingPage.of(page, operation) if page else None)


@as_user_errors.register
def _(error: SlugTaken, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.SLUG_TAKEN, ("slug",)))]


@as_user_errors.register
def _(error: StaleRevision, wording: Wording) -> list[UserError]:
    return [ConflictError(**wording.base(Code.STALE_REVISION, ("ifRevision",)), current_revision=error.current)]
