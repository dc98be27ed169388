"""The address of an Exchange server's web service, as people write it (A-EX1, S29, S82)."""

from urllib.parse import SplitResult, urlsplit

from meetings.domain.base import DomainError
from meetings.domain.text import MAX_URL

SERVICE_PATH = "/EWS/Exchange.asmx"

_HOSTED = (
    "office365.com",
    "office.com",
    "outlook.com",
    "office365.us",
    "outlook.cn",
    "hotmail.com",
    "live.com",
    "msn.com",
    "microsoftonline.com",
    "onmicrosoft.com",
    "onmicrosoft.us",
)
"""Microsoft's cloud ("Office 365 URLs and IP address ranges", Microsoft Learn): not a server of one's own."""


class ExchangeUrlInvalid(DomainError):
    """Not the address of the web service. `suggestion` is the one that was probably meant, if there is a host in it."""

    def __init__(self, suggestion: str | None = None) -> None:
        self.suggestion = suggestion
        super().__init__("not the address of an Exchange web service")


class HostedByMicrosoft(DomainError):
    """The address leads to Exchange Online, which is connected as Office 365."""


def service_url(typed: str) -> str:
    """The address as it is stored: `https://host[:port]/EWS/Exchange.asmx`, however the path was capitalised.

    Raises:
        ExchangeUrlInvalid: no https, another path such as that of the web login, a query, or a password in it.
        HostedByMicrosoft: it is one of Microsoft's own.
    """
    text = typed.strip()
    parts = _parts(text if "://" in text else f"https://{text}")
    host = parts.hostname or ""
    if any(host == name or host.endswith(f".{name}") for name in _HOSTED):
        raise HostedByMicrosoft
    authority = f"[{host}]" if ":" in host else host
    if parts.port is not None and (parts.scheme, parts.port) != ("http", 80):
        authority = f"{authority}:{parts.port}"
    more = parts.query or parts.fragment or "@" in parts.netloc
    if "://" not in text or parts.scheme != "https" or more or parts.path.lower() != SERVICE_PATH.lower():
        raise ExchangeUrlInvalid(f"https://{authority}{SERVICE_PATH.lower()}")
    return f"https://{authority}{SERVICE_PATH}"


def _parts(text: str) -> SplitResult:
    if len(text) > MAX_URL or not text.isprintable() or any(char in ' <>"\\' for char in text):
        raise ExchangeUrlInvalid
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ExchangeUrlInvalid from None
    if not parts.hostname:
        raise ExchangeUrlInvalid
    return parts
