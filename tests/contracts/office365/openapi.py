"""Checks calls against Microsoft's own description of Graph's calendar.

The OpenAPI file lies in a folder beside the repository, no part of it; without the folder nothing is checked, and
the tests of the checker say so. `OpenApiCheck` is an observer: attach it to a simulator and it checks every request a
client sends (path, query, body) and every answer it gets; `problems` stays empty when both keep to the file. Stricter
than the file in one way: members it does not name are problems. Where the service is known to differ from the file, or
the file lacks something, it is named below with a reason.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from meetings.adapters.office365.simulator import Call

Json = dict[str, Any]

FILE = Path(__file__).parents[4] / "shared" / "contracts" / "microsoft-graph" / "graph-calendar.json"
AVAILABLE = FILE.is_file()
WHY_NOT = f"Microsoft's description of Graph ({FILE.name}) is not there: it lies in ../shared beside the repository"

NOT_COVERED = {
    "mailboxSettings.get": "the file has no path for the settings of a mailbox",
    "events.respond": "the file has no paths for accept, decline and tentativelyAccept",
    "events.instances": "the file has no path for the instances of a series",
}
"""Operations without a path in the file, and why."""

NOT_COVERED_GROUPS = {
    "mailFolders.": "the file describes the calendar only, no folders of mail",
    "messages.": "the file describes the calendar only, no mails",
}
"""The same for all operations whose names begin so."""

STATUSES = {
    "events.update": (200, "event", 'the file declares 204; "Update event" says 200 with the event'),
    "events.cancel": (202, None, 'the file declares 204; "event: cancel" says 202 without a body'),
    "subscriptions.update": (200, "subscription", 'the file declares 204; "Update subscription" says 200'),
}
"""Answers that differ from the file: status, schema of the body, and why."""

MORE_PARAMETERS = {
    "$expand": "the file was cut without navigation properties; the reference allows it for extended properties",
    "$skiptoken": "comes out of a nextLink, so no client writes it",
    "$deltatoken": "comes out of a deltaLink, so no client writes it",
    "startDateTime": "the reference demands it for delta, too",
    "endDateTime": "the reference demands it for delta, too",
}
"""Query parameters that the file does not name, and why they are right."""

_EXTENDED = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "value": {"type": "string"}},
        "required": ["id", "value"],
        "patternProperties": {"@": {}},
        "additionalProperties": False,
    },
}
_SILENT_FAULTS = ("body", "content_type")
_BASE = "/v1.0"


class OpenApiCheck:
    """Call it with each finished call. `checked` counts the calls that the file describes."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.checked = 0

    def __call__(self, call: Call) -> None:
        if not call.path.startswith(f"{_BASE}/") or not is_covered(call.operation):
            return
        described = _described(call)
        if described is None:
            self.problems.append(f"call {call.number}: nothing describes {call.verb} {call.path}")
            return
        self.checked += 1
        found = [
            *_query_problems(call, described),
            *_body_problems(call, described),
            *_answer_problems(call, described),
        ]
        self.problems += [f"call {call.number}, {call.operation}: {problem}" for problem in found]


def is_covered(operation: str) -> bool:
    return operation not in NOT_COVERED and not operation.startswith(tuple(NOT_COVERED_GROUPS))


def described_paths() -> list[str]:
    return list(_document()["paths"])


def schema_problems(name: str, value: Any) -> list[str]:
    """What is wrong with `value` as the schema `name` (such as "event") of the file."""
    schema = {"$ref": f"#/$defs/microsoft.graph.{name}"}
    return [f"{error.json_path}: {error.message}" for error in _validator(json.dumps(schema)).iter_errors(value)]


def _described(call: Call) -> Json | None:
    """The description of the call, its parameters whole."""
    path = call.path.removeprefix(_BASE).removesuffix("()")
    for template, methods in _document()["paths"].items():
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
        if call.verb.lower() in methods and re.fullmatch(pattern, path):
            described: Json = methods[call.verb.lower()]
            return described
    return None


def _query_problems(call: Call, described: Json) -> Iterator[str]:
    known = {about["name"]: about for about in map(_resolved, described.get("parameters", []))}
    for name in set(call.query.keys()):
        if name not in known and name in MORE_PARAMETERS:
            continue
        about = known.get(name)
        if about is None or about["in"] != "query":
            yield f"unknown parameter {name}"
        elif len(call.query.getlist(name)) > 1:
            yield f"parameter {name} is repeated"
        else:
            yield from (f"parameter {name}: {problem}" for problem in _parameter_problems(about, call.query[name]))
    follows = call.query.get("$skiptoken") or call.query.get("$deltatoken")
    for name, about in known.items():
        if about["in"] == "query" and about.get("required") and name not in call.query and not follows:
            yield f"parameter {name} is missing"


def _parameter_problems(about: Json, text: str) -> Iterator[str]:
    schema = about["schema"]
    if schema["type"] == "array":
        for part in text.split(","):
            if "enum" in schema["items"] and part.strip() not in schema["items"]["enum"]:
                yield f"{part} is not one of the names of the file"
    if schema["type"] == "integer" and not re.fullmatch(r"\d+", text):
        yield f"{text} is not a number"
    if schema["type"] == "boolean" and text not in ("true", "false"):
        yield f"{text} is not a boolean"


def _body_problems(call: Call, described: Json) -> Iterator[str]:
    about = described.get("requestBody")
    if about is None:
        if call.body is not None:
            yield "a body where none belongs"
        return
    if not call.headers.get("content-type", "").startswith("application/json"):
        yield "a body that does not say that it is JSON"
    validator = _validator(json.dumps(about["content"]["application/json"]["schema"]))
    yield from (f"body {error.json_path}: {error.message}" for error in validator.iter_errors(call.body))


def _answer_problems(call: Call, described: Json) -> Iterator[str]:
    if not call.worked or call.fault in _SILENT_FAULTS:
        return
    if call.status >= 400:
        yield from _error_problems(call)
        if call.status == 500:
            yield "answer: the simulator failed"
        return
    status, schema = _promised(call, described)
    if call.status != status:
        yield f"answer: status {call.status} where {status} belongs"
    if schema is None:
        if call.answer is not None:
            yield "answer: a body where none belongs"
        return
    errors = _validator(json.dumps(schema)).iter_errors(call.answer)
    yield from (f"answer {error.json_path}: {error.message}" for error in errors)
    for entry in (call.answer or {}).get("value", []):
        if "@removed" in entry and (not entry.get("id") or not entry["@removed"].get("reason")):
            yield f"answer: an entry that is removed without id or reason: {entry}"


def _promised(call: Call, described: Json) -> tuple[int, Json | None]:
    if call.operation in STATUSES:
        status, name, _ = STATUSES[call.operation]
        return status, {"$ref": f"#/$defs/microsoft.graph.{name}"} if name else None
    status, answer = next(iter(described["responses"].items()))
    content = _resolved(answer).get("content")
    return int(status), content["application/json"]["schema"] if content else None


def _error_problems(call: Call) -> Iterator[str]:
    """The shape of "Microsoft Graph error responses and resource types"."""
    error = (call.answer or {}).get("error", {})
    if not error.get("code") or "message" not in error or not error.get("innerError", {}).get("request-id"):
        yield f"answer: not an error of Graph's: {call.answer}"


@cache
def _document() -> Json:
    document: Json = json.loads(FILE.read_text(encoding="utf-8"))
    return document


def _resolved(about: Json) -> Json:
    if "$ref" not in about:
        return about
    kind, name = about["$ref"].split("/")[-2:]
    resolved: Json = _document()["components"][kind][name]
    return resolved


@cache
def _validator(schema: str) -> Draft202012Validator:
    definitions = {name: _translated(each) for name, each in _document()["components"]["schemas"].items()}
    return Draft202012Validator({**_translated(json.loads(schema)), "$defs": definitions})


def _translated(schema: Json) -> Json:
    """One schema of OpenAPI 3.0 in the words of JSON Schema 2020-12.

    Members whose type is another schema may be null: the file does not say so, and Graph answers it (`recurrence` and
    `onlineMeeting` in the example of "Get event"). Annotations (`@odata.etag`) may stand anywhere.
    """
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref'].rpartition('/')[2]}"}
    if "allOf" in schema:
        return _object(_all_properties(schema))
    if schema.get("type") == "object":
        return _object(schema.get("properties", {}))
    translated: Json = {key: schema[key] for key in ("enum", "pattern", "minimum", "maximum") if key in schema}
    kind = schema.get("type")
    if kind is not None:
        translated["type"] = [kind, "null"] if schema.get("nullable") else kind
    if "enum" in translated and schema.get("nullable"):
        translated["enum"] = [*translated["enum"], None]
    if "items" in schema:
        translated["items"] = _translated(schema["items"])
    return translated


def _object(properties: Json) -> Json:
    members = {name: _member(each) for name, each in properties.items()}
    if {"isAllDay", "showAs"} <= set(members):
        members["singleValueExtendedProperties"] = _EXTENDED
    return {
        "type": "object",
        "properties": members,
        "patternProperties": {"@": {}},
        "additionalProperties": False,
    }


def _member(schema: Json) -> Json:
    translated = _translated(schema)
    # Not "anyOf": then the error would only say that neither fits.
    return {"if": {"not": {"type": "null"}}, "then": translated} if "$ref" in translated else translated


def _all_properties(schema: Json) -> Json:
    """The members of a schema and of all it inherits from."""
    found: Json = {}
    for part in schema.get("allOf", []):
        found |= _all_properties(_resolved(part))
    own: Json = schema.get("properties", {})
    return found | own
