"""Sequences, who is in them and who wants none, as they are stored."""

import asyncio
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from meetings.application.ports.unit_of_work import MeetingLink
from meetings.domain.base import ConcurrentChange, NotFound
from meetings.domain.business_hours import BusinessHours
from meetings.domain.email import EmailState
from meetings.domain.enrollment import AlreadyEnrolled, Enrollment, EnrollmentState
from meetings.domain.identifiers import EmailId, EmailThreadId, EnrollmentId, SequenceId, UserId
from meetings.domain.period import Period
from meetings.domain.sequence import Sequence, SequenceStep
from meetings.infrastructure.database.unit_of_work import Database
from tests.builders import NOW, a_user, booking_id, user_id
from tests.contracts.database.conftest import Tenant, a_tenant

VERA = "vera@visitors.example"
LATER = NOW + timedelta(days=1)
STEPS = (
    SequenceStep(Period(), "Hello", "Shall we **meet**?\n\n{{ sender_name }}", include_meeting_link=True),
    SequenceStep(Period(days=2, minutes=30), "Re: Hello", "Grüße"),
)


def a_sequence(tenant: Tenant, **given: Any) -> Sequence:
    values: dict[str, Any] = {"owner": tenant.host.id, "name": "New people", "ends_by_company": True, "now": NOW}
    return Sequence.create(
        SequenceId(uuid4()), account_id=tenant.account.account_id, steps=STEPS, **{**values, **given}
    )


def an_enrollment(tenant: Tenant, sequence: Sequence, email: str = VERA) -> Enrollment:
    return Enrollment.begin(
        EnrollmentId(uuid4()),
        account_id=tenant.account.account_id,
        sequence=sequence,
        contact=f"contact {email}",
        contact_email=email,
        hours=BusinessHours.of(tenant.host.settings),
        now=NOW,
    )


async def store(tenant: Tenant, *made: Sequence | Enrollment) -> None:
    async with tenant.begin(tenant.account.account_id) as work:
        for each in made:
            if isinstance(each, Sequence):
                work.sequences.add(each)
            else:
                work.enrollments.add(each)
        await work.commit()


async def enrolled(tenant: Tenant, *emails: str, **given: Any) -> tuple[Sequence, list[Enrollment]]:
    sequence = a_sequence(tenant, **given)
    await store(tenant, sequence)
    made = [an_enrollment(tenant, sequence, email) for email in emails]
    await store(tenant, *made)
    return sequence, made


def values(of: Sequence | Enrollment) -> dict[str, object]:
    return {field.name: getattr(of, field.name) for field in fields(of) if field.name not in ("_events", "version")}


async def test_everything_of_a_sequence_comes_back(tenant: Tenant) -> None:
    plain, changed = a_sequence(tenant, ends_by_company=False), a_sequence(tenant)
    changed.change(now=LATER, name="Other people", steps=STEPS[1:])
    changed.archive(now=LATER)
    await store(tenant, plain, changed)
    async with tenant.look(tenant.account.account_id) as work:
        for made in (plain, changed):
            assert values(await work.sequences.get(made.id)) == values(made)


async def test_everything_of_an_enrolment_comes_back_however_it_stands(tenant: Tenant) -> None:
    sequence, (fresh, sent, stuck, ended) = await enrolled(
        tenant, *(f"{name}@visitors.example" for name in ("a", "b", "c", "d"))
    )
    hours = BusinessHours.of(tenant.host.settings)
    async with tenant.begin(tenant.account.account_id) as work:
        for made in (sent, stuck, ended):
            (await work.enrollments.get(made.id)).sending(EmailId(uuid4()), EmailThreadId(uuid4()))
        paused = await work.enrollments.get(stuck.id)
        assert paused.email_id
        paused.follow(paused.email_id, EmailState.UNCERTAIN, sequence, hours=hours, now=LATER)
        (await work.enrollments.get(ended.id)).end(EnrollmentState.ENDED_BY_REPLY, now=LATER)
        expected = [values(await work.enrollments.get(each.id)) for each in (fresh, sent, stuck, ended)]
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = [values(await work.enrollments.get(each.id)) for each in (fresh, sent, stuck, ended)]
    assert found == expected
    assert [each["state"] for each in found] == [
        EnrollmentState.ACTIVE,
        EnrollmentState.ACTIVE,
        EnrollmentState.PAUSED,
        EnrollmentState.ENDED_BY_REPLY,
    ]


async def test_a_person_has_their_own_sequences_oldest_first_the_archived_only_when_asked(tenant: Tenant) -> None:
    ben = a_user(tenant.account.account_id)
    async with tenant.begin(tenant.account.account_id) as work:
        work.users.add(ben)
        await work.commit()
    second, first = a_sequence(tenant, now=LATER), a_sequence(tenant)
    archived, bens = a_sequence(tenant, now=LATER + timedelta(days=1)), a_sequence(tenant, owner=ben.id)
    archived.archive(now=LATER)
    await store(tenant, second, first, archived, bens)
    async with tenant.look(tenant.account.account_id) as work:
        listed = await work.sequences.of_owner(tenant.host.id)
        everything = await work.sequences.of_owner(tenant.host.id, archived=True)
    assert [each.id for each in listed] == [first.id, second.id]
    assert [each.id for each in everything] == [first.id, second.id, archived.id]


async def test_nobody_is_in_a_sequence_twice_at_a_time(tenant: Tenant) -> None:
    sequence, (made,) = await enrolled(tenant, VERA)
    with pytest.raises(AlreadyEnrolled):
        await store(tenant, an_enrollment(tenant, sequence, VERA.upper()))
    other, _ = await enrolled(tenant, VERA)
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.enrollments.get(made.id)).end(EnrollmentState.CANCELLED, now=LATER)
        await work.commit()
    again = an_enrollment(tenant, sequence)
    await store(tenant, again)
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.enrollments.open_of_contacts(sequence.id, [VERA.upper(), "nobody@visitors.example"])
        assert {email: each.id for email, each in found.items()} == {VERA: again.id}
        assert len(await work.enrollments.open_of(VERA)) == 2
        assert await work.enrollments.open_of_contacts(other.id, []) == {}


async def test_of_two_who_enrol_somebody_at_once_one_does(tenant: Tenant) -> None:
    sequence, _ = await enrolled(tenant)
    tried = [store(tenant, an_enrollment(tenant, sequence)) for _ in range(4)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert results.count(None) == 1
    assert all(isinstance(each, AlreadyEnrolled | ConcurrentChange) for each in results if each is not None)


async def test_a_stale_change_is_refused(tenant: Tenant) -> None:
    """Two workers at one step: one of them writes its mail."""
    sequence, (made,) = await enrolled(tenant, VERA)
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.enrollments.get(made.id)).sending(EmailId(uuid4()), EmailThreadId(uuid4()))
        (await work.sequences.get(sequence.id)).archive(now=LATER)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        enrollment = await work.enrollments.get(made.id)
        enrollment.version -= 1  # as a worker has it that read before
        enrollment.sending(EmailId(uuid4()), EmailThreadId(uuid4()))
        with pytest.raises(ConcurrentChange):
            await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        stored = await work.sequences.get(sequence.id)
        stored.version -= 1
        stored.change(now=LATER, name="Other people")
        with pytest.raises(ConcurrentChange):
            await work.commit()


async def test_open_ones_are_found_by_person_company_and_conversation(tenant: Tenant) -> None:
    willi = "willi@visitors.example"
    _, (vera, other) = await enrolled(tenant, VERA, willi)
    _, (not_by_company,) = await enrolled(tenant, VERA, ends_by_company=False)
    _, (elsewhere,) = await enrolled(tenant, "xenia@elsewhere.example")
    thread = EmailThreadId(uuid4())
    async with tenant.begin(tenant.account.account_id) as work:
        (await work.enrollments.get(vera.id)).sending(EmailId(uuid4()), thread)
        await work.commit()
    host = tenant.host.id

    async def found() -> list[set[EnrollmentId]]:
        async with tenant.look(tenant.account.account_id) as work:
            asked = work.enrollments
            return [
                {each.id for each in each_found}
                for each_found in (
                    await asked.open_of(VERA.upper()),
                    await asked.open_with(host, VERA.upper()),
                    await asked.open_with(user_id(), VERA),
                    await asked.open_at_domain(host, "VISITORS.example"),
                    await asked.open_at_domain(UserId(uuid4()), "visitors.example"),
                    await asked.open_by_thread(thread),
                    await asked.unwritten_with(host, [VERA.upper(), willi, "nobody@visitors.example"]),
                    await asked.unwritten_with(user_id(), [VERA]),
                    await asked.unwritten_with(host, []),
                )
            ]

    both = {vera.id, not_by_company.id}
    unwritten = {not_by_company.id, other.id}
    assert await found() == [both, both, set(), {vera.id, other.id}, set(), {vera.id}, unwritten, set(), set()]
    async with tenant.begin(tenant.account.account_id) as work:
        for each in (vera, elsewhere, other):
            (await work.enrollments.get(each.id)).end(EnrollmentState.ENDED_BY_REPLY, now=LATER)
        await work.commit()
    left = {not_by_company.id}
    assert await found() == [left, left, set(), set(), set(), set(), left, set(), set()]


async def test_who_booked_by_a_link_of_a_mail_is_found_by_their_booking(tenant: Tenant) -> None:
    _, (made,) = await enrolled(tenant, VERA)
    booked, link = booking_id(), uuid4()
    async with tenant.begin(tenant.account.account_id) as work:
        await work.links.add(
            MeetingLink(
                id=link,
                page_id=tenant.page.id,
                prefill={},
                duration_minutes=None,
                single_use=False,
                expires_at=None,
                enrollment_id=made.id,
            ),
            created_by=tenant.host.id,
            now=NOW,
        )
        assert await work.enrollments.by_booking(booked) is None
        await work.links.use(link, booked, now=NOW)
        await work.commit()
    async with tenant.look(tenant.account.account_id) as work:
        found = await work.enrollments.by_booking(booked)
        assert found is not None
        assert found.id == made.id
        assert await work.enrollments.by_booking(booking_id()) is None


async def test_who_wants_no_mails_is_kept_once_and_can_come_back(tenant: Tenant) -> None:
    asked = [VERA.upper(), "willi@visitors.example"]

    async def out() -> set[str]:
        async with tenant.look(tenant.account.account_id) as work:
            return await work.enrollments.opted_out(asked)

    assert await out() == set()
    async with tenant.begin(tenant.account.account_id) as work:
        for at in (NOW, LATER):
            await work.enrollments.opt_out("Vera@Visitors.example", at=at)
        await work.commit()
    assert await out() == {VERA}
    async with tenant.begin(tenant.account.account_id) as work:
        await work.enrollments.opt_in(VERA)
        await work.commit()
    assert await out() == set()


async def test_another_account_sees_none_of_it(tenant: Tenant, database: Database) -> None:
    sequence, (made,) = await enrolled(tenant, VERA)
    async with tenant.begin(tenant.account.account_id) as work:
        await work.enrollments.opt_out(VERA, at=NOW)
        await work.commit()
    stranger = await a_tenant(database)
    async with stranger.look(stranger.account.account_id) as work:
        assert await work.enrollments.opted_out([VERA]) == set()
        assert await work.enrollments.open_of(VERA) == []
        assert await work.enrollments.open_with(tenant.host.id, VERA) == []
        assert await work.enrollments.open_at_domain(tenant.host.id, "visitors.example") == []
        assert await work.sequences.of_owner(tenant.host.id) == []
        with pytest.raises(NotFound):
            await work.sequences.get(sequence.id)
        with pytest.raises(NotFound):
            await work.enrollments.get(made.id)
