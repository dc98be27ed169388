"""What an account can be used for here, and what is read and accepted before (S16, X11)."""

from meetings.application.ports.calendars import CalendarProvider
from meetings.domain.account_use import BOTH, CALENDAR_ONLY, EMAIL_ONLY, AccountUse
from meetings.domain.base import InvalidInput, Problem, Rule
from meetings.domain.calendar_connection import ConsentRequired
from meetings.domain.disclosure import Disclosure


def usual_uses(offered: CalendarProvider) -> frozenset[AccountUse]:
    """What an account is connected for where nobody says otherwise: for all that is offered (A-CC3)."""
    return CALENDAR_ONLY if offered.inbox is None else BOTH


def check_offered(offered: CalendarProvider, uses: frozenset[AccountUse]) -> None:
    """Raise `InvalidInput` when there is no use at all, or mail of this provider is not offered."""
    if not uses:
        raise InvalidInput([Problem(("uses",), Rule.REQUIRED)])
    if AccountUse.EMAIL in uses and offered.inbox is None:
        raise InvalidInput([Problem(("uses",), Rule.NOT_AVAILABLE_YET)])


def disclosure_of(offered: CalendarProvider, uses: frozenset[AccountUse]) -> Disclosure:
    """The text to read before an account is connected for `uses`: that of each, one after the other."""
    if offered.inbox is None or uses == CALENDAR_ONLY:
        return offered.disclosure
    return offered.inbox.disclosure if uses == EMAIL_ONLY else offered.disclosure.with_(offered.inbox.disclosure)


def check_disclosure(offered: CalendarProvider, uses: frozenset[AccountUse], accepted: str) -> None:
    """Raise `ConsentRequired` unless the text for these uses was accepted; the one for both covers each."""
    if accepted not in (disclosure_of(offered, uses).version, disclosure_of(offered, BOTH).version):
        raise ConsentRequired
