"""The schema as a whole: described, up to date, and nothing private within anonymous reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    parse,
    validate,
)
from strawberry.types import get_object_definition

from meetings.graphql.error_codes import UserErrorCode
from meetings.graphql.errors import ErrorsAsData
from meetings.graphql.explorer import example_operations
from meetings.graphql.scalars import SCALARS
from meetings.graphql.schema import printed_schema, schema

CORE = schema._schema
OWN_TYPES = [
    type_ for name, type_ in CORE.type_map.items() if not name.startswith("__") and not is_specified_scalar_type(type_)
]


def _elements(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    yield type_.name, type_.description
    if isinstance(type_, GraphQLEnumType):
        yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}", field.description
            for argument, definition in getattr(field, "args", {}).items():
                yield f"{type_.name}.{name}({argument}:)", definition.description


@pytest.mark.parametrize("type_", OWN_TYPES, ids=str)
def test_every_element_is_described(type_: GraphQLNamedType) -> None:
    assert [name for name, description in _elements(type_) if not (description or "").strip()] == []


def test_the_schema_in_the_repository_is_the_one_that_is_served() -> None:
    kept = Path(__file__).parents[2] / "schema.graphql"
    assert kept.read_text("utf-8") == printed_schema(), "run `make schema` and read the difference"


def test_the_printed_schema_can_be_read_by_other_tools() -> None:
    assert set(build_schema(printed_schema()).type_map) >= {type_.name for type_ in OWN_TYPES}


def test_every_scalar_with_a_specification_names_it() -> None:
    without = {scalar.name for scalar in SCALARS.values() if scalar.specified_by_url is None}
    assert without == {"LocalTime"}


@pytest.mark.parametrize("document", example_operations())
def test_the_examples_of_the_explorer_are_valid(document: str) -> None:
    assert validate(CORE, parse(document)) == []


# ---- mutations ----------------------------------------------------------------------------------------------------

MUTATIONS = {
    field.python_name: next(each for each in field.extensions if isinstance(each, ErrorsAsData))
    for field in get_object_definition(schema.mutation, strict=True).fields
}


@pytest.mark.parametrize(("name", "told"), MUTATIONS.items())
def test_every_mutation_says_who_may_call_it_and_lists_its_codes(name: str, told: ErrorsAsData) -> None:
    assert CORE.mutation_type is not None
    field = next(field for key, field in CORE.mutation_type.fields.items() if _snake(key) == name)
    assert told.access.value in (field.description or "")
    assert told.codes
    assert all(f"`{code.name}`" in (field.description or "") for code in told.codes)


def test_every_payload_has_errors_and_something_nullable_beside_them() -> None:
    assert CORE.mutation_type is not None
    for name, field in CORE.mutation_type.fields.items():
        payload = get_named_type(field.type)
        assert isinstance(payload, GraphQLObjectType), name
        assert payload.name.endswith("Payload"), name
        assert str(payload.fields["errors"].type) == "[UserError!]!", name
        assert len(payload.fields) > 1, name


def test_every_code_is_one_that_some_mutation_lists() -> None:
    listed = {code for told in MUTATIONS.values() for code in told.codes}
    # A zone is a strict scalar wherever one comes in.
    assert set(UserErrorCode) - listed == {UserErrorCode.TIMEZONE_INVALID}


def test_every_error_type_has_code_message_and_path() -> None:
    interface = CORE.type_map["UserError"]
    assert isinstance(interface, GraphQLInterfaceType)
    kinds = {kind.name for kind in CORE.get_possible_types(interface)}
    assert kinds == {
        "RefusedError",
        "InputError",
        "SlotUnavailableError",
        "LimitError",
        "ConflictError",
        "BookingStateError",
        "CapabilityError",
        "PermissionMissingError",
        "TemporaryError",
        "MailboxError",
        "RequirementError",
    }


# ---- what anonymous callers reach -----------------------------------------------------------------------------------

PUBLIC_ROOTS = {
    "Query": {"publicSchedulingPage", "availability", "bookingByToken", "chatMeetingLink", "server"},
    "Mutation": {
        "signIn", "signOut", "holdSlot", "releaseSlot", "bookMeeting", "requestMeeting", "rescheduleBooking",
        "cancelBooking", "acceptInvitation",
    },
    "Subscription": {"availabilityChanged"},
}  # fmt: skip
PRIVATE_ROOTS = {
    "Query": {"node", "nodes", "viewer"},
    "Mutation": {
        "updateSettings", "updateChatProfile", "startCalendarConnection", "setDefaultCalendar", "setBusyCalendars",
        "refreshCalendarConnection", "disconnectCalendar", "createSchedulingPage", "updateSchedulingPage",
        "duplicateSchedulingPage", "archiveSchedulingPage", "setDefaultSchedulingPage", "acceptMeetingRequest",
        "declineMeetingRequest", "createApiToken", "revokeApiToken", "connectExchangeCalendar",
        "testExchangeConnection", "setExchangePreset", "removeExchangePreset", "setExchangeFullSync",
        "setInternalDomains", "connectHubSpot", "disconnectHubSpot", "exportPerson", "erasePerson",
        "startHubSpotConnection",
        "updateMeetingUrl", "assignSeats", "revokeSeats", "addDomain", "checkDomain", "setPrimaryDomain",
        "setDomainIndexing", "removeDomain", "setMeetingDomain",
        "startInboxConnection", "connectExchangeInbox", "connectImapInbox", "disconnectInbox",
        "createTeamChannel", "connectTeamMailbox", "removeTeamChannel", "sendTeamEmail",
        "inviteUser", "inviteUserAgain", "setUserRole", "setUserPermissions", "deactivateUser", "reactivateUser",
        "renderEmailTemplate", "createMeetingLink",
        "sendEmail", "markEmailThread", "setEmailLogging", "insertAvailableTimes",
        "createSequence", "updateSequence", "archiveSequence", "enrollInSequence",
        "pauseEnrollment", "resumeEnrollment", "cancelEnrollment",
        "createContact", "updateContact", "createMeetingEngagement", "updateMeetingEngagement",
    },
    "Subscription": {"bookingEvents", "calendarConnectionStatus", "inboxEvents"},
}  # fmt: skip


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_every_root_field_is_declared_public_or_private(root: str) -> None:
    assert set(_fields_of(root)) == PUBLIC_ROOTS[root] | PRIVATE_ROOTS[root]
    assert not PUBLIC_ROOTS[root] & PRIVATE_ROOTS[root]


def test_no_private_type_or_field_can_be_reached_from_a_public_root() -> None:
    reached = _reached_from(*(_fields_of(root)[name].type for root, names in PUBLIC_ROOTS.items() for name in names))
    # Whoever signs in gets to see themselves.
    reached -= _reached_from(_fields_of("SignInPayload")["user"].type)
    assert not reached & {
        "Viewer", "User", "Account", "Booking", "SchedulingPage", "CalendarConnection", "Calendar", "FormField",
        "PageHost", "ApiToken", "ViewerSettings", "Node", "ExchangePreset", "ExchangeNetwork", "ConnectableCalendar",
        "Domain", "MeetingDomain", "ChatProfile", "Contact", "MeetingEngagement", "LoggedEmail",
        "InboxConnection", "ConnectableInbox", "TeamChannel",
    }  # fmt: skip


def test_a_public_page_shows_no_id_no_address_and_no_internal_name() -> None:
    names = {"id", "email", "internalName", "organizer", "userId", "contactProperty", "revision", "bookings"}
    for reached in _reached_from(CORE.type_map["PublicSchedulingPage"]):
        type_ = CORE.type_map[reached]
        if isinstance(type_, GraphQLObjectType):
            assert not names & set(type_.fields), reached
            scalars = {get_named_type(field.type).name for field in type_.fields.values()}
            assert not scalars & {"ID", "EmailAddress"}, reached


def _fields_of(name: str) -> dict[str, GraphQLField]:
    type_ = CORE.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    fields: dict[str, GraphQLField] = type_.fields
    return fields


def _reached_from(*types: GraphQLType) -> set[str]:
    found: set[str] = set()
    waiting = [get_named_type(type_) for type_ in types]
    while waiting:
        type_ = waiting.pop()
        if type_.name in found:
            continue
        found.add(type_.name)
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            waiting += [get_named_type(field.type) for field in type_.fields.values()]
        if isinstance(type_, GraphQLUnionType | GraphQLInterfaceType):
            waiting += CORE.get_possible_types(type_)
    return found


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
