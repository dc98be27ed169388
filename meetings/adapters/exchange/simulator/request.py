"""One request for an operation, and how its answer is put together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.soap import Content, Element, find, m, message_xml
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import Account, World
from meetings.adapters.exchange.simulator.writing import Writer
from meetings.adapters.exchange.simulator.zones import zone_of

# The schema wants these, and clients read the state without looking for an error first (exchangelib does).
_ON_FAILURE: dict[str, tuple[tuple[str, str | None], ...]] = {
    "GetFolder": (("Folders", None),),
    "GetItem": (("Items", None),),
    "CreateItem": (("Items", None),),
    "UpdateItem": (("Items", None),),
    "GetServerTimeZones": (("TimeZoneDefinitions", None),),
    "SyncFolderItems": (("SyncState", None), ("IncludesLastItemInRange", "true")),
    "SyncFolderHierarchy": (("SyncState", None), ("IncludesLastFolderInRange", "true")),
}


@dataclass(frozen=True)
class Request:
    """`element` is the operation's element, `account` who signed in, `zone` the one of the request's times.

    `requested_version` is its RequestServerVersion, None when it has none.
    """

    element: Element
    account: Account
    zone: ZoneInfo
    zone_name: str | None
    requested_version: str | None
    world: World
    settings: Settings

    @property
    def version(self) -> ServerVersion:
        return self.settings.version

    @property
    def year(self) -> int:
        return self.world.now().year

    @property
    def writer(self) -> Writer:
        return Writer(self.world, self.account, self.version, self.zone, self.zone_name)


def zone_of_request(header: Element | None) -> tuple[ZoneInfo, str | None]:
    """The `TimeZoneContext` of a request; UTC without one. Raises EwsError ErrorCalendarInvalidTimeZone."""
    named = find(header, "t:TimeZoneContext/t:TimeZoneDefinition")
    if named is None:
        return ZoneInfo("UTC"), None
    name = named.get("Id", "")
    return zone_of(name), name


def response(operation: str, messages: Iterable[Element]) -> Element:
    return m(f"{operation}Response", m("ResponseMessages", *messages))


def success(operation: str, *content: Content) -> Element:
    code = m("ResponseCode", "NoError")
    return m(f"{operation}ResponseMessage", code, *content, ResponseClass="Success")


def failure(operation: str, error: EwsError) -> Element:
    """A message that says why not, with what messages of this operation hold all the same."""
    held = [m(name, content) for name, content in _ON_FAILURE.get(operation, ())]
    return m(f"{operation}ResponseMessage", *explained(error), *held, ResponseClass=error.level)


def explained(error: EwsError) -> list[Element]:
    """MessageText, ResponseCode, DescriptiveLinkKey, and MessageXml where there is more to say (MS-OXWSCDATA)."""
    found = [m("MessageText", error.message), m("ResponseCode", error.code), m("DescriptiveLinkKey", "0")]
    if error.values:
        details = m("MessageXml")
        details.extend(message_xml(error.values))
        found.append(details)
    return found


def each(operation: str, targets: Iterable[Element], work: Callable[[Element], Element]) -> Element:
    """One message per target; an error of one does not touch the others.

    Raises EwsFault: there is no target.
    """
    messages = []
    for target in targets:
        try:
            messages.append(work(target))
        except EwsError as error:
            messages.append(failure(operation, error))
    if not messages:
        raise invalid_schema(f"The element '{operation}' has incomplete content.")
    return response(operation, messages)
