"""Which properties an answer shows: the shape of a request ("ItemShape", "FolderShape")."""

from dataclasses import dataclass, field

from meetings.adapters.exchange.simulator import item_fields
from meetings.adapters.exchange.simulator.errors import EwsError
from meetings.adapters.exchange.simulator.soap import Element, children, find, local, text
from meetings.adapters.exchange.simulator.versions import ServerVersion
from meetings.adapters.exchange.simulator.world import PropertyKey

# "DistinguishedPropertySetId", MS-OXPROPS 1.3.2.
DISTINGUISHED_SETS = {
    "PublicStrings": "00020329-0000-0000-c000-000000000046",
    "Appointment": "00062002-0000-0000-c000-000000000046",
    "Common": "00062008-0000-0000-c000-000000000046",
    "Meeting": "6ed8da90-450b-101b-98da-00aa003f1305",
    "CalendarAssistant": "11000e07-b51b-40d6-af21-caa85edab1d0",
    "InternetHeaders": "00020386-0000-0000-c000-000000000046",
    "Address": "00062004-0000-0000-c000-000000000046",
    "Task": "00062003-0000-0000-c000-000000000046",
    "UnifiedMessaging": "4442858e-a9e3-4e80-b900-317a210cc15b",
    "Sharing": "00062040-0000-0000-c000-000000000046",
}


@dataclass
class Shape:
    """`names` are elements, `extended` properties; `body` is Text, HTML or Best."""

    base: str
    names: set[str] = field(default_factory=set)
    extended: list[PropertyKey] = field(default_factory=list)
    body: str = "Best"

    def shows(self, name: str, *, finding: bool) -> bool:
        if finding and name in item_fields.NOT_FOUND_BY_FIND_ITEM:
            return False
        if name in ("ItemId", "ExtendedProperty") or name in self.names:
            return True
        if self.base == "Default":
            return name in item_fields.DEFAULT_SHAPE
        return self.base == "AllProperties" and name not in item_fields.ONLY_WHEN_ASKED


def item_shape(request: Element, version: ServerVersion, *, finding: bool = False) -> Shape:
    """The shape of GetItem, FindItem and SyncFolderItems.

    A FindItem that asks for a property it cannot return is refused (code assumed; a client would wait for it in vain).
    """
    shape = _shape(find(request, "m:ItemShape"), version)
    refused = shape.names & item_fields.NOT_FOUND_BY_FIND_ITEM
    if finding and refused:
        raise EwsError("ErrorInvalidPropertyRequest", values={"Property": ", ".join(sorted(refused))})
    return shape


def folder_shape(request: Element) -> Shape:
    shape = Shape(text(request, "m:FolderShape/t:BaseShape", "IdOnly"))
    for path in children(find(request, "m:FolderShape/t:AdditionalProperties")):
        if local(path) == "FieldURI":
            shape.names.add(path.get("FieldURI", "").partition(":")[2])
        elif local(path) == "ExtendedFieldURI":
            shape.extended.append(property_key(path))
    return shape


def property_key(path: Element) -> PropertyKey:
    """What an ExtendedFieldURI names. Raises EwsError ErrorInvalidExtendedProperty for combinations not allowed."""
    kind = path.get("PropertyType", "")
    tag = path.get("PropertyTag")
    named = path.get("DistinguishedPropertySetId")
    set_id = path.get("PropertySetId")
    name, number = path.get("PropertyName"), path.get("PropertyId")
    if tag is not None:
        if named or set_id or name or number:
            raise EwsError("ErrorInvalidExtendedProperty")
        return PropertyKey("tag", str(int(tag, 0)), kind)
    if bool(named) == bool(set_id) or (name is None) == (number is None):
        raise EwsError("ErrorInvalidExtendedProperty")
    where = DISTINGUISHED_SETS.get(named or "", (set_id or named or "").strip("{}").lower())
    # Names of properties compare without case in PublicStrings only by accident; here with case (assumed).
    return PropertyKey(where, name if name is not None else f"#{number}", kind)


def _shape(given: Element | None, version: ServerVersion) -> Shape:
    shape = Shape(text(given, "t:BaseShape", "IdOnly"), body=text(given, "t:BodyType", "Best"))
    for path in children(find(given, "t:AdditionalProperties")):
        if local(path) == "FieldURI":
            uri = path.get("FieldURI", "")
            name = item_fields.name_of(uri, version) or uri.removeprefix("message:")
            if ":" not in name:
                shape.names.add(name)
        elif local(path) == "ExtendedFieldURI":
            shape.extended.append(property_key(path))
    return shape
