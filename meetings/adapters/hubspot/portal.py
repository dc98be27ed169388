"""One portal of HubSpot's: its calls at their pace, and what is remembered of it for a while."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meetings.adapters.hubspot.access import Access
from meetings.adapters.hubspot.pace import Pace
from meetings.adapters.hubspot.refusals import Conflict, TokenRejected
from meetings.adapters.hubspot.transport import Transport
from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.crm import CrmAccessLost, RecordRefused

Json = dict[str, Any]

KEY = "meetings_key"
"""Our property of meetings and mails, with a value of its own for each: writing the same again makes no second one."""

REMEMBERED_SECONDS = 600.0
BATCH = 100
"""Objects in one call ("CRM API | Objects": batches hold up to 100)."""
PAGE = 500

_GROUPS = {"meetings": "meetings_scheduler", "emails": "meetings_scheduler"}


@dataclass(frozen=True, slots=True)
class Field:
    """A property that can be written; `options` is None where any text does."""

    name: str
    options: frozenset[str] | None
    group: str


class Portal:
    """Owners and properties are asked for again after `REMEMBERED_SECONDS`. `refused` hears of a lost access, and says
    whether that is the one the account still has."""

    def __init__(
        self, transport: Transport, access: Access, refused: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self._transport = transport
        self._refused = refused
        self._access = access
        self._pace = Pace()
        self._fields: dict[str, tuple[float, Mapping[str, Field]]] = {}
        self._owners: tuple[float, Mapping[str, str]] | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        return await self._call("GET", path, query or {}, None)

    async def post(self, path: str, body: object, *, search: bool = False) -> Json:
        return await self._call("POST", path, {}, body, search=search)

    async def patch(self, path: str, body: object) -> Json:
        return await self._call("PATCH", path, {}, body)

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: object, *, search: bool = False
    ) -> Json:
        async def call(token: str) -> Any:
            return await self._transport.call(token, self._pace, method, path, query=query, body=body, search=search)

        try:
            token = await self._access.token()
            try:
                told = await call(token)
            except TokenRejected:
                another = await self._access.another(token)
                if another is None:
                    raise
                told = await call(another)
        except CrmAccessLost as lost:
            if self._refused is not None and not await self._refused():
                raise ProviderUnavailable("HubSpot was connected again meanwhile") from None
            raise CrmAccessLost(str(lost)) from None
        if told is None:
            return {}
        if not isinstance(told, dict):
            raise ProviderUnavailable("HubSpot's answer cannot be read")
        return told

    # ---- objects ----------------------------------------------------------------------------------------------------

    async def read(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], *, by: str | None = None
    ) -> list[Json]:
        """Those that exist, by id or by a property that is unique."""
        found: list[Json] = []
        for begin in range(0, len(ids), BATCH):
            body: Json = {
                "inputs": [{"id": each} for each in ids[begin : begin + BATCH]],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            if by is not None:
                body["idProperty"] = by
            told = await self.post(f"/crm/v3/objects/{kind}/batch/read", body)
            found += results(told)
        return found

    async def upsert(self, kind: str, by: str, value: str, properties: Mapping[str, str]) -> str:
        """The id of the object whose unique property has this value; it says this now.

        Raises:
            RecordRefused: HubSpot does not take a value.
        """
        body = {"inputs": [{"id": value, "idProperty": by, "properties": dict(properties)}]}
        told = await self.post(f"/crm/v3/objects/{kind}/batch/upsert", body)
        for each in results(told):
            return text(each, "id")
        if told.get("errors"):
            raise RecordRefused("HubSpot does not accept the record")
        raise ProviderUnavailable("HubSpot's answer cannot be read")

    async def associate(self, kind: str, object_id: str, contacts: Sequence[str]) -> None:
        """Have an object stand on these contacts; again changes nothing (v4, "Associate records in bulk")."""
        pairs = [{"from": {"id": object_id}, "to": {"id": contact}} for contact in contacts]
        for begin in range(0, len(pairs), BATCH):
            body = {"inputs": pairs[begin : begin + BATCH]}
            told = await self.post(f"/crm/v4/associations/{kind}/contacts/batch/associate/default", body)
            if told.get("errors"):
                raise ProviderUnavailable("HubSpot did not put it on every contact")

    async def associated(self, kind: str, ids: Sequence[str], others: str) -> dict[str, list[str]]:
        """The ids of the `others` that each object is associated with."""
        found: dict[str, list[str]] = {each: [] for each in ids}
        asked: list[Json] = [{"id": each} for each in ids]
        while asked:
            now, asked = asked[:BATCH], asked[BATCH:]
            told = await self.post(f"/crm/v4/associations/{kind}/{others}/batch/read", {"inputs": now})
            for each in results(told):
                whose = str((each.get("from") or {}).get("id"))
                for to in each.get("to") or ():
                    found.setdefault(whose, []).append(str(to.get("toObjectId")))
                after = ((each.get("paging") or {}).get("next") or {}).get("after")
                if after is not None:
                    asked.append({"id": whose, "after": str(after)})
        return found

    # ---- what is remembered -----------------------------------------------------------------------------------------

    async def owners(self) -> Mapping[str, str]:
        """Ids of the people of the portal, by address in small letters."""
        if self._owners is None or self._owners[0] < time.monotonic():
            found: dict[str, str] = {}
            query = {"limit": str(PAGE)}
            while True:
                told = await self.get("/crm/v3/owners", query)
                found |= {str(each.get("email") or "").casefold(): text(each, "id") for each in results(told)}
                after = ((told.get("paging") or {}).get("next") or {}).get("after")
                if after is None:
                    break
                query["after"] = str(after)
            self._owners = time.monotonic() + REMEMBERED_SECONDS, found
        return self._owners[1]

    async def fields(self, kind: str) -> Mapping[str, Field]:
        """The properties of a kind of objects that can be written, by name."""
        known = self._fields.get(kind)
        if known is None or known[0] < time.monotonic():
            told = await self.get(f"/crm/v3/properties/{kind}")
            found = {field.name: field for field in map(_field, results(told)) if field is not None}
            known = self._fields[kind] = time.monotonic() + REMEMBERED_SECONDS, found
        return known[1]

    async def accepted(self, kind: str, properties: Mapping[str, str]) -> dict[str, str]:
        """Those of the properties that the portal has, with values it takes."""
        fields = await self.fields(kind)
        return {
            name: value
            for name, value in properties.items()
            if name in fields and (not value or _takes(fields[name], value))
        }

    # ---- getting ready ----------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Have the portal know our key, and see that all that is needed can be called. Again changes nothing.

        Raises:
            ReauthorizationNeeded: the token is not accepted, or lets us do too little.
        """
        await self.owners()
        await self.fields("contacts")
        await asyncio.gather(*(self._have_key(kind) for kind in _GROUPS))

    async def check_access(self) -> None:
        """Ask one thing, and change nothing.

        Raises:
            ReauthorizationNeeded: the token is not accepted.
        """
        await self.get("/crm/v3/owners", {"limit": "1"})

    async def _have_key(self, kind: str) -> None:
        if KEY in await self.fields(kind):
            return
        group = _GROUPS[kind]
        await self._create(f"/crm/v3/properties/{kind}/groups", {"name": group, "label": "Meetings"})
        await self._create(
            f"/crm/v3/properties/{kind}",
            {
                "name": KEY,
                "label": "Key in meetings",
                "type": "string",
                "fieldType": "text",
                "groupName": group,
                "hasUniqueValue": True,
            },
        )
        self._fields.pop(kind, None)
        if KEY not in await self.fields(kind):
            raise ProviderUnavailable("HubSpot does not have our property yet")

    async def _create(self, path: str, body: Json) -> None:
        """Make it, unless somebody did."""
        with contextlib.suppress(Conflict):
            await self.post(path, body)


def results(told: Json) -> list[Json]:
    """The objects of an answer."""
    found = told.get("results")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ProviderUnavailable("HubSpot's answer cannot be read")
    return found


def text(each: Json, name: str) -> str:
    value = each.get(name)
    if not isinstance(value, str | int):
        raise ProviderUnavailable("HubSpot's answer cannot be read")
    return str(value)


def _field(told: Json) -> Field | None:
    about = told.get("modificationMetadata") or {}
    if about.get("readOnlyValue") or told.get("calculated"):
        return None
    closed = told.get("type") == "enumeration" and not told.get("externalOptions")
    options = frozenset(str(option.get("value")) for option in told.get("options") or ())
    return Field(text(told, "name"), options if closed else None, str(told.get("groupName") or ""))


def _takes(field: Field, value: str) -> bool:
    return field.options is None or all(each in field.options for each in value.split(";"))
