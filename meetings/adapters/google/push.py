"""Google's push channels: it calls us when a calendar changes. Source: "Push notifications" (Calendar API guide)."""

from dataclasses import dataclass
from typing import Any

from meetings.adapters.google import wire
from meetings.adapters.google.authorized import AuthorizedCalls
from meetings.adapters.google.refusals import Asked, Refused
from meetings.application.ports.calendars import PushChannel

# Longer than Google allows; it cuts it down and says to what. Without a wish it gives a week.
_WISHED_SECONDS = 60 * 24 * 3600


@dataclass(frozen=True, slots=True)
class GooglePush:
    """`PushChannels` for one Google account."""

    calls: AuthorizedCalls

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        """Google calls `address` once at once, before this returns or after, to greet it.

        A second call with the same `channel_id` is refused: after an unknown outcome, open another.

        Raises:
            EventRefused: Google sends nothing about this calendar, or not to this address; polling goes on without.
        """
        body: Any = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": secret,
            "params": {"ttl": str(_WISHED_SECONDS)},
        }
        answer = await self.calls.call(
            lambda service: service.events().watch(calendarId=calendar, body=body), Asked.CHANNEL, self.calls.limit()
        )
        return wire.channel(answer)

    async def close_channel(self, channel: PushChannel) -> None:
        body: Any = {"id": channel.channel_id, "resourceId": channel.resource_id}
        try:
            await self.calls.attempt(lambda service: service.channels().stop(body=body), self.calls.limit())
        except Refused as refused:
            if not refused.says_gone:
                raise self.calls.error(refused, Asked.CHANNEL) from None
