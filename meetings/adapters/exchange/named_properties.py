"""Our named properties on calendar items, and which properties are read of what. Imports exchangelib.

exchangelib keeps the properties it knows with its class of items, for the whole process; these add no behaviour to it.
"""

from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import FieldPath
from exchangelib.folders import Folder
from exchangelib.items import CalendarItem

from meetings.adapters.exchange import booking_event


def _property(name: str) -> type[ExtendedProperty]:
    named = {"property_set_id": booking_event.PROPERTY_SET, "property_name": name, "property_type": "String"}
    return type(name, (ExtendedProperty,), named)


OWN = {
    booking_event.KEY: "meetings_event",
    booking_event.BOOKING: "meetings_booking",
    booking_event.STATE: "meetings_state",
    booking_event.INVITED: "meetings_invited",
}
for _name, _attribute in OWN.items():
    CalendarItem.register(_attribute, _property(_name))

_READ = ("start", "end", "legacy_free_busy_status", "is_cancelled", "type", "my_response_type", "uid")


def _paths(*names: str) -> list[FieldPath]:
    return [FieldPath(field=CalendarItem.get_field_by_fieldname(name)) for name in names]


EVENT = _paths(*_READ, OWN[booking_event.BOOKING])
OWN_EVENT = _paths("start", "end", "is_cancelled", "my_response_type", "uid", *OWN.values())
WHOLE_EVENT = [*OWN_EVENT, *_paths("required_attendees")]
EVENT_WITH_PEOPLE = [
    *EVENT,
    *_paths(
        "subject",
        "body",
        "location",
        "sensitivity",
        "is_all_day",
        "organizer",
        "required_attendees",
        "optional_attendees",
    ),
]
FOLDER = [
    FieldPath(field=Folder.get_field_by_fieldname(name))
    for name in ("name", "folder_class", "parent_folder_id", "effective_rights")
]
