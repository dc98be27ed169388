"""Which operations there are, from which release on, and how a SOAP request reaches one."""

from collections.abc import Callable

from lxml import etree

from meetings.adapters.exchange.simulator import availability, directory, finding, folders, items, sync
from meetings.adapters.exchange.simulator.errors import EwsError, EwsFault, invalid_schema
from meetings.adapters.exchange.simulator.request import Request, zone_of_request
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.soap import MESSAGES, SOAP, Element, children, find, local
from meetings.adapters.exchange.simulator.subscriptions import Subscriptions
from meetings.adapters.exchange.simulator.versions import EXCHANGE_2013, ServerVersion
from meetings.adapters.exchange.simulator.world import Account, World

# The first release with each operation ("EWS operations in Exchange").
SINCE: dict[str, tuple[int, int]] = {
    "GetFolder": (8, 0),
    "FindFolder": (8, 0),
    "SyncFolderHierarchy": (8, 0),
    "FindItem": (8, 0),
    "GetItem": (8, 0),
    "CreateItem": (8, 0),
    "UpdateItem": (8, 0),
    "DeleteItem": (8, 0),
    "SyncFolderItems": (8, 0),
    "ResolveNames": (8, 0),
    "ConvertId": (8, 1),
    "GetUserAvailability": (8, 0),
    "Subscribe": (8, 0),
    "Unsubscribe": (8, 0),
    "GetEvents": (8, 0),
    "GetServerTimeZones": (14, 0),
    "GetUserConfiguration": (14, 0),
    "GetStreamingEvents": (14, 1),
}
STREAMING = "GetStreamingEvents"
# Attributes that came later ("The SuppressReadReceipts attribute is not declared": seen with Exchange 2010).
_SINCE_2013 = {"UpdateItem": ("SuppressReadReceipts",), "DeleteItem": ("SuppressReadReceipts",)}


def operation_of(envelope: Element | None) -> tuple[str, Element] | None:
    """The name of the operation and its element, None when it is not a SOAP request."""
    body = next(children(find(envelope, "s:Body")), None)
    if body is None:
        return None
    name = local(body)
    return ("GetUserAvailability" if name == "GetUserAvailabilityRequest" else name), body


class Operations:
    def __init__(self, world: World, settings: Settings, subscriptions: Subscriptions) -> None:
        self._world = world
        self._settings = settings
        self.handlers: dict[str, Callable[[Request], Element]] = {
            "GetFolder": folders.get_folder,
            "FindFolder": folders.find_folder,
            "SyncFolderHierarchy": folders.sync_folder_hierarchy,
            "FindItem": finding.find_item,
            "GetItem": items.get_item,
            "CreateItem": items.create_item,
            "UpdateItem": items.update_item,
            "DeleteItem": items.delete_item,
            "SyncFolderItems": sync.sync_folder_items,
            "ResolveNames": directory.resolve_names,
            "ConvertId": directory.convert_id,
            "GetUserAvailability": availability.get_user_availability,
            "Subscribe": subscriptions.subscribe,
            "Unsubscribe": subscriptions.unsubscribe,
            "GetEvents": subscriptions.get_events,
            "GetServerTimeZones": directory.get_server_time_zones,
            "GetUserConfiguration": directory.get_user_configuration,
        }

    def request(self, envelope: Element, account: Account) -> tuple[str, Request]:
        """The operation and the request as handlers want it.

        Raises:
            EwsFault: not a request of this release: its version, its operation.
        """
        version = self._settings.version
        found = operation_of(envelope)
        if etree.QName(envelope).localname != "Envelope" or found is None:
            raise EwsFault("ErrorInvalidRequest", "The request is not a SOAP request.")
        operation, element = found
        asked = find(envelope, "s:Header/t:RequestServerVersion")
        named = None if asked is None else asked.get("Version")
        _check_version(named, version)
        if element.tag.startswith(f"{{{MESSAGES}}}") and version.release < SINCE.get(operation, (99, 0)):
            raise invalid_schema(
                f"The element 'Body' in namespace '{SOAP}' has invalid child element '{operation}' in namespace "
                f"'{MESSAGES}'."
            )
        for attribute in _SINCE_2013.get(operation, ()):
            if attribute in element.attrib and version.release < EXCHANGE_2013.release:
                raise invalid_schema(f"The '{attribute}' attribute is not declared.")
        if operation not in SINCE:
            raise EwsFault("ErrorInvalidRequest", f"The operation {operation} is not simulated.")
        try:
            zone, zone_name = zone_of_request(find(envelope, "s:Header"))
        except EwsError as error:
            raise EwsFault(error.code, error.message) from None
        return operation, Request(element, account, zone, zone_name, named, self._world, self._settings)


def _check_version(named: str | None, version: ServerVersion) -> None:
    """A newer version than the server's is refused by name ("ErrorInvalidServerVersion"; seen with 2007 SP1, too)."""
    if named is not None and named not in version.schemas:
        raise EwsFault("ErrorInvalidServerVersion")
