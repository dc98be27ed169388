"""The calendar providers of this installation: one line each."""

from collections.abc import Mapping
from typing import Any

from meetings.adapters.exchange import provider as exchange
from meetings.adapters.google import provider as google
from meetings.adapters.office365 import provider as office365
from meetings.application.ports.calendars import Providers, Registration
from meetings.application.ports.clock import Clock
from meetings.domain.calendar_connection import Provider

REGISTRY: Mapping[Provider, Registration] = {
    Provider.GOOGLE: google.REGISTRATION,
    Provider.OFFICE365: office365.REGISTRATION,
    Provider.EXCHANGE: exchange.REGISTRATION,
}


def providers_of(set_up: Mapping[Provider, Any], clock: Clock) -> Providers:
    """Those with settings; the API says of the others that they are not offered. To be made once per process."""
    return {provider: REGISTRY[provider].make(settings, clock) for provider, settings in set_up.items()}
