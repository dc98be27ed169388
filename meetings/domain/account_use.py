"""What one sign-in to a provider's account opens (X11): its calendars, its mailbox, or both."""

from enum import Enum


class AccountUse(Enum):
    """Each is asked for, granted, switched on and switched off by itself."""

    CALENDAR = "CALENDAR"
    EMAIL = "EMAIL"


CALENDAR_ONLY = frozenset({AccountUse.CALENDAR})
EMAIL_ONLY = frozenset({AccountUse.EMAIL})
BOTH = frozenset(AccountUse)
