"""HubSpot's own descriptions of its API, which lie beside the repository; without them these checks are skipped."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from meetings.adapters.hubspot.simulator import Call

FOLDER = Path(__file__).parents[3] / "shared" / "contracts" / "hubspot"
FILES = {"contacts": "contacts.json", "meetings": "crm-meetings.json"}


def problems(call: Call) -> list[str]:
    """What is wrong with a call about contacts or meetings, and with its answer."""
    kind = call.path.split("/")[4] if call.path.startswith("/crm/v3/objects/") else ""
    if kind not in FILES:
        return []
    document = json.loads(described(kind).read_text())
    template = "/".join("{id}" if part.isdigit() else part for part in call.path.split("/"))
    known = {
        "/".join("{id}" if part.startswith("{") else part for part in path.split("/")): about
        for path, about in document["paths"].items()
    }
    if call.verb.lower() not in known.get(template, {}):
        return [f"{call.verb} {call.path} is not described"]
    about = known[template][call.verb.lower()]
    found = _wrong(document, about["requestBody"]["content"]["application/json"]["schema"], _as_described(call.body))
    content = about["responses"].get(str(call.status), {}).get("content", {})
    if "application/json" in content:
        found += _wrong(document, content["application/json"]["schema"], call.answer)
    return [f"{call.operation}: {problem}" for problem in found]


def described(kind: str) -> Path:
    file = FOLDER / FILES[kind]
    if not file.exists():
        pytest.skip("HubSpot's descriptions of its API are not beside the repository")
    return file


def _wrong(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    nulls_are_texts = json.loads(json.dumps(value), object_hook=_without_nulls)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(nulls_are_texts)]


def _as_described(body: Any) -> Any:
    """The guide "Search the CRM" shows objects in `sorts`, where the description has texts."""
    return {**body, "sorts": [json.dumps(sort) for sort in body["sorts"]]} if body and "sorts" in body else body


def _without_nulls(told: dict[str, Any]) -> dict[str, Any]:
    """Properties without a value are null in answers, which the descriptions do not say."""
    return {name: value for name, value in told.items() if value is not None}
