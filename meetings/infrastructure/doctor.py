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

from meetings.adapters.smtp.mailer import SmtpSecurity
from meetings.application.ports.unit_of_work import LockTimeout
from meetings.domain.calendar_connection import Provider
from meetings.infrastructure.provider_settings import fields_without_default
from meetings.infrastructure.providers import REGISTRY
from meetings.infrastructure.runtime import Process, Runtime
from meetings.infrastructure.secrets import BadKeys
from meetings.infrastructure.settings import Settings

_SECONDS = 5.0


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


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
