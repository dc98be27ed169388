"""What anyone with the link may see of a page: no ids of people, no addresses, no internal names.

Its own types, so that no private field can leak by being added to a private one later.
"""

import datetime

import strawberry

from meetings.application.features import shows_branding
from meetings.application.page_state import PageState
from meetings.application.ports.unit_of_work import MeetingLink
from meetings.domain import booking_form
from meetings.domain.account import Account
from meetings.domain.identifiers import AccountId
from meetings.domain.scheduling_page import PageHost
from meetings.graphql.context import Info, Operation
from meetings.graphql.enums import BookingMode, FieldKind, LocationKind, PageType
from meetings.graphql.page_parts import ConsentOption, GuestPolicy, PageTheme
from meetings.graphql.prefill import Prefilled
from meetings.graphql.scalars import URL, Locale, TimeZone


@strawberry.type(description="Somebody one can meet, as visitors see them.")
class PublicHost:
    """No address, no id."""

    display_name: str = strawberry.field(description="Their name.")
    avatar_url: URL | None = strawberry.field(description="Their picture.")
    is_offline: bool = strawberry.field(description="Whether there is no calendar behind them.")

    @classmethod
    def of(cls, host: PageHost, state: PageState) -> "PublicHost":
        user = state.users[host.user_id]
        return cls(
            display_name=user.name,
            avatar_url=URL(user.avatar_url) if user.avatar_url else None,
            is_offline=state.mode_of(host) is BookingMode.OFFLINE,
        )


@strawberry.type(description="A question of the booking form, on top of first name, last name and e-mail address.")
class PublicFormField:
    """Answered by its key. Says nothing of where the answer goes."""

    key: str = strawberry.field(description="Names it in `answers` and in prefilled links.")
    label: str = strawberry.field(description="What the visitor is asked.")
    kind: FieldKind = strawberry.field(description="How it is filled in.")
    required: bool = strawberry.field(description="Whether it must be answered.")
    options: list[str] = strawberry.field(description="What can be chosen; empty for other kinds.")
    hidden: bool = strawberry.field(description="Filled in by the link alone, not shown.")
    max_length: int = strawberry.field(description="How many characters one value may have.")

    @classmethod
    def of(cls, entry: booking_form.FormField) -> "PublicFormField":
        return cls(
            key=entry.key,
            label=entry.label,
            kind=entry.kind,
            required=entry.required,
            options=list(entry.options),
            hidden=entry.hidden,
            max_length=entry.max_length,
        )


@strawberry.type(description="A page people book on, as visitors see it.")
class PublicSchedulingPage(Prefilled):
    """Everything a booking page shows, but its times: those are `availability`."""

    type: PageType = strawberry.field(description="How many hosts meet the invitee.")
    headline: str = strawberry.field(description="What it is about.")
    description: str | None = strawberry.field(description="More words.")
    hosts: list[PublicHost] = strawberry.field(description="Whom one meets.")
    location: LocationKind = strawberry.field(description="Where one meets; the details come with the booking.")
    theme: PageTheme = strawberry.field(description="How it looks.")
    durations_minutes: list[int] = strawberry.field(description="How long one can meet.")
    default_duration_minutes: int = strawberry.field(description="The duration that is meant when none is named.")
    host_time_zone: TimeZone = strawberry.field(description="The zone of the page's hours.")
    locale: Locale = strawberry.field(description="The page's language.")
    mode: BookingMode = strawberry.field(description="What it can do now.")
    is_offline: bool = strawberry.field(description="Whether times are proposed, not booked.")
    bookable_from: datetime.date = strawberry.field(description="The first day that can be booked, in the page's zone.")
    bookable_to: datetime.date = strawberry.field(description="The last day that can be booked, in the page's zone.")
    form_fields: list[PublicFormField] = strawberry.field(description="The form's questions, in order.")
    guests: GuestPolicy = strawberry.field(description="Whether the invitee may bring people.")
    consents: list[ConsentOption] = strawberry.field(description="What is to be agreed to.")
    branding: bool = strawberry.field(
        description="Whether it is to say by whose product it is made: so without a paid plan."
    )

    @strawberry.field(
        description="What a script needs to show the captcha that has to be solved; null where none has to."
    )
    def captcha_site_key(self, info: Info) -> str | None:
        captcha = info.context.tools.captcha
        return captcha.site_key if captcha and self.page.settings.captcha else None

    @strawberry.field(description="Where people book.")
    async def url(self, info: Info) -> URL:
        info.context.sources.used_more()  # it stands under the organizer's domain
        return URL(
            await info.context.loaders(AccountId(self.page.account_id)).url_of(self.page, info.context.tools.links)
        )

    @classmethod
    def of(
        cls,
        state: PageState,
        account: Account,
        operation: Operation,
        now: datetime.datetime,
        link: MeetingLink | None = None,
    ) -> "PublicSchedulingPage":
        page, settings = state.page, state.page.settings
        first, last = page.booking_dates(now=now)
        return cls(
            type=page.type,
            headline=settings.headline,
            description=settings.description,
            hosts=[PublicHost.of(host, state) for host in page.hosts if host.user_id in state.users],
            location=settings.location.kind,
            theme=PageTheme.of(settings.theme, state.users.get(page.organizer_id)),
            durations_minutes=list(settings.durations_minutes),
            default_duration_minutes=(link.duration_minutes if link else None) or settings.default_duration,
            host_time_zone=TimeZone(page.time_zone),
            locale=Locale(settings.locale),
            mode=state.mode,
            is_offline=state.mode is BookingMode.OFFLINE,
            bookable_from=first,
            bookable_to=last,
            form_fields=[PublicFormField.of(entry) for entry in settings.form_fields],
            guests=GuestPolicy.of(settings.guests),
            consents=[ConsentOption.of(option) for option in settings.consents],
            branding=shows_branding(page, account, operation.tools.policy),
            page=page,
            link=link,
        )
