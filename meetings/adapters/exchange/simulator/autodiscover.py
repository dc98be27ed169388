"""Autodiscover: POX and SOAP ("Autodiscover for Exchange", MS-OXDSCLI, MS-OXWSADISC).

Both need a sign-in. What they answer follows `Settings.autodiscover`.
"""

from datetime import datetime
from typing import Any

from lxml import etree

from meetings.adapters.exchange.simulator.settings import Autodiscover
from meetings.adapters.exchange.simulator.soap import Element, version_info
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import Account, World

POX_PATH, SOAP_PATH = "/autodiscover/autodiscover.xml", "/autodiscover/autodiscover.svc"
_REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_SOAP = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MESSAGES = {500: "The email address can't be found.", 600: "Invalid Request", 601: "Provider not available"}


def pox(body: bytes, set_up: Autodiscover, world: World, ews_url: str, version: ServerVersion) -> bytes:
    """The answer to a POX request; a request that cannot be read is error 600 (MS-OXDSCLI 2.2.4)."""
    email = _asked(body)
    if email is None:
        return _error(600, world.now())
    if set_up.error is not None:
        return _error(set_up.error, world.now())
    set_up = set_up.told_about(email)
    account = world.account(email)
    if set_up.redirect_address:
        return _account(None, [("Action", "redirectAddr"), ("RedirectAddr", set_up.redirect_address)])
    if set_up.redirect_url:
        return _account(None, [("Action", "redirectUrl"), ("RedirectUrl", set_up.redirect_url)])
    if account is None or not account.has_mailbox:
        return _error(500, world.now())
    return _settings(account, world, set_up.ews_url or ews_url, version)


def soap(body: Element, set_up: Autodiscover, world: World, ews_url: str, version: ServerVersion) -> bytes:
    """GetUserSettings for each mailbox asked for ("GetUserSettings operation (SOAP)")."""
    root = etree.Element(f"{{{_ENVELOPE}}}Envelope", nsmap={"s": _ENVELOPE, "a": _ADDRESSING})
    header = etree.SubElement(root, f"{{{_ENVELOPE}}}Header")
    action = etree.SubElement(header, f"{{{_ADDRESSING}}}Action", {f"{{{_ENVELOPE}}}mustUnderstand": "1"})
    action.text = f"{_SOAP}/Autodiscover/GetUserSettingsResponse"
    info = etree.SubElement(header, f"{{{_SOAP}}}ServerVersionInfo", nsmap={"h": _SOAP})
    for name, value in version_info(version).items():
        etree.SubElement(info, f"{{{_SOAP}}}{name}").text = value
    message = etree.SubElement(
        etree.SubElement(root, f"{{{_ENVELOPE}}}Body"),
        f"{{{_SOAP}}}GetUserSettingsResponseMessage",
        nsmap=_default(_SOAP),
    )
    response = etree.SubElement(message, f"{{{_SOAP}}}Response")
    _no_error(response)
    users = etree.SubElement(response, f"{{{_SOAP}}}UserResponses")
    wanted = [each.text or "" for each in body.iter(f"{{{_SOAP}}}Setting")]
    for mailbox in body.iter(f"{{{_SOAP}}}Mailbox"):
        _user(users, (mailbox.text or "").strip(), wanted, set_up, world, ews_url)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _user(users: Element, email: str, wanted: list[str], set_up: Autodiscover, world: World, ews_url: str) -> None:
    user = etree.SubElement(users, f"{{{_SOAP}}}UserResponse")
    account = world.account(email)
    set_up = set_up.told_about(email)
    redirect = (
        (set_up.redirect_address, "RedirectAddress")
        if set_up.redirect_address
        else (set_up.redirect_url, "RedirectUrl")
    )
    code = redirect[1] if redirect[0] else "NoError"
    if not redirect[0] and (account is None or not account.has_mailbox or set_up.error is not None):
        code = "InvalidUser"
    etree.SubElement(user, f"{{{_SOAP}}}ErrorCode").text = code
    etree.SubElement(user, f"{{{_SOAP}}}ErrorMessage").text = (
        "No error." if code == "NoError" else f"Invalid user: '{email}'"
    )
    if redirect[0]:
        etree.SubElement(user, f"{{{_SOAP}}}RedirectTarget").text = redirect[0]
    else:
        etree.SubElement(user, f"{{{_SOAP}}}RedirectTarget", {f"{{{_XSI}}}nil": "true"})
    etree.SubElement(user, f"{{{_SOAP}}}UserSettingErrors")
    settings = etree.SubElement(user, f"{{{_SOAP}}}UserSettings")
    if code != "NoError" or account is None:
        return
    url = set_up.ews_url or ews_url
    known = {
        "UserDisplayName": account.name,
        "AutoDiscoverSMTPAddress": account.email,
        "ExternalEwsUrl": url,
        "InternalEwsUrl": url,
    }
    for name, value in known.items():
        if name in wanted:
            setting = etree.SubElement(settings, f"{{{_SOAP}}}UserSetting", {f"{{{_XSI}}}type": "StringSetting"})
            etree.SubElement(setting, f"{{{_SOAP}}}Name").text = name
            etree.SubElement(setting, f"{{{_SOAP}}}Value").text = value


def _default(namespace: str) -> Any:
    """A namespace without a prefix, which the types of lxml do not know."""
    return {None: namespace}


def _no_error(element: Element) -> None:
    etree.SubElement(element, f"{{{_SOAP}}}ErrorCode").text = "NoError"
    etree.SubElement(element, f"{{{_SOAP}}}ErrorMessage")


def _asked(body: bytes) -> str | None:
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    request = root.find(f"{{{_REQUEST}}}Request")
    schema = None if request is None else request.findtext(f"{{{_REQUEST}}}AcceptableResponseSchema")
    email = None if request is None else request.findtext(f"{{{_REQUEST}}}EMailAddress")
    return email.strip() if email and schema and schema.strip() == _OUTLOOK else None


def _error(code: int, at: datetime) -> bytes:
    root = etree.Element(f"{{{_RESPONSE}}}Autodiscover", nsmap=_default(_RESPONSE))
    response = etree.SubElement(root, f"{{{_RESPONSE}}}Response")
    error = etree.SubElement(response, f"{{{_RESPONSE}}}Error", {"Time": f"{at:%H:%M:%S.0000000}", "Id": "2477272013"})
    etree.SubElement(error, f"{{{_RESPONSE}}}ErrorCode").text = str(code)
    etree.SubElement(error, f"{{{_RESPONSE}}}Message").text = _MESSAGES.get(code, "Error")
    etree.SubElement(error, f"{{{_RESPONSE}}}DebugData")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _settings(account: Account, world: World, url: str, version: ServerVersion) -> bytes:
    protocols = [
        ("EXCH", {"Server": "mail.example.com", "ServerVersion": _packed(version), "ASUrl": url, "EwsUrl": url}),
        ("EXPR", {"Server": "mail.example.com", "ASUrl": url, "EwsUrl": url}),
    ]
    shared = [each for each in world.accounts.values() if account.email in each.delegates]
    return _account(account, [("AccountType", "email"), ("Action", "settings")], protocols, shared)


def _account(
    user: Account | None,
    fields: list[tuple[str, str]],
    protocols: list[tuple[str, dict[str, str]]] | None = None,
    shared: list[Account] | None = None,
) -> bytes:
    """`shared` are mailboxes the account has full access to (AlternativeMailbox, MS-OXDSCLI 2.2.4.1.1.2.2)."""
    root = etree.Element(f"{{{_RESPONSE}}}Autodiscover", nsmap=_default(_RESPONSE))
    response = etree.SubElement(root, f"{{{_OUTLOOK}}}Response", nsmap=_default(_OUTLOOK))
    if user is not None:
        about = etree.SubElement(response, f"{{{_OUTLOOK}}}User")
        etree.SubElement(about, f"{{{_OUTLOOK}}}DisplayName").text = user.name
        etree.SubElement(about, f"{{{_OUTLOOK}}}AutoDiscoverSMTPAddress").text = user.email
    account = etree.SubElement(response, f"{{{_OUTLOOK}}}Account")
    for name, value in fields:
        etree.SubElement(account, f"{{{_OUTLOOK}}}{name}").text = value
    for kind, values in protocols or []:
        protocol = etree.SubElement(account, f"{{{_OUTLOOK}}}Protocol")
        etree.SubElement(protocol, f"{{{_OUTLOOK}}}Type").text = kind
        for name, value in values.items():
            etree.SubElement(protocol, f"{{{_OUTLOOK}}}{name}").text = value
    for each in shared or []:
        other = etree.SubElement(account, f"{{{_OUTLOOK}}}AlternativeMailbox")
        for name, value in (("Type", "Delegate"), ("DisplayName", each.name), ("SmtpAddress", each.email)):
            etree.SubElement(other, f"{{{_OUTLOOK}}}{name}").text = value
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _packed(version: ServerVersion) -> str:
    """The build as a 32-bit number in hex (MS-OXDSCLI ServerVersion)."""
    major, minor, build, _ = version.build
    return f"{(7 << 28) | (major << 22) | (minor << 16) | (1 << 15) | build:08X}"
