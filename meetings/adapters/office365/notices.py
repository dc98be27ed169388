"""Graph's calls to our address, read. Pure.

Sources: "Receive change notifications through webhooks" and "Reduce missing subscriptions and change notifications"
(Graph documentation). Graph may put several notices into one call.
"""

import json
from typing import Any

from meetings.application.ports.calendars import News, Notice, PushCall, PushMessage

CHANNEL = "channel"
"""The parameter of our address that names the channel."""

# A notice without the changed data has less than 1 kB, and a call holds a few hundred of them at most.
_BODY_BYTES = 2**20
# A few hundred characters as seen; anything much longer was not sent by Graph.
_TOKEN_LENGTH = 4096

_NEWS = {
    "missed": News.CHANGED,
    "reauthorizationRequired": News.CHANNEL_ENDING,
    "subscriptionRemoved": News.CHANNEL_ENDING,
}


def read_push(call: PushCall) -> PushMessage | None:
    """What a call says; None when it is not one of Graph's.

    The channel is named by the address, which nobody but Graph and we know; the secret by each notice. Notices that say
    the same are one.
    """
    token = call.query.get("validationToken")
    if token is not None:
        return PushMessage(echo=token) if 0 < len(token) <= _TOKEN_LENGTH else None
    channel = call.query.get(CHANNEL)
    entries = _entries(call.body)
    if not channel or entries is None:
        return None
    notices = [_notice(channel, entry) for entry in entries]
    return PushMessage(notices=tuple(dict.fromkeys(notices)))


def _entries(body: bytes) -> list[dict[str, Any]] | None:
    if len(body) > _BODY_BYTES:
        return None
    try:
        entries = json.loads(body)["value"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    return entries or None


def _notice(channel: str, entry: dict[str, Any]) -> Notice:
    secret, event = entry.get("clientState"), entry.get("lifecycleEvent")
    return Notice(
        channel_id=channel,
        secret=secret if isinstance(secret, str) else "",
        news=_NEWS.get(event, News.CHANGED) if isinstance(event, str) else News.CHANGED,
    )
