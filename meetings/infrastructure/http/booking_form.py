"""The booking form: what a browser sends, as the API wants it, and what the API said of it, beside each field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.datastructures import FormData

from meetings.domain.booking_form import FIXED_FIELDS
from meetings.infrastructure.http.booking_address import Wish

ANSWER = "answer."
"""Before the keys of a page's own questions, so that they are nobody else's."""
_INPUT_TYPES = {"EMAIL": "email", "PHONE": "tel", "DATE": "date"}


@dataclass(frozen=True)
class Question:
    """One of a page's own questions, with what stands in it."""

    name: str
    label: str
    kind: str
    type: str
    required: bool
    hidden: bool
    options: Sequence[str]
    most: int
    values: Sequence[str]

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


@dataclass(frozen=True)
class Filled:
    """What stands in the form, by the names of its fields: at first what is known beforehand, then what was sent."""

    values: Mapping[str, Sequence[str]]
    key: str = field(default_factory=lambda: str(uuid4()))

    @classmethod
    def beforehand(cls, prefill: Sequence[Mapping[str, Any]]) -> "Filled":
        """From the API's `prefill`; never a consent."""
        named = ((each["key"], each["values"]) for each in prefill)
        return cls({key if key in (*FIXED_FIELDS, "guests") else f"{ANSWER}{key}": values for key, values in named})

    @classmethod
    def sent(cls, form: FormData) -> "Filled":
        values: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                values.setdefault(name, []).append(value.replace("\r\n", "\n"))
        key = "".join(values.get("key", ()))
        return cls(values, key) if 0 < len(key) <= 100 else cls(values)

    def one(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")

    @property
    def guests(self) -> list[str]:
        """Addresses, one a line."""
        lines = (line.strip() for value in self.values.get("guests", ()) for line in value.split("\n"))
        return [line for line in lines if line]

    def questions(self, fields: Sequence[Mapping[str, Any]]) -> list[Question]:
        """The page's own questions, in order."""
        return [
            Question(
                name=f"{ANSWER}{each['key']}",
                label=each["label"],
                kind=each["kind"],
                type=_INPUT_TYPES.get(each["kind"], "text"),
                required=each["required"],
                hidden=each["hidden"],
                options=each["options"],
                most=each["maxLength"],
                values=self.values.get(f"{ANSWER}{each['key']}", ()),
            )
            for each in fields
        ]

    def wish(self, slot: Mapping[str, Any], start: str, *, propose: bool) -> dict[str, Any]:
        """The input of `bookMeeting`, or with `propose` of `requestMeeting`: `slot` says where, how long, in which zone
        and language."""
        address = Wish([(name, value) for name, values in self.values.items() for value in values])
        answers = [
            {"key": name.removeprefix(ANSWER), "values": list(values)}
            for name, values in self.values.items()
            if name.startswith(ANSWER) and any(value.strip() for value in values)
        ]
        return {
            **slot,
            **({"preferredStarts": [start], "message": self.one("message").strip() or None} if propose else {}),
            **({} if propose else {"start": start}),
            "invitee": {name: self.one(name) for name in FIXED_FIELDS},
            "answers": answers,
            "guests": self.guests,
            "consents": list(self.values.get("consent", ())),
            "utm": [{"key": key, "value": value} for key, value in address.utm],
            "idempotencyKey": self.key,
        }


def problems_by_field(errors: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong, by the names of the form's fields; what concerns none of them stands under an empty name."""
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(_field_of(list(error["path"] or ())), error["message"])
    return found


def _field_of(path: list[str]) -> str:
    match path[1:] if path[:1] == ["input"] else path:
        case ["invitee", name, *_] if name in FIXED_FIELDS:
            return name
        case ["answers", key, *_]:
            return f"{ANSWER}{key}"
        case ["consents", key, *_]:
            return f"consent.{key}"
        case ["guests", *_]:
            return "guests"
        case ["message", *_]:
            return "message"
    return ""
