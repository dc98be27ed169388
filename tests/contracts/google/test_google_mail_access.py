"""One sign-in, two uses: what is asked for, what people tick, and what it then opens (A-CC6's sibling, OA-3, X11)."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from meetings.application.ports.calendars import AccessNotGranted, Granted, MailboxNotFound, ReauthorizationNeeded
from meetings.application.ports.mail_accounts import InboxOffer
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, EMAIL_ONLY, AccountUse
from tests.contracts.calendars.google_world import ADA, REDIRECT, GoogleWorld, google_world
from tests.contracts.calendars.world import HeldCredentials
from tests.contracts.mail.following import Follower
from tests.contracts.mail.letters import an_outgoing

CALENDAR = "https://www.googleapis.com/auth/calendar"
SEND, READ = "https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.readonly"
SIGN_IN = {"openid", "email"}


@pytest.fixture
def world() -> Iterator[GoogleWorld]:
    with google_world() as started:
        started.provider = started.provider_with(mail_api_url=started.google.endpoints.mail_api)
        yield started


def _inbox(world: GoogleWorld) -> InboxOffer:
    offer: InboxOffer = world.provider.inbox
    return offer


async def _sign_in(world: GoogleWorld, uses: frozenset[AccountUse], ticked: tuple[str, ...] | None = None) -> Granted:
    page = world.provider.sign_in
    begun = await page.begin(state="s", redirect_uri=REDIRECT, login_hint=None, uses=uses)
    back = world.google.auto_consent(ADA, begun.url, scopes=ticked)
    code = parse_qs(urlsplit(back).query)["code"][0]
    granted: Granted = await page.finish(code=code, verifier=begun.verifier, redirect_uri=REDIRECT)
    return granted


@pytest.mark.parametrize(
    ("uses", "scopes"),
    [(CALENDAR_ONLY, {CALENDAR}), (EMAIL_ONLY, {SEND, READ}), (BOTH, {CALENDAR, SEND, READ})],
)
async def test_exactly_what_a_use_needs_is_asked_for(
    world: GoogleWorld, uses: frozenset[AccountUse], scopes: set[str]
) -> None:
    begun = await world.provider.sign_in.begin(state="s", redirect_uri=REDIRECT, login_hint=None, uses=uses)
    assert set(parse_qs(urlsplit(begun.url).query)["scope"][0].split()) == SIGN_IN | scopes


@pytest.mark.parametrize("uses", [CALENDAR_ONLY, EMAIL_ONLY, BOTH])
async def test_what_was_granted_is_told(world: GoogleWorld, uses: frozenset[AccountUse]) -> None:
    assert (await _sign_in(world, uses)).uses == uses


@pytest.mark.parametrize(
    ("ticked", "uses"),
    [
        ((CALENDAR,), CALENDAR_ONLY),
        ((SEND, READ), EMAIL_ONLY),
        ((CALENDAR, SEND), CALENDAR_ONLY),
        ((CALENDAR, READ), CALENDAR_ONLY),
        ((CALENDAR, SEND, READ), BOTH),
    ],
)
async def test_each_box_can_be_left_unticked_and_switches_off_only_its_use(
    world: GoogleWorld, ticked: tuple[str, ...], uses: frozenset[AccountUse]
) -> None:
    assert (await _sign_in(world, BOTH, ticked)).uses == uses


@pytest.mark.parametrize("ticked", [(), (SEND,), (READ,)])
async def test_what_opens_nothing_is_no_connection(world: GoogleWorld, ticked: tuple[str, ...]) -> None:
    with pytest.raises(AccessNotGranted):
        await _sign_in(world, BOTH, ticked)


async def test_one_credential_opens_both(world: GoogleWorld) -> None:
    credentials = HeldCredentials((await _sign_in(world, BOTH)).credentials)
    assert (await world.provider.calendars(credentials).list_calendars())[0].external_id == ADA
    await Follower(_inbox(world).mail(credentials)).follow()


async def test_a_refresh_keeps_what_was_granted(world: GoogleWorld) -> None:
    credentials = HeldCredentials((await _sign_in(world, BOTH)).credentials)
    world.google.expire_access_tokens(ADA)
    await Follower(_inbox(world).mail(credentials)).follow()
    await world.provider.calendars(credentials).list_calendars()
    assert credentials.renewals == 1


async def test_credentials_for_the_calendar_alone_do_not_open_the_mailbox(world: GoogleWorld) -> None:
    mail = _inbox(world).mail(HeldCredentials((await _sign_in(world, CALENDAR_ONLY)).credentials))
    with pytest.raises(ReauthorizationNeeded):
        await Follower(mail).follow()
    with pytest.raises(ReauthorizationNeeded):
        await mail.send(an_outgoing(ADA))


async def test_a_grant_that_is_taken_back_closes_both(world: GoogleWorld) -> None:
    credentials = HeldCredentials((await _sign_in(world, BOTH)).credentials)
    await world.provider.sign_in.revoke(await credentials.current())
    with pytest.raises(ReauthorizationNeeded):
        await Follower(_inbox(world).mail(credentials)).follow()
    with pytest.raises(ReauthorizationNeeded):
        await world.provider.calendars(credentials).list_calendars()


async def test_an_account_without_gmail_has_no_mailbox(world: GoogleWorld) -> None:
    mail = _inbox(world).mail(HeldCredentials((await _sign_in(world, BOTH)).credentials))
    world.google.mail.take_gmail_away(ADA)
    with pytest.raises(MailboxNotFound):
        await Follower(mail).follow()
    with pytest.raises(MailboxNotFound):
        await mail.send(an_outgoing(ADA))
