"""No page gets an address that is the product's own."""

from meetings.adapters.google.simulator import GoogleSimulator
from meetings.domain.slug import RESERVED_WORDS
from meetings.infrastructure.app import create_app
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.databases import database_url, simulators, sqlite_template
from tests.world import settings_for

__all__ = ["database_url", "simulators", "sqlite_template"]


def test_s49_what_every_address_of_the_product_begins_with_is_a_reserved_word(
    database_url: str, simulators: tuple[GoogleSimulator, MailCatcher]
) -> None:
    app = create_app(settings_for(database_url, *simulators, public_url="http://localhost:8000"), with_worker=False)
    first = {path.split("/")[1] for path in app.openapi()["paths"]} - {""}
    assert {"b", "meetings", "p", "oauth", "unsubscribe"} <= first
    assert first <= RESERVED_WORDS
