"""The parts of a page that its people and its visitors see alike."""

import strawberry

from meetings.domain import booking_form, page_settings
from meetings.domain.user import User
from meetings.graphql.enums import AvatarChoice, ColorScheme, FieldKind, LocationKind
from meetings.graphql.scalars import URL


@strawberry.type(description="Where a meeting takes place.")
class MeetingLocation:
    """A kind, and words where the kind alone does not say it."""

    kind: LocationKind = strawberry.field(description="What kind of place.")
    text: str | None = strawberry.field(description="The address, number or words.")

    @classmethod
    def of(cls, location: page_settings.MeetingLocation) -> "MeetingLocation":
        return cls(kind=location.kind, text=location.text)


@strawberry.type(description="How a page looks.")
class PageTheme:
    """Pictures are addresses somebody else serves."""

    accent_color: str | None = strawberry.field(description="Such as `#1a2b3c`; null for the product's own.")
    color_scheme: ColorScheme = strawberry.field(description="Light, dark, or as the visitor's device prefers.")
    logo_url: URL | None = strawberry.field(description="The organisation's logo.")
    avatar_url: URL | None = strawberry.field(description="The picture to show, chosen from host, logo and custom one.")

    @classmethod
    def of(cls, theme: page_settings.PageTheme, host: User | None) -> "PageTheme":
        picture = {
            AvatarChoice.PROFILE_IMAGE: host.avatar_url if host else None,
            AvatarChoice.COMPANY_LOGO: theme.logo_url,
            AvatarChoice.CUSTOM_AVATAR: theme.avatar_url,
        }[theme.avatar]
        return cls(
            accent_color=theme.accent_color,
            color_scheme=theme.color_scheme,
            logo_url=URL(theme.logo_url) if theme.logo_url else None,
            avatar_url=URL(picture) if picture else None,
        )


@strawberry.type(description="A question of the booking form, on top of first name, last name and e-mail address.")
class FormField:
    """Answered by its key."""

    key: str = strawberry.field(description="Names it in `answers` and in prefilled links.")
    label: str = strawberry.field(description="What the visitor is asked.")
    kind: FieldKind = strawberry.field(description="How it is filled in.")
    required: bool = strawberry.field(description="Whether it must be answered.")
    options: list[str] = strawberry.field(description="What can be chosen; empty for other kinds.")
    hidden: bool = strawberry.field(description="Filled in by the link alone, not shown.")
    max_length: int = strawberry.field(description="How many characters one value may have.")
    contact_property: str | None = strawberry.field(description="The contact's property it fills in the CRM.")

    @classmethod
    def of(cls, entry: booking_form.FormField) -> "FormField":
        return cls(
            key=entry.key,
            label=entry.label,
            kind=entry.kind,
            required=entry.required,
            options=list(entry.options),
            hidden=entry.hidden,
            max_length=entry.max_length,
            contact_property=entry.contact_property,
        )


@strawberry.type(description="Whether, and how many, people the invitee may bring.")
class GuestPolicy:
    """At most ten."""

    allowed: bool = strawberry.field(description="Whether guests may be named.")
    max: int = strawberry.field(description="How many.")

    @classmethod
    def of(cls, policy: booking_form.GuestPolicy) -> "GuestPolicy":
        return cls(allowed=policy.allowed, max=policy.most if policy.allowed else 0)


@strawberry.type(description="Something the visitor may or must agree to.")
class ConsentOption:
    """Given by its key."""

    key: str = strawberry.field(description="Names it in `consents`.")
    text_markdown: str = strawberry.field(description="What is agreed to.")
    required: bool = strawberry.field(description="Whether booking needs it.")

    @classmethod
    def of(cls, option: booking_form.ConsentOption) -> "ConsentOption":
        return cls(key=option.key, text_markdown=option.text_markdown, required=option.required)
