"""The calendar providers of this installation: one line each."""

from collections.abc import Mapping
from typing import Any

from meetings.adapters.exchange import provider as exchange
from meetings.adapters.google import provider as google
from meetings.adapters.office365 import provider as office365
from meetings.application.ports.calendars import Providers, Registration
from meetings.application.ports.clock import Clock
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


def inbox_offers_of(providers: Providers) -> InboxOffers:
    """What the providers of this process offer for mail."""
    offers = (provider.inbox for provider in providers.values())
    return {offer.provider: offer for offer in offers if offer is not None}
