"""Being told of changes: Subscribe, Unsubscribe, GetEvents (pull) and GetStreamingEvents (MS-OXWSNTIF).

Sources: "Notification subscriptions, mailbox events, and EWS in Exchange" and the operations' pages. A subscription
hears of items in its folders, a move is told in the folder it leaves and in the one it reaches. Streaming keeps what
happens between two connections. A subscription ends when nobody asked for its events for so long: the Timeout of a pull
subscription, 30 minutes for streaming ("Subscribe operation"; assumed to be the same for both kinds of asking).
"""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator import access, identity
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.ids import Key, change_key
from meetings.adapters.exchange.simulator.request import Request, each, explained, response, success
from meetings.adapters.exchange.simulator.soap import Element, children, find, flag, local, m, t, text, truth
from meetings.adapters.exchange.simulator.times import written
from meetings.adapters.exchange.simulator.world import Change, Folder, World

_UTC = ZoneInfo("UTC")


@dataclass
class Subscription:
    """`folders` are numbers of one mailbox, None for all. `seen` is how many events came before those in `events`.

    It ends when nobody asked for `lasts`.
    """

    id: str
    streaming: bool
    owner: str
    mailbox: str
    folders: frozenset[int] | None
    kinds: frozenset[str]
    lasts: timedelta
    asked_at: datetime
    events: list[Change] = field(default_factory=list)
    seen: int = 0

    def wants(self, change: Change) -> bool:
        if change.kind not in self.kinds or change.folder.mailbox.email != self.mailbox:
            return False
        places = {change.folder.number} | ({change.moved_to[1].number} if change.moved_to else set())
        return self.folders is None or bool(places & self.folders)


class Subscriptions:
    """All subscriptions. `wakers` are called, in any thread, whenever a streaming subscription has news."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[str, Subscription] = {}
        self.wakers: list[Callable[[], None]] = []
        self._guard = threading.Lock()
        world.listeners.append(self._heard)

    def subscribe(self, request: Request) -> Element:
        def one(asked: Element) -> Element:
            kind = local(asked)
            if kind not in ("PullSubscriptionRequest", "StreamingSubscriptionRequest"):
                raise EwsError("ErrorInvalidSubscriptionRequest", f"A {kind} is not simulated.")
            made = self._made(request, asked, streaming=kind.startswith("Streaming"))
            self._all[made.id] = made
            mark = None if made.streaming else m("Watermark", _watermark(made.seen))
            return success("Subscribe", m("SubscriptionId", made.id), mark)

        return each("Subscribe", children(request.element), one)

    def unsubscribe(self, request: Request) -> Element:
        def one(named: Element) -> Element:
            self._own(request, text(named, "m:SubscriptionId"))
            del self._all[text(named, "m:SubscriptionId")]
            return success("Unsubscribe")

        return each("Unsubscribe", [request.element], one)

    def get_events(self, request: Request) -> Element:
        """Events after the watermark; those up to it are acknowledged and forgotten."""

        def one(named: Element) -> Element:
            held = self._own(request, text(named, "m:SubscriptionId"))
            mark = _read_watermark(text(named, "m:Watermark"))
            if held.streaming:
                raise EwsError("ErrorInvalidPullSubscriptionId", "The id is not one of a pull subscription.")
            if not held.seen <= mark <= held.seen + len(held.events):
                raise EwsError("ErrorInvalidWatermark")
            held.events, held.seen = held.events[mark - held.seen :], mark
            told = [_event(change, held.seen + count) for count, change in enumerate(held.events, start=1)]
            status = t("StatusEvent", t("Watermark", _watermark(mark)))
            before, more = t("PreviousWatermark", _watermark(mark)), t("MoreEvents", truth(False))
            notification = m("Notification", t("SubscriptionId", held.id), before, more, *(told or [status]))
            return success("GetEvents", notification)

        return each("GetEvents", [request.element], one)

    def unknown(self, request: Request, ids: list[str]) -> list[str]:
        """Those of `ids` that are not streaming subscriptions of the caller."""
        missing = []
        for each_id in ids:
            held = self._alive(each_id)
            if held is None or held.owner != request.account.email or not held.streaming:
                missing.append(each_id)
        return missing

    def take(self, ids: list[str]) -> list[Element]:
        """What is new, as one Notification per subscription, and forget it. Raises KeyError when one is gone."""
        with self._guard:
            found = []
            for each_id in ids:
                held = self._all[each_id]
                held.asked_at = self._world.now()
                if held.events:
                    told = [_event(change, None) for change in held.events]
                    found.append(m("Notification", t("SubscriptionId", held.id), *told))
                    held.events = []
            return found

    def expire_all(self) -> None:
        self._all.clear()
        self._wake()

    @property
    def count(self) -> int:
        return len(self._all)

    def _made(self, request: Request, asked: Element, *, streaming: bool) -> Subscription:
        kinds = frozenset(text(each_kind) for each_kind in children(find(asked, "t:EventTypes")))
        if not kinds:
            raise invalid_schema("The element 'EventTypes' has incomplete content.")
        folders: list[Folder] | None = None
        if not flag(asked.get("SubscribeToAllFolders")):
            folders = [access.folder(request, named) for named in children(find(asked, "t:FolderIds"))]
            if not folders:
                raise EwsError("ErrorInvalidSubscriptionRequest", "No folder was named.")
        mailbox = folders[0].mailbox if folders else request.account
        numbers = None if folders is None else frozenset(folder.number for folder in folders)
        identity = base64.b64encode(uuid4().bytes + mailbox.email.encode()).decode()
        own = [held for held in self._all.values() if held.owner == request.account.email]
        if len(own) >= request.settings.most_subscriptions:
            raise EwsError("ErrorExceededSubscriptionCount", "The maximum number of subscriptions is exceeded.")
        lasts = timedelta(minutes=30 if streaming else int(text(asked, "t:Timeout", "1440")))
        now = self._world.now()
        return Subscription(identity, streaming, request.account.email, mailbox.email, numbers, kinds, lasts, now)

    def _own(self, request: Request, identity: str) -> Subscription:
        held = self._alive(identity)
        if held is None:
            raise EwsError("ErrorSubscriptionNotFound")
        if held.owner != request.account.email:
            raise EwsError("ErrorSubscriptionAccessDenied", "The subscription belongs to somebody else.")
        return held

    def _alive(self, identity: str) -> Subscription | None:
        held = self._all.get(identity)
        if held is None:
            return None
        now = self._world.now()
        if now - held.asked_at > held.lasts:
            del self._all[identity]
            return None
        held.asked_at = now
        return held

    def _heard(self, change: Change) -> None:
        woken = False
        with self._guard:
            for held in self._all.values():
                if held.wants(change):
                    held.events.append(change)
                    woken = woken or held.streaming
        if woken:
            self._wake()

    def _wake(self) -> None:
        for waker in list(self.wakers):
            waker()


def stream_refused(ids: list[str]) -> Element:
    """The whole answer when ids are not known ("ErrorSubscriptionIds")."""
    error = EwsError("ErrorInvalidSubscription")
    wrong = m("ErrorSubscriptionIds", *(m("SubscriptionId", each_id) for each_id in ids))
    message = m(
        "GetStreamingEventsResponseMessage",
        *explained(error),
        wrong,
        m("ConnectionStatus", "Closed"),
        ResponseClass="Error",
    )
    return response("GetStreamingEvents", [message])


def stream_part(notifications: list[Element], status: str | None) -> Element:
    """One document of the stream: news, or how the connection is ("ConnectionStatus")."""
    told = m("Notifications", *notifications) if notifications else None
    message = success("GetStreamingEvents", told, m("ConnectionStatus", status) if status else None)
    return response("GetStreamingEvents", [message])


def _event(change: Change, number: int | None) -> Element:
    """Without a number for streaming, whose events carry no watermark ("GetStreamingEvents operation", the example)."""
    old = change.folder
    mark = None if number is None else t("Watermark", _watermark(number))
    moment = t("TimeStamp", written(change.at, _UTC))
    if change.moved_to is None:
        return t(change.kind, mark, moment, _item(old, change.number, change.version), _parent(old))
    number_there, new = change.moved_to
    return t(
        change.kind,
        mark,
        moment,
        _item(new, number_there, change.version),
        _parent(new),
        _item(old, change.number, change.version, "OldItemId"),
        _parent(old, "OldParentFolderId"),
    )


def _item(folder: Folder, number: int, version: int, tag: str = "ItemId") -> Element:
    return t(tag, Id=Key("I", folder.mailbox.guid, number).to_text(), ChangeKey=change_key("I", version))


def _parent(folder: Folder, tag: str = "ParentFolderId") -> Element:
    return identity.folder_id(folder, tag)


def _watermark(number: int) -> str:
    return base64.b64encode(b"AQAAAA" + number.to_bytes(8, "big")).decode()


def _read_watermark(text_: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text_, validate=True)[6:], "big")
    except ValueError:
        raise EwsError("ErrorInvalidWatermark") from None
