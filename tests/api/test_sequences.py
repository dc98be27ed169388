"""Sequences of mails over the API: writing them, putting contacts into them, what ends them, and what is refused."""

import re
from typing import Any

from meetings.domain.plan import Hub, Tier
from tests.api.documents import BOOK, at, book
from tests.api.gates import gated, needed, plan
from tests.api.refusals import Refusals, every_code_of
from tests.api.sequence_documents import (
    ARCHIVE_SEQUENCE,
    CANCEL_ENROLLMENT,
    CREATE_SEQUENCE,
    ENROLL,
    ENROLLED,
    PAUSE_ENROLLMENT,
    RESUME_ENROLLMENT,
    SEQUENCE,
    UPDATE_SEQUENCE,
)
from tests.api.test_emails import VERA, contact, with_mailbox
from tests.databases import Simulators
from tests.product import ApiClient, Product, until

RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
ALL = f"{{ viewer {{ sequences {{ {SEQUENCE} enrollments {{ nodes {{ {ENROLLED} }} }} }} }} }}"
MINE = (
    f"query($status: [EnrollmentStatus!]) {{ viewer {{ enrollments(status: $status) {{ nodes {{ {ENROLLED} }} }} }} }}"
)
ALWAYS = """mutation { updateSettings(input: {workingHours: {timeZone: "Europe/Berlin", weekly: [
  {days: [MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY], from: "00:00", to: "24:00"}
]}}) { errors { code message path } } }"""


def sequence(**other: Any) -> dict[str, Any]:
    steps = [
        {"delay": "PT0M", "subject": "Hello", "bodyMarkdown": "Shall we **meet**?", "includeMeetingLink": True},
        {"delay": "P2D", "subject": "Re: Hello", "bodyMarkdown": "Any thoughts? {{ sender_name }}"},
    ]
    return {"name": "New people", "steps": steps, **other}


async def written(host: ApiClient, **other: Any) -> dict[str, Any]:
    payload = (await host.ask(CREATE_SEQUENCE, input=sequence(**other)))["createSequence"]
    assert payload["errors"] == []
    made: dict[str, Any] = payload["sequence"]
    return made


async def enrolled(host: ApiClient, sequence_id: str, *contacts: str) -> list[dict[str, Any]]:
    payload = (await host.ask(ENROLL, id=sequence_id, contacts=list(contacts)))["enrollInSequence"]
    assert payload["errors"] == []
    found: list[dict[str, Any]] = payload["enrollments"]
    return found


async def first_mail(served: Product, host: ApiClient) -> str:
    """Wait for the mail of the first step, and give it as Vera got it."""

    async def sent() -> bool:
        (found,) = (await host.ask(MINE))["viewer"]["enrollments"]["nodes"]
        return found["stepsSent"] == 1 and found["nextSendAt"] is not None

    await until("the first step", sent)
    (left,) = [left for left in served.google.mail.left if left.to == VERA]
    return left.raw.decode().replace("=\r\n", "").replace("=3D", "=")


async def always_at_work(host: ApiClient) -> None:
    assert (await host.ask(ALWAYS))["updateSettings"]["errors"] == []


async def test_s86_a_contact_is_enrolled_and_the_first_mail_leaves_through_the_mailbox(
    served: Product, host: ApiClient
) -> None:
    await with_mailbox(served)
    await served.here.page()
    await always_at_work(host)
    vera, made = await contact(served, host), await written(host)
    assert [step["delay"] for step in made["steps"]] == ["PT0M", "P2D"]
    (enrollment,) = await enrolled(host, made["id"], vera)
    assert (enrollment["status"], enrollment["contact"], enrollment["sequence"]) == (
        "ACTIVE",
        {"email": VERA},
        {"name": "New people"},
    )
    mail = await first_mail(served, host)
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail
    assert "/anna/intro?link=" in mail
    (shown,) = (await host.ask(ALL))["viewer"]["sequences"]
    (inside,) = shown["enrollments"]["nodes"]
    assert (inside["stepsSent"], inside["thread"]) == (1, {"subject": "Hello"})
    assert (await host.ask(MINE, status=["FINISHED"]))["viewer"]["enrollments"]["nodes"] == []


async def test_a_booking_by_the_link_in_a_mail_ends_it_whoever_books(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    """A-IN4, A-IN5."""
    await with_mailbox(served)
    await served.here.page()
    await always_at_work(host)
    await enrolled(host, (await written(host))["id"], await contact(served, host))
    link = re.search(r"https?://[^\s\"<>]*/anna/intro\?link=[\w-]+", await first_mail(served, host))
    assert link is not None
    booked = (await visitor.ask(BOOK, input=book(at("09:00"), page={"url": link.group(0)})))["bookMeeting"]
    assert booked["errors"] == []

    async def ended() -> bool:
        (found,) = (await host.ask(MINE))["viewer"]["enrollments"]["nodes"]
        return bool(found["status"] == "ENDED_BY_BOOKING")

    await until("the end by the booking", ended)


async def test_the_page_behind_the_last_line_ends_it_by_its_button_alone(
    served: Product, host: ApiClient, visitor: ApiClient
) -> None:
    """A-IN4, RFC 8058: following the link changes nothing."""
    await with_mailbox(served)
    await served.here.page()
    await always_at_work(host)
    vera, made = await contact(served, host), await written(host)
    await enrolled(host, made["id"], vera)
    address = re.search(r"https?://[^\s\"<>]*/unsubscribe/[\w-]+", await first_mail(served, host))
    assert address is not None
    shown = await visitor.http.get(address.group(0), headers={"Accept-Language": "de"})
    assert (shown.status_code, "Keine solchen Mails mehr" in shown.text) == (200, True)
    (before,) = (await host.ask(MINE))["viewer"]["enrollments"]["nodes"]
    assert before["status"] == "ACTIVE"
    for _ in range(2):
        done = await visitor.http.post(address.group(0), data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    (after,) = (await host.ask(MINE))["viewer"]["enrollments"]["nodes"]
    assert after["status"] == "ENDED_BY_UNSUBSCRIBE"
    refused = Refusals(served, "enrollInSequence")
    await refused.one(host, ENROLL, "CONTACT_OPTED_OUT", ["contactIds"], id=made["id"], contacts=[vera])
    for token in ("nonsense", "A" * 67):
        assert (await visitor.http.post(f"{served.url}/unsubscribe/{token}")).status_code == 404


async def test_writing_and_changing_a_sequence_is_refused(served: Product, host: ApiClient) -> None:
    bad = [{"delay": "P91D", "subject": "", "bodyMarkdown": "{{ nobody }}"}]
    async with every_code_of(served, "createSequence", elsewhere=["PLAN_REQUIRED", "SEAT_REQUIRED"]) as refused:
        errors = await refused.all(host, CREATE_SEQUENCE, input=sequence(name="", steps=[]))
        assert {tuple(error["path"]) for error in errors} == {("input", "name"), ("input", "steps")}
        errors = await refused.all(host, CREATE_SEQUENCE, input=sequence(steps=bad))
        assert {tuple(error["path"]) for error in errors} <= {
            ("input", "steps", "0", name) for name in ("delay", "subject", "bodyMarkdown")
        }
    made = await written(host)
    async with every_code_of(served, "updateSequence", elsewhere=["PLAN_REQUIRED", "SEAT_REQUIRED", RACES]) as refused:
        await refused.all(host, UPDATE_SEQUENCE, id=made["id"], input={"name": "x" * 101})
        await refused.one(host, UPDATE_SEQUENCE, "NOT_FOUND", ["sequenceId"], id="nonsense", input={})
        async with served.visitor() as other:
            await served.here.add_colleague("Ben", "ben@example.com")
            await other.sign_in("ben@example.com")
            await refused.one(
                other, UPDATE_SEQUENCE, "NOT_FOUND", ["sequenceId"], id=made["id"], input={"name": "Mine"}
            )
    changed = (await host.ask(UPDATE_SEQUENCE, id=made["id"], input={"name": "Others", "endsByCompany": True}))[
        "updateSequence"
    ]
    assert changed["sequence"] == {**made, "name": "Others", "endsByCompany": True}
    async with every_code_of(served, "archiveSequence", elsewhere=[RACES]) as refused:
        await refused.one(host, ARCHIVE_SEQUENCE, "NOT_FOUND", ["sequenceId"], id="nonsense")
    for _ in range(2):
        assert (await host.ask(ARCHIVE_SEQUENCE, id=made["id"]))["archiveSequence"]["sequence"] == {"archived": True}
    assert (await host.ask(ALL))["viewer"]["sequences"] == []


async def test_enrolling_is_refused(served: Product, host: ApiClient) -> None:
    made, vera = await written(host), await contact(served, host)
    async with every_code_of(
        served,
        "enrollInSequence",
        elsewhere=[RACES, "PLAN_REQUIRED", "SEAT_REQUIRED", "PROVIDER_UNAVAILABLE", "CONTACT_OPTED_OUT"],
    ) as refused:
        await refused.one(host, ENROLL, "NOT_CONNECTED", None, id=made["id"], contacts=[vera])
        await refused.one(host, ENROLL, "VALIDATION", ["contactIds"], id=made["id"], contacts=[])
        await refused.one(host, ENROLL, "NOT_FOUND", ["sequenceId"], id="nonsense", contacts=[vera])
    assert (await host.ask(ALL))["viewer"]["sequences"][0]["enrollments"]["nodes"] == []


async def test_an_enrolment_is_paused_goes_on_and_is_cancelled(served: Product, host: ApiClient) -> None:
    await with_mailbox(served)
    steps = [{"delay": "P10D", "subject": "Later", "bodyMarkdown": "Hello"}]
    (enrollment,) = await enrolled(host, (await written(host, steps=steps))["id"], await contact(served, host))
    own = enrollment["id"]
    paused = (await host.ask(PAUSE_ENROLLMENT, id=own))["pauseEnrollment"]["enrollment"]
    assert paused == {"status": "PAUSED", "pauseReason": "OWNER"}
    resumed = (await host.ask(RESUME_ENROLLMENT, id=own))["resumeEnrollment"]["enrollment"]
    assert resumed == {"status": "ACTIVE", "pauseReason": None}
    for _ in range(2):
        cancelled = (await host.ask(CANCEL_ENROLLMENT, id=own))["cancelEnrollment"]["enrollment"]
        assert cancelled == {"status": "CANCELLED", "pauseReason": None}
    for mutation, document in (("pauseEnrollment", PAUSE_ENROLLMENT), ("resumeEnrollment", RESUME_ENROLLMENT)):
        async with every_code_of(served, mutation, elsewhere=[RACES]) as refused:
            await refused.one(host, document, "ENROLLMENT_ENDED", ["enrollmentId"], id=own)
            await refused.one(host, document, "NOT_FOUND", ["enrollmentId"], id="nonsense")
    async with every_code_of(served, "cancelEnrollment", elsewhere=[RACES]) as refused:
        await refused.one(host, CANCEL_ENROLLMENT, "NOT_FOUND", ["enrollmentId"], id="nonsense")


async def test_apl4_sequences_need_a_plan_and_what_runs_goes_on_without_it(
    database_url: str, simulators: Simulators
) -> None:
    """A-PL4, A-PL5."""
    async with gated(database_url, *simulators) as served, served.visitor() as host:
        await host.sign_in()
        assert needed((await host.ask(CREATE_SEQUENCE, input=sequence()))["createSequence"]) == {
            "code": "PLAN_REQUIRED",
            "feature": "SEQUENCES",
            "hubs": ["SALES", "SERVICE"],
            "tier": "PROFESSIONAL",
            "needsSeat": False,
        }
        await plan(served, (Hub.SALES, Tier.PROFESSIONAL))
        made = await written(host)
        await plan(served)
        for document, name in ((UPDATE_SEQUENCE, "updateSequence"), (ENROLL, "enrollInSequence")):
            vera = await contact(served, host)
            payload = (await host.ask(document, id=made["id"], input={"name": "x"}, contacts=[vera]))[name]
            assert needed(payload)["code"] == "PLAN_REQUIRED"
        assert (await host.ask(ALL))["viewer"]["sequences"][0]["name"] == "New people"
