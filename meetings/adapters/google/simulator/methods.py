"""The methods of Calendar API v3 and Gmail API v1: path, parameters and scopes, from Google's own discovery documents.

The documents ship inside google-api-python-client, so the simulator checks a request against what Google publishes.
"""

import importlib.resources
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from starlette.datastructures import QueryParams

from meetings.adapters.google.simulator.errors import GoogleError, Json, invalid_parameter

BASE_PATHS = ("/calendar/v3/", "/gmail/v1/")
_DOCUMENTS = ("calendar.v3", "gmail.v1")


@dataclass(frozen=True)
class Method:
    """One method, such as `events.list` or `users.messages.get`. `scopes`: any one of them is enough."""

    name: str
    verb: str
    pattern: re.Pattern[str]
    parameters: Json
    scopes: frozenset[str]


@cache
def discovery_document(name: str) -> Json:
    package = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents" / f"{name}.json"
    document: Json = json.loads(package.read_text(encoding="utf-8"))
    return document


@cache
def methods() -> tuple[Method, ...]:
    documents = [discovery_document(name) for name in _DOCUMENTS]
    return tuple(method for each in documents for method in _methods(f"/{each['servicePath']}", each["resources"]))


@cache
def scope_texts() -> dict[str, str]:
    """Every scope of these APIs, and what the consent page says of it."""
    documents = [discovery_document(name) for name in _DOCUMENTS]
    scopes = [scope for each in documents for scope in each["auth"]["oauth2"]["scopes"].items()]
    return {scope: about["description"] for scope, about in scopes}


def _methods(base_path: str, resources: Json) -> Iterator[Method]:
    for resource in resources.values():
        for method in resource.get("methods", {}).values():
            path = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", method["path"])
            yield Method(
                name=method["id"].partition(".")[2],
                verb=method["httpMethod"],
                pattern=re.compile(re.escape(base_path) + path),
                parameters=method.get("parameters", {}),
                scopes=frozenset(method["scopes"]),
            )
        yield from _methods(base_path, resource.get("resources", {}))


def find_method(verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """The method that answers `verb path`, with its path parameters; `path` is already percent-decoded."""
    for method in methods():
        match = method.pattern.fullmatch(path)
        if match and method.verb == verb:
            return method, match.groupdict()
    return None


def known_path(path: str) -> bool:
    return any(method.pattern.fullmatch(path) for method in methods())


def read_query(method: Method, query: QueryParams) -> Json:
    """The query as Python values; a repeated parameter is a list. Unknown ones are ignored (assumed).

    Raises:
        GoogleError: 400 invalidParameter for a value that the discovery document does not allow.
    """
    values: Json = {}
    for name, about in method.parameters.items():
        if about["location"] != "query":
            continue
        raw = query.getlist(name)
        if about.get("repeated"):
            values[name] = [_value(name, about, text) for text in raw]
        elif raw:
            values[name] = _value(name, about, raw[-1])
        elif about.get("required"):
            raise GoogleError(400, "required", f"Required parameter: {name}", location=("parameter", name))
    return values


def _value(name: str, about: Json, text: str) -> Any:
    if "enum" in about and text not in about["enum"]:
        raise invalid_parameter(f"Invalid string value: '{text}'. Allowed values: [{', '.join(about['enum'])}]", name)
    if about["type"] == "boolean":
        if text not in ("true", "false"):
            raise invalid_parameter(f"Invalid boolean value: '{text}'.", name)
        return text == "true"
    if about["type"] == "integer":
        return _integer(name, about, text)
    return text


def _integer(name: str, about: Json, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise invalid_parameter(f"Invalid integer value: '{text}'.", name) from None
    low, high = int(about.get("minimum", -(2**31))), int(about.get("maximum", 2**31 - 1))
    if not low <= number <= high:
        raise invalid_parameter(f"Invalid value '{text}'. Values must be within the range: [{low}, {high}]", name)
    return number
