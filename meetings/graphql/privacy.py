"""What owners and admins can do for people from outside: telling them what is stored, and forgetting them."""

from datetime import datetime
from typing import Annotated

import strawberry

from meetings.application.erase_person import erase_person
from meetings.application.export_person import export_person
from meetings.domain.erasure import UpcomingMeetings
from meetings.graphql.context import Info, again_on_conflict
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.scalars import URL


@strawberry.type(description="Where all that is stored of a person can be fetched.")
class PersonExport:
    """Nothing is put together before it is fetched."""

    url: URL = strawberry.field(
        description="A JSON document, for whoever has this address: hand it to nobody else. It tells what is stored "
        "when it is fetched."
    )
    expires_at: datetime = strawberry.field(description="Until when it can be fetched.")


@strawberry.type(description="What became of the wish to see what is stored of a person.")
class ExportPersonPayload:
    """Either a link or errors."""

    export: PersonExport | None = strawberry.field(default=None, description="Where it is.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why there is none.")


@strawberry.type(description="What became of the wish to forget a person.")
class ErasePersonPayload:
    """Either the address or errors."""

    erased_email: str | None = strawberry.field(default=None, description="The address that is forgotten, as given.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


EmailArgument = Annotated[str, strawberry.argument(description="The person's address, in whatever letter case.")]


@strawberry.type(description="Mutations about people from outside.")
class PrivacyMutations:
    """Part of the schema's mutations. Both are for owners and admins."""

    @mutation(
        ExportPersonPayload,
        Access.SIGNED_IN,
        "For owners and admins: get a link to all that is stored of a person from outside: contact, bookings as "
        "invitee or guest, meetings, mails, sequences, links. It works for an hour; asking and fetching stand in the "
        "journal.",
        Code.EMAIL_INVALID,
        Code.VALIDATION,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def export_person(self, info: Info, email: EmailArgument) -> ExportPersonPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        made = await again_on_conflict(
            lambda: export_person(email, caller=caller, begin=operation.begin, links=tools.links, clock=tools.clock)
        )
        return ExportPersonPayload(export=PersonExport(url=URL(made.url), expires_at=made.expires_at))

    @mutation(
        ErasePersonPayload,
        Access.SIGNED_IN,
        "For owners and admins: forget a person from outside, for good. Bookings and meetings keep their times and "
        "hosts and lose the person and all they said; the rest goes. Customer records follow as soon as they can be "
        "reached. Meetings to come have to be called off first. Doing it twice succeeds.",
        Code.EMAIL_INVALID,
        Code.VALIDATION,
        Code.UPCOMING_MEETINGS,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def erase_person(self, info: Info, email: EmailArgument) -> ErasePersonPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: erase_person(email, caller=caller, begin=operation.begin, crm_of=tools.crm_of, clock=tools.clock)
        )
        return ErasePersonPayload(erased_email=email)


@as_user_errors.register
def _(error: UpcomingMeetings, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.UPCOMING_MEETINGS, ("email",)))]
