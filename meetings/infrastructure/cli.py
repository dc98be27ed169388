"""The command line: `meetings`, or `python -m meetings.infrastructure.cli`.

Every command ends with 0 when it did what it says, with 1 and a sentence when it could not, with 2 when it was called
wrongly or the settings cannot be used.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from meetings.application.people import InvitePerson
from meetings.application.ports.identities import EmailTaken
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.application.sign_in import NewPerson, add_person, found_account
from meetings.domain.base import InvalidInput, NotFound
from meetings.domain.erasure import UpcomingMeetings
from meetings.domain.identifiers import AccountId
from meetings.domain.plan import Hub
from meetings.domain.user import Role, User
from meetings.infrastructure import people_commands as commands
from meetings.infrastructure import privacy_commands as privacy
from meetings.infrastructure.database.migrate import migrate as migrate_database
from meetings.infrastructure.database.tables import accounts
from meetings.infrastructure.logs import set_up_logs
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.secrets import BadKeys, new_key
from meetings.infrastructure.settings import Settings, SettingsUnusable, read_settings

T = TypeVar("T")

app = typer.Typer(
    name="meetings",
    help="A scheduling backend that a team runs itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
dead_letters = typer.Typer(help="What could not be done and waits for people.", no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")
users = typer.Typer(help="Who belongs to an account and what they may do.", no_args_is_help=True)
app.add_typer(users, name="users")
journals = typer.Typer(help="What happened, as it was written down.", no_args_is_help=True)
app.add_typer(journals, name="audit")
plan = typer.Typer(help="What an account subscribes to, and who has seats.", no_args_is_help=True)
app.add_typer(plan, name="plan")


class CannotDo(Exception):
    """The command cannot do what it should; the text says why and what to do."""


def main() -> None:
    """Run a command; what goes wrong is one sentence on standard error."""
    try:
        app()
    except SettingsUnusable as unusable:
        _leave(2, *unusable.problems)
    except (CannotDo, BadKeys) as reason:
        _leave(1, str(reason))
    except (SQLAlchemyError, LockTimeout, OSError) as error:
        _leave(1, f"The database or a file cannot be used ({type(error).__name__}): run `meetings doctor`.")


def _leave(code: int, *sentences: str) -> None:
    for sentence in sentences:
        print(f"meetings: {sentence}", file=sys.stderr)
    sys.exit(code)


# ---- running ------------------------------------------------------------------------------------------------------


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="How many processes answer; more than one needs Redis.", min=1)] = 1,
) -> None:
    """Run the web server; without Redis the worker as well."""
    from meetings.infrastructure import server

    settings = _settings()
    if workers > 1 and settings.redis_url is None:
        raise CannotDo("Several processes need MEETINGS_REDIS_URL, or live updates would reach some visitors only.")
    _run(Runtime.refuse_wrong_keys, settings)
    try:
        server.serve(settings, host, port, processes=workers)
    except server.PortTaken as taken:
        raise CannotDo(str(taken)) from None
    server.leave()


@app.command()
def worker() -> None:
    """Run a worker: calendar writes, mail, sync."""
    from meetings.infrastructure import server

    try:
        server.work(_settings())
    except server.WorkerEnded:
        raise CannotDo("The worker stopped by itself; the log above says why.") from None
    server.leave()


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="End after the tour: with 0 if every step was as expected.")] = False,
    port: Annotated[int, typer.Option(help="The port to listen at; 0 takes a free one.", min=0, max=65535)] = 8000,
) -> None:
    """Everything with simulated providers and example data, and a tour through it."""
    try:
        from meetings.infrastructure.demo.run import run_demo
    except ModuleNotFoundError as missing:
        raise CannotDo(f"The demo needs more packages ({missing.name}): pip install 'meetings[demo]'.") from None
    raise typer.Exit(run_demo(once=once, port=port))


# ---- setting up ---------------------------------------------------------------------------------------------------


@app.command()
def migrate(revision: Annotated[str, typer.Argument(help="Which schema; the newest if left out.")] = "head") -> None:
    """Bring the database to the newest schema. Running it again changes nothing."""
    settings = _settings()
    asyncio.run(migrate_database(settings.database_url.get_secret_value(), revision))
    print("The database has the newest schema." if revision == "head" else f"The database is at {revision}.")


@app.command()
def init(
    account: Annotated[str, typer.Option(prompt="Name of your team or company")],
    name: Annotated[str, typer.Option(prompt="Your name")],
    email: Annotated[str, typer.Option(prompt="Your e-mail address")],
    password_stdin: Annotated[bool, typer.Option(help="Read your password from standard input.")] = False,
    public_url: Annotated[str, typer.Option(help="Where people will reach the server.")] = "http://127.0.0.1:8000",
    env_file: Annotated[Path, typer.Option(help="Where the settings go.")] = Path(".env"),
) -> None:
    """Write a settings file with fresh secrets, make the database, and the first account with its owner.

    An existing settings file is left as it is; where there is an account already, nothing is added.
    """
    if _write_settings(env_file, public_url):
        print(f"Wrote {env_file}: keep it out of version control, and keep a copy in a safe place.")
    settings = _settings(env_file)
    asyncio.run(migrate_database(settings.database_url.get_secret_value()))
    _run(_refuse_a_second_account, settings)
    password, told = _password(password_stdin)
    person = NewPerson(name, email, password)

    async def found(runtime: Runtime) -> None:
        await runtime.check_keys()
        tools = runtime.toolbox
        await found_account(account, person, identities=tools.identities, passwords=tools.passwords, clock=tools.clock)

    _run(_with_problems(found), settings)
    print(f"{email} owns the account {account!r}{told}. Next: meetings serve")


@app.command()
def add_user(
    name: Annotated[str, typer.Option(prompt="Name")],
    email: Annotated[str, typer.Option(prompt="E-mail address")],
    role: Annotated[Role, typer.Option(help="What they may do.", case_sensitive=False)] = Role.MEMBER,
    account: Annotated[str | None, typer.Option(help="The account's name; needed when there are several.")] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
) -> None:
    """Add a person to an account."""
    password, told = _password(password_stdin)
    person = NewPerson(name, email, password)

    async def add(runtime: Runtime) -> None:
        tools = runtime.toolbox
        account_id = await _account_called(account, runtime)
        await add_person(
            account_id, person, role, identities=tools.identities, passwords=tools.passwords, clock=tools.clock
        )

    _run(_with_problems(add), _settings())
    print(f"{email} can sign in as {role.value.lower()}{told}.")


AccountOption = Annotated[str | None, typer.Option(help="The account's name; needed when there are several.")]
EmailArgument = Annotated[str, typer.Argument(help="The person's e-mail address.")]


@users.command("list")
def list_users(account: AccountOption = None) -> None:
    """Everybody in an account, in the order they came."""

    async def look(runtime: Runtime) -> list[User]:
        return await commands.people_of(await _account_called(account, runtime), runtime)

    for user in _run(look, _settings()):
        print(f"{user.email}  {user.role.value.lower()}  {user.state.value.lower()}  {user.name}")


@users.command("invite")
def invite_user(
    name: Annotated[str, typer.Option(prompt="Name")],
    email: Annotated[str, typer.Option(prompt="E-mail address")],
    role: Annotated[Role, typer.Option(help="What they may do.", case_sensitive=False)] = Role.MEMBER,
    account: AccountOption = None,
) -> None:
    """Ask somebody by mail to join an account; `add-user` adds them without asking."""

    async def invite(runtime: Runtime) -> None:
        await commands.invite(await _account_called(account, runtime), InvitePerson(name, email, role), runtime)

    _run(_with_problems(invite), _settings())
    print(f"{email} is invited as {role.value.lower()}; a worker sends the mail.")


@users.command("role")
def set_user_role(
    email: EmailArgument,
    role: Annotated[Role, typer.Argument(help="What they may do.", case_sensitive=False)],
    account: AccountOption = None,
) -> None:
    """Let somebody do more or less for others."""

    async def change(runtime: Runtime) -> None:
        await commands.set_role(await _account_called(account, runtime), email, role, runtime)

    _run(_with_problems(change), _settings())
    print(f"{email} is {role.value.lower()} now.")


@users.command("deactivate")
def deactivate_user(email: EmailArgument, account: AccountOption = None) -> None:
    """Keep somebody out at once; nothing of theirs is deleted."""

    async def change(runtime: Runtime) -> None:
        await commands.set_active(await _account_called(account, runtime), email, False, runtime)

    _run(_with_problems(change), _settings())
    print(f"{email} cannot sign in or be booked any more.")


@users.command("reactivate")
def reactivate_user(email: EmailArgument, account: AccountOption = None) -> None:
    """Let a deactivated person in again, with the password they had."""

    async def change(runtime: Runtime) -> None:
        await commands.set_active(await _account_called(account, runtime), email, True, runtime)

    _run(_with_problems(change), _settings())
    print(f"{email} can sign in and be booked again.")


@plan.command("show")
def show_plan(account: AccountOption = None) -> None:
    """What an account subscribes to."""

    async def look(runtime: Runtime) -> list[str]:
        return await commands.plan_lines(await _account_called(account, runtime), runtime)

    for line in _run(look, _settings()):
        print(line)


@plan.command("set")
def set_plan(
    subscriptions: Annotated[
        list[str] | None, typer.Argument(help="Such as SALES=STARTER:5 (five seats) or CMS=ENTERPRISE.")
    ] = None,
    everything: Annotated[bool, typer.Option(help="Every feature, whatever is subscribed to.")] = False,
    account: AccountOption = None,
) -> None:
    """Have an account subscribe to exactly this; nothing of it is taken down. It counts where features are gated.

    See MEETINGS_POLICY__ALL_FEATURES.
    """
    try:
        wanted = [commands.subscription_of(text) for text in subscriptions or []]
    except commands.BadSubscription as bad:
        raise CannotDo(f"{str(bad)!r} is no subscription: write HUB=TIER or HUB=TIER:SEATS.") from None

    async def change(runtime: Runtime) -> None:
        await commands.set_plan(await _account_called(account, runtime), wanted, everything, runtime)

    _run(_with_problems(change), _settings())
    print("The account has this plan now.")


@plan.command("seats")
def set_seats(
    hub: Annotated[Hub, typer.Argument(help="SALES or SERVICE.", case_sensitive=False)],
    emails: Annotated[list[str], typer.Argument(help="E-mail addresses of people of the account.")],
    revoke: Annotated[bool, typer.Option(help="Take the seats away instead.")] = False,
    account: AccountOption = None,
) -> None:
    """Give people seats of a hub, all of them or nobody."""

    async def change(runtime: Runtime) -> None:
        await commands.set_seats(await _account_called(account, runtime), hub, emails, revoke, runtime)

    _run(_with_problems(change), _settings())
    print(f"{len(emails)} {'without' if revoke else 'with'} a seat of {hub.value}.")


@app.command()
def export_person(email: EmailArgument, account: AccountOption = None) -> None:
    """Print all that is stored of a person from outside, as JSON."""

    async def look(runtime: Runtime) -> None:
        document = await privacy.export(await _account_called(account, runtime), email, runtime)
        print(json.dumps(document, indent=2, ensure_ascii=False))

    _run(_with_problems(look), _settings())


@app.command()
def erase_person(email: EmailArgument, account: AccountOption = None) -> None:
    """Forget a person from outside, for good. Meetings keep their times and hosts."""

    async def erase(runtime: Runtime) -> None:
        try:
            await privacy.erase(await _account_called(account, runtime), email, runtime)
        except UpcomingMeetings as ahead:
            raise CannotDo(
                f"There are meetings to come with this person: {ahead.count}. Call them off first."
            ) from None

    _run(_with_problems(erase), _settings())
    print("They are forgotten here; a worker has the customer records follow.")


@journals.command("verify")
def verify_journals() -> None:
    """Look through every account's journal for entries that were changed, removed or slipped in."""

    async def look(runtime: Runtime) -> bool:
        whole = True
        async for fine, sentence in privacy.verify_journals(await _accounts(runtime), runtime):
            whole = whole and fine
            print(f"{'ok ' if fine else '!! '} {sentence}")
        return whole

    if not _run(look, _settings()):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Look at every setting and everything around, and say what to do."""
    from meetings.infrastructure.doctor import examine

    async def look() -> bool:
        fine = True
        async for finding in examine(settings):
            fine = fine and finding.fine
            print(f"{'ok ' if finding.fine else '!! '} {finding.what}: {finding.found}", flush=True)
            if finding.advice:
                print(f"    {finding.advice}", flush=True)
        return fine

    settings = _settings()
    if not asyncio.run(look()):
        raise typer.Exit(1)


@app.command()
def export_schema() -> None:
    """Print the GraphQL schema."""
    from meetings.graphql.schema import printed_schema

    sys.stdout.write(printed_schema())


@app.command()
def rotate_keys() -> None:
    """Seal everything by the first key of MEETINGS_SECRET_KEYS, while the product runs; then others can be removed."""

    async def rotate(runtime: Runtime) -> int:
        return await runtime.database.rewrap_keys()

    settings = _settings()
    count = _run(rotate, settings)
    keyring = settings.keyring()
    print(f"Sealed the keys of {count} account(s) by {keyring.newest}.")
    others = sorted(keyring.key_ids - {keyring.newest})
    if others:
        print(f"You can remove these from MEETINGS_SECRET_KEYS now: {', '.join(others)}.")


# ---- dead letters -------------------------------------------------------------------------------------------------


@dead_letters.command("list")
def list_dead(limit: Annotated[int, typer.Option(help="How many per account.", min=1, max=1000)] = 100) -> None:
    """Everything that was given up, newest first."""

    async def look(runtime: Runtime) -> int:
        count = 0
        for account_id, account in (await _accounts(runtime)).items():
            for dead in await runtime.toolbox.outbox.dead(account_id, limit):
                count += 1
                at = f"{dead.died_at:%Y-%m-%d %H:%M}"
                print(f"{dead.id}  {at}  {account}  {dead.reaction} of {dead.subject}  {dead.attempts}x  {dead.error}")
        return count

    if not _run(look, _settings()):
        print("There are none.")


@dead_letters.command("replay")
def replay_dead(
    ids: Annotated[list[UUID] | None, typer.Argument(help="Which ones.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Try dead letters again."""
    if bool(ids) == everything:
        raise CannotDo("Name the dead letters to try again, or say --all.")

    async def replay(runtime: Runtime) -> int:
        count = 0
        for account_id in await _accounts(runtime):
            outbox = runtime.toolbox.outbox
            wanted = ids or [dead.id for dead in await outbox.dead(account_id, 1000)]
            count += sum([await outbox.replay(account_id, wanted_id) for wanted_id in wanted])
        return count

    count = _run(replay, _settings())
    if ids and count < len(ids):
        raise CannotDo(f"{count} of {len(ids)} are due again; the others are no dead letters.")
    print(f"{count} are due again; a worker takes them up within {_settings().sweep_seconds:g} s.")


# ---- what the commands share --------------------------------------------------------------------------------------


def _settings(env_file: Path = Path(".env")) -> Settings:
    settings = read_settings(env_file=env_file)
    set_up_logs(settings.log_format, settings.log_level)
    return settings


def _run(work: Callable[[Runtime], Coroutine[Any, Any, T]], settings: Settings) -> T:
    async def opened() -> T:
        async with Runtime.open(Process(settings)) as runtime:
            return await work(runtime)

    return asyncio.run(opened())


def _with_problems(
    work: Callable[[Runtime], Coroutine[Any, Any, None]],
) -> Callable[[Runtime], Coroutine[Any, Any, None]]:
    async def worded(runtime: Runtime) -> None:
        try:
            await work(runtime)
        except EmailTaken:
            raise CannotDo("Somebody signs in with this e-mail address already.") from None
        except InvalidInput as wrong:
            problems = (f"{'.'.join(problem.path)}: {problem.rule.value.lower()}" for problem in wrong.problems)
            raise CannotDo(f"This cannot be used: {'; '.join(problems)}.") from None
        except NotFound as missing:
            raise CannotDo(f"There is no such thing here: {missing.what}.") from None

    return worded


async def _accounts(runtime: Runtime) -> dict[AccountId, str]:
    async with runtime.database.snapshot() as connection:
        rows = (await connection.execute(select(accounts.c.id, accounts.c.name).order_by(accounts.c.created_at))).all()
    return {AccountId(row.id): row.name for row in rows}


async def _refuse_a_second_account(runtime: Runtime) -> None:
    if await _accounts(runtime):
        raise CannotDo("There is an account already; `meetings add-user` adds people to it.")


async def _account_called(name: str | None, runtime: Runtime) -> AccountId:
    found = await _accounts(runtime)
    fitting = [account_id for account_id, known in found.items() if name is None or known == name]
    if not found:
        raise CannotDo("There is no account yet: run `meetings init`.")
    if len(fitting) != 1:
        known = ", ".join(repr(known) for known in found.values())
        raise CannotDo(f"Name one account by --account; there are: {known}.")
    return fitting[0]


def _write_settings(env_file: Path, public_url: str) -> bool:
    """Write a new file that only its owner can read; false when there is one already."""
    lines = (
        "# Settings of meetings; see .env.example for all of them.",
        f"MEETINGS_PUBLIC_URL={public_url}",
        f"MEETINGS_SECRET_KEYS={new_key()}",
        f"MEETINGS_DATABASE_URL=sqlite+aiosqlite:///{env_file.resolve().parent / 'meetings.db'}",
        "",
    )
    try:
        handle = os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return True


def _password(from_stdin: bool) -> tuple[str, str]:
    """A password, and what to say of it: typed, piped in, or else made up and told once."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n"), ""
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True), ""
    made = secrets.token_urlsafe(15)
    return made, f", with the password {made}"


if __name__ == "__main__":
    main()
