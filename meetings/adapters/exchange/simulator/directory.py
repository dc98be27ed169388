"""ResolveNames, ConvertId, GetServerTimeZones and GetUserConfiguration.

How a client tells a shared or resource mailbox from a person's: no answer of EWS names the kind of a mailbox, and
ResolveNames calls all of them `Mailbox`. What can be seen: the default calendar of the account that signed in
(DistinguishedFolderId without Mailbox) is another folder than the one of the address, when that mailbox is only shared
with the account; and a resource's calendar is processed automatically, which the "Calendar" configuration of its
calendar folder says (`AutomateProcessing`, as Set-CalendarProcessing writes it; the numbers are assumed).
"""

import base64

from lxml import etree

from meetings.adapters.exchange.simulator import access, ids, zones
from meetings.adapters.exchange.simulator.errors import EwsError, invalid_schema
from meetings.adapters.exchange.simulator.request import Request, each, explained, response, success
from meetings.adapters.exchange.simulator.soap import Element, children, find, flag, local, m, t, text
from meetings.adapters.exchange.simulator.world import Account, Folder


def resolve_names(request: Request) -> Element:
    """People in the directory whose address, alias or name begins like the entry ("ResolveNames operation").

    Several are a warning with all of them; none is an error.
    """
    entry = text(request.element, "m:UnresolvedEntry").strip()
    wanted = entry.lower().removeprefix("smtp:")
    found = [
        account for account in request.world.accounts.values() if account.has_mailbox and _answers(account, wanted)
    ]
    if not found:
        error = EwsError("ErrorNameResolutionNoResults")
        return response("ResolveNames", [m("ResolveNamesResponseMessage", *explained(error), ResponseClass="Error")])
    contacts = flag(request.element.get("ReturnFullContactData"))
    resolutions = [t("Resolution", _directory_mailbox(each), _contact(each) if contacts else None) for each in found]
    count = str(len(found))
    resolved = m("ResolutionSet", *resolutions, TotalItemsInView=count, IncludesLastItemInRange="true")
    if len(found) == 1:
        return response("ResolveNames", [success("ResolveNames", resolved)])
    several = EwsError("ErrorNameResolutionMultipleResults", level="Warning")
    message = m("ResolveNamesResponseMessage", *explained(several), resolved, ResponseClass="Warning")
    return response("ResolveNames", [message])


def convert_id(request: Request) -> Element:
    """Ids in another form ("ConvertId operation")."""
    destination = request.element.get("DestinationFormat", "")
    if destination not in ids.FORMATS:
        raise invalid_schema(f"The 'DestinationFormat' attribute is invalid - The value '{destination}' is invalid.")

    def one(given: Element) -> Element:
        source = given.get("Format", "")
        converted = ids.convert(given.get("Id", ""), source, destination)
        made = m("AlternateId", Format=destination, Id=converted, Mailbox=given.get("Mailbox"))
        made.set("{http://www.w3.org/2001/XMLSchema-instance}type", "t:AlternateIdType")
        return success("ConvertId", made)

    return each("ConvertId", children(find(request.element, "m:SourceIds")), one)


def get_server_time_zones(request: Request) -> Element:
    full = (request.element.get("ReturnFullTimeZoneData") or "true").lower() in ("true", "1")
    asked = find(request.element, "m:Ids")
    names = None if asked is None else [text(each) for each in children(asked)]
    found = zones.definitions(names, request.year, full=full)
    return response("GetServerTimeZones", [success("GetServerTimeZones", m("TimeZoneDefinitions", *found))])


def get_user_configuration(request: Request) -> Element:
    """Settings that Outlook keeps in folders ("GetUserConfiguration operation").

    Simulated are `OWA.UserOptions` of the mailbox's root (its time zone under `timezone`), `WorkHours` of the calendar,
    and `Calendar` of a resource's calendar; what stands in them is as seen in mailboxes (assumed).
    """

    def one(_: Element) -> Element:
        named = find(request.element, "m:UserConfigurationName")
        if named is None:
            raise invalid_schema("The element 'GetUserConfiguration' has incomplete content.")
        folder = access.folder(request, next(children(named)))
        name = named.get("Name", "")
        content = _configuration(folder, name, request.year)
        if content is None:
            raise EwsError("ErrorItemNotFound")
        asked = text(request.element, "m:UserConfigurationProperties").split()
        where = t("UserConfigurationName", t("FolderId", Id=folder.id, ChangeKey=folder.change_key), Name=name)
        shown = content if "All" in asked or local(content) in asked else None
        return success("GetUserConfiguration", m("UserConfiguration", where, shown))

    return each("GetUserConfiguration", [request.element], one)


def _configuration(folder: Folder, name: str, year: int) -> Element | None:
    account = folder.mailbox
    if name == "OWA.UserOptions" and folder.distinguished == "msgfolderroot":
        return t("Dictionary", _entry("timezone", "String", account.time_zone))
    if name == "WorkHours" and folder.distinguished == "calendar":
        return t("XmlData", base64.b64encode(_working_hours(account.time_zone, year)).decode())
    if name == "Calendar" and folder.distinguished == "calendar":
        processing = {"room": "2", "equipment": "2"}.get(account.kind, "1")
        return t("Dictionary", _entry("AutomateProcessing", "Integer32", processing))
    return None


def _working_hours(zone: str, year: int) -> bytes:
    """Nine to five, in XML of its own kind (MS-OXOCFG 2.2.6.2.1)."""
    rules = zones.rules_of(zone, year)
    hours = etree.Element("Root", xmlns="WorkingHours.xsd")
    version = etree.SubElement(hours, "WorkHoursVersion1")
    about = etree.SubElement(version, "TimeZone")
    etree.SubElement(about, "Bias").text = str(-rules.standard)
    for tag, rule, bias in (
        ("Standard", rules.to_standard, 0),
        ("DaylightSavings", rules.to_daylight, rules.standard - rules.daylight),
    ):
        change = etree.SubElement(about, tag)
        etree.SubElement(change, "Bias").text = str(bias)
        when = etree.SubElement(change, "ChangeDate")
        etree.SubElement(when, "Time").text = f"{rule.at // 60:02}:{rule.at % 60:02}:00" if rule else "00:00:00"
        etree.SubElement(when, "Date").text = f"0000/{rule.month:02}/{rule.occurrence % 6:02}" if rule else "0000/00/00"
        etree.SubElement(when, "DayOfWeek").text = str((zones.DAYS.index(rule.day) + 1) % 7) if rule else "0"
    etree.SubElement(about, "Name").text = zone
    slot = etree.SubElement(version, "TimeSlot")
    etree.SubElement(slot, "Start").text, etree.SubElement(slot, "End").text = "09:00:00", "17:00:00"
    etree.SubElement(version, "WorkDays").text = "Monday Tuesday Wednesday Thursday Friday"
    return etree.tostring(hours, xml_declaration=True, encoding="utf-8")


def _entry(key: str, kind: str, value: str) -> Element:
    return t(
        "DictionaryEntry",
        t("DictionaryKey", t("Type", "String"), t("Value", key)),
        t("DictionaryValue", t("Type", kind), t("Value", value)),
    )


def _answers(account: Account, wanted: str) -> bool:
    names = (account.email, account.alias, account.name, *account.name.split())
    return bool(wanted) and any(name.lower().startswith(wanted) for name in names)


def _directory_mailbox(account: Account) -> Element:
    return t(
        "Mailbox",
        t("Name", account.name),
        t("EmailAddress", account.email),
        t("RoutingType", "SMTP"),
        t("MailboxType", "Mailbox"),
    )


def _contact(account: Account) -> Element:
    given, _, surname = account.name.partition(" ")
    addresses = t("EmailAddresses", t("Entry", f"SMTP:{account.email}", Key="EmailAddress1"))
    return t(
        "Contact",
        t("Culture", "en-US"),
        t("DisplayName", account.name),
        t("GivenName", given),
        addresses,
        t("ContactSource", "ActiveDirectory"),
        t("Surname", surname) if surname else None,
    )
