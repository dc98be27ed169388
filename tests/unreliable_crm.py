"""Customer records behind a line that fails."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from meetings.application.ports.calendars import ProviderUnavailable
from meetings.application.ports.crm import (
    Contact,
    ContactDetails,
    ContactField,
    Crm,
    CrmOf,
    MailRecord,
    MeetingRecord,
    RecordedMeeting,
    RecordPage,
    TimelineEntry,
)
from meetings.domain.identifiers import AccountId


@dataclass
class Line:
    """While it is `down` nothing arrives; with `answers_lost` so many calls are carried out but not answered."""

    to: CrmOf
    down: bool = False
    answers_lost: int = 0
    calls: list[str] = field(default_factory=list)

    async def crm_of(self, account_id: AccountId) -> Crm:
        return UnreliableCrm(await self.to(account_id), self)

    def begin(self, call: str) -> None:
        self.calls.append(call)
        if self.down:
            raise ProviderUnavailable("the records are away")

    def end(self) -> None:
        if self.answers_lost:
            self.answers_lost -= 1
            raise ProviderUnavailable("the answer was lost")


@dataclass
class UnreliableCrm:
    """The records `to` which a line leads; see the port."""

    to: Crm
    line: Line

    async def put_contact(self, details: ContactDetails) -> Contact:
        self.line.begin("put_contact")
        contact = await self.to.put_contact(details)
        self.line.end()
        return contact

    async def change_contact(self, contact: str, changes: Mapping[ContactField, str | None]) -> Contact:
        self.line.begin("change_contact")
        changed = await self.to.change_contact(contact, changes)
        self.line.end()
        return changed

    async def known(self, emails: Collection[str]) -> Mapping[str, Contact]:
        self.line.begin("known")
        return await self.to.known(emails)

    async def contacts_by_id(self, ids: Collection[str]) -> Mapping[str, Contact]:
        self.line.begin("contacts_by_id")
        return await self.to.contacts_by_id(ids)

    async def contacts(self, query: str | None, *, first: int, after: str | None) -> RecordPage[Contact]:
        self.line.begin("contacts")
        return await self.to.contacts(query, first=first, after=after)

    async def put_meeting(self, record: MeetingRecord) -> str:
        self.line.begin("put_meeting")
        meeting = await self.to.put_meeting(record)
        self.line.end()
        return meeting

    async def put_mail(self, record: MailRecord) -> str:
        self.line.begin("put_mail")
        mail = await self.to.put_mail(record)
        self.line.end()
        return mail

    async def meetings_by_key(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        self.line.begin("meetings_by_key")
        return await self.to.meetings_by_key(keys)

    async def meetings_by_id(self, ids: Collection[str]) -> Mapping[str, RecordedMeeting]:
        self.line.begin("meetings_by_id")
        return await self.to.meetings_by_id(ids)

    async def timelines(self, contacts: Collection[str], *, first: int) -> Mapping[str, RecordPage[TimelineEntry]]:
        self.line.begin("timelines")
        return await self.to.timelines(contacts, first=first)

    async def timeline(self, contact: str, *, first: int, after: str | None) -> RecordPage[TimelineEntry]:
        self.line.begin("timeline")
        return await self.to.timeline(contact, first=first, after=after)

    async def erase(self, email: str) -> None:
        self.line.begin("erase")
        await self.to.erase(email)
        self.line.end()
