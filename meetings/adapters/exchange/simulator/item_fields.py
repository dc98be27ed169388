"""Which properties a calendar item has, in the order of the schema, and which release brought each.

Sources: MS-OXWSCORE 2.2.4.24 (ItemType), MS-OXWSMTGS 2.2.4.9 (CalendarItemType), "FieldURI" for the paths; shapes:
"BaseShape", and the table of properties a FindItem does not return in "EWS property sets and response shapes".
"""

from meetings.adapters.exchange.simulator.errors import invalid_schema
from meetings.adapters.exchange.simulator.versions import EXCHANGE_2013, ServerVersion

# (path prefix, element names in order)
_ITEM = """MimeContent ItemId ParentFolderId ItemClass Subject Sensitivity Body Attachments DateTimeReceived Size
Categories Importance InReplyTo IsSubmitted IsDraft IsFromMe IsResend IsUnmodified InternetMessageHeaders DateTimeSent
DateTimeCreated ResponseObjects ReminderDueBy ReminderIsSet ReminderNextTime ReminderMinutesBeforeStart DisplayCc
DisplayTo HasAttachments ExtendedProperty Culture EffectiveRights LastModifiedName LastModifiedTime IsAssociated
WebClientReadFormQueryString WebClientEditFormQueryString ConversationId UniqueBody Flag StoreEntryId InstanceKey
NormalizedBody EntityExtractionResult PolicyTag ArchiveTag RetentionDate Preview RightsManagementLicenseData
NextPredictedAction GroupingAction PredictedActionReasons IsClutter BlockStatus HasBlockedImages TextBody IconIndex
""".split()
_CALENDAR = """UID RecurrenceId DateTimeStamp Start End OriginalStart IsAllDayEvent LegacyFreeBusyStatus Location When
IsMeeting IsCancelled IsRecurring MeetingRequestWasSent IsResponseRequested CalendarItemType MyResponseType Organizer
RequiredAttendees OptionalAttendees Resources ConflictingMeetingCount AdjacentMeetingCount ConflictingMeetings
AdjacentMeetings Duration TimeZone AppointmentReplyTime AppointmentSequenceNumber AppointmentState Recurrence
FirstOccurrence LastOccurrence ModifiedOccurrences DeletedOccurrences MeetingTimeZone StartTimeZone EndTimeZone
ConferenceType AllowNewTimeProposal IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl EnhancedLocation StartWallClock
EndWallClock StartTimeZoneId EndTimeZoneId IntendedFreeBusyStatus JoinOnlineMeetingUrl OnlineMeetingSettings
IsOrganizer InboxReminders""".split()
ORDER = (*_ITEM, *_CALENDAR)

_SINCE_2010 = """IsAssociated WebClientReadFormQueryString WebClientEditFormQueryString ConversationId UniqueBody
StoreEntryId StartTimeZone EndTimeZone""".split()
_SINCE_2013 = """ReminderNextTime Flag InstanceKey NormalizedBody EntityExtractionResult PolicyTag ArchiveTag
RetentionDate Preview RightsManagementLicenseData NextPredictedAction GroupingAction PredictedActionReasons IsClutter
BlockStatus HasBlockedImages TextBody IconIndex EnhancedLocation StartWallClock EndWallClock StartTimeZoneId
EndTimeZoneId IntendedFreeBusyStatus JoinOnlineMeetingUrl OnlineMeetingSettings IsOrganizer InboxReminders""".split()

WRITABLE = frozenset(
    """ItemClass Subject Sensitivity Body Categories Importance ReminderIsSet ReminderMinutesBeforeStart ReminderDueBy
    ExtendedProperty Culture UID Start End IsAllDayEvent LegacyFreeBusyStatus Location IsResponseRequested
    RequiredAttendees OptionalAttendees Resources Recurrence MeetingTimeZone StartTimeZone EndTimeZone ConferenceType
    AllowNewTimeProposal IsOnlineMeeting MeetingWorkspaceUrl NetShowUrl EnhancedLocation InReplyTo""".split()
)
NOT_FOUND_BY_FIND_ITEM = frozenset(
    """MimeContent Body Attachments ResponseObjects InternetMessageHeaders UniqueBody TextBody NormalizedBody
    RequiredAttendees OptionalAttendees Resources ConflictingMeetingCount AdjacentMeetingCount ConflictingMeetings
    AdjacentMeetings Recurrence FirstOccurrence LastOccurrence ModifiedOccurrences DeletedOccurrences
    MeetingTimeZone""".split()
)
DEFAULT_SHAPE = frozenset(
    """ItemId Subject Attachments HasAttachments ResponseObjects Start End LegacyFreeBusyStatus Location
    CalendarItemType Organizer RequiredAttendees OptionalAttendees Resources Recurrence FirstOccurrence LastOccurrence
    ModifiedOccurrences DeletedOccurrences""".split()
)
ONLY_WHEN_ASKED = frozenset(
    """MimeContent NormalizedBody UniqueBody StoreEntryId ConflictingMeetings AdjacentMeetings
    ConflictingMeetingCount AdjacentMeetingCount""".split()
)

_PATHS = {f"item:{name}": name for name in _ITEM if name != "ExtendedProperty"} | {
    f"calendar:{name}": name for name in _CALENDAR
}
BUSY = ("Free", "Tentative", "Busy", "OOF", "NoData")


def is_known(name: str, version: ServerVersion) -> bool:
    """Whether a calendar item has this property in the schema of that release."""
    if name in _SINCE_2013:
        return version.release >= EXCHANGE_2013.release
    return name in ORDER and (name not in _SINCE_2010 or version.release >= (14, 0))


def name_of(path: str, version: ServerVersion) -> str:
    """The element a FieldURI stands for.

    Raises EwsFault ErrorSchemaValidation: the list of paths is an enumeration of the schema.
    """
    prefix, _, end = path.partition(":")
    name = _PATHS.get(path, "")
    known = is_known(name, version) if name else prefix in _OTHER_PREFIXES and bool(end)
    if not known:
        raise invalid_schema(
            f"The 'FieldURI' attribute is invalid - The value '{path}' is invalid according to its datatype "
            "'http://schemas.microsoft.com/exchange/services/2006/types:UnindexedFieldURIType' - The Enumeration "
            "constraint failed."
        )
    return name


def busy_values(version: ServerVersion) -> tuple[str, ...]:
    """WorkingElsewhere came with Exchange 2013 ("LegacyFreeBusyStatus")."""
    return (*BUSY, "WorkingElsewhere") if version.release >= EXCHANGE_2013.release else BUSY


# Paths of other kinds of items; calendar items have no value for them.
_OTHER_PREFIXES = (
    "message",
    "meeting",
    "meetingRequest",
    "folder",
    "task",
    "contacts",
    "distributionlist",
    "conversation",
    "postitem",
)
