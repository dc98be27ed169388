"""Notification channels, and the HTTP POSTs Google sends through them.

Source: "Get push notifications" (Calendar API guide) and the Channel schema: the first message has state `sync` and
number 1, every later one says `exists` and a larger, not consecutive number; the POST has headers only. 200, 201,
202, 204 and 102 are success; 500, 502, 503 and 504 are tried again with growing pauses (their lengths are assumed);
other answers are final. A channel lives as long as asked for, at most `longest_life`; a week when nothing is asked
(`params.ttl`, default 604800 seconds; the upper limit is assumed). Plain http is allowed to loopback addresses only,
which Google does not allow at all.
"""

import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

from meetings.adapters.google.simulator.errors import GoogleError, Json, required
from meetings.adapters.google.simulator.world import Account, Calendar, World

_TRY_AGAIN = (500, 502, 503, 504)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Channel:
    id: str
    email: str
    calendar_id: str
    address: str
    token: str | None
    expires_at: datetime
    resource_id: str
    resource_uri: str
    last_number: int = 0


@dataclass
class Notification:
    """One message. `statuses` are the receiver's answers, 0 for none, one per attempt."""

    channel_id: str
    address: str
    headers: dict[str, str]
    statuses: list[int] = field(default_factory=list)

    @property
    def number(self) -> int:
        return int(self.headers["X-Goog-Message-Number"])


class Push:
    """The channels of all accounts."""

    def __init__(self, world: World, may_notify: Callable[[str], bool], send: Callable[[Notification], None]) -> None:
        self.channels: dict[str, Channel] = {}
        self.longest_life = timedelta(days=30)
        self._world = world
        self._may_notify = may_notify
        self._send = send
        world.listeners.append(self._calendar_changed)

    def watch(self, account: Account, calendar: Calendar, body: Json, base_url: str) -> Json:
        """events.watch: open a channel; its `sync` message is on its way when this returns."""
        channel = self._opened(account, calendar, body, base_url)
        self.channels[channel.id] = channel
        self._notify(channel, "sync")
        answer: Json = {
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": channel.resource_uri,
            "expiration": str(int(channel.expires_at.timestamp() * 1000)),
        }
        return {**answer, "token": channel.token} if channel.token else answer

    def stop(self, account: Account, body: Json) -> None:
        """channels.stop: 404 for a channel that is not open (wording seen in public reports)."""
        channel = self.channels.get(str(body.get("id")))
        resource_matches = channel is not None and channel.resource_id == body.get("resourceId")
        if channel is None or not resource_matches or channel.email != account.email:
            raise GoogleError(404, "notFound", f"Channel '{body.get('id')}' not found for project.")
        del self.channels[channel.id]

    def _opened(self, account: Account, calendar: Calendar, body: Json, base_url: str) -> Channel:
        for name in ("id", "type", "address"):
            if not body.get(name):
                raise required(f"Missing {name}.")
        if len(body["id"]) > 64:
            raise GoogleError(400, "invalid", "Invalid channel id.")
        if body["type"] not in ("web_hook", "webhook"):
            raise GoogleError(400, "push.channelTypeNotSupported", f"Channel type not supported: {body['type']}")
        if not _deliverable(body["address"]):
            raise GoogleError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {body['address']}")
        if body["id"] in self.channels:
            raise GoogleError(400, "channelIdNotUnique", f"Channel id {body['id']} not unique")
        return Channel(
            id=body["id"],
            email=account.email,
            calendar_id=calendar.id,
            address=body["address"],
            token=body.get("token"),
            expires_at=self._expiry(body),
            resource_id=f"resource-of-{calendar.id}",
            resource_uri=f"{base_url}/calendar/v3/calendars/{calendar.id}/events?alt=json",
        )

    def _expiry(self, body: Json) -> datetime:
        now = self._world.now().astimezone(UTC)
        asked = now + timedelta(seconds=int(body.get("params", {}).get("ttl", 604_800)))
        if body.get("expiration"):
            asked = datetime.fromtimestamp(int(body["expiration"]) / 1000, UTC)
        if asked <= now:
            raise GoogleError(400, "invalid", "Invalid channel expiration.")
        return min(asked, now + self.longest_life).replace(microsecond=0)

    def _calendar_changed(self, calendar: Calendar) -> None:
        for channel in list(self.channels.values()):
            if channel.expires_at <= self._world.now():
                del self.channels[channel.id]
            elif channel.calendar_id == calendar.id and self._reachable(channel):
                self._notify(channel, "exists")

    def _reachable(self, channel: Channel) -> bool:
        """No access, or no grant any more: nothing is sent (assumed)."""
        try:
            self._world.calendar_for(self._world.accounts[channel.email], channel.calendar_id)
        except GoogleError:
            return False
        return self._may_notify(channel.email)

    def _notify(self, channel: Channel, state: str) -> None:
        channel.last_number += 1 if state == "sync" else 1 + (channel.last_number * 7) % 5
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(channel.expires_at, usegmt=True),
            "X-Goog-Message-Number": str(channel.last_number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": channel.resource_uri,
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
            "Accept": "*/*",
            "Content-Length": "0",
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        self._send(Notification(channel.id, channel.address, headers))


def _deliverable(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def attempt(message: Notification) -> int:
    """The receiver's status, 0 when there was no answer within five seconds."""
    parts = urlsplit(message.address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=5)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", target, headers=message.headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def final(status: int) -> bool:
    """Whether an answer ends the attempts."""
    return status not in _TRY_AGAIN
