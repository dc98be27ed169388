"""Graph's subscriptions: it calls us when a calendar changes.

Sources: "subscription resource type", "Create subscription" and "Reduce missing subscriptions and change notifications"
(Graph documentation). What its calls say is read in notices.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from meetings.adapters.office365 import wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.notices import CHANNEL
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.application.ports.calendars import PushChannel

# Graph refuses more than 4,230 minutes; its clock may be behind ours by this much.
_LIFE = timedelta(minutes=4230) - timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Office365Push:
    """`PushChannels` for one account."""

    calls: AuthorizedCalls
    now: Callable[[], datetime]

    async def open_channel(self, calendar: str, *, channel_id: str, secret: str, address: str) -> PushChannel:
        """Graph calls `address` before this returns, and wants a text of its own back (`PushMessage.echo`).

        A second call opens a second channel. `secret` may have 128 characters.

        Raises:
            EventRefused: Graph sends nothing about this calendar, or not to this address; polling goes on without.
        """
        told = _with_channel(address, channel_id)
        body = {
            "changeType": "created,updated,deleted",
            "notificationUrl": told,
            "lifecycleNotificationUrl": told,
            # No address but a name: nothing in it is escaped.
            "resource": f"/me/calendars/{calendar}/events",
            "expirationDateTime": wire.stamp(self.now() + _LIFE),
            "clientState": secret,
        }
        answer = await self.calls.call(Question("POST", "/subscriptions", body=body), Asked.CHANNEL, self.calls.limit())
        return wire.channel(answer, channel_id)

    async def close_channel(self, channel: PushChannel) -> None:
        question = Question("DELETE", f"/subscriptions/{quote(channel.resource_id, safe='')}")
        try:
            await self.calls.attempt(question, self.calls.limit())
        except Refused as refused:
            # 404: Graph does not know it; 400: it is not even an id of a subscription.
            if refused.status not in (400, 404, 410) or refused.code is None:
                raise self.calls.error(refused, Asked.CHANNEL) from None


def _with_channel(address: str, channel_id: str) -> str:
    parts = urlsplit(address)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), (CHANNEL, channel_id)])
    return urlunsplit(parts._replace(query=query))
