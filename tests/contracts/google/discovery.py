"""Checks calls against Google's own descriptions of Calendar API v3 and Gmail API v1.

The discovery documents ship inside google-api-python-client. `DiscoveryCheck` is an observer: attach it to a
simulator and it checks every request a client sends (path, query, body) and every answer it gets; `problems` stays
empty when both keep to the documents. Stricter than these in two ways: fields they do not name are problems,
and where a description lists "possible values", other values are.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from googleapiclient import discovery_cache
from jsonschema import Draft202012Validator

from meetings.adapters.google.simulator import Call

Json = dict[str, Any]

_LISTED_VALUE = re.compile(r'^- "([^"]+)"', re.MULTILINE)
_TIMESTAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
_VERSIONS = {"calendar": "v3", "gmail": "v1"}
_SILENT_FAULTS = ("body", "content_type")


class DiscoveryCheck:
    """Call it with each finished call. `checked` counts the calls that belong to these APIs."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.checked = 0

    def __call__(self, call: Call) -> None:
        if call.operation == "unknown":
            self.problems.append(f"call {call.number}: no method for {call.verb} {call.path}")
        if call.operation not in _methods():
            return
        self.checked += 1
        found = [*_query_problems(call), *_body_problems(call), *_answer_problems(call)]
        self.problems += [f"call {call.number}, {call.operation}: {problem}" for problem in found]


def schema_problems(name: str, value: Any, api: str = "calendar") -> list[str]:
    """What is wrong with `value` as the schema `name` (such as "Event") of an API's discovery document."""
    return [f"{error.json_path}: {error.message}" for error in _validator(api, name).iter_errors(value)]


def _query_problems(call: Call) -> Iterator[str]:
    document = _document(_api(call))
    known = _methods()[call.operation].get("parameters", {})
    for name in set(call.query.keys()):
        about = known.get(name) or document["parameters"].get(name)
        if about is None or about["location"] != "query":
            yield f"unknown parameter {name}"
            continue
        values = call.query.getlist(name)
        if len(values) > 1 and not about.get("repeated"):
            yield f"parameter {name} is repeated"
        yield from (f"parameter {name}: {problem}" for value in values for problem in _parameter_problems(about, value))
    for name, about in known.items():
        given = call.query if about["location"] == "query" else call.path_parameters
        if about.get("required") and not given.get(name):
            yield f"parameter {name} is missing"


def _parameter_problems(about: Json, value: str) -> Iterator[str]:
    if "enum" in about and value not in about["enum"]:
        yield f"{value} is not one of {about['enum']}"
    if about["type"] == "boolean" and value not in ("true", "false"):
        yield f"{value} is not a boolean"
    if about["type"] == "integer":
        if not re.fullmatch(r"-?\d+", value):
            yield f"{value} is not an integer"
        elif not int(about.get("minimum", value)) <= int(value) <= int(about.get("maximum", value)):
            yield f"{value} is out of range"
    if about.get("format") == "date-time" and not re.fullmatch(_TIMESTAMP, value):
        yield f"{value} is not a timestamp with an offset"


def _body_problems(call: Call) -> Iterator[str]:
    method = _methods()[call.operation]
    if "request" not in method:
        if call.body is not None:
            yield "a body where none belongs"
        return
    name = method["request"]["$ref"]
    body = _without_nulls(call.body) if call.verb == "PATCH" else call.body
    yield from (f"body {problem}" for problem in schema_problems(name, body, _api(call)))
    for field, about in _document(_api(call))["schemas"][name]["properties"].items():
        if method["id"] in about.get("annotations", {}).get("required", []) and field not in (body or {}):
            yield f"body: {field} is required"


def _answer_problems(call: Call) -> Iterator[str]:
    if not call.worked or call.fault in _SILENT_FAULTS or call.status == 304:
        return
    if call.status >= 400:
        yield from _error_problems(call)
        if call.status == 500:
            yield "answer: the simulator failed"
        return
    method = _methods()[call.operation]
    if "response" not in method:
        if call.status != 204 or call.answer is not None:
            yield f"answer: {call.status} with a body where 204 belongs"
        return
    if call.status != 200:
        yield f"answer: status {call.status}"
    yield from (f"answer {problem}" for problem in schema_problems(method["response"]["$ref"], call.answer, _api(call)))


def _error_problems(call: Call) -> Iterator[str]:
    """The shape of "Handle API errors"."""
    error = (call.answer or {}).get("error", {})
    if error.get("code") != call.status or not error.get("message") or not error.get("errors"):
        yield f"answer: not an error of Google's: {call.answer}"
    for detail in error.get("errors", []):
        if not {"domain", "reason", "message"} <= set(detail):
            yield f"answer: incomplete error detail: {detail}"


def _api(call: Call) -> str:
    return str(_methods()[call.operation]["id"]).partition(".")[0]


@cache
def _document(api: str) -> Json:
    text = str(discovery_cache.get_static_doc(api, _VERSIONS[api]))  # type: ignore[no-untyped-call]  # typed in part
    document: Json = json.loads(text)
    return document


@cache
def _methods() -> dict[str, Json]:
    """Methods of all these APIs by their ids without the API's name."""
    found = [method for api in _VERSIONS for method in _methods_in(_document(api)["resources"])]
    return {method["id"].partition(".")[2]: method for method in found}


def _methods_in(resources: Json) -> Iterator[Json]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods_in(resource.get("resources", {}))


@cache
def _validator(api: str, name: str) -> Draft202012Validator:
    definitions = {key: _translated(schema) for key, schema in _document(api)["schemas"].items()}
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def _translated(schema: Json) -> Json:
    """One discovery schema in the words of JSON Schema 2020-12."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema["type"] == "any":
        return {}
    translated: Json = {"type": schema["type"]}
    if "properties" in schema:
        translated["properties"] = {name: _translated(each) for name, each in schema["properties"].items()}
        translated["additionalProperties"] = False
    if "additionalProperties" in schema:
        translated["additionalProperties"] = _translated(schema["additionalProperties"])
    if "items" in schema:
        translated["items"] = _translated(schema["items"])
    if schema.get("format") == "date-time":
        translated["pattern"] = _TIMESTAMP
    if schema.get("format") in ("int64", "uint64") and schema["type"] == "string":
        translated["pattern"] = r"^-?\d+$"
    values = _LISTED_VALUE.findall(schema.get("description", "")) if schema["type"] == "string" else []
    if values and "ossible values are:" in schema["description"] and "Some of" not in schema["description"]:
        translated["enum"] = values
    return translated


def _without_nulls(value: Any) -> Any:
    """A patch may say null for "take this away" ("Performance tips")."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return value
