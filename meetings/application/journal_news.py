"""Following an account's journal: what is written there, live."""

from collections.abc import AsyncGenerator, Collection, Sequence

from meetings.application.ports.fan_out import FanOut
from meetings.application.ports.reads import BadCursor, JournalEntry, Reads
from meetings.domain.identifiers import AccountId

_LOOK_EVERY = 30.0
_AT_ONCE = 100


async def journal_news(
    account_id: AccountId, after: str | None, *, topic: str, kinds: Collection[str], reads: Reads, fan_out: FanOut
) -> AsyncGenerator[Sequence[JournalEntry]]:
    """Entries of these kinds as they are written, in order, none left out and none twice, at most a hundred at once.

    Starts after the cursor `after` (a journal position as text), or with what is written from now on. A poke of `topic`
    says that there may be news; without one it is looked every half minute.

    Raises:
        BadCursor: `after` is no position.
    """
    position = _position(after) if after is not None else await reads.journal_end(account_id)
    async with fan_out.listen({topic}) as ear:
        while True:
            entries = await reads.journal(account_id, after=position, kinds=kinds, limit=_AT_ONCE)
            if entries:
                yield entries
                position = entries[-1].position
            if len(entries) < _AT_ONCE:
                await ear.wait(_LOOK_EVERY)


def _position(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 18:
        raise BadCursor
    return int(cursor)
