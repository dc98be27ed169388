"""What people type in as the server's address, and what may be made of it (A-EX1, S29, S82). Pure."""

from urllib.parse import quote, urlsplit

from meetings.application.ports.calendars import LoginProblem, LoginRefused
from meetings.domain.exchange_address import SERVICE_PATH, ExchangeUrlInvalid, HostedByMicrosoft, service_url


def server_address(typed: str) -> str:
    """The address of the web service that was typed in, its path as servers write it.

    Raises:
        LoginRefused: USE_OFFICE365; or URL_INVALID with the address that was probably meant.
    """
    try:
        return service_url(typed)
    except HostedByMicrosoft:
        raise LoginRefused(LoginProblem.USE_OFFICE365) from None
    except ExchangeUrlInvalid as invalid:
        raise LoginRefused(LoginProblem.URL_INVALID, suggestion=invalid.suggestion) from None


def is_exchange_online(host: str) -> bool:
    """Whether a server, or the domain of a mail address, is Microsoft's cloud: the Office 365 provider's business."""
    try:
        service_url(f"https://{host.rstrip('.')}{SERVICE_PATH}")
    except HostedByMicrosoft:
        return True
    except ExchangeUrlInvalid:
        return False
    return False


def web_service_suggestion(url: str) -> str:
    """What to suggest for an address that leads somewhere else than to a web service, by its host."""
    return f"https://{urlsplit(url).netloc.rpartition('@')[2].lower()}{SERVICE_PATH.lower()}"


def owner_link(url: str, event_id: str, *, modern: bool) -> str:
    """Where the mailbox's owner sees an event in Outlook on the web.

    2013 and later open an item by its EWS id ("WebClientReadFormQueryString"); before, that id is another one and only
    the calendar itself has a simple address ("Outlook Web App Web Parts").
    """
    base = f"https://{urlsplit(url).netloc}/owa/"
    if not modern:
        return f"{base}?cmd=contents&module=calendar"
    return f"{base}?ItemID={quote(event_id, safe='')}&exvsurl=1&viewmodel=ReadMessageItem"
