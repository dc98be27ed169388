"""Every way in which what hosts do is refused: settings, tokens, calendars, pages. And who may do it at all."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from meetings.domain.user import Role
from tests.api import domain_manager
from tests.api.available_times import INSERT
from tests.api.chats import CHANGE as CHAT_PROFILE
from tests.api.documents import (
    ACCEPT,
    BOOK,
    CANCEL,
    CONNECT_MAILBOX,
    CONNECTION,
    CREATE_PAGE,
    DECLINE,
    ERRORS,
    FULL_SYNC,
    HOLD,
    INTERNAL_DOMAINS,
    MOVE,
    PAGES,
    REMOVE_PRESET,
    REQUEST,
    SET_PRESET,
    TEST_MAILBOX,
    UPDATE_PAGE,
    at,
    book,
    page,
    request,
)
from tests.api.email_documents import MARK_THREAD, SEND_EMAIL, SET_LOGGING
from tests.api.gates import ASSIGN, LINK, RENDER, SET_URL
from tests.api.gates import REVOKE as REVOKE_SEATS
from tests.api.hubspot_documents import CONNECT_HUBSPOT, DISCONNECT_HUBSPOT, START_HUBSPOT
from tests.api.inbox_documents import (
    CONNECT_CHANNEL,
    CREATE_CHANNEL,
    DISCONNECT_INBOX,
    EXCHANGE_INBOX,
    IMAP_INBOX,
    REMOVE_CHANNEL,
    SEND_AS_TEAM,
    START_INBOX,
)
from tests.api.people import ACCEPT as JOIN
from tests.api.people import AGAIN, ALLOW, DEACTIVATE, INVITE, REACTIVATE, ROLE
from tests.api.privacy_documents import ERASE, EXPORT
from tests.api.records import CHANGE_MEETING, CREATE_CONTACT, NEW_MEETING, PLAN_MEETING, UPDATE_CONTACT
from tests.api.refusals import DECLARED, Refusals, every_code_of
from tests.api.sequence_documents import (
    ARCHIVE_SEQUENCE,
    CANCEL_ENROLLMENT,
    CREATE_SEQUENCE,
    ENROLL,
    PAUSE_ENROLLMENT,
    RESUME_ENROLLMENT,
    UPDATE_SEQUENCE,
)
from tests.api.setting_up import connected
from tests.product import ApiClient, Product, TopLevelErrors, until
from tests.world import HOST_EMAIL, PASSWORD

SIGN_IN = (
    f"mutation($e: String!, $p: String!) {{ signIn(email: $e, password: $p) {{ user {{ name }} token {ERRORS} }} }}"
)
SETTINGS = (
    "mutation($input: SettingsInput!) { updateSettings(input: $input) "
    f"{{ settings {{ timeZone locale weekStartsOn hour12 workingHours {{ timeZone }} }} {ERRORS} }} }}"
)
TOKEN = (
    "mutation($name: String!, $scopes: [TokenScope!]!) { createApiToken(name: $name, scopes: $scopes) "
    f"{{ token apiToken {{ id name scopes }} {ERRORS} }} }}"
)
REVOKE = f"mutation($id: ID!) {{ revokeApiToken(id: $id) {{ revokedId {ERRORS} }} }}"
START = (
    "mutation($input: StartCalendarConnectionInput!) { startCalendarConnection(input: $input) "
    f"{{ authorizationUrl expiresAt {ERRORS} }} }}"
)
DEFAULT = (
    "mutation($id: ID!, $calendar: ID!) { setDefaultCalendar(connectionId: $id, calendarId: $calendar) "
    f"{{ {CONNECTION} {ERRORS} }} }}"
)
BUSY = (
    "mutation($id: ID!, $calendars: [ID!]!) { setBusyCalendars(connectionId: $id, calendarIds: $calendars) "
    f"{{ {CONNECTION} {ERRORS} }} }}"
)
REFRESH = f"mutation($id: ID!) {{ refreshCalendarConnection(connectionId: $id) {{ {CONNECTION} {ERRORS} }} }}"
DISCONNECT = f"mutation($id: ID!) {{ disconnectCalendar(connectionId: $id) {{ {CONNECTION} {ERRORS} }} }}"
DUPLICATE = (
    "mutation($id: ID!, $slug: String!) { duplicateSchedulingPage(id: $id, slug: $slug) "
    f"{{ page {{ id slug internalName }} {ERRORS} }} }}"
)
ARCHIVE = (
    "mutation($id: ID!, $down: Boolean!) { archiveSchedulingPage(id: $id, archived: $down) "
    f"{{ page {{ id archivedAt }} {ERRORS} }} }}"
)
MAKE_DEFAULT = f"mutation($id: ID!) {{ setDefaultSchedulingPage(id: $id) {{ page {{ id isDefault }} {ERRORS} }} }}"
RELEASE = f'mutation {{ releaseSlot(holdToken: "x") {{ hold {{ token }} {ERRORS} }} }}'
SIGN_OUT = f"mutation {{ signOut {{ signedOut {ERRORS} }} }}"
RACES = "CONCURRENT_CHANGE"  # nobody can force five lost races over HTTP; see test_errors.py
GATES = ("PLAN_REQUIRED", "SEAT_REQUIRED")  # nothing is gated here; see test_meeting_url.py
LIMIT = "PAGE_LIMIT_REACHED"


async def test_signing_in_is_refused(served: Product, visitor: ApiClient) -> None:
    async with every_code_of(served, "signIn", elsewhere=["RATE_LIMITED"]) as refused:
        wrong = await refused.one(visitor, SIGN_IN, "CREDENTIALS_REJECTED", e=HOST_EMAIL, p="wrong")
        unknown = await refused.one(visitor, SIGN_IN, "CREDENTIALS_REJECTED", e="nobody@example.com", p=PASSWORD)
        assert wrong == unknown
        long = await refused.one(visitor, SIGN_IN, "CREDENTIALS_REJECTED", e="x" * 5_000, p="x" * 5_000)
        assert long == wrong
    signed_in = (await visitor.ask(SIGN_IN, e=f" {HOST_EMAIL.upper()} ", p=PASSWORD))["signIn"]
    assert signed_in["errors"] == []
    assert signed_in["user"] == {"name": "Anna Albers"}
    cookie = next(cookie for cookie in visitor.http.cookies.jar if cookie.name == "meetings_session")
    assert cookie.value == signed_in["token"]
    assert cookie.has_nonstandard_attr("HttpOnly")


async def test_settings_are_refused_all_at_once_and_null_clears_only_what_can_be_empty(
    served: Product, host: ApiClient
) -> None:
    async with every_code_of(served, "updateSettings", elsewhere=[RACES, "CAPABILITY_UNSUPPORTED"]) as refused:
        overlapping = {"days": ["MONDAY"], "from": "09:00", "to": "12:00"}
        errors = await refused.all(
            host,
            SETTINGS,
            input={
                "timeZone": None,
                "weekStartsOn": None,
                "locale": "klingon",
                "workingHours": {
                    "timeZone": "UTC",
                    "weekly": [overlapping, overlapping, {"days": [], "from": "12:00", "to": "11:00"}],
                },
            },
        )
        assert {(error["rule"], *error["path"]) for error in errors} == {
            ("REQUIRED", "input", "timeZone"),
            ("REQUIRED", "input", "weekStartsOn"),
            ("NOT_A_LOCALE", "input", "locale"),
            ("OVERLAPS", "input", "workingHours", "weekly", "1"),
            ("REQUIRED", "input", "workingHours", "weekly", "2", "days"),
            ("END_BEFORE_START", "input", "workingHours", "weekly", "2", "to"),
        }
    hours = {"timeZone": "Asia/Calcutta", "weekly": [{"days": ["FRIDAY"], "from": "10:00", "to": "24:00"}]}
    changed = (await host.ask(SETTINGS, input={"workingHours": hours, "hour12": True}))["updateSettings"]
    assert changed["settings"]["workingHours"] == {"timeZone": "Asia/Kolkata"}
    cleared = (await host.ask(SETTINGS, input={"workingHours": None}))["updateSettings"]["settings"]
    assert (cleared["workingHours"], cleared["hour12"], cleared["timeZone"]) == (None, True, "Europe/Berlin")
    with pytest.raises(TopLevelErrors) as strict:
        await host.ask(SETTINGS, input={"timeZone": "Mars/X"})
    assert strict.value.errors[0]["extensions"]["reason"] == "TIMEZONE_INVALID"


async def test_tokens_are_refused_and_give_no_more_than_their_maker_has(served: Product, host: ApiClient) -> None:
    async with every_code_of(served, "createApiToken") as refused:
        errors = await refused.all(host, TOKEN, name=" ", scopes=[])
        assert {tuple(error["path"]) for error in errors} == {("name",), ("scopes",)}
        await refused.one(host, TOKEN, "VALIDATION", ["name"], name="x" * 101, scopes=["READ"])
        writing = (await host.ask(TOKEN, name="writes", scopes=["WRITE"]))["createApiToken"]
        async with ApiClient(served.url, token=writing["token"]) as program:
            more = await refused.one(program, TOKEN, "PERMISSION_MISSING", name="more", scopes=["READ", "WRITE"])
            assert more["permission"]
            with pytest.raises(TopLevelErrors) as closed:
                await program.ask("{ viewer { role } }")
            assert closed.value.codes == ["FORBIDDEN"]
    async with every_code_of(served, "revokeApiToken") as refused:
        await refused.one(host, REVOKE, "NOT_FOUND", ["id"], id="nonsense")
        own = writing["apiToken"]["id"]
        assert (await host.ask(REVOKE, id=own))["revokeApiToken"] == {"revokedId": own, "errors": []}
        await refused.one(host, REVOKE, "NOT_FOUND", ["id"], id=own)
    async with ApiClient(served.url, token=writing["token"]) as program:
        assert (await program.send("{ server { version } }")).status_code == 401


async def test_connecting_a_calendar_is_refused(served: Product, host: ApiClient) -> None:
    def wish(**more: object) -> dict[str, object]:
        given = {"provider": "GOOGLE", "acceptedDisclosure": "google-2026-11", "returnTo": f"{served.url}/done"}
        return {**given, "uses": ["CALENDAR"], **more}

    async with every_code_of(served, "startCalendarConnection") as refused:
        await refused.one(
            host, START, "CONSENT_REQUIRED", ["input", "acceptedDisclosure"], input=wish(acceptedDisclosure="google-1")
        )
        for address in (f"http://a@evil.example/{served.url}", "javascript:alert(1)", "//evil.example/"):
            with pytest.raises(TopLevelErrors) as strict:
                await host.ask(START, input=wish(returnTo=address))
            assert strict.value.codes == ["BAD_USER_INPUT"]
        for address in ("https://evil.example/", "http://127.0.0.1.evil.example/", served.url.replace("http", "https")):
            error = await refused.one(host, START, "VALIDATION", ["input", "returnTo"], input=wish(returnTo=address))
            assert error["rule"] == "NOT_ONE_OF"
        await refused.one(host, START, "NOT_FOUND", ["input", "reconnect"], input=wish(reconnect="nonsense"))
        await connected(served)
        await refused.one(host, START, "ALREADY_CONNECTED", input=wish())
        own = await _connection(host)
        started = (await host.ask(START, input=wish(reconnect=own["id"])))["startCalendarConnection"]
        assert started["errors"] == []
        assert started["authorizationUrl"].startswith(served.google.endpoints.authorize)
        [cookie] = [cookie for cookie in host.http.cookies.jar if cookie.name == "meetings_oauth"]
        assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == ("/oauth", True)
    with pytest.raises(TopLevelErrors):
        await host.ask(START, input=wish(provider="NONE"))


async def test_choosing_calendars_is_refused(served: Product, host: ApiClient) -> None:
    await connected(served)
    served.google.add_account("team@example.com")
    for name, role in (("Team", "reader"), ("Secret", "freeBusyReader")):
        served.google.share_calendar(served.google.add_calendar("team@example.com", name), HOST_EMAIL, role)
    own = (await _connection(host))["id"]
    async with every_code_of(
        served, "refreshCalendarConnection", elsewhere=[RACES, "NOT_CONNECTED", "CREDENTIALS_REJECTED"]
    ) as refused:
        await refused.one(host, REFRESH, "NOT_FOUND", id="nonsense")
        served.google.fault("calendarList.list", status=503, times=None)
        await refused.one(host, REFRESH, "PROVIDER_UNAVAILABLE", id=own)
        served.google.clear_faults()
        found = (await host.ask(REFRESH, id=own))["refreshCalendarConnection"]
        assert found["errors"] == []
    calendars = {each["name"]: each for each in found["connection"]["availableCalendars"]}
    assert {name: (each["eligible"], each["excludedReason"]) for name, each in calendars.items()} == {
        "Anna Albers": (True, None),
        "Team": (True, None),
        "Secret": (False, "FREE_BUSY_ONLY"),
    }
    main, team, secret = (calendars[name]["id"] for name in ("Anna Albers", "Team", "Secret"))

    async with every_code_of(served, "setBusyCalendars", elsewhere=[RACES, "NOT_CONNECTED"]) as refused:
        errors = await refused.all(host, BUSY, id=own, calendars=[team, secret, "nonsense"])
        assert {(error["code"], *error["path"]) for error in errors} == {
            ("CALENDAR_NOT_ELIGIBLE", "calendarIds", "1"),
            ("CALENDAR_NOT_ELIGIBLE", "calendarIds", "2"),
            ("VALIDATION", "calendarIds"),
        }
        await refused.one(host, BUSY, "NOT_FOUND", id="nonsense", calendars=[main])
    chosen = (await host.ask(BUSY, id=own, calendars=[main, team]))["setBusyCalendars"]["connection"]
    assert [calendar["name"] for calendar in chosen["busyCalendars"]] == ["Anna Albers", "Team"]

    async with every_code_of(served, "setDefaultCalendar", elsewhere=[RACES, "NOT_CONNECTED"]) as refused:
        error = await refused.one(host, DEFAULT, "CALENDAR_NOT_ELIGIBLE", ["calendarId"], id=own, calendar=team)
        assert error["rule"] == "NOT_WRITABLE"
        await refused.one(host, DEFAULT, "CALENDAR_NOT_ELIGIBLE", ["calendarId"], id=own, calendar=secret)
        await refused.one(host, DEFAULT, "NOT_FOUND", id="nonsense", calendar=main)

    await served.here.add_colleague("Ben", "ben@example.com", Role.ADMIN)
    async with ApiClient(served.url) as ben:
        await ben.sign_in("ben@example.com")
        foreign = Refusals(served, "disconnectCalendar")
        await foreign.one(ben, DISCONNECT, "NOT_FOUND", ["connectionId"], id=own)

    served.google.revoke_grants(HOST_EMAIL)
    served.google.expire_access_tokens(HOST_EMAIL)
    rejected = Refusals(served, "refreshCalendarConnection")
    await rejected.one(host, REFRESH, "CREDENTIALS_REJECTED", id=own)
    await until("the letter about it", _nothing_under_way(served))
    async with every_code_of(served, "disconnectCalendar", elsewhere=[RACES]) as refused:
        await refused.one(host, DISCONNECT, "NOT_FOUND", id="nonsense")
    for _ in range(2):
        gone = (await host.ask(DISCONNECT, id=own))["disconnectCalendar"]
        assert (gone["errors"], gone["connection"]["status"]) == ([], "DISCONNECTED")
    for mutation, document, more in (
        ("setBusyCalendars", BUSY, {"calendars": [main]}),
        ("setDefaultCalendar", DEFAULT, {"calendar": main}),
        ("refreshCalendarConnection", REFRESH, {}),
    ):
        await Refusals(served, mutation).one(host, document, "NOT_CONNECTED", id=own, **more)


async def _connection(host: ApiClient) -> dict[str, Any]:
    found = (await host.ask("{ viewer { calendarConnections { id status } } }"))["viewer"]["calendarConnections"]
    [connection] = found
    return dict(connection)


async def test_publishing_a_page_is_refused(served: Product, host: ApiClient) -> None:
    ben = await served.here.add_colleague("Ben", "ben@example.com")
    async with every_code_of(served, "createSchedulingPage", elsewhere=[RACES, LIMIT, *GATES]) as refused:
        errors = await refused.all(host, CREATE_PAGE, input={})
        assert {(error["rule"], *error["path"]) for error in errors} == {
            ("REQUIRED", "input", "internalName"),
            ("REQUIRED", "input", "durationsMinutes"),
        }
        errors = await refused.all(host, CREATE_PAGE, input=BAD_PAGE)
        assert {(error["code"], error["rule"], *error["path"][1:]) for error in errors} == BAD_PAGE_ERRORS
        good = {"internalName": "Intro", "slug": "anna/intro", "durationsMinutes": [30]}
        for slug, rule in (
            ("a b", "MALFORMED"),
            ("admin", "RESERVED"),
            ("a/b/c", "MALFORMED"),
            ("x" * 101, "TOO_LONG"),
        ):
            error = await refused.one(
                host, CREATE_PAGE, "SLUG_INVALID", ["input", "slug"], input={**good, "slug": slug}
            )
            assert error["rule"] == rule
        for kind in ("GROUP", "ROUND_ROBIN"):
            error = await refused.one(host, CREATE_PAGE, "VALIDATION", ["input", "type"], input={**good, "type": kind})
            assert error["rule"] == "NOT_AVAILABLE_YET"
        await refused.one(host, CREATE_PAGE, "NOT_FOUND", ["input", "organizerId"], input={**good, "organizerId": "x"})
        error = await refused.one(
            host,
            CREATE_PAGE,
            "VALIDATION",
            ["input", "hosts", "0", "userId"],
            input={**good, "hosts": [{"userId": "x"}]},
        )
        created = (await host.ask(CREATE_PAGE, input=good))["createSchedulingPage"]
        assert created["errors"] == []
        assert created["page"]["headline"] == "Intro"
        await refused.one(host, CREATE_PAGE, "SLUG_TAKEN", ["input", "slug"], input={**good, "slug": "/Anna/INTRO/"})
        async with ApiClient(served.url) as member:
            await member.sign_in("ben@example.com")
            anna = (await host.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
            other = {**good, "slug": "x", "organizerId": anna}
            error = await refused.one(member, CREATE_PAGE, "PERMISSION_MISSING", input=other)
            assert (error["__typename"], bool(error["permission"])) == ("PermissionMissingError", True)
            bens = (await member.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        for_ben = await host.ask(CREATE_PAGE, input={**good, "slug": "ben", "organizerId": bens})
        assert for_ben["createSchedulingPage"]["errors"] == []
        assert ben.name == "Ben"


BAD_PAGE: dict[str, Any] = {
    "internalName": "x" * 201,
    "slug": "a b",
    "headline": "",
    "eventTitle": "Call with {{nobody}}",
    "locationKind": "IN_PERSON",
    "locale": "klingon",
    "accentColor": "red",
    "logoUrl": "javascript:alert(1)",
    "avatar": "CUSTOM_AVATAR",
    "durationsMinutes": [0, 30, 30],
    "defaultDurationMinutes": 45,
    "startIncrementMinutes": 7,
    "bufferBefore": "P1D",
    "bufferAfter": "PT25H",
    "minimumNotice": "P400D",
    "rollingWindow": "P1DT1H",
    "maxPerDay": 0,
    "availability": {
        "timeZone": "Europe/Berlin",
        "weekly": [{"days": ["MONDAY"], "from": "17:00", "to": "09:00"}],
        "overrides": [{"date": "2026-12-24", "hours": []}, {"date": "2026-12-24", "hours": []}],
    },
    "formFields": [{"key": "email", "label": "", "kind": "SELECT"}],
    "guestsAllowed": True,
    "maxGuests": 11,
    "consents": [{"key": "a b", "textMarkdown": "", "required": True}],
    "redirectUrl": "javascript:alert(1)",
    "reminders": ["P1D", "PT1H", "PT30M", "PT0M"],
    "remindersIncludeDescription": None,
}
BAD_PAGE_ERRORS = {
    ("VALIDATION", "TOO_LONG", "internalName"),
    ("SLUG_INVALID", "MALFORMED", "slug"),
    ("VALIDATION", "REQUIRED", "headline"),
    ("VALIDATION", "UNKNOWN_TOKEN", "eventTitle"),
    ("VALIDATION", "REQUIRED", "locationText"),
    ("VALIDATION", "NOT_A_LOCALE", "locale"),
    ("VALIDATION", "NOT_A_COLOR", "accentColor"),
    ("VALIDATION", "NOT_A_URL", "logoUrl"),
    ("VALIDATION", "REQUIRED", "avatarUrl"),
    ("VALIDATION", "DUPLICATE", "durationsMinutes"),
    ("VALIDATION", "TOO_SMALL", "durationsMinutes", "0"),
    ("VALIDATION", "NOT_ONE_OF", "defaultDurationMinutes"),
    ("VALIDATION", "NOT_ONE_OF", "startIncrementMinutes"),
    ("VALIDATION", "MALFORMED", "bufferBefore"),
    ("VALIDATION", "TOO_LARGE", "bufferAfter"),
    ("VALIDATION", "TOO_LARGE", "minimumNotice"),
    ("VALIDATION", "WHOLE_DAYS_ONLY", "rollingWindow"),
    ("VALIDATION", "TOO_SMALL", "maxPerDay"),
    ("VALIDATION", "END_BEFORE_START", "availability", "weekly", "0", "to"),
    ("VALIDATION", "DUPLICATE", "availability", "overrides", "1", "date"),
    ("VALIDATION", "RESERVED", "formFields", "0", "key"),
    ("VALIDATION", "REQUIRED", "formFields", "0", "label"),
    ("VALIDATION", "REQUIRED", "formFields", "0", "options"),
    ("VALIDATION", "TOO_LARGE", "maxGuests"),
    ("VALIDATION", "MALFORMED", "consents", "0", "key"),
    ("VALIDATION", "REQUIRED", "consents", "0", "textMarkdown"),
    ("VALIDATION", "NOT_A_URL", "redirectUrl"),
    ("VALIDATION", "TOO_MANY", "reminders"),
    ("VALIDATION", "TOO_SMALL", "reminders", "3"),
    ("VALIDATION", "REQUIRED", "remindersIncludeDescription"),
}


async def test_changing_a_page_is_refused(served: Product, host: ApiClient) -> None:
    await served.here.page()
    await served.here.page("anna/other")
    await served.here.add_colleague("Ben", "ben@example.com")
    own = (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"][0]
    async with every_code_of(served, "updateSchedulingPage", elsewhere=[RACES, *GATES]) as refused:
        await refused.one(host, UPDATE_PAGE, "PAGE_NOT_FOUND", id="nonsense", input={"headline": "x"})
        errors = await refused.all(
            host, UPDATE_PAGE, id=own["id"], input={"headline": None, "availability": None, "durationsMinutes": []}
        )
        assert {(error["rule"], *error["path"]) for error in errors} == {
            ("REQUIRED", "input", "headline"),
            ("REQUIRED", "input", "availability"),
            ("REQUIRED", "input", "durationsMinutes"),
        }
        for name, value in (("type", "GROUP"), ("organizerId", "x")):
            error = await refused.one(
                host, UPDATE_PAGE, "VALIDATION", ["input", name], id=own["id"], input={name: value}
            )
            assert error["rule"] == "CANNOT_CHANGE"
        await refused.one(
            host, UPDATE_PAGE, "VALIDATION", ["input", "windowTo"], id=own["id"], input={"windowFrom": "2026-12-01"}
        )
        await refused.one(
            host, UPDATE_PAGE, "VALIDATION", ["input", "rollingWindow"], id=own["id"], input={"rollingWindow": None}
        )
        await refused.one(host, UPDATE_PAGE, "SLUG_INVALID", ["input", "slug"], id=own["id"], input={"slug": "a b"})
        await refused.one(
            host, UPDATE_PAGE, "SLUG_TAKEN", ["input", "slug"], id=own["id"], input={"slug": "anna/other"}
        )
        changed = await host.ask(UPDATE_PAGE, id=own["id"], revision=1, input={"headline": "New", "maxPerDay": 3})
        assert changed["updateSchedulingPage"]["errors"] == []
        assert (changed["updateSchedulingPage"]["page"]["revision"]) == 2
        stale = await refused.one(
            host, UPDATE_PAGE, "STALE_REVISION", ["ifRevision"], id=own["id"], revision=1, input={"headline": "Old"}
        )
        assert (stale["__typename"], stale["currentRevision"]) == ("ConflictError", 2)
        kept = (await host.ask(UPDATE_PAGE, id=own["id"], input={"maxPerDay": None}))["updateSchedulingPage"]["page"]
        assert (kept["headline"], kept["maxPerDay"], kept["revision"]) == ("New", None, 3)
        same = (await host.ask(UPDATE_PAGE, id=own["id"], input={}))["updateSchedulingPage"]["page"]
        assert same["revision"] == 3
        async with ApiClient(served.url) as ben:
            await ben.sign_in("ben@example.com")
            await refused.one(ben, UPDATE_PAGE, "PERMISSION_MISSING", id=own["id"], input={"headline": "Ben's"})
            seen = (await ben.ask(PAGES))["viewer"]["schedulingPages"]["nodes"]
            assert own["id"] in {each["id"] for each in seen}


async def test_copying_archiving_and_choosing_pages_is_refused(served: Product, host: ApiClient) -> None:
    await served.here.page()
    await served.here.page("anna/other")
    first, second = ((each["id"]) for each in (await host.ask(PAGES))["viewer"]["schedulingPages"]["nodes"])
    async with every_code_of(served, "duplicateSchedulingPage", elsewhere=["VALIDATION", LIMIT, *GATES]) as refused:
        await refused.one(host, DUPLICATE, "PAGE_NOT_FOUND", id="nonsense", slug="copy")
        await refused.one(host, DUPLICATE, "SLUG_INVALID", ["slug"], id=first, slug="a b")
        await refused.one(host, DUPLICATE, "SLUG_TAKEN", ["slug"], id=first, slug="anna/other")
        copy = (await host.ask(DUPLICATE, id=first, slug="copy"))["duplicateSchedulingPage"]
        assert (copy["errors"], copy["page"]["slug"]) == ([], "copy")
    async with every_code_of(served, "archiveSchedulingPage", elsewhere=[RACES, LIMIT]) as refused:
        await refused.one(host, ARCHIVE, "PAGE_NOT_FOUND", id="nonsense", down=True)
        error = await refused.one(host, ARCHIVE, "VALIDATION", ["id"], id=first, down=True)
        assert error["rule"] == "MOVE_DEFAULT_FIRST"
        for down in (True, True, False, False):
            done = (await host.ask(ARCHIVE, id=second, down=down))["archiveSchedulingPage"]
            assert (done["errors"], done["page"]["archivedAt"] is not None) == ([], down)
    async with every_code_of(served, "setDefaultSchedulingPage", elsewhere=[RACES, *GATES]) as refused:
        await refused.one(host, MAKE_DEFAULT, "VALIDATION", ["id"], id="nonsense")
        chosen = (await host.ask(MAKE_DEFAULT, id=second))["setDefaultSchedulingPage"]
        assert chosen == {"page": {"id": second, "isDefault": True}, "errors": []}
        assert (await host.ask(ARCHIVE, id=first, down=True))["archiveSchedulingPage"]["errors"] == []
        await refused.one(host, MAKE_DEFAULT, "VALIDATION", ["id"], id=first)


# ---- who may ------------------------------------------------------------------------------------------------------

TEAM_MAIL = {"channelId": "x", "to": "x", "subject": "x", "text": "x", "idempotencyKey": "x"}
MAIL_TO_CONTACT = {"contactId": "x", "subject": "x", "bodyMarkdown": "x", "idempotencyKey": "x"}
ANY_SEQUENCE = {"name": "x", "steps": [{"delay": "PT0M", "subject": "x", "bodyMarkdown": "x"}]}
SOME_TIMES = {"page": "x", "from": "2026-11-23", "to": "2026-11-23", "zone": "Europe/Berlin", "count": 1}
NEW_PAGE = {"internalName": "x", "slug": "x", "durationsMinutes": [30]}
EVERY_MUTATION: list[tuple[str, str, dict[str, Any]]] = [
    ("signIn", SIGN_IN, {"e": HOST_EMAIL, "p": PASSWORD}),
    ("signOut", SIGN_OUT, {}),
    ("createApiToken", TOKEN, {"name": "x", "scopes": ["READ"]}),
    ("revokeApiToken", REVOKE, {"id": "x"}),
    ("updateSettings", SETTINGS, {"input": {"hour12": True}}),
    ("updateChatProfile", CHAT_PROFILE, {"input": {"showMeetingLink": True}}),
    ("startCalendarConnection", START, {"input": {"provider": "GOOGLE", "acceptedDisclosure": "x", "returnTo": "http://x.example"}}),
    ("setDefaultCalendar", DEFAULT, {"id": "x", "calendar": "x"}),
    ("setBusyCalendars", BUSY, {"id": "x", "calendars": []}),
    ("refreshCalendarConnection", REFRESH, {"id": "x"}),
    ("disconnectCalendar", DISCONNECT, {"id": "x"}),
    ("startInboxConnection", START_INBOX, {"provider": "GOOGLE", "version": "x", "returnTo": "http://x.example"}),
    ("connectExchangeInbox", EXCHANGE_INBOX, {"input": {}, "version": "x"}),
    ("connectImapInbox", IMAP_INBOX, {"input": {}, "version": "x"}),
    ("disconnectInbox", DISCONNECT_INBOX, {"id": "x"}),
    ("createTeamChannel", CREATE_CHANNEL, {"provider": "HOSTED", "name": "x"}),
    ("connectTeamMailbox", CONNECT_CHANNEL, {"id": "x", "provider": "GOOGLE", "version": "x", "returnTo": "http://x.example"}),
    ("removeTeamChannel", REMOVE_CHANNEL, {"id": "x"}),
    ("sendTeamEmail", SEND_AS_TEAM, {"input": TEAM_MAIL}),
    ("connectExchangeCalendar", CONNECT_MAILBOX, {"input": {}, "version": "x"}),
    ("testExchangeConnection", TEST_MAILBOX, {"input": {}}),
    ("setExchangePreset", SET_PRESET, {"domain": "x", "url": "x"}),
    ("removeExchangePreset", REMOVE_PRESET, {"domain": "x"}),
    ("setExchangeFullSync", FULL_SYNC, {"on": True}),
    ("setInternalDomains", INTERNAL_DOMAINS, {"domains": []}),
    ("exportPerson", EXPORT, {"email": "x@example.com"}),
    ("erasePerson", ERASE, {"email": "x@example.com"}),
    ("updateMeetingUrl", SET_URL, {"url": "x"}),
    ("assignSeats", ASSIGN, {"hub": "SALES", "users": []}),
    ("createMeetingLink", LINK, {"input": {"pageId": "x"}}),
    ("sendEmail", SEND_EMAIL, {"input": MAIL_TO_CONTACT}),
    ("markEmailThread", MARK_THREAD, {"id": "x", "read": True}),
    ("setEmailLogging", SET_LOGGING, {"rule": "REPLIES_ONLY"}),
    ("createSequence", CREATE_SEQUENCE, {"input": ANY_SEQUENCE}),
    ("updateSequence", UPDATE_SEQUENCE, {"id": "x", "input": ANY_SEQUENCE}),
    ("archiveSequence", ARCHIVE_SEQUENCE, {"id": "x"}),
    ("enrollInSequence", ENROLL, {"id": "x", "contacts": ["x"]}),
    ("pauseEnrollment", PAUSE_ENROLLMENT, {"id": "x"}),
    ("resumeEnrollment", RESUME_ENROLLMENT, {"id": "x"}),
    ("cancelEnrollment", CANCEL_ENROLLMENT, {"id": "x"}),
    ("insertAvailableTimes", INSERT, SOME_TIMES),
    ("renderEmailTemplate", RENDER, {"template": "x"}),
    ("inviteUser", INVITE, {"input": {"name": "x", "email": "x@example.com"}}),
    ("inviteUserAgain", AGAIN, {"who": "x"}),
    ("acceptInvitation", JOIN, {"token": "x", "password": PASSWORD}),
    ("setUserRole", ROLE, {"who": "x", "role": "ADMIN"}),
    ("setUserPermissions", ALLOW, {"who": "x", "may": []}),
    ("deactivateUser", DEACTIVATE, {"who": "x"}),
    ("reactivateUser", REACTIVATE, {"who": "x"}),
    ("addDomain", domain_manager.ADD, {"host": "meet.example.org"}),
    ("checkDomain", domain_manager.CHECK, {"id": "x"}),
    ("setPrimaryDomain", domain_manager.PRIMARY, {"id": "x"}),
    ("setDomainIndexing", domain_manager.INDEXING, {"id": "x", "allowed": True}),
    ("removeDomain", domain_manager.REMOVE, {"id": "x"}),
    ("setMeetingDomain", domain_manager.CHOOSE, {"domain": "meet.example.org"}),
    ("revokeSeats", REVOKE_SEATS, {"hub": "SALES", "users": []}),
    ("createSchedulingPage", CREATE_PAGE, {"input": NEW_PAGE}),
    ("updateSchedulingPage", UPDATE_PAGE, {"id": "x", "input": {}}),
    ("duplicateSchedulingPage", DUPLICATE, {"id": "x", "slug": "x"}),
    ("archiveSchedulingPage", ARCHIVE, {"id": "x", "down": True}),
    ("setDefaultSchedulingPage", MAKE_DEFAULT, {"id": "x"}),
    ("holdSlot", HOLD, {"input": {"page": page(), "start": at("10:00")}}),
    ("releaseSlot", RELEASE, {}),
    ("bookMeeting", BOOK, {"input": book(at("10:00"))}),
    ("requestMeeting", REQUEST, {"input": request(at("10:00"))}),
    ("acceptMeetingRequest", ACCEPT, {"id": "x", "start": at("10:00")}),
    ("declineMeetingRequest", DECLINE, {"id": "x"}),
    ("rescheduleBooking", MOVE, {"booking": {"token": "x"}, "start": at("10:00"), "key": "k"}),
    ("cancelBooking", CANCEL, {"booking": {"token": "x"}}),
    ("connectHubSpot", CONNECT_HUBSPOT, {"token": "x"}),
    ("startHubSpotConnection", START_HUBSPOT, {"returnTo": "http://127.0.0.1/dashboard"}),
    ("disconnectHubSpot", DISCONNECT_HUBSPOT, {}),
    ("createContact", CREATE_CONTACT, {"email": "vera@visitors.example"}),
    ("updateContact", UPDATE_CONTACT, {"id": "x", "input": {}}),
    ("createMeetingEngagement", PLAN_MEETING, {"input": NEW_MEETING}),
    ("updateMeetingEngagement", CHANGE_MEETING, {"id": "x", "input": {}}),
]  # fmt: skip
PUBLIC = {
    "acceptInvitation",
    "signIn",
    "signOut",
    "holdSlot",
    "releaseSlot",
    "bookMeeting",
    "requestMeeting",
    "rescheduleBooking",
    "cancelBooking",
}


def _nothing_under_way(served: Product) -> Callable[[], Awaitable[bool]]:
    async def nothing() -> bool:
        return not await served.here.unfinished()

    return nothing


async def test_a_token_that_may_only_read_changes_nothing(served: Product, host: ApiClient) -> None:
    """A-AP7, for every mutation there is."""
    assert {name for name, _, _ in EVERY_MUTATION} == set(DECLARED)
    await served.here.page()
    token = (await host.ask(TOKEN, name="reads", scopes=["READ"]))["createApiToken"]["token"]
    async with ApiClient(served.url, token=token) as program:
        assert (await program.ask("{ viewer { role } }"))["viewer"] == {"role": "OWNER"}
        for name, document, variables in EVERY_MUTATION:
            if name == "signOut":
                payload = (await program.ask(document, **variables))[name]
                assert [error["code"] for error in payload["errors"]] == ["PERMISSION_MISSING"]
                continue
            await Refusals(served, name).one(program, document, "PERMISSION_MISSING", **variables)


async def test_what_needs_somebody_signed_in_is_refused_to_anybody_else(served: Product, visitor: ApiClient) -> None:
    for name, document, variables in EVERY_MUTATION:
        if name in PUBLIC:
            continue
        with pytest.raises(TopLevelErrors) as refused:
            await visitor.ask(document, **variables)
        assert refused.value.codes == ["UNAUTHENTICATED"], name
    for document in (MOVE, CANCEL):
        with pytest.raises(TopLevelErrors) as refused:
            await visitor.ask(document, booking={"id": "x"}, start=at("10:00"), key="k")
        assert refused.value.codes == ["UNAUTHENTICATED"]
