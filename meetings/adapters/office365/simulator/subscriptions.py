"""Subscriptions to changes of events, and what Graph tells through them.

Source: subscription resource, "Create/Update/Delete subscription", "Reduce missing subscriptions and change
notifications" (life-cycle), changeNotificationCollection.

- Before a subscription is made or its address changed, each address gets a POST with `validationToken` in its query and
  has to answer 200, as text/plain, with the token decoded, within 10 seconds.
- At most 4,230 minutes for events; longer is refused: "Subscription expiration can only be 4230 minutes in the future."
  (microsoft-graph-docs, issue 2988).
- `lifecycleNotificationUrl` can be given at creation only.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meetings.adapters.office365.simulator.errors import GraphError, Json
from meetings.adapters.office365.simulator.sending import Notification, checked_address, invalid, validate
from meetings.adapters.office365.simulator.times import read_instant, zone_of
from meetings.adapters.office365.simulator.world import Account, Calendar, Change, World, ordinary_id

LONGEST_LIFE = timedelta(minutes=4230)
_RESOURCE = re.compile(
    r"/?(?:me|users/(?P<user>[^/]+))(?:/calendars/(?P<calendar>[^/]+)|/calendar)?/events/?", re.IGNORECASE
)


@dataclass
class Subscription:
    """`calendar_id` is None for all calendars of the mailbox. `immutable` was asked for by header at creation."""

    id: str
    email: str
    application_id: str
    resource: str
    calendar_id: str | None
    change_types: frozenset[str]
    url: str
    lifecycle_url: str | None
    client_state: str | None
    expires_at: datetime
    immutable: bool

    def to_json(self, creator_id: str) -> Json:
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.application_id,
            "changeType": ",".join(sorted(self.change_types)),
            "clientState": self.client_state,
            "notificationUrl": self.url,
            "notificationQueryOptions": None,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": _utc(self.expires_at),
            "creatorId": creator_id,
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


class Subscriptions:
    """The subscriptions of all accounts, `open` by id; `may_notify` says whether somebody granted anything."""

    def __init__(self, world: World, may_notify: Callable[[str], bool], send: Callable[[Notification], object]) -> None:
        self.open: dict[str, Subscription] = {}
        self.longest_life = LONGEST_LIFE
        self._world = world
        self._may_notify = may_notify
        self._send = send
        self._paused: set[str] = set()
        world.listeners.append(self._event_changed)

    # -- what Graph does by itself

    def require_reauthorization(self, subscription_id: str) -> None:
        """Send `reauthorizationRequired`, and hold change notifications of it back for good until it is reauthorized
        or renewed ("change notifications remain paused")."""
        with self._world.lock:
            self._paused.add(subscription_id)
            self._lifecycle(self.open[subscription_id], "reauthorizationRequired")

    def remove(self, subscription_id: str) -> None:
        """Graph ends the subscription by itself and says so (`subscriptionRemoved`)."""
        with self._world.lock:
            self._lifecycle(self.open.pop(subscription_id), "subscriptionRemoved")

    def miss(self, subscription_id: str) -> None:
        """Say that notifications were lost (`missed`)."""
        with self._world.lock:
            self._lifecycle(self.open[subscription_id], "missed")

    # -- the methods of Graph; the lock of the world must not be held, since addresses are called

    def create(self, account: Account, application_id: str, body: Json, *, immutable: bool) -> Json:
        """Raises GraphError 400, 403 and 404."""
        with self._world.lock:
            made = self._read(account, application_id, body, immutable=immutable)
        for address in dict.fromkeys(each for each in (made.url, made.lifecycle_url) if each):
            validate(address)
        with self._world.lock:
            self.open[made.id] = made
            return made.to_json(account.object_id)

    def update(self, account: Account, subscription_id: str, body: Json) -> Json:
        """Renew, or change the address."""
        with self._world.lock:
            self._own(account, subscription_id)
            expires_at = self._expiry(body) if "expirationDateTime" in body else None
        unknown = set(body) - {"expirationDateTime", "notificationUrl"}
        if unknown:
            raise invalid(
                f"Only expirationDateTime and notificationUrl can be updated, not {', '.join(sorted(unknown))}."
            )
        if "notificationUrl" in body:
            validate(checked_address(body["notificationUrl"], "notificationUrl"))
        with self._world.lock:
            subscription = self._own(account, subscription_id)
            subscription.expires_at = expires_at or subscription.expires_at
            subscription.url = body.get("notificationUrl", subscription.url)
            self._paused.discard(subscription_id)
            return subscription.to_json(account.object_id)

    def get(self, account: Account, subscription_id: str) -> Json:
        return self._own(account, subscription_id).to_json(account.object_id)

    def list(self, account: Account) -> Json:
        own = [each for each in self.open.values() if each.email == account.email and not self._over(each)]
        return {"value": [each.to_json(account.object_id) for each in own]}

    def delete(self, account: Account, subscription_id: str) -> None:
        """A second delete is refused with 404."""
        self._own(account, subscription_id)
        del self.open[subscription_id]

    def reauthorize(self, account: Account, subscription_id: str) -> None:
        """ "subscription: reauthorize": 204; the notifications flow again. It does not renew."""
        self._own(account, subscription_id)
        self._paused.discard(subscription_id)

    # -- inside

    def _read(self, account: Account, application_id: str, body: Json, *, immutable: bool) -> Subscription:
        for name in ("changeType", "notificationUrl", "resource", "expirationDateTime"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(f"Could not process subscription creation payload. {name} is missing.")
        kinds = frozenset(part.strip() for part in body["changeType"].split(","))
        if not kinds <= {"created", "updated", "deleted"}:
            raise invalid(f"Invalid changeType: {body['changeType']}")
        if len(str(body.get("clientState") or "")) > 128:
            raise invalid("clientState is limited to 128 characters.")
        return Subscription(
            id=str(uuid.uuid4()),
            email=account.email,
            application_id=application_id,
            resource=body["resource"],
            calendar_id=self._watched(account, body["resource"]),
            change_types=kinds,
            url=checked_address(body["notificationUrl"], "notificationUrl"),
            lifecycle_url=checked_address(body["lifecycleNotificationUrl"], "lifecycleNotificationUrl")
            if body.get("lifecycleNotificationUrl")
            else None,
            client_state=body.get("clientState"),
            expires_at=self._expiry(body),
            immutable=immutable,
        )

    def _watched(self, account: Account, resource: str) -> str | None:
        """The calendar that a resource means. A calendar of somebody else cannot be watched by a person's own token:
        "subscriptions to shared or delegated folders aren't supported" (subscription resource); 403 is assumed."""
        found = _RESOURCE.fullmatch(resource)
        if found is None:
            raise invalid(f"Resource '{resource}' is not supported.")
        if found["user"] and found["user"].lower() not in (account.email, account.object_id):
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if not found["calendar"]:
            return None if "calendar" not in resource.lower() else self._world.default_calendar(account.email).id
        return self._world.calendar_for(account, found["calendar"]).id

    def _expiry(self, body: Json) -> datetime:
        now = self._world.now().astimezone(UTC)
        asked = read_instant(str(body["expirationDateTime"]), "expirationDateTime", zone_of("UTC"))
        if asked <= now:
            raise invalid("Subscription expiration must be in the future.")
        if asked > now + self.longest_life:
            minutes = int(self.longest_life.total_seconds() // 60)
            raise GraphError(
                400, "ExtensionError", f"Subscription expiration can only be {minutes} minutes in the future."
            )
        return asked

    def _own(self, account: Account, subscription_id: str) -> Subscription:
        found = self.open.get(subscription_id)
        if found is None or found.email != account.email or self._over(found):
            # Code and message as in msgraph-sdk-php, issue 221.
            raise GraphError(404, "ResourceNotFound", "The object was not found.")
        return found

    def _over(self, subscription: Subscription) -> bool:
        return subscription.expires_at <= self._world.now()

    def _event_changed(self, change: Change) -> None:
        for subscription in list(self.open.values()):
            if self._over(subscription):
                del self.open[subscription.id]
            elif self._concerns(subscription, change):
                self._notify(subscription, change)

    def _concerns(self, subscription: Subscription, change: Change) -> bool:
        """No access, or no grant any more: nothing is sent (assumed)."""
        account = self._world.accounts[subscription.email]
        calendar: Calendar = change.calendar
        watched = subscription.calendar_id in (None, calendar.id)
        mine = calendar.owner == account.email or subscription.calendar_id == calendar.id
        reachable = calendar.id not in account.lost and self._world.role(account, calendar) != "none"
        allowed = self._may_notify(account.email) and subscription.id not in self._paused
        return watched and mine and reachable and allowed and change.kind in subscription.change_types

    def _notify(self, subscription: Subscription, change: Change) -> None:
        """The body of "Receive change notifications through webhooks", notification example."""
        account = self._world.accounts[subscription.email]
        event_id = change.event_id if subscription.immutable else ordinary_id(change.event_id)
        resource = f"Users/{account.object_id}/Events/{event_id}"
        value = {
            **self._common(subscription),
            "changeType": change.kind,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": resource,
                "@odata.etag": f'W/"{change.change_key}"',
                "id": event_id,
            },
        }
        self._send(Notification(subscription.url, value))

    def _lifecycle(self, subscription: Subscription, event: str) -> None:
        """A subscription without an address for these is told nothing of them ("Reduce missing subscriptions")."""
        if subscription.lifecycle_url is not None:
            value = {**self._common(subscription), "lifecycleEvent": event}
            self._send(Notification(subscription.lifecycle_url, value))

    def _common(self, subscription: Subscription) -> Json:
        return {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": _utc(subscription.expires_at),
            "clientState": subscription.client_state,
            "tenantId": self._world.accounts[subscription.email].tenant_id,
        }


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
