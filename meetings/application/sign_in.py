"""People sign in with a password, programs with a token."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from meetings.application.email_addresses import address_problem
from meetings.application.links import token_hash
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import ApiToken, Caller, Identities, Passwords, Scope
from meetings.domain.account import Account
from meetings.domain.base import DomainError, NotFound, Problem, Rule, refuse
from meetings.domain.identifiers import AccountId, UserId
from meetings.domain.text import text_problem
from meetings.domain.user import Role, User, UserSettings

MIN_PASSWORD = 10
MAX_PASSWORD = 200
PROGRAM_MARK = "mtg_"
"""Begins every API token, so that scanners for leaked secrets can find one."""


class SignInRejected(DomainError):
    """No such person, or not their password: both read and last the same."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just opened; `token` is shown to its owner and stored nowhere."""

    token: str
    caller: Caller


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to be signed up."""

    name: str
    email: str
    password: str
    settings: UserSettings = UserSettings()


async def sign_in(
    email: str, password: str, *, identities: Identities, passwords: Passwords, clock: Clock, policy: Policy
) -> NewSession:
    """Open a session.

    Raises:
        SignInRejected: after the same time whether the address is known or not.
    """
    user = await identities.by_email(email.strip())
    matches = await passwords.matches(password[:MAX_PASSWORD], user.password_hash if user else None)
    if user is None or not matches:
        raise SignInRejected
    return await open_session(user, identities=identities, clock=clock, policy=policy)


async def open_session(user: User, *, identities: Identities, clock: Clock, policy: Policy) -> NewSession:
    """Sign somebody in who has shown who they are."""
    token = secrets.token_urlsafe(32)
    expires_at = clock() + timedelta(days=policy.session_days)
    await identities.open_session(user, token_hash(token), expires_at=expires_at)
    return NewSession(token, Caller(user.account_id, user.id, frozenset(Scope)))


async def sign_out(token: str, *, identities: Identities) -> None:
    """Close a session; an unknown one is success."""
    await identities.close_session(token_hash(token))


async def caller_of(token: str, *, identities: Identities) -> Caller | None:
    """Who calls with this session or API token; None for any other text."""
    hashed = token_hash(token)
    if token.startswith(PROGRAM_MARK):
        return await identities.token(hashed)
    return await identities.session(hashed)


async def create_token(
    name: str, scopes: Collection[Scope], *, caller: Caller, identities: Identities
) -> tuple[ApiToken, str]:
    """A token for a program of the caller's; the text is given once.

    Raises:
        InvalidInput: the name is missing or too long, or no scope is named.
    """
    refuse(
        text_problem(name, "name", most=100),
        None if scopes else Problem(("scopes",), Rule.REQUIRED),
    )
    token = PROGRAM_MARK + secrets.token_urlsafe(32)
    stored = await identities.add_token(
        caller.user_id, caller.account_id, name=name.strip(), token_hash=token_hash(token), scopes=scopes
    )
    return stored, token


async def revoke_token(token_id: UUID, *, caller: Caller, identities: Identities) -> None:
    """End a token. Raises `NotFound` when the caller has none with this id."""
    if not await identities.revoke_token(caller.user_id, caller.account_id, token_id):
        raise NotFound("token", ("id",))


async def found_account(
    name: str, owner: NewPerson, *, identities: Identities, passwords: Passwords, clock: Clock
) -> User:
    """A new account and its owner.

    Raises:
        InvalidInput: the names, the address, or a password shorter than 10 characters.
        EmailTaken: somebody signs in with this address already.
    """
    refuse(text_problem(name, "account", most=200), *_person_problems(owner))
    account_id = AccountId(uuid4())
    account = Account(id=account_id, account_id=account_id, name=name.strip(), created_at=clock())
    user = await _new_user(account_id, owner, Role.OWNER, passwords, clock)
    await identities.found(account, user)
    return user


async def add_person(
    account_id: AccountId, person: NewPerson, role: Role, *, identities: Identities, passwords: Passwords, clock: Clock
) -> User:
    """One more person of an account. Raises as `found_account`."""
    refuse(*_person_problems(person))
    user = await _new_user(account_id, person, role, passwords, clock)
    await identities.enrol(user)
    return user


def _person_problems(person: NewPerson) -> list[Problem | None]:
    return [
        text_problem(person.name, "name", most=200),
        Problem(("email",), Rule.REQUIRED) if not person.email.strip() else address_problem(person.email, "email"),
        password_problem(person.password),
    ]


def password_problem(password: str) -> Problem | None:
    """What keeps a text from being somebody's password."""
    if len(password) < MIN_PASSWORD:
        return Problem(("password",), Rule.TOO_SMALL, values={"least": f"{MIN_PASSWORD} characters"})
    if len(password) > MAX_PASSWORD:
        return Problem(("password",), Rule.TOO_LONG, values={"most": MAX_PASSWORD})
    return None


async def _new_user(account_id: AccountId, person: NewPerson, role: Role, passwords: Passwords, clock: Clock) -> User:
    person.settings.check()
    return User(
        id=UserId(uuid4()),
        account_id=account_id,
        name=person.name.strip(),
        email=person.email.strip(),
        role=role,
        created_at=clock(),
        settings=person.settings,
        password_hash=await passwords.hash(person.password),
    )
