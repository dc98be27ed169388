"""Errors in Exchange's words: some end a whole request (SOAP faults), most concern one item of it.

Codes and texts: "ResponseCode" of the EWS reference and MS-OXWSCDATA 2.2.5.24; texts as seen in answers.
"""

TEXTS = {
    "ErrorAccessDenied": "Access is denied. Check credentials and try again.",
    "ErrorCalendarEndDateIsEarlierThanStartDate": "EndDate is earlier than StartDate",
    "ErrorCalendarViewRangeTooBig": "The specified view range exceeds the maximum range of two years.",
    "ErrorCannotCreateCalendarItemInNonCalendarFolder": "Cannot create a calendar item in a non-calendar folder.",
    "ErrorChangeKeyRequiredForWriteOperations": "The ChangeKey is required for write operations.",
    "ErrorEventNotFound": "The requested event was not found.",
    "ErrorExceededConnectionCount": "You have exceeded the available concurrent connections for your account.  "
    "Try again once your other requests have completed.",
    "ErrorFolderNotFound": "The specified folder could not be found in the store.",
    "ErrorInternalServerError": "An internal server error occurred. The operation failed.",
    "ErrorInternalServerTransientError": "An internal server error occurred. Try again later.",
    "ErrorInvalidChangeKey": "The change key is invalid.",
    "ErrorInvalidExtendedProperty": "The extended property attribute combination is invalid.",
    "ErrorInvalidFolderId": "The specified folder ID is invalid.",
    "ErrorInvalidId": "Id is invalid.",
    "ErrorInvalidIdMalformed": "Id is malformed.",
    "ErrorInvalidOperation": "The operation is not valid.",
    "ErrorInvalidPropertyRequest": "The property can not be used with this type of request.",
    "ErrorInvalidPropertySet": "Set action is invalid for property.",
    "ErrorInvalidRecipients": "At least one recipient isn't valid.",
    "ErrorInvalidRequest": "The request is invalid.",
    "ErrorInvalidServerVersion": "The specified server version is invalid.",
    "ErrorInvalidSmtpAddress": "The SMTP address format is invalid.",
    "ErrorInvalidSubscription": "The subscription ID is invalid.",
    "ErrorInvalidSyncStateData": "Synchronization state data is corrupt or otherwise invalid.",
    "ErrorCalendarInvalidTimeZone": "The time zone is invalid.",
    "ErrorInvalidWatermark": "The watermark is invalid.",
    "ErrorIrresolvableConflict": "The send or update operation could not be performed because the change key passed "
    "in the request does not match the current change key for the item.",
    "ErrorItemNotFound": "The specified object was not found in the store.",
    "ErrorMailboxMoveInProgress": "Mailbox move in progress. Try again later.",
    "ErrorMailboxStoreUnavailable": "The mailbox database is temporarily unavailable.",
    "ErrorMailRecipientNotFound": "The e-mail address or name was not found in the directory.",
    "ErrorNameResolutionMultipleResults": "Multiple results were found.",
    "ErrorNameResolutionNoResults": "No results were found.",
    "ErrorNonExistentMailbox": "The SMTP address has no mailbox associated with it.",
    "ErrorOccurrenceCrossingBoundary": "Modified occurrence is crossing or overlapping adjacent occurrence.",
    "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange": "Occurrence index is out of recurrence range.",
    "ErrorCalendarOccurrenceIsDeletedFromRecurrence": "Occurrence with this index was previously deleted from the "
    "recurrence.",
    "ErrorRecurrenceHasNoOccurrence": "The recurrence has no occurrence.",
    "ErrorSchemaValidation": "The request failed schema validation.",
    "ErrorSendMeetingCancellationsRequired": "SendMeetingCancellations attribute is required for Calendar items.",
    "ErrorSendMeetingInvitationsOrCancellationsRequired": "SendMeetingInvitationsOrCancellations attribute is required "
    "for calendar items.",
    "ErrorSendMeetingInvitationsRequired": "SendMeetingInvitations attribute is required for calendar items.",
    "ErrorServerBusy": "The server cannot service this request right now. Try again later.",
    "ErrorSubscriptionNotFound": "The subscription was not found.",
    "ErrorTimeoutExpired": "The request timed out.",
    "ErrorUnsupportedPathForQuery": "The property path is not supported in a restriction.",
}


class EwsError(Exception):
    """What one item of a request came to; the others go on. `level` is Error or Warning."""

    def __init__(
        self, code: str, message: str | None = None, *, level: str = "Error", values: dict[str, str] | None = None
    ) -> None:
        self.code = code
        self.message = message or TEXTS.get(code, "The operation failed.")
        self.level = level
        self.values = values
        super().__init__(f"{code}: {self.message}")


class EwsFault(Exception):
    """The whole request is refused with a SOAP fault and HTTP 500. `violation` is of the schema."""

    def __init__(
        self, code: str, message: str | None = None, *, values: dict[str, str] | None = None, violation: str = ""
    ) -> None:
        self.code = code
        self.message = message or TEXTS.get(code, "The operation failed.")
        self.values = values
        self.violation = violation
        super().__init__(f"{code}: {self.message}")


def invalid_schema(violation: str) -> EwsFault:
    """What a request gets that the server's schema does not allow: an unknown element, attribute or value.

    Shape and wording as seen in answers.
    """
    return EwsFault("ErrorSchemaValidation", f"The request failed schema validation: {violation}", violation=violation)
