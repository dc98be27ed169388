"""Looking at everything the product needs, and saying what to do about what is missing."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis.asyncio
from aiosmtplib import SMTP, SMTPException
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from meetings.adapters.hubspot.transport import Transport
from meetings.adapters.smtp.mailer import SmtpSecurity
from meetings.application.ports.calendars import ProviderError, ReauthorizationNeeded
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.domain.base import NotFound
from meetings.domain.calendar_connection import Provider
from meetings.domain.identifiers import AccountId
from meetings.infrastructure.hubspot_records import HubSpotRecords, NoClient, hubspot_sign_in
from meetings.infrastructure.provider_settings import fields_without_default
from meetings.infrastructure.providers import REGISTRY
from meetings.infrastructure.runtime import Process, Runtime, utc_now
from meetings.infrastructure.secrets import BadKeys, SealBroken
from meetings.infrastructure.settings import Settings

_SECONDS = 5.0
_PORTAL_SECONDS = 15.0
"""For all that asking one portal takes; each call to it has the shorter time."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, and what to do: None when it is fine."""

    what: str
    found: str
    advice: str | None = None

    @property
    def fine(self) -> bool:
        return self.advice is None


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """One finding after the other, each within a few seconds."""
    for finding in _settings(settings):
        yield finding
    for what, check in _CHECKS.items():
        yield await _within_time(what, check(settings))
    for finding in await asyncio.gather(*(_reachable(address) for address in _provider_addresses(settings))):
        yield finding
    for portal in await _portals(settings):
        yield portal


def _settings(settings: Settings) -> list[Finding]:
    found = [
        Finding("environment", settings.environment.value),
        Finding("public address", settings.public_url),
        Finding("secret keys", f"{len(settings.keyring().key_ids)}, the newest is {settings.keyring().newest}"),
        *(_provider(settings, provider) for provider in REGISTRY),
    ]
    push = "providers call us" if settings.uses_push else "calendars are polled, because the address is not https"
    found.append(Finding("changes in calendars", push))
    if settings.production and not settings.trusted_proxies:
        found.append(
            Finding(
                "proxies",
                "none is trusted, so every visitor seems to come from the proxy's address",
                "set MEETINGS_TRUSTED_PROXIES to the address or network of your proxy",
            )
        )
    return found


def _provider(settings: Settings, provider: Provider) -> Finding:
    """Not to offer a provider is a choice, as long as there is one of those with a consent page."""
    what = f"{provider.value.title()} calendars"
    if provider in settings.providers:
        return Finding(what, "set up")
    registered_here = [name for name in settings.providers if fields_without_default(REGISTRY[name])]
    callback = f"{settings.public_url}/oauth/{provider.value.lower()}/callback"
    advice = REGISTRY[provider].set_up.format(callback=callback)
    return Finding(what, "not set up", None if registered_here else advice)


async def _within_time(what: str, check: Awaitable[Finding]) -> Finding:
    try:
        async with asyncio.timeout(_SECONDS):
            return await check
    except TimeoutError:
        return Finding(what, f"no answer within {_SECONDS:g} s", "check the address and the network in between")


async def _database(settings: Settings) -> Finding:
    async with Runtime.open(Process(settings)) as runtime:
        try:
            newest = await runtime.database.ready()
        except (SQLAlchemyError, OSError, LockTimeout) as error:
            return Finding("database", f"cannot be reached ({_reason(error)})", "check MEETINGS_DATABASE_URL")
        if not newest:
            return Finding("database", "its schema is not the newest", "run `meetings migrate`")
        try:
            await runtime.database.check_keys()
        except BadKeys as bad:
            return Finding(
                "database", f"it was sealed by other keys: {bad}", "put the missing key into MEETINGS_SECRET_KEYS"
            )
    return Finding("database", "reachable, newest schema, and the secret keys fit")


async def _broker(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("broker", "in this process: one process does everything")
    url = settings.redis_url.get_secret_value()
    client = redis.asyncio.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return Finding("broker", f"Redis cannot be reached ({_reason(error)})", "check MEETINGS_REDIS_URL")
    finally:
        await client.aclose()
    return Finding("broker", "Redis answers")


async def _mail(settings: Settings) -> Finding:
    smtp = settings.smtp()
    connection = SMTP(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username,
        password=smtp.password,
        timeout=_SECONDS,
        use_tls=smtp.security is SmtpSecurity.TLS,
        start_tls=smtp.security is SmtpSecurity.STARTTLS,
        tls_context=ssl.create_default_context(cafile=smtp.authority_file),
    )
    where = f"{smtp.host}:{smtp.port} ({smtp.security.value})"
    try:
        await connection.connect()
        await connection.quit()
    except (SMTPException, OSError, ValueError) as error:
        return Finding("mail", f"{where} cannot be used ({_reason(error)})", "check MEETINGS_SMTP_URL")
    return Finding("mail", f"{where} takes our sign-in")


_CHECKS: dict[str, Callable[[Settings], Awaitable[Finding]]] = {
    "database": _database,
    "broker": _broker,
    "mail": _mail,
}


def _provider_addresses(settings: Settings) -> list[str]:
    """Scheme, host and port of everything a provider that is set up is asked at."""
    addresses = [
        address for provider, own in settings.providers.items() for address in REGISTRY[provider].addresses(own)
    ]
    return [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses)]


async def _reachable(address: str) -> Finding:
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    what = f"{parts.hostname}"
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
            writer.close()
    except (OSError, TimeoutError) as error:
        return Finding(what, f"cannot be reached ({_reason(error)})", "allow outgoing connections to it")
    return Finding(what, "reachable")


async def _portals(settings: Settings) -> list[Finding]:
    """Whether HubSpot lets us in, for each account with its records there; none while the database cannot be asked."""
    transport = Transport(settings.hubspot_url, threads=_AT_ONCE, call_seconds=_SECONDS, wait_seconds=_SECONDS)
    async with Runtime.open(Process(settings)) as runtime:
        sign_in = hubspot_sign_in(settings, transport, utc_now)
        records = HubSpotRecords(runtime.database, transport, runtime.process.circuits, sign_in=sign_in, clock=utc_now)
        try:
            async with asyncio.timeout(_SECONDS):
                connected = await records.connected()
        except (SQLAlchemyError, OSError, LockTimeout, TimeoutError):
            return []
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def look_at(account_id: AccountId, name: str) -> Finding:
            async with at_once:
                return await _portal(records, account_id, f"HubSpot of {name}")

        return list(await asyncio.gather(*(look_at(*each) for each in connected)))


async def _portal(records: HubSpotRecords, account_id: AccountId, what: str) -> Finding:
    try:
        async with asyncio.timeout(_PORTAL_SECONDS):
            await records.check_access(account_id)
    except ReauthorizationNeeded:
        return Finding(what, "refuses us", "have an owner or admin of the account connect HubSpot again")
    except NoClient:
        client = "MEETINGS_HUBSPOT_CLIENT_ID and MEETINGS_HUBSPOT_CLIENT_SECRET"
        return Finding(what, "people signed in, for a client that is not set", f"set {client} again")
    except (ProviderError, TimeoutError) as error:
        return Finding(what, f"does not answer us ({_reason(error)})", "allow outgoing connections to it, or wait")
    except (NotFound, BadKeys, SealBroken) as error:
        return Finding(what, f"cannot be asked ({_reason(error)})", "have an owner or admin of the account connect it")
    return Finding(what, "answers and lets us in")


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
