"""Errors as data: what the user can mend or wait for is an entry of the payload's `errors`, never a failed request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import singledispatch
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from meetings.application.ports.calendars import ProviderError, RateLimited, ReauthorizationNeeded
from meetings.application.ports.identities import EmailTaken
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.application.repeated_commands import IdempotencyConflict
from meetings.domain.base import ConcurrentChange, InvalidInput, NotFound, PermissionMissing
from meetings.domain.calendar_connection import CapabilityUnsupported
from meetings.domain.plan import Gate, PageLimitReached, PlanRequired, SeatRequired
from meetings.graphql.context import Info
from meetings.graphql.enums import BookingState, Capability, Feature, Hub, Provider, Reason, Rule, Tier
from meetings.graphql.error_codes import UserErrorCode
from meetings.graphql.messages import language_of, message
from meetings.graphql.rate_limits import TooOften
from meetings.graphql.scalars import URL
from meetings.graphql.slots import Slot

TRY_AGAIN_AFTER = timedelta(seconds=2)


@strawberry.interface(
    description="Something the user can mend or wait for. `code`, `message` and `path` always work; spread a concrete "
    "type for more. New types may be added at any time."
)
class UserError:
    """One reason why nothing was written."""

    code: UserErrorCode = strawberry.field(description="What a program branches on.")
    message: str = strawberry.field(description="Ready to show, in the request's language.")
    path: list[str] | None = strawberry.field(
        description="Where in the arguments, such as `input`, `invitee`, `email`; lists by index, answers and consents "
        "by key. Null when it concerns no single value."
    )


@strawberry.type(description="Refused, with nothing more to tell.")
class RefusedError(UserError):
    """The code says it all."""


@strawberry.type(description="One value that cannot be accepted. All of a request's come at once.")
class InputError(UserError):
    """The code is one of a value's, such as VALIDATION."""

    rule: Rule = strawberry.field(description="Which rule it broke.")


@strawberry.type(description="The wished time is not to be had: `SLOT_TAKEN` or `SLOT_UNAVAILABLE`.")
class SlotUnavailableError(UserError):
    """With what to take instead."""

    reason: Reason | None = strawberry.field(description="Why the page never offers it; null for `SLOT_TAKEN`.")
    alternatives: list[Slot] = strawberry.field(description="Up to three open slots near the wished one, by start.")


@strawberry.type(description="Too often, or too many at a time.")
class LimitError(UserError):
    """The code is RATE_LIMITED."""

    limit: int | None = strawberry.field(description="How often, or how many at a time, are allowed.")
    retry_after: timedelta | None = strawberry.field(description="How long to wait; null when waiting does not help.")


@strawberry.type(description="It was changed by somebody else since it was read.")
class ConflictError(UserError):
    """The code is STALE_REVISION or CONCURRENT_CHANGE."""

    current_revision: int | None = strawberry.field(description="The revision it is at now, where it has one.")


@strawberry.type(description="The booking does not allow this (any more).")
class BookingStateError(UserError):
    """The code is BOOKING_STATE_INVALID."""

    status: BookingState | None = strawberry.field(description="The booking's status, if that is the reason.")
    changeable_until: datetime | None = strawberry.field(description="Until when it was possible, if that has passed.")


@strawberry.type(description="The calendar's provider cannot do this.")
class CapabilityError(UserError):
    """The code is CAPABILITY_UNSUPPORTED."""

    provider: Provider = strawberry.field(description="Whose calendar it is.")
    capability: Capability = strawberry.field(description="What it cannot do.")


@strawberry.type(description="The caller may not do this.")
class PermissionMissingError(UserError):
    """The code is PERMISSION_MISSING."""

    permission: str = strawberry.field(description="What is missing, in words for developers.")


@strawberry.type(description="Not now; the same request may work in a moment.")
class TemporaryError(UserError):
    """The code is PROVIDER_UNAVAILABLE."""

    retry_after: timedelta | None = strawberry.field(description="How long to wait, if that is known.")


@strawberry.type(description="A mailbox cannot be connected with what was typed in.")
class MailboxError(UserError):
    """The code says why; what helps with it is beside it."""

    suggestion: str | None = strawberry.field(description="What to type in at `path` instead, where that is known.")
    server_version: str | None = strawberry.field(description="What the server says it is, if that is the problem.")
    help_url: URL | None = strawberry.field(description="Where this is explained.")
    use_instead: Provider | None = strawberry.field(
        description="Which provider to connect instead; `viewer.calendarProviders` says whether it is offered here."
    )


@strawberry.type(description="The account or the person lacks what this takes.")
class RequirementError(UserError):
    """The code is PLAN_REQUIRED, SEAT_REQUIRED or PAGE_LIMIT_REACHED."""

    feature: Feature = strawberry.field(description="What it takes it for.")
    hubs: list[Hub] = strawberry.field(
        description="Any one of these would do; for `SEAT_REQUIRED` a seat of one of them, which the account has. "
        "Empty when nothing helps."
    )
    tier: Tier | None = strawberry.field(description="The lowest tier of such a hub that would do.")
    needs_seat: bool = strawberry.field(description="Whether the person needs a seat of that hub.")
    limit: int | None = strawberry.field(description="For `PAGE_LIMIT_REACHED`: how many pages there can be now.")


ERROR_TYPES: Sequence[type] = (
    RefusedError,
    InputError,
    SlotUnavailableError,
    LimitError,
    ConflictError,
    BookingStateError,
    CapabilityError,
    PermissionMissingError,
    TemporaryError,
    MailboxError,
    RequirementError,
)


@dataclass(frozen=True)
class Wording:
    """In which language errors are told, and how the rules' paths read in the arguments of this field."""

    language: str
    path: Callable[[Sequence[str]], list[str] | None]

    def base(
        self,
        code: UserErrorCode,
        path: Sequence[str] = (),
        *,
        detail: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """What every error has."""
        text = message(self.language, code.name, detail, values)
        return {"code": code, "message": text, "path": self.path(path)}


@singledispatch
def as_user_errors(error: Exception, wording: Wording) -> list[UserError]:
    """How the API tells an error. One that nobody registered is a mistake of ours, and raised again."""
    raise error


@as_user_errors.register
def _(error: InvalidInput, wording: Wording) -> list[UserError]:
    return [
        InputError(
            **wording.base(
                UserErrorCode[problem.code.name], problem.path, detail=problem.rule.value, values=problem.values
            ),
            rule=problem.rule,
        )
        for problem in error.problems
    ]


_NOT_FOUND = {"page": UserErrorCode.PAGE_NOT_FOUND, "scheduling page": UserErrorCode.PAGE_NOT_FOUND}


@as_user_errors.register
def _(error: NotFound, wording: Wording) -> list[UserError]:
    code = _NOT_FOUND.get(error.what, UserErrorCode.NOT_FOUND)
    if error.path[-1:] == ("token",):
        code = UserErrorCode.TOKEN_INVALID
    return [RefusedError(**wording.base(code, error.path))]


@as_user_errors.register
def _(error: PermissionMissing, wording: Wording) -> list[UserError]:
    return [PermissionMissingError(**wording.base(UserErrorCode.PERMISSION_MISSING), permission=error.permission)]


@as_user_errors.register
def _(error: ConcurrentChange, wording: Wording) -> list[UserError]:
    return [ConflictError(**wording.base(UserErrorCode.CONCURRENT_CHANGE), current_revision=None)]


@as_user_errors.register
def _(error: IdempotencyConflict, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(UserErrorCode.IDEMPOTENCY_CONFLICT, ("idempotencyKey",)))]


@as_user_errors.register
def _(error: CapabilityUnsupported, wording: Wording) -> list[UserError]:
    base = wording.base(UserErrorCode.CAPABILITY_UNSUPPORTED)
    return [CapabilityError(**base, provider=error.provider, capability=error.capability)]


@as_user_errors.register
def _(error: PlanRequired, wording: Wording) -> list[UserError]:
    base = wording.base(UserErrorCode.PLAN_REQUIRED, values=_gate_words(error.gate))
    return [_requirement(base, error.feature, error.gate)]


@as_user_errors.register
def _(error: SeatRequired, wording: Wording) -> list[UserError]:
    gate = Gate(error.hubs, Tier.STARTER, seat=True)
    base = wording.base(UserErrorCode.SEAT_REQUIRED, error.path, values=_gate_words(gate))
    return [
        RequirementError(**base, feature=error.feature, hubs=list(error.hubs), tier=None, needs_seat=True, limit=None)
    ]


@as_user_errors.register
def _(error: PageLimitReached, wording: Wording) -> list[UserError]:
    values = {"most": error.most, **(_gate_words(error.gate) if error.gate else {})}
    base = wording.base(UserErrorCode.PAGE_LIMIT_REACHED, values=values)
    return [_requirement(base, Feature.MANY_PAGES, error.gate, limit=error.most)]


def _requirement(
    base: dict[str, Any], feature: Feature, gate: Gate | None, *, limit: int | None = None
) -> RequirementError:
    return RequirementError(
        **base,
        feature=feature,
        hubs=list(gate.hubs) if gate else [],
        tier=gate.tier if gate else None,
        needs_seat=gate.seat if gate else False,
        limit=limit,
    )


def _gate_words(gate: Gate) -> dict[str, object]:
    """`Sales, Service` and `Starter`: names of products, the same in every language."""
    named = {Hub.CMS: "CMS"}
    hubs = [named.get(hub, hub.value.capitalize()) for hub in gate.hubs]
    return {"hubs": ", ".join(hubs), "tier": gate.tier.value.capitalize()}


@as_user_errors.register
def _(error: EmailTaken, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(UserErrorCode.EMAIL_TAKEN, ("email",)))]


@as_user_errors.register
def _(error: TooOften, wording: Wording) -> list[UserError]:
    wait = timedelta(seconds=error.retry_after)
    return [LimitError(**wording.base(UserErrorCode.RATE_LIMITED), limit=error.limit, retry_after=wait)]


@as_user_errors.register
def _(error: LockTimeout, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(UserErrorCode.PROVIDER_UNAVAILABLE), retry_after=TRY_AGAIN_AFTER)]


@as_user_errors.register
def _(error: ProviderError, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(UserErrorCode.PROVIDER_UNAVAILABLE), retry_after=TRY_AGAIN_AFTER)]


@as_user_errors.register
def _(error: RateLimited, wording: Wording) -> list[UserError]:
    wait = None if error.retry_after is None else timedelta(seconds=error.retry_after)
    return [TemporaryError(**wording.base(UserErrorCode.PROVIDER_UNAVAILABLE), retry_after=wait)]


@as_user_errors.register
def _(error: ReauthorizationNeeded, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(UserErrorCode.CREDENTIALS_REJECTED, detail="CALENDAR"))]


class Access(Enum):
    """Who may call a mutation; the value is told in its description."""

    PUBLIC = "Anybody; an API token needs `WRITE`."
    SIGNED_IN = "A signed-in person, or an API token with `WRITE`."


class ErrorsAsData(FieldExtension):
    """Carries out a mutation for those who may, and turns what it raises into the payload's errors.

    `paths` renames the first name of an error's path where the use case calls it other than the argument.
    """

    def __init__(
        self, payload: type, access: Access, codes: Sequence[UserErrorCode], paths: Mapping[str, Sequence[str]]
    ) -> None:
        self.payload = payload
        self.access = access
        self.codes = frozenset(codes)
        self._paths = paths
        self._arguments: frozenset[str] = frozenset()

    def apply(self, field: StrawberryField) -> None:
        self._arguments = frozenset(
            argument.graphql_name or to_camel_case(argument.python_name) for argument in field.arguments
        )

    async def resolve_async(
        self, next_: Callable[..., Awaitable[object]], source: object, info: Info, **kwargs: Any
    ) -> object:
        operation = info.context
        try:
            operation.check_may_change(signed_in=self.access is Access.SIGNED_IN)
            return await next_(source, info, **kwargs)
        except Exception as error:
            language = _wished_language(kwargs) or await operation.language()
            return self.payload(errors=as_user_errors(error, Wording(language, self._path)))
        finally:
            operation.forget_loaded()

    def _path(self, path: Sequence[str]) -> list[str] | None:
        if not path:
            return None
        head = list(self._paths.get(path[0], path[:1]))
        if head[0] not in self._arguments and "input" in self._arguments:
            head.insert(0, "input")
        return [*head, *path[1:]] if head[0] in self._arguments else None


def _wished_language(arguments: Mapping[str, Any]) -> str | None:
    """The language a visitor chose in the very input."""
    locale = getattr(arguments.get("input"), "locale", None)
    return language_of(locale) if isinstance(locale, str) else None


def mutation(
    payload: type,
    access: Access,
    description: str,
    *codes: UserErrorCode,
    paths: Mapping[str, Sequence[str]] | None = None,
) -> Any:
    """A mutation whose errors are data; its description says who may call it and lists its codes."""
    told = codes if UserErrorCode.PERMISSION_MISSING in codes else (*codes, UserErrorCode.PERMISSION_MISSING)
    listed = ", ".join(f"`{code.name}`" for code in told)
    text = f"{description}\n\nWho: {access.value}\nCodes: {listed}."
    return strawberry.mutation(description=text, extensions=[ErrorsAsData(payload, access, told, paths or {})])
