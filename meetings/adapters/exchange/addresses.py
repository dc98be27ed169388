"""What people type in as the server's address, and what may be made of it (A-EX1, S29, S82). Pure."""

from urllib.parse import quote, urlsplit

from meetings.application.ports.calendars import LoginProblem, LoginRefused

EWS_PATH = "/ews/exchange.asmx"

# Names of Microsoft's cloud, its national clouds included ("Office 365 URLs and IP address ranges", Microsoft Learn).
_ONLINE = (
    "office365.com",
    "office.com",
    "outlook.com",
    "office365.us",
    "outlook.cn",
    "outlook.de",
    "hotmail.com",
    "live.com",
    "msn.com",
    "microsoftonline.com",
    "onmicrosoft.com",
    "onmicrosoft.us",
)


def is_exchange_online(host: str) -> bool:
    """Whether a server, or the domain of a mail address, is Microsoft's cloud: the Office 365 provider's business."""
    name = host.lower().rstrip(".")
    return any(name == domain or name.endswith(f".{domain}") for domain in _ONLINE)


def server_address(typed: str) -> str:
    """The address of the web service that was typed in, its path as servers write it.

    Raises:
        LoginRefused: USE_OFFICE365; or URL_INVALID with the address that was probably meant.
    """
    text = typed.strip()
    parts = _split(text if "://" in text else f"https://{text}")
    if is_exchange_online(parts.host):
        raise LoginRefused(LoginProblem.USE_OFFICE365)
    address = f"https://{parts.authority}{EWS_PATH}"
    if parts.scheme != "https" or "://" not in text or parts.path.lower() != EWS_PATH or parts.more:
        raise LoginRefused(LoginProblem.URL_INVALID, suggestion=address)
    return f"https://{parts.authority}/EWS/Exchange.asmx"


class _Split:
    def __init__(self, scheme: str, host: str, port: int | None, path: str, more: bool) -> None:
        self.scheme = scheme
        self.host = host
        bracketed = f"[{host}]" if ":" in host else host
        keeps_port = port is not None and not (scheme == "http" and port == 80)
        self.authority = f"{bracketed}:{port}" if keeps_port else bracketed
        self.path = path
        self.more = more


def _split(text: str) -> _Split:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise LoginRefused(LoginProblem.URL_INVALID) from None
    if not host or any(character.isspace() for character in text):
        raise LoginRefused(LoginProblem.URL_INVALID)
    more = bool(parts.query or parts.fragment or parts.username is not None)
    return _Split(parts.scheme.lower(), host, port, parts.path, more)


def web_login_suggestion(url: str) -> str:
    """What to suggest for an address that shows people a login page instead of a web service."""
    return f"https://{urlsplit(url).netloc.rpartition('@')[2].lower()}{EWS_PATH}"


def owner_link(url: str, event_id: str, *, modern: bool) -> str:
    """Where the mailbox's owner sees an event in Outlook on the web.

    2013 and later open an item by its EWS id ("WebClientReadFormQueryString"); before, that id is another one and only
    the calendar itself has a simple address ("Outlook Web App Web Parts").
    """
    base = f"https://{urlsplit(url).netloc}/owa/"
    if not modern:
        return f"{base}?cmd=contents&module=calendar"
    return f"{base}?ItemID={quote(event_id, safe='')}&exvsurl=1&viewmodel=ReadMessageItem"
