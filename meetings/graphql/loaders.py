"""What one operation looks up, gathered into as few questions as there are kinds (GQ-2)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from meetings.application.links import Links
from meetings.application.page_state import PageState
from meetings.application.ports.crm import Contact, Crm, CrmOf, RecordedMeeting, RecordPage, TimelineEntry
from meetings.application.ports.email_reads import EmailReads
from meetings.application.ports.reads import Reads, Slice
from meetings.application.ports.sequence_reads import SequenceReads
from meetings.application.ports.unit_of_work import MirrorState
from meetings.application.sites import meeting_host
from meetings.domain.account import Account
from meetings.domain.booking import Booking
from meetings.domain.calendar_connection import CalendarConnection
from meetings.domain.email import Email
from meetings.domain.email_thread import EmailThread
from meetings.domain.engagement import MeetingEngagement
from meetings.domain.identifiers import (
    AccountId,
    BookingId,
    CalendarId,
    ConnectionId,
    EmailThreadId,
    EngagementId,
    PageId,
    SequenceId,
    UserId,
)
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.sequence import Sequence
from meetings.domain.user import User
from meetings.domain.web_domain import WebDomain
from meetings.graphql.paging import MAX_PAGE

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """Lookups within one account. What was found is kept, so an object is the same wherever it is reached from."""

    def __init__(
        self,
        account_id: AccountId,
        reads: Reads,
        crm_of: CrmOf,
        email_reads: EmailReads,
        sequence_reads: SequenceReads,
    ) -> None:
        self.account_id = account_id
        self._reads = reads
        self._crm_of = crm_of
        self._email_reads = email_reads
        self._sequence_reads = sequence_reads
        self._web_domains: asyncio.Future[list[WebDomain]] | None = None
        self.users: DataLoader[UserId, User | None] = _loader(self._find_users)
        self.pages: DataLoader[PageId, SchedulingPage | None] = _loader(self._find_pages)
        self.bookings: DataLoader[BookingId, Booking | None] = _loader(self._find_bookings)
        self.connection_of: DataLoader[UserId, CalendarConnection | None] = _loader(self._find_connections_of)
        self._oldest_page_of: DataLoader[UserId, SchedulingPage | None] = _loader(self._find_oldest_pages)
        self.connections: DataLoader[ConnectionId, CalendarConnection | None] = _loader(self._find_connections)
        self.users_by_email: DataLoader[str, User | None] = _loader(self._find_users_by_email)
        self.engagements: DataLoader[EngagementId, MeetingEngagement | None] = _loader(self._find_engagements)
        self.contacts: DataLoader[str, Contact | None] = _loader(self._find_contacts)
        self.sequences: DataLoader[SequenceId, Sequence | None] = _loader(self._find_sequences)
        self.email_threads: DataLoader[EmailThreadId, EmailThread | None] = _loader(self._find_threads)
        self.contacts_by_email: DataLoader[str, Contact | None] = _loader(self._find_contacts_by_email)
        self.recorded_meetings: DataLoader[UUID, RecordedMeeting | None] = _loader(self._find_recorded_meetings)
        self.timeline_beginnings: DataLoader[tuple[str, int], RecordPage[TimelineEntry] | None] = _loader(
            self._find_timeline_beginnings
        )
        self.thread_beginnings: DataLoader[tuple[EmailThreadId, int], Slice[Email] | None] = _loader(
            self._find_thread_beginnings
        )

    async def account(self) -> Account | None:
        return await self._reads.account(self.account_id)

    async def web_domains(self) -> list[WebDomain]:
        """All claims on domains, oldest first; asked for once."""
        if self._web_domains is None:
            self._web_domains = asyncio.ensure_future(self._reads.web_domains(self.account_id))
        return await self._web_domains

    async def url_of(self, page: SchedulingPage, links: Links) -> str:
        """Where people book a page: under the host its organizer has."""
        organizer, claims = await self.users.load(page.organizer_id), await self.web_domains()
        return links.page(page.slug, meeting_host(organizer, claims, links))

    async def mirror_states(self, connection: ConnectionId) -> dict[CalendarId, MirrorState]:
        """Of one connection; there is one per person at most, and lists never show more than the viewer's."""
        return await self._reads.mirror_states(self.account_id, connection)

    async def page_state(self, page: SchedulingPage) -> PageState:
        """The page with its people and their calendars, from which its mode follows."""
        people = list({host.user_id for host in page.hosts} | {page.organizer_id})
        users = await self.users.load_many(people)
        connections = await self.connection_of.load_many(people)
        return PageState(
            page,
            {user.id: user for user in users if user},
            {connection.user_id: connection for connection in connections if connection},
        )

    async def default_page_of(self, organizer: UserId) -> PageId | None:
        """The page that stands for a person: the chosen one while it is up, else their oldest that is."""
        user = await self.users.load(organizer)
        chosen = await self.pages.load(user.default_page_id) if user and user.default_page_id else None
        if chosen and chosen.archived_at is None and chosen.organizer_id == organizer:
            return chosen.id
        oldest = await self._oldest_page_of.load(organizer)
        return oldest.id if oldest else None

    async def _find_oldest_pages(self, organizers: Collection[UserId]) -> Mapping[UserId, SchedulingPage]:
        """One look at the account's oldest pages shows most; whoever has none among them is asked for alone."""
        pages = await self._reads.pages(
            self.account_id, organizer=None, type=None, archived=False, first=MAX_PAGE, after=None
        )
        oldest: dict[UserId, SchedulingPage] = {}
        for _, page in pages.items:
            oldest.setdefault(page.organizer_id, page)
        for organizer in set(organizers) - set(oldest) if pages.has_next else ():
            own = await self._reads.pages(
                self.account_id, organizer=organizer, type=None, archived=False, first=1, after=None
            )
            oldest.update((organizer, page) for _, page in own.items)
        return oldest

    async def _find_users(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        return await self._reads.users(self.account_id, ids)

    async def _find_pages(self, ids: Collection[PageId]) -> Mapping[PageId, SchedulingPage]:
        return await self._reads.pages_by_id(self.account_id, ids)

    async def _find_bookings(self, ids: Collection[BookingId]) -> Mapping[BookingId, Booking]:
        return await self._reads.bookings_by_id(self.account_id, ids)

    async def _find_connections_of(self, users: Collection[UserId]) -> Mapping[UserId, CalendarConnection]:
        return await self._reads.connections(self.account_id, users)

    async def _find_connections(self, ids: Collection[ConnectionId]) -> Mapping[ConnectionId, CalendarConnection]:
        return await self._reads.connections_by_id(self.account_id, ids)

    # ---- customer records -------------------------------------------------------------------------------------------

    async def crm(self) -> Crm:
        """Where the account keeps its records."""
        return await self._crm_of(self.account_id)

    async def _find_users_by_email(self, emails: Collection[str]) -> Mapping[str, User]:
        return await self._reads.users_by_email(self.account_id, emails)

    async def _find_engagements(self, ids: Collection[EngagementId]) -> Mapping[EngagementId, MeetingEngagement]:
        return await self._reads.engagements(self.account_id, ids)

    async def _find_contacts(self, ids: Collection[str]) -> Mapping[str, Contact]:
        return await (await self.crm()).contacts_by_id(ids)

    async def _find_sequences(self, ids: Collection[SequenceId]) -> Mapping[SequenceId, Sequence]:
        return await self._sequence_reads.sequences_by_id(self.account_id, ids)

    async def _find_threads(self, ids: Collection[EmailThreadId]) -> Mapping[EmailThreadId, EmailThread]:
        return await self._email_reads.threads_by_id(self.account_id, ids)

    async def _find_contacts_by_email(self, emails: Collection[str]) -> Mapping[str, Contact]:
        return await (await self.crm()).known(emails)

    async def _find_recorded_meetings(self, keys: Collection[UUID]) -> Mapping[UUID, RecordedMeeting]:
        return await (await self.crm()).meetings_by_key(keys)

    async def _find_timeline_beginnings(
        self, wanted: Collection[tuple[str, int]]
    ) -> Mapping[tuple[str, int], RecordPage[TimelineEntry]]:
        """Each is a contact and how many of its entries; those of one length are one question."""
        crm = await self.crm()
        found: dict[tuple[str, int], RecordPage[TimelineEntry]] = {}
        for first in {length for _, length in wanted}:
            pages = await crm.timelines([contact for contact, length in wanted if length == first], first=first)
            found.update({(contact, first): page for contact, page in pages.items()})
        return found

    # ---- mail -------------------------------------------------------------------------------------------------------

    async def _find_thread_beginnings(
        self, wanted: Collection[tuple[EmailThreadId, int]]
    ) -> Mapping[tuple[EmailThreadId, int], Slice[Email]]:
        """Each is a conversation and how many of its newest mails; those of one length are one question."""
        found: dict[tuple[EmailThreadId, int], Slice[Email]] = {}
        for first in {length for _, length in wanted}:
            threads = [thread for thread, length in wanted if length == first]
            slices = await self._email_reads.newest_messages(self.account_id, threads, first=first)
            found.update({(thread, first): each for thread, each in slices.items()})
        return found


def _loader(find: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> DataLoader[K, V | None]:
    async def load(keys: list[K]) -> list[V | None]:
        found = await find(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load, max_batch_size=100)
