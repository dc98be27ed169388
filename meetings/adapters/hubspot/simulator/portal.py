"""One portal: its objects, properties, owners, tokens and limits."""

import itertools
import json
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

Json = dict[str, Any]
_hub_ids = itertools.count(62_515)
_ids = itertools.count(101)
"""Ids are of the whole of HubSpot: no two portals have the same one (assumed), newer ones are greater (assumed)."""


@dataclass
class StoredObject:
    """An object of a kind; `associated` holds pairs of kind and id."""

    id: str
    kind: str
    properties: dict[str, str]
    created_at: str
    updated_at: str
    made_at: float
    associated: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class SimulatedPortal:
    """`limit` calls per `interval` seconds; `search_delay` seconds pass before search knows a new object (A-CR7)."""

    owners: dict[str, str] = field(default_factory=dict)
    hub_id: str = field(default_factory=lambda: str(next(_hub_ids)))
    token: str = field(default_factory=lambda: f"pat-eu1-{uuid4()}", repr=False)
    limit: int = 100_000
    interval: float = 10.0
    search_limit: int = 100_000
    search_delay: float = 0.0
    revoked: bool = False
    missing_scopes: set[str] = field(default_factory=set)
    objects: dict[str, dict[str, StoredObject]] = field(
        default_factory=lambda: {kind: {} for kind in ("contacts", "meetings", "emails")}
    )
    properties: dict[str, dict[str, Json]] = field(default_factory=lambda: _first_properties())
    groups: dict[str, set[str]] = field(default_factory=lambda: {"contacts": set(), "meetings": set(), "emails": set()})
    calls: deque[float] = field(default_factory=deque)
    searches: deque[float] = field(default_factory=deque)

    def used(self, now: float) -> int:
        while self.calls and self.calls[0] <= now - self.interval:
            self.calls.popleft()
        while self.searches and self.searches[0] <= now - 1.0:
            self.searches.popleft()
        return len(self.calls)

    def make(self, kind: str, properties: dict[str, str]) -> StoredObject:
        now = written_now()
        made = StoredObject(str(next(_ids)), kind, {}, now, now, time.monotonic())
        self.objects[kind][made.id] = made
        self.change(made, properties)
        return made

    def change(self, which: StoredObject, properties: dict[str, str]) -> None:
        which.properties |= properties
        if which.kind == "contacts" and "email" in properties:
            which.properties["email"] = properties["email"].lower()  # HubSpot keeps addresses in small letters
        which.updated_at = written_now()
        if which.kind == "emails" and "hs_email_headers" in properties:
            # "Email": these two are filled from the headers; several recipients stand apart by ";" (assumed)
            told = json.loads(properties["hs_email_headers"])
            which.properties["hs_email_from_email"] = told["from"]["email"]
            which.properties["hs_email_to_email"] = ";".join(to["email"] for to in told["to"])

    def remove(self, which: StoredObject) -> None:
        del self.objects[which.kind][which.id]
        for kind, other in which.associated:
            self.objects[kind][other].associated.discard((which.kind, which.id))

    def by_unique(self, kind: str, name: str, value: str) -> StoredObject | None:
        wanted = value.lower() if name == "email" else value
        return next((each for each in self.objects[kind].values() if each.properties.get(name) == wanted), None)


def written_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def property_of(name: str, group: str, kind: str = "string", **more: Any) -> Json:
    """A property as `/crm/v3/properties` gives it."""
    metadata = {"readOnlyValue": more.pop("read_only", False), "readOnlyDefinition": True, "archivable": False}
    return {
        "name": name,
        "label": name,
        "type": kind,
        "fieldType": "select" if kind == "enumeration" else "text",
        "groupName": group,
        "description": "",
        "options": [{"label": each, "value": each, "hidden": False} for each in more.pop("options", ())],
        "hasUniqueValue": False,
        "calculated": False,
        "externalOptions": False,
        "modificationMetadata": metadata,
        **more,
    }


def _first_properties() -> dict[str, dict[str, Json]]:
    person = [property_of(name, "contactinformation") for name in ("firstname", "lastname", "company", "phone")]
    person += [property_of("jobtitle", "contactinformation")]
    person += [property_of("email", "contactinformation", hasUniqueValue=True)]
    person += [property_of("lifecyclestage", "contactinformation", "enumeration", options=["lead", "customer"])]
    owner = property_of("hubspot_owner_id", "owner", "enumeration", externalOptions=True)
    read_only = [property_of("hs_object_id", "own", "number", read_only=True)]
    meeting = [
        property_of(name, "engagement")
        for name in (
            *("hs_timestamp", "hs_meeting_title", "hs_meeting_body", "hs_internal_meeting_notes"),
            *("hs_meeting_location", "hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_external_url"),
        )
    ]
    outcomes = ["SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"]
    meeting += [property_of("hs_meeting_outcome", "engagement", "enumeration", options=outcomes)]
    meeting += [property_of("hs_activity_type", "engagement", "enumeration", options=["Intro", "First meeting"])]
    # assumed: the source can be written, as the scheduler's own answers show these values
    sources = ["MEETINGS_PUBLIC", "INTEGRATION", "CRM_UI", "BIDIRECTIONAL_SYNC"]
    meeting += [property_of("hs_meeting_source", "engagement", "enumeration", options=sources)]
    # assumed: ids of owners, apart by ";", can be written
    meeting += [property_of("hs_attendee_owner_ids", "engagement", "enumeration", externalOptions=True)]
    mail = [
        property_of(name, "engagement")
        for name in ("hs_timestamp", "hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_headers")
    ]
    directions = ["EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"]
    mail += [property_of("hs_email_direction", "engagement", "enumeration", options=directions)]
    statuses = ["BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"]
    mail += [property_of("hs_email_status", "engagement", "enumeration", options=statuses)]
    mail += [property_of(name, "engagement", read_only=True) for name in ("hs_email_from_email", "hs_email_to_email")]
    kinds = {"contacts": person, "meetings": meeting, "emails": mail}
    return {kind: {each["name"]: each for each in (*found, owner, *read_only)} for kind, found in kinds.items()}
