"""HubSpot as an account's customer records."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from meetings.adapters.hubspot.portal import BATCH, KEY, Json, Portal, results
from meetings.adapters.hubspot.refusals import NotThere
from meetings.adapters.hubspot.wire import (
    CONTACT_NAMES,
    MAIL_NAMES,
    MEETING_NAMES,
    contact_from,
    further_names,
    mail_from,
    mail_properties,
    meeting_from,
    meeting_properties,
)
from meetings.application.ports.crm import (
    Contact,
    ContactDetails,
    ContactField,
    MailRecord,
    MeetingRecord,
    RecordedMail,
    RecordedMeeting,
    RecordPage,
    RecordRefused,
    TimelineEntry,
)
from meetings.application.ports.reads import BadCursor
from meetings.domain.base import NotFound
from meetings.domain.erasure import ERASED_TITLE
from meetings.domain.text import email_problem

CONTACTS, MEETINGS, MAILS = "contacts", "meetings", "emails"
MOST_OF_TIMELINE = 2_000
"""Meetings, and mails, of one contact that are read: those with the newest ids."""
_ID = re.compile(r"[1-9][0-9]{0,18}")
_SEARCH_PAGE = 200


class HubSpotCrm:
    """See the port. Meetings and mails are written by our key, a unique property, so a repeated write finds the first.

    Contacts are listed by HubSpot's search: one made a moment ago can be missing there (A-CR7). Everything else is
    asked by id, by address, by key or by association. "Newest first" of contacts goes by HubSpot's ids.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    # ---- people -----------------------------------------------------------------------------------------------------

    async def put_contact(self, details: ContactDetails) -> Contact:
        email = details.email.strip()
        if email_problem(email):
            raise RecordRefused("email is not accepted")
        told = {
            **details.properties,
            "firstname": details.first_name,
            "lastname": details.last_name,
            "company": details.company,
        }
        told.pop("email", None)
        properties = await self._portal.accepted(CONTACTS, {name: value for name, value in told.items() if value})
        owner = (await self._portal.owners()).get(details.owner.casefold()) if details.owner else None
        if owner is not None:
            before = (await self.known([email])).get(email)
            if before is None or before.owner is None:
                properties["hubspot_owner_id"] = owner
        contact = await self._portal.upsert(CONTACTS, "email", email.casefold(), properties)
        return (await self.contacts_by_id([contact]))[contact]

    async def change_contact(self, contact: str, changes: Mapping[ContactField, str | None]) -> Contact:
        if not _ID.fullmatch(contact):
            raise NotFound("contact")
        properties = {CONTACT_NAMES[name]: value or "" for name, value in changes.items()}
        if owner := changes.get("owner"):
            known = await self._portal.owners()
            if owner.casefold() not in known:
                raise RecordRefused("HubSpot does not know the owner")
            properties["hubspot_owner_id"] = known[owner.casefold()]
        if properties:
            try:
                await self._portal.patch(f"/crm/v3/objects/{CONTACTS}/{contact}", {"properties": properties})
            except NotThere:
                raise NotFound("contact") from None
        found = await self.contacts_by_id([contact])
        if contact not in found:
            raise NotFound("contact")
        return found[contact]

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        keys = {email: email.strip().casefold() for email in emails if not email_problem(email.strip())}
        contacts = await self._contacts(sorted(set(keys.values())), by="email")
        found = {contact.email.casefold(): contact for contact in contacts}
        return {email: found[key] for email, key in keys.items() if key in found}

    async def contacts_by_id(self, ids: Collection[str]) -> Mapping[str, Contact]:
        return {contact.id: contact for contact in await self._contacts(_ids(ids), by=None)}

    async def contacts(self, query: str | None, *, first: int, after: str | None) -> RecordPage[Contact]:
        filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": "0"}]
        if after is not None:
            before = _opened(after, 1)[0]
            filters = [{"propertyName": "hs_object_id", "operator": "LT", "value": before}]
        found: list[Json] = []
        total = 0
        while len(found) <= first:
            body: Json = {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
                "properties": await self._contact_names(),
                "limit": min(first + 1 - len(found), _SEARCH_PAGE),
                "after": "0",
            }
            if query and query.strip():
                body["query"] = query.strip()
            told = await self._portal.post(f"/crm/v3/objects/{CONTACTS}/search", body, search=True)
            page = results(told)
            total = total or int(told.get("total") or 0)
            found += page
            if len(page) < body["limit"]:
                break
            filters = [{"propertyName": "hs_object_id", "operator": "LT", "value": str(page[-1]["id"])}]
        owners = await self._portal.owners()
        shown = tuple(contact_from(each, owners) for each in found[:first])
        return RecordPage(
            items=shown,
            cursors=tuple(_sealed(contact.id) for contact in shown),
            has_more=len(found) > first,
            total=total if after is None else None,
        )

    async def _contacts(self, keys: Sequence[str], *, by: str | None) -> list[Contact]:
        if not keys:
            return []
        told = await self._portal.read(CONTACTS, keys, await self._contact_names(), by=by)
        owners = await self._portal.owners()
        return [contact_from(each, owners) for each in told]

    async def _contact_names(self) -> list[str]:
        fields = await self._portal.fields(CONTACTS)
        return ["email", *CONTACT_NAMES.values(), *further_names(fields)]

    # ---- what happened ----------------------------------------------------------------------------------------------

    async def put_meeting(self, record: MeetingRecord) -> str:
        contacts = await self._existing(record.contacts)
        properties = meeting_properties(record, await self._portal.owners())
        accepted = await self._keyed(MEETINGS, properties)
        meeting = await self._portal.upsert(MEETINGS, KEY, str(record.key), accepted)
        await self._portal.associate(MEETINGS, meeting, contacts)
        return meeting

    async def put_mail(self, record: MailRecord) -> str:
        contacts = await self._existing(record.contacts)
        there = await self._by_key(MAILS, [record.key], [KEY])
        if there:
            mail = str(there[0]["id"])
        else:
            properties = mail_properties(record, await self._portal.owners())
            mail = await self._portal.upsert(MAILS, KEY, str(record.key), await self._keyed(MAILS, properties))
        await self._portal.associate(MAILS, mail, contacts)
        return mail

    async def meetings_by_key(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        told = await self._by_key(MEETINGS, keys, MEETING_NAMES)
        return {meeting.key: meeting for meeting in await self._meetings(told) if meeting.key is not None}

    async def meetings_by_id(self, ids: Collection[str]) -> Mapping[str, RecordedMeeting]:
        told = await self._portal.read(MEETINGS, _ids(ids), MEETING_NAMES)
        return {meeting.id: meeting for meeting in await self._meetings(told)}

    async def timeline(self, contact: str, *, first: int, after: str | None) -> RecordPage[TimelineEntry]:
        place = None if after is None else _place(after)
        return _page((await self._timelines([contact])).get(contact, []), first, place)

    async def timelines(self, contacts: Collection[str], *, first: int) -> Mapping[str, RecordPage[TimelineEntry]]:
        found = await self._timelines(contacts)
        return {contact: _page(found.get(contact, []), first, None) for contact in contacts}

    async def _timelines(self, contacts: Collection[str]) -> dict[str, list[TimelineEntry]]:
        """All of each, newest first."""
        asked = _ids(contacts)
        if not asked:
            return {}
        entries: dict[str, list[TimelineEntry]] = {contact: [] for contact in asked}
        for kind in (MEETINGS, MAILS):
            found = await self._portal.associated(CONTACTS, asked, kind)
            newest = {each: sorted(set(ids), key=int)[-MOST_OF_TIMELINE:] for each, ids in found.items()}
            ids = sorted({each for several in newest.values() for each in several}, key=int)
            by_id = await (self._meetings_of(ids) if kind == MEETINGS else self._mails_of(ids))
            for contact in asked:
                entries[contact] += [by_id[each] for each in newest[contact] if each in by_id]
        return {contact: sorted(several, key=_position, reverse=True) for contact, several in entries.items()}

    async def _meetings_of(self, ids: Sequence[str]) -> Mapping[str, TimelineEntry]:
        return {each.id: each for each in await self._meetings(await self._portal.read(MEETINGS, ids, MEETING_NAMES))}

    async def _mails_of(self, ids: Sequence[str]) -> Mapping[str, TimelineEntry]:
        told = await self._portal.read(MAILS, ids, MAIL_NAMES)
        people, owners = await self._people_on(MAILS, told), await self._portal.owners()
        mails = [mail_from(each, people.get(str(each["id"]), ()), owners) for each in told]
        return {mail.id: mail for mail in mails}

    async def _meetings(self, told: Sequence[Json]) -> list[RecordedMeeting]:
        people, owners = await self._people_on(MEETINGS, told), await self._portal.owners()
        return [meeting_from(each, people.get(str(each["id"]), ()), owners) for each in told]

    async def _people_on(self, kind: str, told: Sequence[Json]) -> Mapping[str, list[str]]:
        return await self._portal.associated(kind, [str(each["id"]) for each in told], CONTACTS)

    async def _existing(self, contacts: Iterable[str]) -> list[str]:
        """Those that are on record.

        Raises:
            RecordRefused: none is.
        """
        found = [str(each["id"]) for each in await self._portal.read(CONTACTS, _ids(contacts), ["email"])]
        if not found:
            raise RecordRefused("no contact of it is on record")
        return found

    async def _by_key(self, kind: str, keys: Iterable[UUID], names: Sequence[str]) -> list[Json]:
        """A portal that has not our property yet has nothing of ours."""
        if KEY not in await self._portal.fields(kind):
            return []
        return await self._portal.read(kind, [str(key) for key in keys], names, by=KEY)

    async def _keyed(self, kind: str, properties: Mapping[str, str]) -> dict[str, str]:
        """What the portal takes of it, our key among it in any case."""
        if KEY not in await self._portal.fields(kind):
            await self._portal.prepare()
        return await self._portal.accepted(kind, properties)

    # ---- forgetting -------------------------------------------------------------------------------------------------

    async def erase(self, email: str) -> None:
        """The contact is deleted for good ("GDPR delete"), mails go to HubSpot's recycle bin, which empties itself."""
        contact = (await self.known([email])).get(email)
        mails = await self._mails_with(email.strip().casefold())
        if contact is not None:
            mails |= set((await self._portal.associated(CONTACTS, [contact.id], MAILS))[contact.id])
            meetings = (await self._portal.associated(CONTACTS, [contact.id], MEETINGS))[contact.id]
            await self._blank(meetings)
        gone = sorted(mails, key=int)
        for begin in range(0, len(gone), BATCH):
            inputs = [{"id": each} for each in gone[begin : begin + BATCH]]
            await self._portal.post(f"/crm/v3/objects/{MAILS}/batch/archive", {"inputs": inputs})
        if contact is not None:
            await self._portal.post(f"/crm/v3/objects/{CONTACTS}/gdpr-delete", {"objectId": contact.id})

    async def _blank(self, meetings: Sequence[str]) -> None:
        empty = ("hs_meeting_body", "hs_meeting_location", "hs_meeting_external_url", "hs_internal_meeting_notes")
        blank = {"hs_meeting_title": ERASED_TITLE, **dict.fromkeys(empty, "")}
        properties = await self._portal.accepted(MEETINGS, blank)
        for begin in range(0, len(meetings), BATCH):
            inputs = [{"id": each, "properties": properties} for each in meetings[begin : begin + BATCH]]
            await self._portal.post(f"/crm/v3/objects/{MEETINGS}/batch/update", {"inputs": inputs})

    async def _mails_with(self, email: str) -> set[str]:
        """Mails from or to an address, also those that stand on others' records only. One filter group at a time
        (A-CR7)."""
        found: set[str] = set()
        for name in ("hs_email_to_email", "hs_email_from_email"):
            last = "0"
            while True:
                filters = [
                    {"propertyName": name, "operator": "CONTAINS_TOKEN", "value": email},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": last},
                ]
                body = {
                    "filterGroups": [{"filters": filters}],
                    "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
                    "properties": [name],
                    "limit": _SEARCH_PAGE,
                    "after": "0",
                }
                page = results(await self._portal.post(f"/crm/v3/objects/{MAILS}/search", body, search=True))
                # Tokens of an address can be those of another one, too; the whole address decides.
                told = ((str(each["id"]), str((each.get("properties") or {}).get(name) or "")) for each in page)
                found |= {each for each, people in told if email in re.split(r"[;,\s]+", people.casefold())}
                if len(page) < _SEARCH_PAGE:
                    break
                last = str(page[-1]["id"])
        return found


def _ids(given: Iterable[str]) -> list[str]:
    """Ids of HubSpot's; others are nobody's."""
    return list(dict.fromkeys(each for each in given if _ID.fullmatch(each)))


def _position(entry: TimelineEntry) -> tuple[str, str, int]:
    at = entry.start if isinstance(entry, RecordedMeeting) else entry.sent_at
    return at.isoformat(timespec="microseconds"), MAILS if isinstance(entry, RecordedMail) else MEETINGS, int(entry.id)


def _page(
    entries: Sequence[TimelineEntry], first: int, place: tuple[str, str, int] | None
) -> RecordPage[TimelineEntry]:
    rest = [entry for entry in entries if place is None or _position(entry) < place]
    shown = tuple(rest[:first])
    return RecordPage(
        items=shown,
        cursors=tuple(_sealed(*map(str, _position(entry))) for entry in shown),
        has_more=len(rest) > first,
        total=len(entries),
    )


def _place(cursor: str) -> tuple[str, str, int]:
    at, kind, entry = _opened(cursor, 3)
    return at, kind, int(entry)


def _sealed(*parts: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def _opened(cursor: str, length: int) -> list[str]:
    """The parts of a cursor; the last one is an id.

    Raises:
        BadCursor: nobody made it.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError):
        raise BadCursor from None
    if not isinstance(parts, list) or len(parts) != length or not all(isinstance(part, str) for part in parts):
        raise BadCursor
    if not _ID.fullmatch(parts[-1]):
        raise BadCursor
    return parts
