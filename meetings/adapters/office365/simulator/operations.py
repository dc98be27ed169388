"""The methods that are simulated: path, permissions and the name they go by in the log and in faults.

Source: the Microsoft Graph v1.0 reference, "HTTP request" and "Permissions" of each method. `/users/{id}` is taken for
the signed-in person only. The official client writes `delta()` with brackets. That plain calendar permissions also open
calendars which others shared is assumed; documentation asks for the `.Shared` ones.
"""

import re
from dataclasses import dataclass

BASE_PATH = "/v1.0"
_READ = frozenset({"calendars.read", "calendars.readwrite", "calendars.read.shared", "calendars.readwrite.shared"})
_WRITE = frozenset({"calendars.readwrite", "calendars.readwrite.shared"})
_WHO = r"(?:/me|/users/(?P<user>[^/]+))"
_CALENDAR = r"(?:/calendars/(?P<calendar>[^/]+)|/calendar)"
_MAIL_READ = frozenset({"mail.read", "mail.readwrite"})
_MAIL_WRITE = frozenset({"mail.readwrite"})
_MAIL_BASIC = _MAIL_READ | {"mail.readbasic"}
_FOLDER, _MESSAGE = rf"{_WHO}/mailFolders/(?P<folder>[^/]+)", rf"{_WHO}/messages/(?P<message>[^/]+)"
_EVENT = rf"{_WHO}{_CALENDAR}?/events/(?P<event>[^/]+)"


@dataclass(frozen=True)
class Operation:
    """One method, such as `events.create`. `scopes`: any one of them is enough."""

    name: str
    verb: str
    pattern: re.Pattern[str]
    scopes: frozenset[str]


def _operation(name: str, verb: str, path: str, scopes: frozenset[str]) -> Operation:
    return Operation(name, verb, re.compile(re.escape(BASE_PATH) + path), scopes)


OPERATIONS = (
    _operation("me.get", "GET", _WHO, frozenset({"user.read", "user.readwrite", "user.readbasic.all"})),
    _operation(
        "mailboxSettings.get",
        "GET",
        rf"{_WHO}/mailboxSettings",
        frozenset({"mailboxsettings.read", "mailboxsettings.readwrite"}),
    ),
    _operation("calendars.list", "GET", rf"{_WHO}/calendars", _READ),
    _operation("calendars.create", "POST", rf"{_WHO}/calendars", _WRITE),
    _operation("calendars.get", "GET", rf"{_WHO}{_CALENDAR}", _READ),
    _operation("events.list", "GET", rf"{_WHO}{_CALENDAR}?/events", _READ),
    _operation("events.create", "POST", rf"{_WHO}{_CALENDAR}?/events", _WRITE),
    _operation("events.get", "GET", _EVENT, _READ),
    _operation("events.update", "PATCH", _EVENT, _WRITE),
    _operation("events.delete", "DELETE", _EVENT, _WRITE),
    _operation("events.cancel", "POST", rf"{_EVENT}/cancel", _WRITE),
    _operation("events.respond", "POST", rf"{_EVENT}/(?P<answer>accept|decline|tentativelyAccept)", _WRITE),
    _operation("events.instances", "GET", rf"{_EVENT}/instances", _READ),
    _operation("calendarView.list", "GET", rf"{_WHO}{_CALENDAR}?/calendarView", _READ),
    _operation("calendarView.delta", "GET", rf"{_WHO}{_CALENDAR}?/calendarView/delta(?:\(\))?", _READ),
    _operation("calendar.getSchedule", "POST", rf"{_WHO}{_CALENDAR}/getSchedule", _READ),
    _operation("mailFolders.delta", "GET", rf"{_WHO}/mailFolders/delta(?:\(\))?", _MAIL_READ),
    _operation("mailFolders.get", "GET", _FOLDER, _MAIL_BASIC),
    _operation("messages.delta", "GET", rf"{_FOLDER}/messages/delta(?:\(\))?", _MAIL_BASIC),
    _operation("messages.list", "GET", rf"{_WHO}/messages", _MAIL_BASIC),
    _operation("messages.create", "POST", rf"{_WHO}/messages", _MAIL_WRITE),
    _operation("messages.get", "GET", _MESSAGE, _MAIL_BASIC),
    _operation("messages.value", "GET", rf"{_MESSAGE}/\$value", _MAIL_READ),
    _operation("messages.delete", "DELETE", _MESSAGE, _MAIL_WRITE),
    _operation("messages.send", "POST", rf"{_MESSAGE}/send", frozenset({"mail.send"})),
    _operation("subscriptions.list", "GET", "/subscriptions", frozenset()),
    _operation("subscriptions.create", "POST", "/subscriptions", _READ),
    _operation("subscriptions.get", "GET", "/subscriptions/(?P<subscription>[^/]+)", _READ),
    _operation("subscriptions.update", "PATCH", "/subscriptions/(?P<subscription>[^/]+)", _READ),
    _operation("subscriptions.delete", "DELETE", "/subscriptions/(?P<subscription>[^/]+)", _READ),
    _operation("subscriptions.reauthorize", "POST", "/subscriptions/(?P<subscription>[^/]+)/reauthorize", _READ),
)
# These call the subscriber's address, so they must not hold the simulator up.
CALLING_BACK = frozenset({"subscriptions.create", "subscriptions.update"})

_SIGN_IN = (
    ("oauth.configuration", "GET", r"/(?P<tenant>[^/]+)/v2\.0/\.well-known/openid-configuration"),
    ("oauth.keys", "GET", r"/(?P<tenant>[^/]+)/discovery/v2\.0/keys"),
    ("oauth.authorize", "GET", r"/(?P<tenant>[^/]+)/oauth2/v2\.0/authorize"),
    ("oauth.consent", "POST", r"/(?P<tenant>[^/]+)/oauth2/v2\.0/authorize"),
    ("oauth.token", "POST", r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token"),
    ("oauth.logout", "GET", r"/(?P<tenant>[^/]+)/oauth2/v2\.0/logout"),
)


def find_operation(verb: str, path: str) -> tuple[str, dict[str, str], frozenset[str]]:
    """Name, path parameters and permissions of what answers; `page` or `unknown` when nothing does. `path` is already
    percent-decoded."""
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path)
        if match and operation.verb == verb:
            return operation.name, _given(match), operation.scopes
    for name, its_verb, pattern in _SIGN_IN:
        match = re.fullmatch(pattern, path)
        if match and its_verb == verb:
            return name, _given(match), frozenset()
    return ("unknown" if path.startswith(BASE_PATH) else "page"), {}, frozenset()


def _given(match: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in match.groupdict().items() if value is not None}
