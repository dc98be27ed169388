"""Ways to ask a simulator: the real exchangelib, and SOAP written by hand over httpx."""

import ssl
from dataclasses import dataclass
from typing import Any

import httpx
import requests.adapters
from exchangelib import (
    BASIC,
    DELEGATE,
    Account,
    Build,
    CalendarItem,
    Configuration,
    Credentials,
    ExtendedProperty,
    Version,
)
from exchangelib.ewsdatetime import EWSTimeZone
from lxml import etree

from meetings.adapters.exchange.simulator import PASSWORD, ExchangeSimulator

ADA, BOB = "ada@example.com", "bob@example.com"
NAMES = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "m": "http://schemas.microsoft.com/exchange/services/2006/messages",
    "t": "http://schemas.microsoft.com/exchange/services/2006/types",
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}


class BookingKey(ExtendedProperty):  # type: ignore[misc]  # exchangelib is untyped
    """A property of our own, as a client would define it."""

    property_set_id = "6f1d7c52-0000-4d6b-9b41-5a0c9f27d8e3"
    property_name = "SimulatorTest"
    property_type = "String"


if "booking_key" not in [field.name for field in CalendarItem.FIELDS]:
    CalendarItem.register("booking_key", BookingKey)


def believing(ca_file: str) -> type[requests.adapters.HTTPAdapter]:
    """What exchangelib opens connections with: one that believes in the simulator's authority."""

    class Believing(requests.adapters.HTTPAdapter):
        def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, ca_file, cert)  # type: ignore[no-untyped-call]  # the stubs are partial

    return Believing


def account(
    exchange: ExchangeSimulator,
    email: str = ADA,
    *,
    username: str | None = None,
    password: str = PASSWORD,
    auth: str = BASIC,
) -> Account:
    """A mailbox as exchangelib holds it. The fixture `exchange` made it believe in the simulator."""
    configuration = Configuration(
        service_endpoint=exchange.ews_url,
        credentials=Credentials(username or email, password),
        auth_type=auth,
        version=Version(Build(*exchange.settings.version.build)),
    )
    zone = EWSTimeZone("Europe/Berlin")
    return Account(email, config=configuration, autodiscover=False, access_type=DELEGATE, default_timezone=zone)


@dataclass(frozen=True)
class Answer:
    """`body` is the first element of the SOAP body, None when the answer is no SOAP."""

    status: int
    headers: httpx.Headers
    text: str
    root: Any

    @property
    def code(self) -> str:
        """The response code of a fault, else of the first message."""
        return str(self.first("//e:ResponseCode/text()") or self.first("//m:ResponseCode/text()"))

    @property
    def codes(self) -> list[str]:
        return self.all("//m:ResponseCode/text()")

    def all(self, path: str) -> list[Any]:
        return [] if self.root is None else list(self.root.xpath(path, namespaces=NAMES))

    def first(self, path: str) -> Any:
        found = self.all(path)
        return found[0] if found else ""


def trusting(exchange: ExchangeSimulator) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=exchange.ca_pem)


def http(exchange: ExchangeSimulator, **about: Any) -> httpx.Client:
    return httpx.Client(verify=trusting(exchange), base_url=exchange.url, trust_env=False, timeout=10, **about)


def envelope(operation: str, *, version: str | None = "Exchange2010_SP2", zone: str | None = None) -> str:
    """A request; `operation` is its body, in the prefixes m: and t:."""
    headers = f'<t:RequestServerVersion Version="{version}"/>' if version else ""
    if zone:
        headers += f'<t:TimeZoneContext><t:TimeZoneDefinition Id="{zone}"/></t:TimeZoneContext>'
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope {spaces}><s:Header>{headers}</s:Header>'
        f"<s:Body>{operation}</s:Body></s:Envelope>"
    )


def ask(
    exchange: ExchangeSimulator,
    operation: str,
    *,
    email: str = ADA,
    password: str = PASSWORD,
    version: str | None = "Exchange2010_SP2",
    zone: str | None = None,
) -> Answer:
    """One request, signed in by Basic."""
    with http(exchange, auth=(email, password)) as client:
        return read(
            client.post(
                "/EWS/Exchange.asmx",
                content=envelope(operation, version=version, zone=zone),
                headers={"Content-Type": "text/xml; charset=utf-8"},
            )
        )


def read(response: httpx.Response) -> Answer:
    try:
        root = etree.fromstring(response.content)
    except etree.XMLSyntaxError:
        root = None
    return Answer(response.status_code, response.headers, response.text, root)


def folder_id(folder: str) -> str:
    return f'<t:FolderId Id="{folder}"/>'


CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'


def new_item(fields: str, *, sends: str | None = "SendToNone", folder: str = CALENDAR) -> str:
    sent = f' SendMeetingInvitations="{sends}"' if sends else ""
    return (
        f"<m:CreateItem{sent}><m:SavedItemFolderId>{folder}</m:SavedItemFolderId>"
        f"<m:Items><t:CalendarItem>{fields}</t:CalendarItem></m:Items></m:CreateItem>"
    )


def get_item(item_id: str, *, paths: tuple[str, ...] = (), shape: str = "IdOnly", body: str = "") -> str:
    kind = f"<t:BodyType>{body}</t:BodyType>" if body else ""
    return (
        f"<m:GetItem><m:ItemShape><t:BaseShape>{shape}</t:BaseShape>{kind}{_additional(paths)}</m:ItemShape>"
        f'<m:ItemIds><t:ItemId Id="{item_id}"/></m:ItemIds></m:GetItem>'
    )


def view(start: str, end: str, *, paths: tuple[str, ...] = (), most: int | None = None, folder: str = CALENDAR) -> str:
    limit = f' MaxEntriesReturned="{most}"' if most is not None else ""
    return (
        f'<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{_additional(paths)}'
        f'</m:ItemShape><m:CalendarView{limit} StartDate="{start}" EndDate="{end}"/>'
        f"<m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>"
    )


def change_item(item_id: str, change_key: str | None, updates: str, **attributes: str) -> str:
    given = {
        "ConflictResolution": "AutoResolve",
        "SendMeetingInvitationsOrCancellations": "SendToNone",
        **attributes,
    }
    written = " ".join(f'{name}="{value}"' for name, value in given.items() if value)
    key = f' ChangeKey="{change_key}"' if change_key else ""
    return (
        f'<m:UpdateItem {written}><m:ItemChanges><t:ItemChange><t:ItemId Id="{item_id}"{key}/>'
        f"<t:Updates>{updates}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )


def set_field(path: str, content: str) -> str:
    return f'<t:SetItemField><t:FieldURI FieldURI="{path}"/><t:CalendarItem>{content}</t:CalendarItem></t:SetItemField>'


def delete_item(item_id: str, *, sends: str | None = "SendToNone", kind: str = "MoveToDeletedItems") -> str:
    sent = f' SendMeetingCancellations="{sends}"' if sends else ""
    return f'<m:DeleteItem DeleteType="{kind}"{sent}><m:ItemIds><t:ItemId Id="{item_id}"/></m:ItemIds></m:DeleteItem>'


def _additional(paths: tuple[str, ...]) -> str:
    if not paths:
        return ""
    named = "".join(f'<t:FieldURI FieldURI="{path}"/>' for path in paths)
    return f"<t:AdditionalProperties>{named}</t:AdditionalProperties>"
