"""OData as far as Graph's calendar uses it: `$select`, `$expand`, `$filter` over extended properties, `Prefer`.

Source: "Use query parameters to customize responses"; "Get singleValueLegacyExtendedProperty" for the two forms that
extended properties are asked in. Anything else is refused, so that a mistake in a client shows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from meetings.adapters.office365.simulator.errors import GraphError, Json, bad_request

_ANY = re.compile(
    r"singleValueExtendedProperties/any\(\s*(?P<a>\w+)\s*:\s*(?P=a)/id\s+eq\s+'(?P<id>(?:[^']|'')*)'\s+and\s+"
    r"(?P=a)/value\s+eq\s+'(?P<value>(?:[^']|'')*)'\s*\)",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"(?P<name>iCalUId|transactionId|seriesMasterId)\s+eq\s+'(?P<value>(?:[^']|'')*)'")
_EXPAND = re.compile(r"singleValueExtendedProperties\(\s*\$filter\s*=\s*(?P<filter>.*)\)", re.IGNORECASE | re.DOTALL)
_ID = re.compile(r"(?:\w+/)?id\s+eq\s+'(?P<id>(?:[^']|'')*)'", re.IGNORECASE)
# GUID or named properties: "String {00020329-...} Name cecp-..." ("Outlook extended properties overview").
_PROPERTY = re.compile(
    r"(?P<type>\w+)\s+(?:\{?(?P<guid>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\}?\s+(?P<by>Name|Id)\s+(?P<name>\S.*)"
    r"|(?P<tag>0x[0-9a-f]+))",
    re.IGNORECASE,
)


def property_id(text: str) -> str:
    """One spelling for the id of an extended property: type, guid and the word are compared without letter case.

    Raises:
        GraphError: 400 for text that is no such id.
    """
    found = _PROPERTY.fullmatch(text.strip())
    if found is None:
        raise GraphError(400, "ErrorInvalidProperty", f"The extended property '{text}' is invalid.")
    if found["tag"]:
        return f"{found['type'].lower()} {found['tag'].lower()}"
    return f"{found['type'].lower()} {found['guid'].lower()} {found['by'].lower()} {found['name']}"


@dataclass(frozen=True)
class Filter:
    """An event passes when its extended property, or a plain field, has this value."""

    extended: str | None
    name: str | None
    value: str


def read_filter(text: str | None) -> Filter | None:
    """Raises GraphError 400 for a filter that is not simulated."""
    if not text:
        return None
    found = _ANY.fullmatch(text.strip())
    if found is not None:
        return Filter(property_id(_unquoted(found["id"])), None, _unquoted(found["value"]))
    plain = _EQUALS.fullmatch(text.strip())
    if plain is not None:
        return Filter(None, plain["name"], _unquoted(plain["value"]))
    raise bad_request(f"Invalid filter clause: {text}")


def expanded(text: str | None) -> tuple[str, ...]:
    """The ids of the extended properties that `$expand` asks for.

    Raises:
        GraphError: 400 when it asks for something else, or without a filter (the service demands one).
    """
    if not text:
        return ()
    found = _EXPAND.fullmatch(text.strip())
    if found is None:
        raise bad_request("Could not find a property to expand, or it needs a $filter.")
    parts = re.split(r"\s+or\s+", found["filter"], flags=re.IGNORECASE)
    matches = [_ID.fullmatch(part.strip()) for part in parts]
    if not all(matches):
        raise bad_request("Invalid filter clause in $expand.")
    return tuple(_unquoted(match["id"]) for match in matches if match)


def selected(body: Json, text: str | None) -> Json:
    """What `$select` leaves of an entity: the named fields, the id, annotations and what was expanded."""
    if not text:
        return body
    names = {name.strip() for name in text.split(",")} | {"id", "singleValueExtendedProperties"}
    return {name: value for name, value in body.items() if name in names or name.startswith("@")}


@dataclass(frozen=True)
class Prefer:
    """The `Prefer` header: `outlook.timezone`, `outlook.body-content-type`, `odata.maxpagesize`, `IdType`."""

    time_zone: str = "UTC"
    body_type: str = "html"
    page_size: int | None = None
    immutable_ids: bool = False

    @property
    def applied(self) -> str:
        """The words of `Preference-Applied`."""
        words = [f'outlook.timezone="{self.time_zone}"'] if self.time_zone != "UTC" else []
        words += ['outlook.body-content-type="text"'] if self.body_type == "text" else []
        words += ['IdType="ImmutableId"'] if self.immutable_ids else []
        return ", ".join(words)


def read_prefer(headers: Mapping[str, str]) -> Prefer:
    """Several headers or one with commas; unknown preferences are ignored (RFC 7240 2)."""
    given: dict[str, str] = {}
    for part in re.findall(r'[^,;\s"]+\s*=\s*(?:"[^"]*"|[^,;"]+)', headers.get("prefer", "")):
        name, _, value = part.partition("=")
        given[name.strip().lower()] = value.strip().strip('"')
    size = given.get("odata.maxpagesize", "")
    return Prefer(
        time_zone=given.get("outlook.timezone", "UTC"),
        body_type="text" if given.get("outlook.body-content-type", "").lower() == "text" else "html",
        page_size=int(size) if size.isdigit() and int(size) > 0 else None,
        immutable_ids=given.get("idtype", "").lower() == "immutableid",
    )


def page_size(query: Mapping[str, str], *, default: int, most: int) -> int:
    """`$top`. Raises GraphError 400 for anything but a number from 1 to `most` (assumed: zero is refused)."""
    text = query.get("$top")
    if text is None:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise GraphError(400, "ErrorInvalidParameter", f"The limit of '{most}' for Top query has been exceeded.")
    return int(text)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
