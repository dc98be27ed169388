"""What conversations begin with."""

from typing import Any

from meetings.application.ports.reads import PagePointer
from meetings.domain.calendar_connection import ConnectionStatus
from tests.product import Product, until


async def connected(served: Product) -> None:
    """Anna's calendar is connected and has been read; the product's own worker may have had a hand in it."""
    await served.here.connect()

    async def read() -> bool:
        return (await served.here.connection()).status is ConnectionStatus.ACTIVE

    await until("reading the calendar", read)


async def online(served: Product, **settings: Any) -> PagePointer:
    """A page of Anna's that books at once."""
    await connected(served)
    return await served.here.page(**settings)
