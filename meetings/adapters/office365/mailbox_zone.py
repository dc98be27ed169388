"""The time zone a mailbox is in."""

from meetings.adapters.office365 import wire
from meetings.adapters.office365.authorized import AuthorizedCalls
from meetings.adapters.office365.graph import Question
from meetings.adapters.office365.reading import read
from meetings.adapters.office365.refusals import Asked, Refused
from meetings.application.ports.calendars import MailboxNotFound

# Any day will do: only the working hours that come along are of interest.
_DAY = ("2026-01-05T00:00:00", "2026-01-06T00:00:00")


class MailboxZone:
    """Asked once, and only when it matters.

    From the working hours in the account's own free/busy ("calendar: getSchedule", workingHours), because the mailbox's
    settings would take one more permission (MailboxSettings.Read) than calendars need.
    """

    def __init__(self, calls: AuthorizedCalls) -> None:
        self._calls = calls
        self._known: tuple[str | None] | None = None

    async def name(self, until: float | None = None) -> str | None:
        """The IANA name; None where Microsoft does not say (personal accounts), or names a zone that it made up."""
        if self._known is None:
            self._known = (await self._ask(until or self._calls.limit()),)
        return self._known[0]

    async def _ask(self, until: float) -> str | None:
        body = {
            "schedules": [await self._calls.email(until)],
            "startTime": {"dateTime": _DAY[0], "timeZone": "UTC"},
            "endTime": {"dateTime": _DAY[1], "timeZone": "UTC"},
            "availabilityViewInterval": 1440,
        }
        try:
            answer = await self._calls.attempt(Question("POST", "/me/calendar/getSchedule", body=body), until)
        except Refused as refused:
            error = self._calls.error(refused, Asked.ACCOUNT)
            if refused.status in (400, 403, 404, 405, 501) and not isinstance(error, MailboxNotFound):
                return None
            raise error from None
        return read(lambda: wire.mailbox_zone(answer))
