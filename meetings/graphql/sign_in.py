"""Signing in and out, and tokens for programs."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from meetings.application.ports.identities import ApiToken as StoredToken
from meetings.application.sign_in import NewSession, SignInRejected, create_token, revoke_token, sign_in, sign_out
from meetings.domain.base import PermissionMissing
from meetings.graphql.context import Info, Operation
from meetings.graphql.cookies import drop_session, keep_session
from meetings.graphql.enums import Scope
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, RefusedError, UserError, Wording, as_user_errors, mutation
from meetings.graphql.node_ids import Kind, from_id, to_id
from meetings.graphql.people import User


@strawberry.type(description="A program's token, without the token.")
class ApiToken:
    """The token itself is shown once, when it is made."""

    id: strawberry.ID = strawberry.field(description="Opaque.")
    name: str = strawberry.field(description="What its person calls it.")
    scopes: list[Scope] = strawberry.field(description="What it may do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used; null when never.")

    @classmethod
    def of(cls, token: StoredToken) -> "ApiToken":
        return cls(
            id=to_id(Kind.API_TOKEN, token.id),
            name=token.name,
            scopes=sorted(token.scopes, key=list(Scope).index),
            created_at=token.created_at,
            last_used_at=token.last_used_at,
        )


@strawberry.type(description="Somebody who has just signed in.")
class SignInPayload:
    """Either a session or errors."""

    user: User | None = strawberry.field(default=None, description="Who signed in.")
    token: str | None = strawberry.field(
        default=None,
        description="For `Authorization: Bearer` and for the `connection_init` of a socket. Browsers need it for "
        "neither: they get a cookie that scripts cannot read.",
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the session ends by itself.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nobody was signed in.")


@strawberry.type(description="What became of signing out.")
class SignOutPayload:
    """Signing out succeeds for everybody."""

    signed_out: bool = strawberry.field(default=False, description="Whether nobody is signed in any more.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was not done.")


@strawberry.type(description="A token for a program.")
class CreateApiTokenPayload:
    """Either a token or errors."""

    api_token: ApiToken | None = strawberry.field(default=None, description="What can be seen of it later.")
    token: str | None = strawberry.field(default=None, description="The token itself. Shown this once, stored nowhere.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why none was made.")


@strawberry.type(description="What became of a token.")
class RevokeApiTokenPayload:
    """Either the id or errors."""

    revoked_id: strawberry.ID | None = strawberry.field(default=None, description="The token that is no longer valid.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


async def signed_in(operation: Operation, session: NewSession) -> SignInPayload:
    """Hand a session over that was just opened: its token, and a cookie with it."""
    tools = operation.tools
    lasts = timedelta(days=tools.policy.session_days)
    keep_session(operation.connection, session.token, lasts=lasts)
    user = await operation.loaders(session.caller.account_id).users.load(session.caller.user_id)
    return SignInPayload(user=User.of(user) if user else None, token=session.token, expires_at=tools.clock() + lasts)


@strawberry.type(description="Mutations of signing in.")
class SignInMutations:
    """Part of the schema's mutations."""

    @mutation(
        SignInPayload,
        Access.PUBLIC,
        "Open a session: returns its token and sets it as a cookie. Limited per address and per e-mail address; an "
        "unknown address and a wrong password read and last the same.",
        Code.CREDENTIALS_REJECTED,
        Code.RATE_LIMITED,
    )
    async def sign_in(
        self,
        info: Info,
        email: Annotated[str, strawberry.argument(description="The person's e-mail address, in any letter case.")],
        password: Annotated[str, strawberry.argument(description="Their password.")],
    ) -> SignInPayload:
        operation = info.context
        tools = operation.tools
        if not operation.connection.may_sign_in:
            raise PermissionMissing("signing in under this host: use the main one")
        rates = operation.options.rates.sign_in
        await operation.count_by_address(rates, "signIn")
        await operation.count(rates, "signInAs", email.strip().casefold()[:254])
        session = await sign_in(
            email,
            password,
            identities=tools.identities,
            passwords=tools.passwords,
            clock=tools.clock,
            policy=tools.policy,
        )
        return await signed_in(operation, session)

    @mutation(
        SignOutPayload,
        Access.PUBLIC,
        "Close the session this request came with. Its running subscriptions end within seconds. Signing out twice "
        "succeeds; an API token stays valid, revoke it instead.",
    )
    async def sign_out(self, info: Info) -> SignOutPayload:
        operation = info.context
        if operation.connection.token is not None:
            await sign_out(operation.connection.token, identities=operation.tools.identities)
        drop_session(operation.connection)
        return SignOutPayload(signed_out=True)

    @mutation(
        CreateApiTokenPayload,
        Access.SIGNED_IN,
        "Make a token with which a program acts for the signed-in person. A program can give no scope it lacks itself.",
        Code.VALIDATION,
    )
    async def create_api_token(
        self,
        info: Info,
        name: Annotated[str, strawberry.argument(description="What to call it, at most 100 characters.")],
        scopes: Annotated[list[Scope], strawberry.argument(description="What it may do, at least one.")],
    ) -> CreateApiTokenPayload:
        operation = info.context
        caller = operation.signed_in()
        if not caller.scopes.issuperset(scopes):
            raise PermissionMissing("the scopes it would give")
        stored, token = await create_token(
            name, frozenset(scopes), caller=caller, identities=operation.tools.identities
        )
        return CreateApiTokenPayload(api_token=ApiToken.of(stored), token=token)

    @mutation(
        RevokeApiTokenPayload,
        Access.SIGNED_IN,
        "End a token of the signed-in person's.",
        Code.NOT_FOUND,
    )
    async def revoke_api_token(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Which token.")]
    ) -> RevokeApiTokenPayload:
        operation = info.context
        caller = operation.signed_in()
        await revoke_token(from_id(Kind.API_TOKEN, id), caller=caller, identities=operation.tools.identities)
        return RevokeApiTokenPayload(revoked_id=id)


@as_user_errors.register
def _(error: SignInRejected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CREDENTIALS_REJECTED))]
