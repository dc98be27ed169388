"""The calendar providers of this installation: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meetings.adapters.google.provider import GoogleSettings, google_provider
from meetings.adapters.google.wire import notification as google_notification
from meetings.application.ports.calendars import CalendarProvider, Providers
from meetings.application.ports.clock import Clock
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.settings import Settings


@dataclass(frozen=True, slots=True)
class Notice:
    """A provider's call: something changed behind this channel. `greeting` calls only say that the channel stands."""

    channel_id: str
    secret: str
    greeting: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """How a provider is made from the settings, None where it is not set up, and how its calls are read."""

    make: Callable[[Settings, Clock], CalendarProvider | None]
    notice_in: Callable[[Mapping[str, str]], Notice | None]


def providers_of(settings: Settings, clock: Clock) -> Providers:
    """Those that are set up; the API says of the others that they are not. To be made once per process."""
    made = {provider: registered.make(settings, clock) for provider, registered in REGISTRY.items()}
    return {provider: ready for provider, ready in made.items() if ready is not None}


def _google(settings: Settings, clock: Clock) -> CalendarProvider | None:
    if settings.google_client_id is None or settings.google_client_secret is None:
        return None
    elsewhere = {
        "authorize_url": settings.google_authorize_url,
        "token_url": settings.google_token_url,
        "revoke_url": settings.google_revoke_url,
        "api_url": settings.google_api_url,
    }
    client = GoogleSettings(
        client_id=settings.google_client_id,
        client_secret=settings.google_client_secret.get_secret_value(),
        **{name: address for name, address in elsewhere.items() if address is not None},  # type: ignore[arg-type]
    )
    return google_provider(client, now=clock)


def _google_notice(headers: Mapping[str, str]) -> Notice | None:
    told = google_notification(headers)
    return Notice(told.channel_id, told.secret, told.is_greeting) if told else None


REGISTRY: Mapping[Provider, Registered] = {
    Provider.GOOGLE: Registered(_google, _google_notice),
}
