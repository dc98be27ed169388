"""Objects of the CRM: the calls of `/crm/v3/objects/{kind}`."""

import re
import time
from typing import Any

from meetings.adapters.hubspot.simulator.errors import Json, Refusal, invalid, refusal_body
from meetings.adapters.hubspot.simulator.portal import SimulatedPortal, StoredObject, written_now

BATCH = 100
MOST_FILTERS = 6
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def batch_read(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, Json]:
    names, by = body["properties"], body.get("idProperty")
    found, missing = [], []
    for asked in _inputs(body):
        which = _find(portal, kind, asked["id"], by)
        if which is None:
            missing.append(asked["id"])
        else:
            found.append(shown(which, names))
    if not missing:
        return 200, _batch(found)
    error = refusal_body(
        "OBJECT_NOT_FOUND", "Could not get some objects", context={"ids": missing}, errors=[], links={}
    )
    return 207, {**_batch(found), "numErrors": 1, "errors": [error]}


def batch_upsert(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, Json]:
    results = []
    for asked in _inputs(body):
        by, value, properties = asked["idProperty"], asked["id"], asked["properties"]
        if not portal.properties[kind].get(by, {}).get("hasUniqueValue"):
            raise invalid(by, "NOT_UNIQUE")
        _check(portal, kind, {**properties, by: value})
        which = portal.by_unique(kind, by, value)
        new = which is None
        if which is None:
            which = portal.make(kind, {**properties, by: value})
        else:
            portal.change(which, properties)
        results.append({**shown(which, list(which.properties)), "new": new})
    return 200, _batch(results)


def batch_update(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, Json]:
    results = []
    for asked in _inputs(body):
        which = _find(portal, kind, asked["id"], asked.get("idProperty"))
        if which is not None:
            _check(portal, kind, asked["properties"])
            portal.change(which, asked["properties"])
            results.append(shown(which, list(which.properties)))
    return 200, _batch(results)


def batch_archive(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, None]:
    for asked in _inputs(body):
        which = _find(portal, kind, asked["id"], None)
        if which is not None:
            portal.remove(which)
    return 204, None


def gdpr_delete(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, None]:
    which = _find(portal, kind, body["objectId"], body.get("idProperty"))
    if which is not None:
        portal.remove(which)
    return 204, None


def patch(portal: SimulatedPortal, kind: str, object_id: str, body: Json) -> tuple[int, Json]:
    which = _find(portal, kind, object_id, None)
    if which is None:
        raise Refusal(404, "OBJECT_NOT_FOUND", "resource not found")
    _check(portal, kind, body["properties"])
    portal.change(which, body["properties"])
    return 200, shown(which, list(body["properties"]))


def search(portal: SimulatedPortal, kind: str, body: Json) -> tuple[int, Json]:
    """Words of `query` are found at the beginnings of words of the searchable properties (assumed)."""
    groups = body["filterGroups"]
    if len(groups) > 5 or any(len(group["filters"]) > MOST_FILTERS for group in groups):
        raise Refusal(400, "VALIDATION_ERROR", "too many filters")
    known_until = time.monotonic() - portal.search_delay
    words = str(body.get("query", "")).casefold().split()
    found = [
        each
        for each in portal.objects[kind].values()
        if each.made_at <= known_until
        and (not groups or any(all(_fits(each, one) for one in group["filters"]) for group in groups))
        and all(_has_word(each, word) for word in words)
    ]
    for sort in body["sorts"]:
        name = sort["propertyName"]
        found.sort(key=lambda each: _sortable(each, name), reverse=sort["direction"] == "DESCENDING")
    begin, limit = int(body["after"] or 0), min(body["limit"], 200)
    answer: Json = {
        "total": len(found),
        "results": [shown(each, body["properties"]) for each in found[begin : begin + limit]],
    }
    if len(found) > begin + limit:
        answer["paging"] = {"next": {"after": str(begin + limit)}}
    return 200, answer


def shown(which: StoredObject, names: list[str]) -> Json:
    """Properties that were asked for and are not there are null."""
    given: dict[str, Any] = {name: which.properties.get(name) or None for name in names}
    return {
        "id": which.id,
        "properties": {**given, "hs_object_id": which.id, "createdate": which.created_at},
        "createdAt": which.created_at,
        "updatedAt": which.updated_at,
        "archived": False,
    }


def _batch(results: list[Json]) -> Json:
    now = written_now()
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}


def _inputs(body: Json) -> list[Json]:
    inputs: list[Json] = body["inputs"]
    if not 0 < len(inputs) <= BATCH:
        raise Refusal(400, "VALIDATION_ERROR", f"a batch holds 1 to {BATCH}")
    return inputs


def _find(portal: SimulatedPortal, kind: str, key: str, by: str | None) -> StoredObject | None:
    if by is None:
        if not key.isdecimal():
            raise Refusal(400, "VALIDATION_ERROR", "an id is not a number")
        return portal.objects[kind].get(key)
    if not portal.properties[kind].get(by, {}).get("hasUniqueValue"):
        raise invalid(by, "NOT_UNIQUE")
    return portal.by_unique(kind, by, key)


def _check(portal: SimulatedPortal, kind: str, properties: dict[str, str]) -> None:
    for name, value in properties.items():
        known = portal.properties[kind].get(name)
        if known is None:
            raise invalid(name, "PROPERTY_DOESNT_EXIST")
        if known["modificationMetadata"]["readOnlyValue"]:
            raise invalid(name, "READ_ONLY_VALUE")
        options = {option["value"] for option in known["options"]}
        if value and options and value not in options:
            raise invalid(name, "INVALID_OPTION")
        if name == "email" and not _ADDRESS.fullmatch(value):
            raise invalid(name, "INVALID_EMAIL")
        if name == "hubspot_owner_id" and value and value not in portal.owners.values():
            raise invalid(name, "INVALID_OWNER_ID")


def _value(which: StoredObject, name: str) -> str:
    return which.id if name == "hs_object_id" else which.properties.get(name, "")


def _sortable(which: StoredObject, name: str) -> tuple[int, str]:
    return (int(which.id), "") if name == "hs_object_id" else (0, _value(which, name))


def _fits(which: StoredObject, one: Json) -> bool:
    value, wanted = _value(which, one["propertyName"]), str(one.get("value", ""))
    match one["operator"]:
        case "EQ":
            return value == wanted
        case "LT":
            return int(value) < int(wanted)
        case "GT":
            return int(value) > int(wanted)
        case "CONTAINS_TOKEN":  # without regard to letter case (assumed)
            return wanted.casefold() in re.split(r"[;\s]+", value.casefold())
    raise Refusal(400, "VALIDATION_ERROR", "operator is not simulated")


def _has_word(which: StoredObject, word: str) -> bool:
    texts = (which.properties.get(name, "") for name in ("firstname", "lastname", "email", "company", "phone"))
    return any(each.startswith(word) for text in texts for each in text.casefold().split())
