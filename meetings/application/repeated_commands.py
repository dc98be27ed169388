"""Commands that carry a key are carried out once, however often they arrive (ID-1, ID-2)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from meetings.application.ports.unit_of_work import Begin, KeptResult, UnitOfWork
from meetings.domain.base import DomainError, refuse
from meetings.domain.identifiers import AccountId
from meetings.domain.text import text_problem

MAX_KEY = 200


class IdempotencyConflict(DomainError):
    """The key was used before for another input."""


class KeptMeanwhile(Exception):
    """Another transaction with the same key committed first; its result is the answer."""


@dataclass(frozen=True, slots=True)
class CommandKey:
    """One command of one caller: what is done, for whom, under which key, with which input (as a fingerprint)."""

    operation: str
    scope: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, operation: str, scope: str, key: str, given: Mapping[str, object]) -> "CommandKey":
        """The key for `given`, whose values must have a stable text.

        Raises:
            InvalidInput: the key is empty, longer than 200 characters, or holds control characters.
        """
        refuse(text_problem(key, "idempotencyKey", most=MAX_KEY))
        text = json.dumps(given, sort_keys=True, default=str)
        return cls(operation, scope, key, hashlib.sha256(text.encode()).hexdigest())


async def earlier_result(work: UnitOfWork, command: CommandKey) -> UUID | None:
    """What this command was about when it was carried out before; None when it was not.

    Raises:
        IdempotencyConflict: the key was used with other input.
    """
    kept = await work.idempotency.find(command.operation, command.scope, command.key)
    if kept is None:
        return None
    if kept.fingerprint != command.fingerprint:
        raise IdempotencyConflict
    return kept.subject


async def keep_result(work: UnitOfWork, command: CommandKey, subject: UUID) -> None:
    """Keep the result with the change itself.

    Raises:
        KeptMeanwhile: a rival with the same key was first; roll back and give the `result_of_rival`.
    """
    result = KeptResult(command.fingerprint, subject)
    if not await work.idempotency.keep(command.operation, command.scope, command.key, result):
        raise KeptMeanwhile


async def result_of_rival(account_id: AccountId, command: CommandKey, look: Begin) -> UUID:
    """What this command was about, after `KeptMeanwhile`."""
    async with look(account_id) as work:
        kept = await earlier_result(work, command)
    assert kept, "a result kept by a rival is there once its transaction committed"
    return kept
