"""Names for ids, so that a host's id cannot be passed where a page's belongs."""

from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
UserId = NewType("UserId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
CalendarId = NewType("CalendarId", UUID)
PageId = NewType("PageId", UUID)
BookingId = NewType("BookingId", UUID)
WebDomainId = NewType("WebDomainId", UUID)
EngagementId = NewType("EngagementId", UUID)
MailboxId = NewType("MailboxId", UUID)
TeamChannelId = NewType("TeamChannelId", UUID)
EmailId = NewType("EmailId", UUID)
EmailThreadId = NewType("EmailThreadId", UUID)
SequenceId = NewType("SequenceId", UUID)
EnrollmentId = NewType("EnrollmentId", UUID)
