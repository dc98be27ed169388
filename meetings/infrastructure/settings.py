"""What whoever runs the product can set: read once at start, from the environment.

Every setting is called `MEETINGS_` and its name here in capitals; it may also stand in a file that `MEETINGS_…_FILE`
names, and in `.env` of the current folder. Limits of the use cases are `MEETINGS_POLICY__` and a name of
`meetings.application.policy.Policy`, spans of time in seconds or as ISO 8601 (`PT15M`).
"""

import os
from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from enum import Enum
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from meetings.adapters.captcha.turnstile import SCRIPT, SITEVERIFY, Turnstile
from meetings.adapters.smtp.mailer import SmtpSecurity, SmtpSettings
from meetings.application.outbound import OutboundGuard
from meetings.application.policy import Policy
from meetings.application.ports.captcha import Captcha
from meetings.domain.calendar_connection import Provider
from meetings.graphql.options import RateLimits
from meetings.infrastructure.provider_settings import NAMES, settings_of_providers
from meetings.infrastructure.secrets import BadKeys, Keyring

PREFIX = "MEETINGS_"

HOW_TO_MAKE_KEYS = 'make one with: echo "k1:$(openssl rand -base64 32)"'
HOW_TO_SET = {"secret_keys": f"run `meetings init`, or {HOW_TO_MAKE_KEYS}"}


class SettingsUnusable(Exception):
    """The program cannot start with these settings. `problems` are sentences, each naming the variable to mend."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class Environment(Enum):
    """What kind of place this is. Production refuses what is only good enough at home."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    DEMO = "demo"


class LogFormat(Enum):
    JSON = "json"
    CONSOLE = "console"


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _seconds(value: object) -> object:
    """A text that is a number, as one; pydantic takes numbers for spans of seconds, but not their texts."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"`{value}` is neither an address nor a network such as 10.0.0.0/8") from None


def _mail_server(value: str) -> str:
    OutboundGuard([value])
    return value


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _name_server(value: object) -> object:
    """`10.0.0.2`, `10.0.0.2:5353`, `2001:db8::1` or `[2001:db8::1]:5353` as address and port."""
    if not isinstance(value, str):
        return value
    if _is_ip(value):
        return value, 53
    parts = _split(f"dns://{value}")
    if not _is_ip(parts.hostname or "") or parts.path:
        raise ValueError(f"`{value}` is neither an IP address nor one with a port, such as 10.0.0.2:53")
    return parts.hostname, parts.port or 53


def _address(value: str) -> str:
    """An http(s) address without a slash at its end."""
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("it must be an address such as https://meetings.example.com")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if _split(_address(value)).path:
        raise ValueError(f"`{value}` must be scheme, host and port alone, such as https://www.example.com")
    return value.rstrip("/").lower()


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises for a port that is none
    except ValueError:
        raise ValueError("it is not an address") from None
    return parts


Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_words)]
MailServers = Annotated[tuple[Annotated[str, AfterValidator(_mail_server)], ...], NoDecode, BeforeValidator(_words)]
NameServers = Annotated[
    tuple[Annotated[tuple[str, int], BeforeValidator(_name_server)], ...], NoDecode, BeforeValidator(_words)
]
Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """Everything that can be set. What is secret is masked in `repr` and in errors."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    environment: Environment = Environment.DEVELOPMENT
    public_url: Address = "http://127.0.0.1:8000"
    dashboard_url: Address | None = None
    """Where hosts work; `public_url` when there is no site of its own."""
    pages_url: Address | None = None
    """A second address of this server, with scheduling pages at `/`; left out: `meet.` before the host of
    `public_url`. The same as `public_url`: there is no second one."""
    dns_servers: NameServers = ()
    """Whom to ask about custom domains, and where a domain has its mail servers, such as `10.0.0.2` or
    `10.0.0.2:5353`; left out: the system's resolvers."""
    imap_private_networks: MailServers = ()
    """Networks and hosts whose IMAP and SMTP servers are called although they are not public, such as `10.1.0.0/16` or
    `mail.corp.example:10993`."""
    imap_ca_file: str | None = None
    """Certificates of authorities in PEM that are believed of IMAP and SMTP servers, beside the usual ones."""

    hubspot_url: Address = "https://api.hubapi.com"
    """Where HubSpot's API is called, for accounts that keep their records there."""
    hubspot_authorize_url: Address = "https://app.hubspot.com/oauth/authorize"
    """HubSpot's consent page."""
    hubspot_client_id: str | None = None
    hubspot_client_secret: SecretStr | None = None
    """Those of an app in HubSpot, both or none: with them accounts connect HubSpot by signing in there, and not only
    with a private app's token."""

    secret_keys: SecretStr
    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///meetings.db")
    redis_url: SecretStr | None = None

    providers: Annotated[dict[Provider, Any], NoDecode] = Field(default_factory=dict)
    """The settings of each calendar provider that is set up. Each field of theirs is a setting of its own, such as
    `MEETINGS_GOOGLE_CLIENT_ID`; see `provider.py` in the provider's folder."""

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    mail_from: str = "Meetings <meetings@localhost.localdomain>"
    team_mail_domain: str | None = None
    """The domain of addresses that teams are given; the mail server may send for it. Left out: the one of `mail_from`.
    """
    smtp_authority_file: str | None = None

    allowed_origins: Origins = ()
    trusted_proxies: Networks = ()
    explorer: bool | None = None
    """The page to try out queries; left out: on, but not in production."""

    turnstile_site_key: str | None = None
    turnstile_secret: SecretStr | None = None
    """Keys of Cloudflare Turnstile, both or none: with them pages can ask visitors to solve a captcha."""
    turnstile_url: Address = SITEVERIFY
    """Where its tokens are checked."""
    turnstile_script_url: Address = SCRIPT
    """Where browsers get its widget."""

    log_format: LogFormat = LogFormat.CONSOLE
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    push: bool | None = None
    """Whether providers are asked to call us when a calendar changes; left out: if `public_url` is https, because
    Google calls nothing else ("Push notifications" guide of the Calendar API)."""

    lease_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    """For how long a worker has an intent, or a process the refresh of a grant, before another may take it. With less
    than a call to a provider may last (30 s), some calls are made twice."""
    sweep_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0
    """How often each worker looks for what is due, whatever it was told."""
    stop_seconds: Annotated[float, Field(gt=0, le=15)] = 12.0
    """How long a worker that is told to stop lets what runs end before it gives it back; requests have as long."""
    intent_threads: Annotated[int, Field(ge=1, le=200)] = 8
    sync_threads: Annotated[int, Field(ge=1, le=200)] = 4
    """How many intents and how many calendars one worker process works on at a time."""
    listen_at_most: Annotated[int, Field(ge=0, le=1000)] = 100
    """With how many mailboxes the worker that leads keeps a connection open to be told of changes, where providers
    offer that; all others are polled."""

    policy: Policy = Policy()
    rates: RateLimits = RateLimits()
    """How often strangers may do what: `MEETINGS_RATES__BOOKING=10/minute,50/hour`, see `RateLimits`."""

    # ---- what is made of them -----------------------------------------------------------------------------------

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def shows_explorer(self) -> bool:
        return not self.production if self.explorer is None else self.explorer

    @property
    def dashboard(self) -> str:
        return self.dashboard_url or self.public_url

    @property
    def pages_address(self) -> str | None:
        """The second address, with its default; None where there is only one."""
        if self.pages_url is not None:
            return None if self.pages_url == self.public_url else self.pages_url
        parts = _split(self.public_url)
        port = f":{parts.port}" if parts.port else ""
        local = "." not in (parts.hostname or "") or _is_ip(parts.hostname or "")
        return f"{parts.scheme}://meet.{'localhost' if local else parts.hostname}{port}"

    @property
    def public_host(self) -> str:
        """Host and, if it is not the usual one, port of our own address, as a `Host` header carries it."""
        return _split(self.public_url).netloc.lower()

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def uses_push(self) -> bool:
        return self.https if self.push is None else self.push

    def keyring(self) -> Keyring:
        return Keyring.parse(self.secret_keys.get_secret_value())

    def captcha(self) -> Captcha | None:
        """The captcha that pages can ask for, if one is set up."""
        if self.turnstile_site_key is None or self.turnstile_secret is None:
            return None
        return Turnstile(
            self.turnstile_site_key,
            self.turnstile_secret.get_secret_value(),
            self.turnstile_url,
            self.turnstile_script_url,
        )

    @property
    def team_domain(self) -> str:
        """Where teams get their addresses."""
        return self.team_mail_domain or parseaddr(self.mail_from)[1].rpartition("@")[2]

    def smtp(self) -> SmtpSettings:
        """The mail server.

        Raises:
            ValueError: the address is no `smtp:` or `smtps:` one, or its parts cannot work together.
        """
        parts = _split(self.smtp_url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("it must be smtp://user:password@host:587 or smtps://user:password@host:465")
        name, address = parseaddr(self.mail_from)
        return SmtpSettings(
            host=parts.hostname,
            port=parts.port or (465 if parts.scheme == "smtps" else 587),
            sender_name=name,
            sender_address=address,
            security=_security(parts),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            authority_file=self.smtp_authority_file,
        )

    # ---- what they have to fulfil -------------------------------------------------------------------------------

    @field_validator("secret_keys")
    @classmethod
    def _keys_can_be_read(cls, value: SecretStr) -> SecretStr:
        try:
            Keyring.parse(value.get_secret_value())
        except BadKeys as bad:
            raise ValueError(f"{bad}; {HOW_TO_MAKE_KEYS}") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_known(cls, value: SecretStr) -> SecretStr:
        try:
            driver = make_url(value.get_secret_value()).drivername
        except ArgumentError:
            driver = ""
        if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
            raise ValueError(
                "it must be sqlite+aiosqlite:///path/to/file or postgresql+asyncpg://user:password@host:5432/database"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_is_known(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _split(value.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("it must be redis://:password@host:6379/0, or rediss:// for TLS")
        return value

    @field_validator("providers", mode="before")
    @classmethod
    def _providers_can_be_used(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return settings_of_providers(value, prefix=PREFIX, address=_address)

    @field_validator("policy", mode="before")
    @classmethod
    def _spans_are_seconds_too(cls, value: object) -> object:
        return {name: _seconds(text) for name, text in value.items()} if isinstance(value, dict) else value

    @field_validator("rates", mode="before")
    @classmethod
    def _rates_are_separated_by_commas(cls, value: object) -> object:
        return {name: _words(rates) for name, rates in value.items()} if isinstance(value, dict) else value

    @field_validator("mail_from")
    @classmethod
    def _sender_is_an_address(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1]:
            raise ValueError("it must be an address such as Meetings <meetings@example.com>")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> "Settings":
        try:
            self.smtp()
        except ValueError as bad:
            raise ValueError(f"{PREFIX}SMTP_URL or {PREFIX}MAIL_FROM cannot be used: {bad}.") from None
        if (self.turnstile_site_key is None) != (self.turnstile_secret is None):
            raise ValueError(f"{PREFIX}TURNSTILE_SITE_KEY and {PREFIX}TURNSTILE_SECRET go together: set both or none.")
        if (self.hubspot_client_id is None) != (self.hubspot_client_secret is None):
            raise ValueError(
                f"{PREFIX}HUBSPOT_CLIENT_ID and {PREFIX}HUBSPOT_CLIENT_SECRET go together: set both or none."
            )
        if self.production:
            self._check_production()
        return self

    def _check_production(self) -> None:
        for needed, why in (
            ("public_url", "where people reach the server, such as https://meetings.example.com"),
            ("smtp_url", "the mail server, such as smtp://user:password@mail.example.com:587"),
            ("mail_from", "the sender of all mail, such as Meetings <meetings@example.com>"),
        ):
            if needed not in self.model_fields_set:
                raise ValueError(f"{PREFIX}{needed.upper()} is missing: set it to {why}.")
        if not self.https and _split(self.public_url).hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(f"{PREFIX}PUBLIC_URL must begin with https:// in production: put a proxy in front.")

    # ---- where they come from -----------------------------------------------------------------------------------

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        files = _NamedFiles(settings_cls)
        of_providers = _OfProviders(settings_cls, init_settings, env_settings, dotenv_settings)
        return of_providers, init_settings, env_settings, files, dotenv_settings


class _OfProviders(PydanticBaseSettingsSource):
    """The settings of providers, whose names come from `NAMES`, out of the same places as all others."""

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        given: PydanticBaseSettingsSource,
        environment: PydanticBaseSettingsSource,
        env_file: PydanticBaseSettingsSource,
    ) -> None:
        super().__init__(settings_cls)
        self._given: Mapping[str, Any] = getattr(given, "init_kwargs", {})
        self._environment: Mapping[str, Any] = getattr(environment, "env_vars", {})
        self._env_file: Mapping[str, Any] = getattr(env_file, "env_vars", {})

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name}".lower()
        found = (
            self._given.get(field_name)
            or self._environment.get(variable)
            or _in_named_file(field_name)
            or self._env_file.get(variable)
        )
        return found, field_name, False

    def __call__(self) -> dict[str, Any]:
        if "providers" in self._given:
            return {}
        values = {name: self.get_field_value(FieldInfo(), name)[0] for name in NAMES}
        return {"providers": {name: value for name, value in values.items() if value}}


class _NamedFiles(EnvSettingsSource):
    """Values from the files that `MEETINGS_…_FILE` variables name, such as secrets an orchestrator mounts."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return _in_named_file(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value}


def _in_named_file(name: str) -> str | None:
    variable = f"{PREFIX}{name.upper()}_FILE"
    path = os.environ.get(variable)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsUnusable([f"{variable} names a file that cannot be read ({path}): {reason}."]) from None


def _security(parts: SplitResult) -> SmtpSecurity:
    """`smtps` is TLS; `smtp` is STARTTLS where a password or the port for submission asks for it, else plain.

    `?security=starttls` or `?security=none` says otherwise.
    """
    asked = parse_qs(parts.query).get("security")
    if asked:
        return SmtpSecurity(asked[0])
    if parts.scheme == "smtps":
        return SmtpSecurity.TLS
    plain = parts.password is None and parts.port not in (None, 587)
    return SmtpSecurity.NONE if plain else SmtpSecurity.STARTTLS


def read_settings(*, env_file: str | Path | None = ".env", **given: Any) -> Settings:
    """The settings of this process; `given` ones beat the environment, the environment beats `env_file`.

    Raises:
        SettingsUnusable: something is missing or malformed. No value of a secret is repeated.
    """
    try:
        return Settings(_env_file=env_file, **given)  # type: ignore[call-arg]  # a parameter pydantic-settings adds
    except ValidationError as error:
        raise SettingsUnusable(map(_sentence, error.errors(include_input=False, include_url=False))) from None


def _sentence(problem: Any) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"] or text.startswith(PREFIX):
        return text
    variable = PREFIX + "__".join(str(part) for part in problem["loc"] if not isinstance(part, int)).upper()
    if problem["type"] == "missing":
        return f"{variable} is missing: {HOW_TO_SET.get(problem['loc'][0], 'set it in the environment')}."
    return f"{variable} cannot be used: {text[:1].lower()}{text[1:]}."
