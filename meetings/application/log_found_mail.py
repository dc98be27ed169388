"""Logging the mails of a mailbox that are to be logged, each once; of the others nothing is kept (A-IN1 to A-IN3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from meetings.application.found_mail import address, found_mail, id_key, message_key
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import Contact, CrmOf
from meetings.application.ports.emails import MailSyncClaim
from meetings.application.ports.mail_accounts import MailAccount, MailHeader, MailNews, conversation
from meetings.application.ports.unit_of_work import Begin, UnitOfWork
from meetings.application.read_in_turn import LEASE_SECONDS
from meetings.domain.base import ConcurrentChange
from meetings.domain.email import Email, EmailState
from meetings.domain.email_thread import EmailThread, FoundMail
from meetings.domain.enrollment import EnrollmentState
from meetings.domain.identifiers import EmailId, EmailThreadId
from meetings.domain.mailbox import Mailbox
from meetings.domain.reply_logging import (
    EmailLogging,
    LoggingRule,
    Sighting,
    Watch,
    others_than,
    why_no_reply,
    why_not_heard,
    why_not_logged,
    why_not_ours,
)
from meetings.domain.user import User

_TRIES = 5
_MOST_KEPT_BACK = 2_000
"""Of so many mails that answer something unknown it is remembered until the end of the read that they do."""


@dataclass(frozen=True, slots=True)
class OpenedForReading:
    """A mailbox that is read by the latest claim on it. `own` are its owner's addresses, in small letters; what came
    before `begin_at` does not count."""

    claim: MailSyncClaim
    mailbox: Mailbox
    user: User
    own: frozenset[str]
    begin_at: datetime
    logging: EmailLogging
    account: MailAccount

    @property
    def watch(self) -> Watch:
        return Watch(self.begin_at, self.user.active, self.mailbox.log_replies)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A mail that belongs to a conversation because of `original`. `contacts` are known others it belongs to, too."""

    header: MailHeader
    original: Email
    answers: bool = True
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bounce:
    header: MailHeader
    original: Email


@dataclass(frozen=True, slots=True)
class _Beginning:
    """A mail with contacts that belongs to no conversation yet."""

    header: MailHeader
    contacts: tuple[Contact, ...]


_Finding = _Answer | _Bounce | _Beginning


class FoundMailLog:
    """One read of one mailbox: its pages one after the other."""

    def __init__(
        self, opened: OpenedForReading, started: datetime, *, begin: Begin, look: Begin, crm_of: CrmOf, clock: Clock
    ) -> None:
        self._opened = opened
        self._started = started
        self._begin = begin
        self._look = look
        self._crm_of = crm_of
        self._clock = clock
        self._kept_back: list[MailHeader] = []

    async def take(self, page: MailNews) -> None:
        """Log what is to be logged of a page; the last one's cursor is kept with what it led to, in one commit.

        Raises:
            LeaseLost: somebody else reads the mailbox by now; nothing of this was written down.
            ProviderError: a mail or the CRM could not be read; what was logged stays, the cursor does not move.
        """
        told = {message_key(mail, self._mailbox): mail for mail in (*self._kept_back, *page.mails)}
        rest = sorted(told.values(), key=lambda mail: mail.at)
        while True:
            known = await self._known(rest)
            rest = [mail for mail in rest if message_key(mail, self._mailbox) not in known]
            findings = [finding for mail in rest if (finding := await self._found(mail, known))]
            if not findings:
                break
            await self._write(findings)
            done = {finding.header.mail_id for finding in findings}
            rest = [mail for mail in rest if mail.mail_id not in done]
        self._kept_back = [mail for mail in rest if conversation(mail)][-_MOST_KEPT_BACK:]
        beginnings = await self._beginnings(rest)
        await self._write(beginnings, heard=self._heard(rest, known), cursor=page.cursor)

    @property
    def _mailbox(self) -> str:
        return str(self._opened.mailbox.id)

    # ---- what a mail is ---------------------------------------------------------------------------------------------

    async def _known(self, mails: Sequence[MailHeader]) -> Mapping[str, Email]:
        """What is stored of these mails and of those they name, by message id."""
        ids = {message_key(mail, self._mailbox) for mail in mails}
        ids.update(id_key(each) for mail in mails for each in conversation(mail))
        if not ids:
            return {}
        async with self._look(self._opened.claim.account_id) as work:
            return await work.emails.by_message_ids(ids)

    async def _found(self, mail: MailHeader, known: Mapping[str, Email]) -> _Finding | None:
        """What is to be written down of a mail because of one that it names."""
        originals = self._originals(mail, known)
        if mail.bounce:
            ours = next((original for original in originals if original.outgoing), None)
            return _Bounce(mail, ours) if ours and ours.state is not EmailState.BOUNCED else None
        if mail.outgoing:
            return await self._sent_elsewhere(mail, originals)
        original = next((original for original in originals if original.outgoing), None)
        against = why_no_reply(self._sighting(mail), original, watch=self._opened.watch, logging=self._opened.logging)
        return _Answer(mail, original) if original and against is None else None

    def _originals(self, mail: MailHeader, known: Mapping[str, Email]) -> list[Email]:
        """The mails of the owner's conversations that a mail names."""
        named = (known.get(id_key(each)) for each in conversation(mail))
        return [original for original in named if original and original.user_id == self._opened.user.id]

    async def _sent_elsewhere(self, mail: MailHeader, originals: Sequence[Email]) -> _Answer | None:
        """A mail that the owner sent with another program, if it goes on with a conversation."""
        for original in originals:
            against = why_not_ours(
                self._sighting(mail), original, watch=self._opened.watch, logging=self._opened.logging
            )
            if against is None and not await self._is_handed_over(mail):
                return _Answer(mail, original)
        return None

    async def _is_handed_over(self, mail: MailHeader) -> bool:
        """Whether a mail among the sent ones is one that we hand over just now: its provider may have chosen its
        message id, and nobody has written it down yet."""
        async with self._look(self._opened.claim.account_id) as work:
            waiting = await work.emails.in_between(self._opened.mailbox.id)
        for ours in waiting:
            sent = await self._opened.account.find_sent(ours.message_id)
            if sent is not None and id_key(sent.message_id) == message_key(mail, self._mailbox):
                return True
        return False

    async def _beginnings(self, rest: Sequence[MailHeader]) -> list[_Finding]:
        """Mails with known contacts that answer nothing of ours, where the account logs all mail (A-IN3)."""
        if self._opened.logging.rule is not LoggingRule.KNOWN_CONTACTS:
            return []
        mails = [mail for mail in rest if not mail.bounce and self._may_be_logged(mail)]
        if not mails:
            return []
        crm = await self._crm_of(self._opened.claim.account_id)
        contacts = await crm.known({other for mail in mails for other in self._sighting(mail).others})
        known = await self._known(mails)
        found: list[_Finding] = []
        for mail in mails:
            people = {contacts[other].id: contacts[other] for other in self._sighting(mail).others if other in contacts}
            if not people or (mail.outgoing and await self._is_handed_over(mail)):
                continue
            original = next(iter(self._originals(mail, known)), None)
            if original is not None:
                found.append(_Answer(mail, original, answers=False, contacts=tuple(people)))
            else:
                found.append(_Beginning(mail, tuple(people.values())))
        return found

    def _heard(self, rest: Sequence[MailHeader], known: Mapping[str, Email]) -> Mapping[str, datetime]:
        """Who wrote without an answer that is logged, and when last; also whom the owner had written to, when somebody
        answers for them under another subject or from another address. A machine that writes is nobody."""
        heard: dict[str, datetime] = {}
        for mail in rest:
            machine = mail.outgoing or mail.automatic or mail.bounce
            if not machine and why_not_heard(self._sighting(mail), watch=self._opened.watch) is None:
                originals = [original for original in self._originals(mail, known) if original.outgoing]
                asked = [each for original in originals for each in original.recipients]
                heard.update((address(each), mail.at) for each in (mail.sender.email, *asked))
        return heard

    def _may_be_logged(self, mail: MailHeader) -> bool:
        against = why_not_logged(self._sighting(mail), watch=self._opened.watch, logging=self._opened.logging)
        return against is None

    def _sighting(self, mail: MailHeader) -> Sighting:
        sender = None if mail.outgoing else address(mail.sender.email)
        people = [*filter(None, [sender]), *map(address, mail.recipients)]
        return Sighting(mail.at, mail.subject, sender, others_than(self._opened.own, people))

    # ---- writing it down --------------------------------------------------------------------------------------------

    async def _write(
        self,
        findings: Sequence[_Finding],
        *,
        heard: Mapping[str, datetime] | None = None,
        cursor: str | None = None,
    ) -> None:
        if not findings and not heard and cursor is None:
            return
        texts = {
            finding.header.mail_id: await self._text(finding.header)
            for finding in findings
            if not isinstance(finding, _Bounce)
        }
        for attempt in range(1, _TRIES + 1):
            try:
                await self._write_once(findings, texts, heard or {}, cursor)
                return
            except ConcurrentChange:
                if attempt == _TRIES:
                    raise

    async def _text(self, header: MailHeader) -> FoundMail:
        body = await self._opened.account.read(header.mail_id)
        return await found_mail(header, body, mailbox=self._mailbox)

    async def _write_once(
        self,
        findings: Sequence[_Finding],
        texts: Mapping[str, FoundMail],
        heard: Mapping[str, datetime],
        cursor: str | None,
    ) -> None:
        async with self._begin(self._opened.claim.account_id) as work:
            await work.mail_reading.hold(self._opened.claim, lease_seconds=LEASE_SECONDS)
            there = await work.emails.by_message_ids([text.message_id for text in texts.values()])
            for finding in findings:
                text = texts.get(finding.header.mail_id)
                if text is None or text.message_id not in there:
                    await self._note(work, finding, text)
            for thread in (await work.emails.newest_threads(self._opened.user.id, list(heard))).values():
                thread.hear(heard[thread.contact_email], now=self._clock())
            for enrollment in await work.enrollments.unwritten_with(self._opened.user.id, list(heard)):
                if enrollment.began_before(heard[enrollment.contact_email]):
                    enrollment.end(EnrollmentState.ENDED_BY_REPLY, now=self._clock())
            if cursor is not None:
                await work.mail_reading.confirm(self._opened.mailbox.id, cursor=cursor, at=self._started)
            await work.commit()

    async def _note(self, work: UnitOfWork, finding: _Finding, text: FoundMail | None) -> None:
        now = self._clock()
        if isinstance(finding, _Bounce):
            (await work.emails.get(finding.original.id)).bounce(now=now)
            return
        assert text, "what is logged was read"
        if isinstance(finding, _Answer):
            thread = await work.emails.thread(finding.original.thread_id)
            contacts, answers = finding.contacts or (thread.contact,), finding.answers
        else:
            first = finding.contacts[0]
            contacts, answers = tuple(contact.id for contact in finding.contacts), False
            thread = EmailThread.begin(
                EmailThreadId(uuid4()),
                account_id=work.account_id,
                mailbox=self._opened.mailbox,
                contact=first.id,
                contact_email=first.email,
                subject=text.content.subject,
                now=text.at,
            )
            work.emails.add_thread(thread)
        if thread.mailbox_id == self._opened.mailbox.id:
            thread.provider_thread = thread.provider_thread or finding.header.thread
        new, mailbox = EmailId(uuid4()), self._opened.mailbox
        if finding.header.outgoing:
            email = thread.take_sent(new, text, mailbox=mailbox, contacts=contacts, now=now)
        else:
            email = thread.receive(new, text, mailbox=mailbox, contacts=contacts, answers=answers, now=now)
        work.emails.add(email)
