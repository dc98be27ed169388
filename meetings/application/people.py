"""Who belongs to an account and what they may do: inviting, joining, roles, permissions, leaving.

`caller` is who does it. Admins manage everybody but owners, and make nobody an owner; an account always keeps one.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from meetings.application.email_addresses import address_problem
from meetings.application.invitations import invitation_of
from meetings.application.policy import Policy
from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller, Identities, Passwords
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.sign_in import NewSession, open_session, password_problem
from meetings.application.signed_tokens import SignedTokens
from meetings.domain.base import NotFound, PermissionMissing, Problem, Rule, refuse
from meetings.domain.identifiers import UserId
from meetings.domain.plan import SEAT_HUBS
from meetings.domain.text import locale_problem, text_problem
from meetings.domain.user import InvitationInvalid, Permission, Role, User, UserSettings


@dataclass(frozen=True, slots=True)
class InvitePerson:
    """Somebody to be asked to join."""

    name: str
    email: str
    role: Role = Role.MEMBER
    locale: str | None = None


async def invite_person(wish: InvitePerson, *, caller: Caller, begin: Begin, clock: Clock) -> UserId:
    """Ask somebody by mail to join; the address is theirs from now on.

    Raises:
        PermissionMissing: the caller is neither owner nor admin, or an admin who would make an owner.
        InvalidInput: everything wrong with name, address or language.
        EmailTaken: somebody of whatever account has the address.
    """
    email = wish.email.strip()
    refuse(
        text_problem(wish.name, "name", most=200),
        Problem(("email",), Rule.REQUIRED) if not email else address_problem(email, "email"),
        locale_problem(wish.locale, "locale") if wish.locale is not None else None,
    )
    async with begin(caller.account_id) as work:
        inviting = await work.users.get(caller.user_id)
        inviting.check_administers()
        _check_may_make(inviting, wish.role)
        settings = UserSettings(inviting.settings.time_zone, wish.locale or inviting.settings.locale)
        person = User(
            id=UserId(uuid4()),
            account_id=caller.account_id,
            name=wish.name.strip(),
            email=email,
            role=wish.role,
            created_at=clock(),
            settings=settings,
            active=False,
        )
        person.invite(now=clock())
        work.users.add(person)
        await work.commit()
    return person.id


async def invite_again(user_id: UserId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Send a person who has not joined a new invitation; earlier ones are void, also after they were taken back.

    Raises:
        NotFound, PermissionMissing: nobody the caller may manage.
        InvalidInput: they joined already.
    """
    await _change(user_id, lambda person: person.invite(now=clock()), caller=caller, begin=begin)


async def accept_invitation(
    token: str,
    *,
    name: str | None,
    password: str,
    begin: Begin,
    tokens: SignedTokens,
    identities: Identities,
    passwords: Passwords,
    clock: Clock,
    policy: Policy,
) -> NewSession:
    """Join by the link of a mail: choose a password, and be signed in. Works once.

    Raises:
        InvitationInvalid: whatever is wrong with the token; it reads the same.
        InvalidInput: name or password.
    """
    invitation = invitation_of(token, tokens)
    if invitation is None or clock() >= invitation.invited_at + timedelta(days=policy.invitation_days):
        raise InvitationInvalid
    refuse(password_problem(password), None if name is None else text_problem(name, "name", most=200))
    hashed = await passwords.hash(password)
    async with begin(invitation.account_id) as work:
        try:
            person = await work.users.get(invitation.user_id)
        except NotFound:
            raise InvitationInvalid from None
        person.accept_invitation(
            invitation.invited_at, name=person.name if name is None else name, password_hash=hashed, now=clock()
        )
        if person.role is Role.OWNER:
            (await work.account()).owners_revision += 1
        await work.commit()
    return await open_session(person, identities=identities, clock=clock, policy=policy)


async def change_role(user_id: UserId, role: Role, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Let a person do more or less for others.

    Raises:
        NotFound, PermissionMissing: nobody the caller may manage, or nothing the caller may make them.
        InvalidInput: the account would have no owner any more.
    """
    async with begin(caller.account_id) as work:
        person = await _managed(work, caller, user_id)
        _check_may_make(await work.users.get(caller.user_id), role)
        if role is not person.role and Role.OWNER in (role, person.role):
            await _keep_an_owner(work, person, owns=role is Role.OWNER)
        person.change_role(role, now=clock())
        await work.commit()


async def change_permissions(
    user_id: UserId, permissions: Collection[Permission], *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Decide what a member may; for owners and admins it counts once they are members.

    Raises:
        NotFound, PermissionMissing: nobody the caller may manage.
    """
    await _change(user_id, lambda person: person.allow(permissions, now=clock()), caller=caller, begin=begin)


async def deactivate_person(user_id: UserId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Keep a person out, at once: their sessions, tokens and seats end, nobody can book them. Nothing is deleted.

    Raises:
        NotFound, PermissionMissing: nobody the caller may manage.
        InvalidInput: the account would have no owner any more.
    """
    async with begin(caller.account_id) as work:
        person = await _managed(work, caller, user_id)
        if person.role is Role.OWNER and person.active:
            await _keep_an_owner(work, person, owns=False)
        person.deactivate(now=clock())
        await work.users.close_doors(person.id)
        account = await work.account()
        for hub in SEAT_HUBS:
            account.revoke_seats(hub, [person.id], now=clock())
        await work.commit()


async def reactivate_person(user_id: UserId, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Let a deactivated person in again, with the password they had.

    Raises:
        NotFound, PermissionMissing: nobody the caller may manage.
        InvalidInput: they never joined.
    """
    async with begin(caller.account_id) as work:
        person = await _managed(work, caller, user_id)
        if person.role is Role.OWNER and not person.active:
            (await work.account()).owners_revision += 1
        person.reactivate(now=clock())
        await work.commit()


async def _change(user_id: UserId, change: Callable[[User], None], *, caller: Caller, begin: Begin) -> None:
    async with begin(caller.account_id) as work:
        change(await _managed(work, caller, user_id))
        await work.commit()


async def _managed(work: UnitOfWork, caller: Caller, user_id: UserId) -> User:
    managing = await work.users.get(caller.user_id)
    managing.check_administers()
    try:
        person = await work.users.get(user_id)
    except NotFound:
        raise NotFound("user", ("userId",)) from None
    if person.role is Role.OWNER and managing.role is not Role.OWNER:
        raise PermissionMissing("manage owners of the account")
    return person


def _check_may_make(managing: User, role: Role) -> None:
    if role is Role.OWNER and managing.role is not Role.OWNER:
        raise PermissionMissing("make somebody an owner of the account")


async def _keep_an_owner(work: UnitOfWork, person: User, *, owns: bool) -> None:
    """Note that who owns the account changes, so that of two such changes at once the second one is made again.

    The account is read first: a change that is committed between the two reads makes this one conflict.
    """
    account = await work.account()
    if not owns and await work.users.active_owners() <= {person.id}:
        refuse(Problem(("userId",), Rule.LAST_OWNER))
    account.owners_revision += 1
