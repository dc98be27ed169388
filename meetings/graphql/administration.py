"""Who belongs to the account: inviting, joining, roles, permissions, leaving."""

from typing import Annotated

import strawberry

from meetings.application.people import (
    InvitePerson,
    accept_invitation,
    change_permissions,
    change_role,
    deactivate_person,
    invite_again,
    invite_person,
    reactivate_person,
)
from meetings.domain.identifiers import UserId
from meetings.domain.user import InvitationInvalid
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import Permission, Role
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.people import User
from meetings.graphql.sign_in import SignInPayload, signed_in


@strawberry.input(description="Somebody to be asked to join.")
class InviteUserInput:
    """They are written to at once."""

    name: str = strawberry.field(description="First and last name, at most 200 characters; they can change it.")
    email: str = strawberry.field(description="Where they get the invitation, and sign in later.")
    role: Role = strawberry.field(default=Role.MEMBER, description="What they may do; only owners make owners.")
    locale: str | None = strawberry.field(
        default=None, description="The language they are written to, such as `de`; the caller's unless said."
    )


@strawberry.type(description="What became of a person.")
class UserPayload:
    """Either a person or errors."""

    user: User | None = strawberry.field(default=None, description="The person as they are now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


WhoArgument = Annotated[strawberry.ID, strawberry.argument(description="Who.")]

_CODES = (Code.NOT_FOUND, Code.PERMISSION_MISSING, Code.CONCURRENT_CHANGE)


@strawberry.type(description="Mutations of the account's people.")
class AdministrationMutations:
    """Part of the schema's mutations. All but joining are for owners and admins; only owners manage owners."""

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: ask somebody by mail to join the account. They count as `INVITED` until they accept.",
        Code.VALIDATION,
        Code.EMAIL_INVALID,
        Code.EMAIL_TAKEN,
        Code.PERMISSION_MISSING,
    )
    async def invite_user(
        self, info: Info, input: Annotated[InviteUserInput, strawberry.argument(description="Whom.")]
    ) -> UserPayload:
        operation = info.context
        wish = InvitePerson(input.name, input.email, input.role, input.locale)
        invited = await invite_person(
            wish, caller=operation.signed_in(), begin=operation.begin, clock=operation.tools.clock
        )
        return await _payload(operation, invited)

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: send somebody who has not joined another invitation. Earlier ones are void.",
        Code.VALIDATION,
        *_CODES,
    )
    async def invite_user_again(self, info: Info, user_id: WhoArgument) -> UserPayload:
        operation = info.context
        caller, clock, who = operation.signed_in(), operation.tools.clock, UserId(from_id(Kind.USER, user_id))
        await again_on_conflict(lambda: invite_again(who, caller=caller, begin=operation.begin, clock=clock))
        return await _payload(operation, who)

    @mutation(
        SignInPayload,
        Access.PUBLIC,
        "Join by the link of an invitation: choose a password, and be signed in. Works once. Limited per address.",
        Code.TOKEN_INVALID,
        Code.VALIDATION,
        Code.CONCURRENT_CHANGE,
        Code.RATE_LIMITED,
    )
    async def accept_invitation(
        self,
        info: Info,
        token: Annotated[str, strawberry.argument(description="The last part of the link.")],
        password: Annotated[str, strawberry.argument(description="At least 10 characters.")],
        name: Annotated[str | None, strawberry.argument(description="Left out, the one they were invited by.")] = None,
    ) -> SignInPayload:
        operation = info.context
        tools = operation.tools
        await operation.count_by_address(operation.options.rates.sign_in, "acceptInvitation")
        session = await accept_invitation(
            token,
            name=name,
            password=password,
            begin=tools.begin_as("invitee"),
            tokens=tools.links.tokens,
            identities=tools.identities,
            passwords=tools.passwords,
            clock=tools.clock,
            policy=tools.policy,
        )
        return await signed_in(operation, session)

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: let somebody do more or less for others. Only owners make owners or change their role; "
        "the account always keeps one.",
        Code.VALIDATION,
        *_CODES,
    )
    async def set_user_role(
        self, info: Info, user_id: WhoArgument, role: Annotated[Role, strawberry.argument(description="What.")]
    ) -> UserPayload:
        operation = info.context
        caller, clock, who = operation.signed_in(), operation.tools.clock, UserId(from_id(Kind.USER, user_id))
        await again_on_conflict(lambda: change_role(who, role, caller=caller, begin=operation.begin, clock=clock))
        return await _payload(operation, who)

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: decide what a member may. Owners and admins may everything anyway.",
        *_CODES,
    )
    async def set_user_permissions(
        self,
        info: Info,
        user_id: WhoArgument,
        permissions: Annotated[list[Permission], strawberry.argument(description="Exactly these.")],
    ) -> UserPayload:
        operation = info.context
        caller, clock, who = operation.signed_in(), operation.tools.clock, UserId(from_id(Kind.USER, user_id))
        await again_on_conflict(
            lambda: change_permissions(who, permissions, caller=caller, begin=operation.begin, clock=clock)
        )
        return await _payload(operation, who)

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: keep somebody out at once. Their sessions, tokens and seats end, their pages refuse "
        "bookings; nothing is deleted. Doing it twice succeeds.",
        Code.VALIDATION,
        *_CODES,
    )
    async def deactivate_user(self, info: Info, user_id: WhoArgument) -> UserPayload:
        operation = info.context
        caller, clock, who = operation.signed_in(), operation.tools.clock, UserId(from_id(Kind.USER, user_id))
        await again_on_conflict(lambda: deactivate_person(who, caller=caller, begin=operation.begin, clock=clock))
        return await _payload(operation, who)

    @mutation(
        UserPayload,
        Access.SIGNED_IN,
        "For owners and admins: let a deactivated person in again, with the password they had. Seats are not given "
        "back. Doing it twice succeeds.",
        Code.VALIDATION,
        *_CODES,
    )
    async def reactivate_user(self, info: Info, user_id: WhoArgument) -> UserPayload:
        operation = info.context
        caller, clock, who = operation.signed_in(), operation.tools.clock, UserId(from_id(Kind.USER, user_id))
        await again_on_conflict(lambda: reactivate_person(who, caller=caller, begin=operation.begin, clock=clock))
        return await _payload(operation, who)


async def _payload(operation: Operation, user_id: UserId) -> UserPayload:
    operation.forget_loaded()
    user = await operation.loaders(operation.signed_in().account_id).users.load(user_id)
    return UserPayload(user=User.of(user) if user else None)


@as_user_errors.register
def _(error: InvitationInvalid, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.TOKEN_INVALID, ("token",)))]
