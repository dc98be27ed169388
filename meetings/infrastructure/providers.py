"""The providers of this installation: one line each for calendars and mail together, and mail by IMAP for itself."""

from collections.abc import Mapping
from typing import Any

from meetings.adapters.exchange import provider as exchange
from meetings.adapters.google import provider as google
from meetings.adapters.imap.provider import ImapSettings, imap_offer
from meetings.adapters.office365 import provider as office365
from meetings.application.ports.calendars import Providers, Registration
from meetings.application.ports.clock import Clock
from meetings.application.ports.dns import ServiceRecords
from meetings.application.ports.mail_accounts import InboxOffers
from meetings.domain.calendar_connection import Provider

REGISTRY: Mapping[Provider, Registration] = {
    Provider.GOOGLE: google.REGISTRATION,
    Provider.OFFICE365: office365.REGISTRATION,
    Provider.EXCHANGE: exchange.REGISTRATION,
}


def providers_of(set_up: Mapping[Provider, Any], clock: Clock) -> Providers:
    """Those with settings; the API says of the others that they are not offered. To be made once per process."""
    return {provider: REGISTRY[provider].make(settings, clock) for provider, settings in set_up.items()}


def inbox_offers_of(providers: Providers, imap: ImapSettings, *, records: ServiceRecords, clock: Clock) -> InboxOffers:
    """What the providers of this process offer for mail, and any server that speaks IMAP and SMTP. To be made once per
    process."""
    offers = (*(provider.inbox for provider in providers.values()), imap_offer(imap, records=records, now=clock))
    return {offer.provider: offer for offer in offers if offer is not None}
