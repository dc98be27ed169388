"""Browsers that booked on a custom domain: known by their nonce, and forgotten with the person (S67, A-FO6)."""

from uuid import UUID, uuid4

from meetings.domain.booking import BookingState
from meetings.domain.identifiers import BookingId
from tests.builders import a_booking, an_invitee
from tests.contracts.database.conftest import Tenant

HOST = "meet.example.test"


async def a_visitor(tenant: Tenant, email: str, *, host: str = HOST) -> UUID:
    """A browser whose last booking is of this invitee."""
    visitor = uuid4()
    booking = a_booking(tenant.page, invitee=an_invitee(email=email), state=BookingState.REQUESTED)
    async with tenant.begin(tenant.account.account_id) as work:
        work.bookings.add(booking)
        await work.commit()
    async with tenant.begin(tenant.account.account_id) as work:
        await work.visitors.remember(visitor, booking.id, host=host, nonce_hash="nonce", days=1)
        await work.commit()
    return visitor


async def last_booking(tenant: Tenant, visitor: UUID, *, host: str = HOST, nonce: str = "nonce") -> BookingId | None:
    async with tenant.look(tenant.account.account_id) as work:
        return await work.visitors.last_booking(visitor, host=host, nonce_hash=nonce)


async def forget(tenant: Tenant, email: str) -> int:
    async with tenant.begin(tenant.account.account_id) as work:
        count = await work.visitors.forget_of_email(email)
        await work.commit()
    return count


async def test_a_browser_is_known_under_its_host_by_its_nonce_in_its_account(tenant: Tenant, stranger: Tenant) -> None:
    visitor = await a_visitor(tenant, "grace@example.org")
    assert await last_booking(tenant, visitor) is not None
    assert await last_booking(tenant, visitor, host="other.example.test") is None
    assert await last_booking(tenant, visitor, nonce="another") is None
    assert await last_booking(stranger, visitor) is None
    assert await last_booking(tenant, uuid4()) is None


async def test_erasing_a_person_forgets_all_their_browsers_and_nobody_elses(tenant: Tenant, stranger: Tenant) -> None:
    first = await a_visitor(tenant, "Grace.Größe@example.org")
    second = await a_visitor(tenant, "grace.GRÖSSE@example.org", host="second.example.test")
    other = await a_visitor(tenant, "ada@example.org")
    elsewhere = await a_visitor(stranger, "grace.größe@example.org")
    assert await forget(tenant, " GRACE.größe@EXAMPLE.org ") == 2
    assert await last_booking(tenant, first) is None
    assert await last_booking(tenant, second, host="second.example.test") is None
    assert await last_booking(tenant, other) is not None
    assert await last_booking(stranger, elsewhere) is not None
    assert await forget(tenant, "grace.größe@example.org") == 0


async def test_a_forgotten_browser_is_known_again_once_it_books(tenant: Tenant) -> None:
    visitor = await a_visitor(tenant, "grace@example.org")
    booking_id = await last_booking(tenant, visitor)
    assert booking_id is not None
    await forget(tenant, "grace@example.org")
    async with tenant.begin(tenant.account.account_id) as work:
        await work.visitors.remember(visitor, booking_id, host=HOST, nonce_hash="another", days=1)
        await work.commit()
    assert await last_booking(tenant, visitor, nonce="another") == booking_id


async def test_forgetting_is_part_of_the_transaction(tenant: Tenant) -> None:
    visitor = await a_visitor(tenant, "grace@example.org")
    async with tenant.begin(tenant.account.account_id) as work:
        assert await work.visitors.forget_of_email("grace@example.org") == 1
    assert await last_booking(tenant, visitor) is not None
