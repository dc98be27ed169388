"""What whoever runs the product does about people from outside, from the command line.

They act in the name of an owner of the account; the journal says `operator`.
"""

from collections.abc import AsyncIterator, Mapping

from meetings.application.erase_person import erase_person
from meetings.application.export_person import Document, put_together
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.audit import audit
from meetings.infrastructure.people_commands import OPERATOR, owner_of
from meetings.infrastructure.runtime import Runtime


async def erase(account_id: AccountId, email: str, runtime: Runtime) -> None:
    """Forget a person; a worker has the customer records follow."""
    tools, caller = runtime.toolbox, await owner_of(account_id, runtime)
    begin = tools.begin_as(OPERATOR)
    await erase_person(email, caller=caller, begin=begin, crm_of=tools.crm_of, clock=tools.clock)


async def export(account_id: AccountId, email: str, runtime: Runtime) -> Document:
    """All that is stored of a person."""
    tools, caller = runtime.toolbox, await owner_of(account_id, runtime)
    begin = tools.begin_as(OPERATOR)
    return await put_together(email, caller=caller, begin=begin, crm_of=tools.crm_of, clock=tools.clock)


async def verify_journals(accounts: Mapping[AccountId, str], runtime: Runtime) -> AsyncIterator[tuple[bool, str]]:
    """For each account whether its journal is as it was written, with a sentence."""
    for account_id, name in accounts.items():
        found = await audit(runtime.database, account_id)
        older = f", {found.unhashed} of them from before there were hashes" if found.unhashed else ""
        if found.broken_at is None:
            yield True, f"{name}: {found.entries} entries{older}; the newest hash is {found.head or 'none'}."
        else:
            yield False, f"{name}: entry {found.broken_at} is not as it was written."
