"""The domain's enums as the API shows them: the same names, each described.

Whatever shows one imports it from here, so that it is described before it is used.
"""

from enum import Enum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from meetings.application.ports.calendars import LoginProblem, LoginStep, ServerAuth, StepOutcome
from meetings.application.ports.crm import MailDirection
from meetings.application.ports.identities import Scope
from meetings.application.prefill import PrefillSource
from meetings.application.read_availability import Freshness
from meetings.domain.account_use import AccountUse
from meetings.domain.availability import Reason
from meetings.domain.base import Rule
from meetings.domain.booking import BookingChannel, BookingState, CancelledBy
from meetings.domain.booking_form import FieldKind
from meetings.domain.booking_mode import BookingMode
from meetings.domain.calendar_connection import (
    CalendarAccess,
    CalendarHealth,
    Capability,
    ConnectionAction,
    ConnectionStatus,
    Provider,
)
from meetings.domain.email import EmailOrigin
from meetings.domain.email import EmailState as EmailStatus
from meetings.domain.engagement import MeetingOutcome, MeetingSource
from meetings.domain.enrollment import EnrollmentState as EnrollmentStatus
from meetings.domain.enrollment import PauseReason
from meetings.domain.mailbox import InboxProvider
from meetings.domain.page_settings import AvatarChoice, ColorScheme, LocationKind
from meetings.domain.plan import Feature, Hub, Tier
from meetings.domain.reply_logging import LoggingRule
from meetings.domain.scheduling_page import PageType
from meetings.domain.team_channel import TeamMailProvider
from meetings.domain.user import Permission, Role, UserState, Weekday
from meetings.domain.web_domain import DomainState

__all__ = [
    "AccountUse",
    "AvatarChoice",
    "BookingChannel",
    "BookingMode",
    "BookingState",
    "CalendarAccess",
    "CalendarHealth",
    "CancelledBy",
    "Capability",
    "ColorScheme",
    "ConnectionAction",
    "ConnectionStatus",
    "DomainState",
    "EmailOrigin",
    "EmailStatus",
    "EnrollmentStatus",
    "Feature",
    "FieldKind",
    "Freshness",
    "Hub",
    "InboxProvider",
    "LocationKind",
    "LoggingRule",
    "LoginProblem",
    "LoginStep",
    "MailDirection",
    "MeetingOutcome",
    "MeetingSource",
    "PageType",
    "PauseReason",
    "Permission",
    "PrefillSource",
    "Provider",
    "Reason",
    "Role",
    "Rule",
    "Scope",
    "ServerAuth",
    "StepOutcome",
    "TeamMailProvider",
    "Tier",
    "UserState",
    "Weekday",
]


def _shown(enum: type[Enum], name: str, description: str, **values: str) -> None:
    """Show an enum in the API.

    Raises:
        ValueError: not exactly its members are described.
    """
    if list(values) != [member.name for member in enum]:
        raise ValueError(f"{name}: describe exactly {', '.join(member.name for member in enum)}, in this order")
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # added above
    for value in definition.values:
        value.description = values[value.name]


_shown(
    Provider,
    "CalendarProvider",
    "Whose calendar it is.",
    GOOGLE="Google Calendar, of a Google Workspace or a free Gmail account.",
    OFFICE365="Office 365, also called Microsoft 365: a mailbox that Microsoft hosts.",
    EXCHANGE="Microsoft Exchange 2010 SP2 or later, on a server of one's own.",
)
_shown(
    MeetingOutcome,
    "MeetingOutcome",
    "What became of a meeting on a record.",
    SCHEDULED="It is planned.",
    COMPLETED="It took place.",
    RESCHEDULED="It is planned for another time than at first.",
    NO_SHOW="Somebody did not come.",
    CANCELLED="It was called off.",
)
_shown(
    MeetingSource,
    "MeetingSource",
    "Where a meeting on a record came from.",
    PAGE="A scheduling page.",
    API="A program that booked.",
    RECORD="Somebody made it on the record.",
    CALENDAR="Somebody made it in their own calendar.",
)
_shown(
    MailDirection,
    "EmailDirection",
    "Whether we wrote a mail or got it.",
    OUTBOUND="We wrote it.",
    INBOUND="We got it.",
)
_shown(
    EmailOrigin,
    "EmailOrigin",
    "Where a mail came from.",
    PERSON="A person of the account wrote it here.",
    SEQUENCE="It is a step of a sequence.",
    OTHER_PROGRAM="A person of the account sent it with another program.",
    RECEIVED="Somebody else sent it.",
)
_shown(
    EnrollmentStatus,
    "EnrollmentStatus",
    "How a contact stands in a sequence. All but ACTIVE and PAUSED are ends.",
    ACTIVE="Mails follow.",
    PAUSED="Nothing is sent for now; see `pauseReason`.",
    FINISHED="All mails were sent.",
    ENDED_BY_REPLY="The contact answered, or wrote otherwise.",
    ENDED_BY_BOOKING="A meeting was booked.",
    ENDED_BY_UNSUBSCRIBE="The contact wants no such mails.",
    ENDED_BY_BOUNCE="A mail could not be delivered.",
    CANCELLED="Its owner ended it, or the contact is not on record any more.",
)
_shown(
    PauseReason,
    "PauseReason",
    "Why nothing is sent to a contact in a sequence for now.",
    OWNER="Its owner said so.",
    UNCERTAIN="Nobody can say whether the last mail left; its owner decides whether it is sent again.",
    NOT_SENT="The last mail did not leave.",
    NO_MAILBOX="There is no connected mailbox to send from.",
)
_shown(
    EmailStatus,
    "EmailStatus",
    "What became of a mail.",
    QUEUED="It is about to leave.",
    SENT="It left.",
    FAILED="It did not leave, and will not.",
    UNCERTAIN="It was handed over, and nobody said whether it left. It is not sent again by itself.",
    BOUNCED="It left, could not be delivered, and came back.",
    RECEIVED="Somebody else sent it.",
)
_shown(
    LoggingRule,
    "EmailLoggingRule",
    "Which mails of connected mailboxes are logged.",
    REPLIES_ONLY="Mails sent from here, and answers to them.",
    KNOWN_CONTACTS="All mail with people who are on record.",
)
_shown(
    PrefillSource,
    "PrefillSource",
    "Where a value of a form comes from.",
    LINK="The page's address.",
    VISITOR="What the visitor answered earlier.",
)
_shown(
    DomainState,
    "DomainState",
    "Whether pages are served under a domain of the account's own.",
    PENDING="Claimed; control was not shown yet.",
    CONNECTED="Pages are served.",
    ENDANGERED="Pages are served, but the DNS record is gone; without it they will not be for long.",
)
_shown(
    Role,
    "Role",
    "What a person may do in their account.",
    OWNER="Everything.",
    ADMIN="Manages everybody's scheduling pages and bookings.",
    MEMBER="Manages their own.",
)
_shown(
    Scope,
    "TokenScope",
    "What a program with an API token may do.",
    READ="Look at everything its person may see.",
    WRITE="Change things in its person's name.",
)
_shown(
    Weekday,
    "Weekday",
    "Day of the week.",
    MONDAY="Monday.",
    TUESDAY="Tuesday.",
    WEDNESDAY="Wednesday.",
    THURSDAY="Thursday.",
    FRIDAY="Friday.",
    SATURDAY="Saturday.",
    SUNDAY="Sunday.",
)
_shown(
    ConnectionStatus,
    "ConnectionStatus",
    "How a calendar connection is doing.",
    SYNCING="Connected; a selected calendar is being read for the first time. Its pages offer nothing until then.",
    ACTIVE="All selected calendars are read.",
    DEGRADED="A selected calendar cannot be read: nobody can book its owner until that is mended or it is deselected.",
    REAUTH_REQUIRED="The provider does not accept our grant any more; pages take requests only.",
    DISCONNECTED="The person disconnected it; pages take requests only.",
)
_shown(
    InboxProvider,
    "InboxProvider",
    "Whose mailbox it is.",
    GOOGLE="Google: Workspace and free accounts.",
    OFFICE365="Office 365 and other mailboxes that Microsoft hosts.",
    EXCHANGE="A mailbox on an Exchange server of one's own.",
    IMAP="Any server that speaks IMAP and SMTP.",
)
_shown(
    TeamMailProvider,
    "TeamMailProvider",
    "Where a team's mail is.",
    HOSTED="At this product: an address, no mailbox and no credentials.",
    GOOGLE="A mailbox at Google.",
    OFFICE365="A mailbox at Office 365.",
    EXCHANGE="Not for teams: mailboxes on servers of one's own are personal. Take HOSTED.",
    IMAP="Not for teams: mailboxes by IMAP are personal. Take HOSTED.",
)
_shown(
    AccountUse,
    "AccountCapability",
    "What one sign-in to an account opens; each is switched on and off by itself.",
    CALENDAR="Its calendars.",
    EMAIL="Its mailbox.",
)
_shown(
    ConnectionAction,
    "ConnectionAction",
    "What the person should do about a calendar connection.",
    SIGN_IN_AGAIN="Sign in to the provider again, by `startCalendarConnection` with `reconnect`.",
    UPDATE_PASSWORD="Enter the password again, by `connectExchangeCalendar` with `reconnect`.",  # noqa: S106 - words
    GRANT_ACCESS="Have the lost calendar shared again, or deselect it.",
)
_shown(
    ServerAuth,
    "ExchangeAuth",
    "How a password is shown to an Exchange server. Always over a connection whose certificate was checked.",
    AUTO="The best that the server offers.",
    BASIC="Basic authentication.",
    NTLM="NTLM.",
)
_shown(
    LoginStep,
    "ConnectionStep",
    "What connecting a mailbox goes through, in this order.",
    ADDRESS="Whether what was typed in can be used.",
    DISCOVERY="Finding the server by the address.",
    TLS="A safe connection to it.",
    AUTHENTICATION="Signing in.",
    VERSION="Whether the server is new enough.",
    MAILBOX="Whether there is a personal mailbox.",
    CALENDAR="Whether its calendar can be read.",
    FREE_BUSY="Whether its busy times can be read.",
)
_shown(
    StepOutcome,
    "ConnectionStepOutcome",
    "What became of a step.",
    PASSED="It works.",
    FAILED="It does not; see `problem`.",
    SKIPPED="It was not needed, or an earlier step failed.",
)
_shown(
    LoginProblem,
    "ConnectionProblem",
    "Why a step failed.",
    CREDENTIALS_REJECTED="The server does not accept user name and password.",
    APP_PASSWORD_REQUIRED="The account wants a second factor; an app password takes its place.",  # noqa: S106 - words
    USERNAME_REQUIRED="The server does not know the address; a user name is needed.",
    URL_REQUIRED="The server was not found by the address; its URL is needed.",
    URL_INVALID="The URL is not that of the web service.",
    ADDRESS_FORBIDDEN="The URL leads to an address that this product does not call.",
    UNREACHABLE="The server cannot be reached.",
    CERTIFICATE_INVALID="The server's certificate cannot be trusted.",
    VERSION_UNSUPPORTED="The server is older than Exchange 2010 SP2.",
    USE_OFFICE365="The mailbox is hosted by Microsoft: connect it as Office 365.",
    SHARED_MAILBOX="The mailbox is a shared one, a room's or a thing's.",
    MAILBOX_NOT_FOUND="The account has no mailbox.",
)
_shown(
    CalendarAccess,
    "CalendarAccess",
    "What the connected account may do with a calendar.",
    OWNER="It is the account's own.",
    WRITER="Read and write events.",
    READER="Read events with their details.",
    FREE_BUSY="See only that time is taken, which is not enough to block by it.",
)
_shown(
    CalendarHealth,
    "CalendarHealth",
    "Whether a selected calendar can be read.",
    UNREAD="Not read yet.",
    READABLE="It can be read.",
    LOST="Access was lost, or it is gone.",
)
_shown(
    Capability,
    "CalendarCapability",
    "What a provider's calendars can do beyond showing busy time and taking a new booking.",
    CHANGE_BOOKINGS="Move and cancel booked meetings.",
    CALENDAR_SYNC="Keep events and CRM meetings in step.",
    CRM_INVITATIONS="Send invitations for meetings made in the CRM.",
    CLICKABLE_TIMES="Offer single times in an e-mail.",
)
_shown(
    PageType,
    "SchedulingPageType",
    "How many hosts meet the invitee.",
    ONE_ON_ONE="The one host of the page.",
    GROUP="All hosts of the page.",
    ROUND_ROBIN="Any one of the hosts.",
)
_shown(
    BookingMode,
    "BookingMode",
    "What a page can do now. Derived from its hosts' calendars, never stored.",
    ONLINE="Booked at once.",
    OFFLINE="No calendar behind the page: visitors propose times.",
    BLOCKED="A selected calendar cannot be read, or the host switched their pages off: nobody can book.",
)
_shown(
    LocationKind,
    "LocationKind",
    "Where a meeting takes place.",
    VIDEO="A video conference; the calendar's provider gives the link.",
    PHONE_HOST_CALLS="The host calls the invitee.",
    PHONE_VISITOR_CALLS="The invitee calls the number in the location's text.",
    IN_PERSON="At the address in the location's text.",
    CUSTOM="As the location's text says.",
)
_shown(
    ColorScheme,
    "ColorScheme",
    "Which colours a page uses.",
    AUTO="As the visitor's device prefers.",
    LIGHT="Dark on light.",
    DARK="Light on dark.",
)
_shown(
    AvatarChoice,
    "AvatarChoice",
    "Which picture a page shows.",
    PROFILE_IMAGE="The host's.",
    COMPANY_LOGO="The logo of the page.",
    CUSTOM_AVATAR="One of its own, `avatarUrl`.",
)
_shown(
    FieldKind,
    "FieldKind",
    "How a field of a booking form is filled in.",
    SHORT_TEXT="One line, at most 500 characters.",
    LONG_TEXT="Several lines, at most 5,000 characters.",
    EMAIL="An e-mail address.",
    PHONE="A phone number.",
    NUMBER="A number.",
    DATE="A day, `YYYY-MM-DD`.",
    SELECT="One of the options.",
    MULTI_SELECT="Any of the options.",
    CHECKBOX="`true` or `false`; a required one must be `true`.",
)
_shown(
    Freshness,
    "Freshness",
    "How far an availability can be trusted. Booking asks the calendars once more in any case.",
    LIVE="Nothing older than a minute went in.",
    CACHED="From copies of the calendars that are young enough to count.",
    PARTIAL="A host's calendar could not be read, or not for the whole window; nothing is offered for that time.",
)
_shown(
    Reason,
    "UnavailableReason",
    "Why a page does not offer a time.",
    BOOKING_WINDOW="Before the first or after the last day that can be booked.",
    MINIMUM_NOTICE="Too soon.",
    DATE_OVERRIDE="The hours of this very date leave it out.",
    OUTSIDE_HOURS="Outside the weekly hours.",
    NOT_ON_GRID="Between two start times of the page's grid.",
    WEEKLY_LIMIT="The page has all the meetings it takes in that week.",
    DAILY_LIMIT="The page, or the host, has all the meetings it takes on that day.",
    BUSY="An event or a booking is in the way.",
    BUFFER="Too close to an event or a booking.",
    HELD="A visitor is holding it just now.",
    HOST_UNREACHABLE="A host's calendar cannot be read.",
)
_shown(
    BookingState,
    "BookingStatus",
    "How a booking stands.",
    REQUESTED="Proposed on a page without a calendar; a host accepts or declines. Holds no time.",
    PENDING="Held for good; the calendar write is under way.",
    CONFIRMED="The event exists at the provider.",
    FAILED="The provider refused for good; the time is free again and everybody was told.",
    DECLINED="The host declined the request.",
    CANCELLED="Called off.",
)
_shown(
    CancelledBy,
    "CancelledBy",
    "Who called a meeting off.",
    HOST="The host.",
    INVITEE="The invitee.",
    SYSTEM="The product: its event could not be written.",
)
_shown(
    BookingChannel,
    "BookingChannel",
    "Where the visitor came from.",
    PAGE="The page itself.",
    EMBED="A web site the page is embedded in.",
    CHAT="The chat widget.",
    API="A program.",
)
_shown(
    Rule,
    "InputRule",
    "Which rule a value broke.",
    REQUIRED="It is missing or empty.",
    TOO_LONG="It has too many characters.",
    TOO_SMALL="It is below the least.",
    TOO_LARGE="It is above the most.",
    TOO_MANY="There are too many.",
    NOT_ONE_OF="It is none of the possible values.",
    NOT_A_NUMBER="It is no number.",
    NOT_A_DATE="It is no date.",
    NOT_A_URL="It is no absolute http or https address.",
    NOT_AN_EMAIL="It is no e-mail address.",
    NOT_A_PHONE_NUMBER="It is no phone number.",
    NOT_A_TIME_ZONE="It is no IANA time zone.",
    NOT_A_LOCALE="It is no language tag.",
    NOT_A_COLOR="It is no colour such as `#1a2b3c`.",
    NOT_YES_OR_NO="It is neither `true` nor `false`.",
    NOT_A_DOMAIN="It is no domain such as `example.com`.",
    NOT_A_CERTIFICATE="It is no certificate in PEM.",
    CONTROL_CHARACTERS="It holds control characters.",
    DUPLICATE="It is there twice.",
    END_BEFORE_START="Its end lies before its start.",
    OVERLAPS="It overlaps another entry.",
    UNKNOWN_TOKEN="It uses a placeholder that is not known.",  # noqa: S106  # names a rule about event titles
    UNKNOWN="It names something that is not there.",
    RESERVED="It is a reserved word.",
    MALFORMED="It has the wrong form.",
    CANNOT_CHANGE="It cannot be changed any more.",
    NOT_AVAILABLE_YET="The product cannot do this yet.",
    WHOLE_DAYS_ONLY="It must be whole days.",
    DEFAULT_CALENDAR_MUST_BLOCK="The calendar that receives bookings is missing.",
    NOT_WRITABLE="The calendar cannot be written.",
    MOVE_DEFAULT_FIRST="It is the default page; another one has to be chosen first.",
    HAS_BOOKINGS="Something was booked already.",
    NOT_ALLOWED_HERE="It is not allowed here.",
    REQUIRED_BY_SERVER="Optional as a rule, but this server cannot do without it.",
    OTHER_MAIL_SETTINGS="The domain has settings for another kind of mail server.",
    LAST_OWNER="The account would be left without an owner.",
)
_shown(
    Hub,
    "Hub",
    "What an account can subscribe to.",
    MARKETING="Marketing.",
    SALES="Sales; people need seats of it.",
    SERVICE="Service; people need seats of it.",
    CMS="Web content.",
)
_shown(
    Tier,
    "Tier",
    "How much of a hub, from least to most.",
    FREE="Without payment.",
    STARTER="The first paid tier.",
    PROFESSIONAL="More than STARTER.",
    ENTERPRISE="Everything.",
)
_shown(
    Feature,
    "Feature",
    "What not every account has. Whatever is not here is for everybody, such as connecting calendars.",
    EDIT_MEETING_URL="Change what addresses of one's new pages begin with.",
    CHOOSE_DEFAULT_LINK="Choose one's default page; without it, the oldest one is.",
    CUSTOM_DOMAIN="Have pages on a domain of one's own.",
    TEAM_PAGES="Pages with several hosts.",
    HOST_TEAM_PAGES="Be one of the hosts of such a page.",
    MANY_PAGES="More than one page.",
    REMOVE_BRANDING="Pages without the product's name.",
    ROTATIONS="Share the meetings of a round robin among its hosts by different weights.",
    SEQUENCES="Series of mails.",
)
_shown(
    Permission,
    "Permission",
    "What a member can be allowed; owners and admins may all of it.",
    PERSONAL_EMAIL_ACCESS="Connect a calendar or mailbox of one's own.",
    CREATE_PAGES_FOR_OTHERS="Create scheduling pages for colleagues.",
)
_shown(
    UserState,
    "UserState",
    "Whether a person can sign in.",
    INVITED="Not yet: they were asked to join and have not accepted.",
    ACTIVE="Yes.",
    DEACTIVATED="Not any more, or the invitation was taken back.",
)
