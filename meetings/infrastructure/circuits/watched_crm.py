"""One account's customer records, with something around each call."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar
from uuid import UUID

from meetings.application.ports.crm import (
    Contact,
    ContactDetails,
    ContactField,
    Crm,
    MailRecord,
    MeetingRecord,
    RecordedMeeting,
    RecordPage,
    TimelineEntry,
)
from meetings.infrastructure.circuits.watched import ONE, Watch, watched_call

T = TypeVar("T")


class WatchedCrm:
    """Another `Crm`. A call can be several requests; that they come at the CRM's pace is the adapter's business."""

    def __init__(self, crm: Crm, watch: Watch) -> None:
        self._crm = crm
        self._watch = watch

    async def put_contact(self, details: ContactDetails) -> Contact:
        return await self._watched(lambda: self._crm.put_contact(details))

    async def change_contact(self, contact: str, changes: Mapping[ContactField, str | None]) -> Contact:
        return await self._watched(lambda: self._crm.change_contact(contact, changes))

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        return await self._watched(lambda: self._crm.known(emails))

    async def contacts_by_id(self, ids: Collection[str]) -> Mapping[str, Contact]:
        return await self._watched(lambda: self._crm.contacts_by_id(ids))

    async def contacts(self, query: str | None, *, first: int, after: str | None) -> RecordPage[Contact]:
        return await self._watched(lambda: self._crm.contacts(query, first=first, after=after))

    async def put_meeting(self, record: MeetingRecord) -> str:
        return await self._watched(lambda: self._crm.put_meeting(record))

    async def put_mail(self, record: MailRecord) -> str:
        return await self._watched(lambda: self._crm.put_mail(record))

    async def meetings_by_key(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        return await self._watched(lambda: self._crm.meetings_by_key(keys))

    async def meetings_by_id(self, ids: Collection[str]) -> Mapping[str, RecordedMeeting]:
        return await self._watched(lambda: self._crm.meetings_by_id(ids))

    async def timeline(self, contact: str, *, first: int, after: str | None) -> RecordPage[TimelineEntry]:
        return await self._watched(lambda: self._crm.timeline(contact, first=first, after=after))

    async def timelines(self, contacts: Collection[str], *, first: int) -> Mapping[str, RecordPage[TimelineEntry]]:
        return await self._watched(lambda: self._crm.timelines(contacts, first=first))

    async def erase(self, email: str) -> None:
        await self._watched(lambda: self._crm.erase(email))

    async def _watched(self, call: Callable[[], Awaitable[T]]) -> T:
        return await watched_call(self._watch, ONE, call)
