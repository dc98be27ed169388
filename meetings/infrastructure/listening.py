"""Keeps one conversation open with every calendar connection whose provider tells of changes that way."""

import asyncio
import logging
from dataclasses import dataclass

from meetings.application.listen_for_changes import listen_for_changes
from meetings.application.ports.calendars import ProviderError, RateLimited
from meetings.application.ports.sync_schedule import PlannedConnection
from meetings.domain.base import NotFound
from meetings.infrastructure.runtime import Runtime

log = logging.getLogger(__name__)

_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 900.0


@dataclass
class _Conversation:
    """One connection's. `pause` grows with each failure in a row; until `not_before` nobody tries again."""

    task: "asyncio.Task[None]"
    pause: float = _FIRST_PAUSE
    not_before: float = 0.0


class Listening:
    """For the worker that leads: `see_to` again and again, `stop` in the end or when the lead is lost.

    At most `at_most` conversations are open, those of the connections that stand longest; the rest is polled alone, as
    everything is anyway.
    """

    def __init__(self, runtime: Runtime, at_most: int) -> None:
        self._runtime = runtime
        self._at_most = at_most
        self._open: dict[PlannedConnection, _Conversation] = {}

    async def see_to(self) -> None:
        """Begin conversations that are wanted, begin again those that ended, end those nobody wants any more."""
        listened = [provider for provider, offered in self._runtime.toolbox.providers.items() if offered.listen]
        wanted = await self._runtime.toolbox.schedule.planned(listened, self._at_most) if listened else []
        for planned in [known for known in self._open if known not in wanted]:
            self._open.pop(planned).task.cancel()
        now = asyncio.get_running_loop().time()
        for planned in wanted:
            known = self._open.get(planned)
            if known is None:
                self._open[planned] = _Conversation(self._begin(planned))
            elif known.task.done() and now >= known.not_before:
                known.task = self._begin(planned)

    async def stop(self) -> None:
        """End all conversations. A second call does nothing."""
        ended = [conversation.task for conversation in self._open.values()]
        self._open.clear()
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    def _begin(self, planned: PlannedConnection) -> "asyncio.Task[None]":
        return asyncio.create_task(self._converse(planned), name=f"listening to {planned.connection_id}")

    async def _converse(self, planned: PlannedConnection) -> None:
        tools = self._runtime.toolbox
        try:
            await listen_for_changes(
                planned,
                begin=tools.begin,
                look=tools.look,
                listener_of=tools.listener_of,
                schedule=tools.schedule,
                clock=tools.clock,
            )
        except (ProviderError, NotFound) as error:
            self._wait(planned, error)
        except Exception as error:
            log.exception("a conversation about changes broke off")
            self._wait(planned, error)
        else:
            conversation = self._open.get(planned)
            if conversation is not None:
                conversation.pause = _FIRST_PAUSE

    def _wait(self, planned: PlannedConnection, error: Exception) -> None:
        conversation = self._open.get(planned)
        if conversation is None:
            return
        asked = error.retry_after if isinstance(error, RateLimited) else None
        conversation.not_before = asyncio.get_running_loop().time() + max(conversation.pause, asked or 0.0)
        conversation.pause = min(conversation.pause * 2, _LONGEST_PAUSE)
        log.info(
            "nobody tells of changes now; calendars are polled",
            extra={"connection": str(planned.connection_id), "error": type(error).__name__},
        )
