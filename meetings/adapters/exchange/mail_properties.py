"""Our named property on mails, and which properties are read of what. Imports exchangelib."""

from exchangelib.extended_properties import ExtendedProperty
from exchangelib.fields import FieldPath
from exchangelib.folders import Folder
from exchangelib.items import Message

from meetings.adapters.exchange.booking_event import PROPERTY_SET

OWN_ID = "MeetingsMail"
"""The message id that we gave a mail, on the copy among the sent ones."""
ATTRIBUTE = "meetings_mail"


class _OwnId(ExtendedProperty):
    property_set_id = PROPERTY_SET
    property_name = OWN_ID
    property_type = "String"


Message.register(ATTRIBUTE, _OwnId)


def _paths(*names: str) -> list[FieldPath]:
    return [FieldPath(field=Message.get_field_by_fieldname(name)) for name in names]


SENT = _paths("message_id")
BODY = _paths("body")
MIME = _paths("mime_content")
RECEIVED = _paths("datetime_received")
HEADER = _paths(
    *("item_class", "subject", "datetime_received", "datetime_sent", "in_reply_to", "is_draft", "headers"),
    *("sender", "to_recipients", "cc_recipients", "bcc_recipients", "author", "message_id", "references"),
)
"""Nothing of what a mail says."""
COUNTED = [
    FieldPath(field=Folder.get_field_by_fieldname(name)) for name in ("parent_folder_id", "total_count", "unread_count")
]
