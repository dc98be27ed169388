"""The codes of what people can mend. The code is the contract; the words beside it are for reading."""

from enum import Enum

import strawberry


@strawberry.enum(description="What keeps a mutation from being carried out; something the user can mend or wait for.")
class UserErrorCode(Enum):
    """Names are those of the product's specification and never change."""

    VALIDATION = strawberry.enum_value("VALIDATION", description="A value is missing or malformed; see `rule`.")
    EMAIL_INVALID = strawberry.enum_value("EMAIL_INVALID", description="Not an e-mail address.")
    EMAIL_DOMAIN_BLOCKED = strawberry.enum_value(
        "EMAIL_DOMAIN_BLOCKED", description="Addresses of this domain are not accepted."
    )
    TIMEZONE_INVALID = strawberry.enum_value("TIMEZONE_INVALID", description="Not a known IANA time zone.")
    SLUG_INVALID = strawberry.enum_value("SLUG_INVALID", description="Cannot be the path of a page.")
    SLUG_TAKEN = strawberry.enum_value(
        "SLUG_TAKEN", description="Another page, of whatever account and domain, has this path."
    )
    FORM_FIELD_MISSING = strawberry.enum_value("FORM_FIELD_MISSING", description="A required answer is missing.")
    FORM_FIELD_UNKNOWN = strawberry.enum_value("FORM_FIELD_UNKNOWN", description="The page's form has no such field.")
    GUESTS_NOT_ALLOWED = strawberry.enum_value("GUESTS_NOT_ALLOWED", description="No guests, or not as many.")
    LEGAL_CONSENT_MISSING = strawberry.enum_value("LEGAL_CONSENT_MISSING", description="A required consent is missing.")
    DURATION_NOT_OFFERED = strawberry.enum_value(
        "DURATION_NOT_OFFERED", description="The page does not offer this duration."
    )
    CALENDAR_NOT_ELIGIBLE = strawberry.enum_value(
        "CALENDAR_NOT_ELIGIBLE", description="The calendar is unknown, or not accessible enough for this."
    )
    DOMAIN_NOT_CONNECTED = strawberry.enum_value(
        "DOMAIN_NOT_CONNECTED", description="Neither a standard host nor a connected domain of the account."
    )
    DOMAIN_TAKEN = strawberry.enum_value(
        "DOMAIN_TAKEN", description="Another account has shown that it controls this domain."
    )
    DNS_NOT_READY = strawberry.enum_value(
        "DNS_NOT_READY", description="The DNS record is not there yet, or has another value."
    )
    CAPTCHA_FAILED = strawberry.enum_value(
        "CAPTCHA_FAILED", description="The page asks for a captcha, and this token shows none that was solved."
    )
    PAGE_NOT_FOUND = strawberry.enum_value("PAGE_NOT_FOUND", description="No page, or not any more.")
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="No such thing, or not for this caller.")
    TOKEN_INVALID = strawberry.enum_value("TOKEN_INVALID", description="The token of a manage link is not valid.")
    PERMISSION_MISSING = strawberry.enum_value(
        "PERMISSION_MISSING", description="The caller may not do this; also an API token without `WRITE`."
    )
    PLAN_REQUIRED = strawberry.enum_value(
        "PLAN_REQUIRED", description="The account's subscriptions do not include this; see `hubs` and `tier`."
    )
    SEAT_REQUIRED = strawberry.enum_value(
        "SEAT_REQUIRED", description="Somebody lacks a seat of one of the account's hubs; see `hubs`."
    )
    PAGE_LIMIT_REACHED = strawberry.enum_value(
        "PAGE_LIMIT_REACHED", description="There can be no more pages; see `limit`, `hubs` and `tier`."
    )
    EMAIL_TAKEN = strawberry.enum_value(
        "EMAIL_TAKEN", description="Somebody, of whatever account, signs in with this address already."
    )
    STALE_REVISION = strawberry.enum_value("STALE_REVISION", description="Somebody changed it since it was read.")
    CONCURRENT_CHANGE = strawberry.enum_value(
        "CONCURRENT_CHANGE", description="Others kept changing the same thing; worth another try."
    )
    CONSENT_REQUIRED = strawberry.enum_value(
        "CONSENT_REQUIRED", description="The current disclosure has to be accepted first."
    )
    ALREADY_CONNECTED = strawberry.enum_value(
        "ALREADY_CONNECTED", description="A calendar account, or a mailbox of this address, is connected."
    )
    NOT_CONNECTED = strawberry.enum_value(
        "NOT_CONNECTED", description="No calendar account, or no mailbox, is connected."
    )
    CAPABILITY_UNSUPPORTED = strawberry.enum_value(
        "CAPABILITY_UNSUPPORTED", description="The calendar's provider cannot do this."
    )
    CREDENTIALS_REJECTED = strawberry.enum_value(
        "CREDENTIALS_REJECTED", description="Wrong address or password, or the provider wants a new sign-in."
    )
    APP_PASSWORD_REQUIRED = strawberry.enum_value(
        "APP_PASSWORD_REQUIRED", description="The account asks for a second factor: enter an app password instead."
    )
    EXCHANGE_URL_INVALID = strawberry.enum_value(
        "EXCHANGE_URL_INVALID", description="Not the address of an Exchange web service, or one that is not called."
    )
    EXCHANGE_VERSION_UNSUPPORTED = strawberry.enum_value(
        "EXCHANGE_VERSION_UNSUPPORTED", description="The server is older than Exchange 2010 SP2."
    )
    EXCHANGE_UNREACHABLE = strawberry.enum_value(
        "EXCHANGE_UNREACHABLE", description="No safe connection to the server: name, network, firewall or certificate."
    )
    USE_OFFICE365 = strawberry.enum_value(
        "USE_OFFICE365", description="Microsoft hosts this mailbox: connect it as Office 365."
    )
    MAIL_SERVER_UNREACHABLE = strawberry.enum_value(
        "MAIL_SERVER_UNREACHABLE", description="The mail server cannot be found or reached, or not be trusted."
    )
    SHARED_MAILBOX_NOT_ALLOWED = strawberry.enum_value(
        "SHARED_MAILBOX_NOT_ALLOWED", description="Only personal mailboxes can be connected."
    )
    MAILBOX_NOT_FOUND = strawberry.enum_value("MAILBOX_NOT_FOUND", description="The account has no mailbox.")
    SLOT_TAKEN = strawberry.enum_value(
        "SLOT_TAKEN", description="Somebody or some event has this time, or comes too close to it."
    )
    SLOT_UNAVAILABLE = strawberry.enum_value(
        "SLOT_UNAVAILABLE", description="The page never offers this time, whoever is free."
    )
    PAGE_OFFLINE = strawberry.enum_value(
        "PAGE_OFFLINE", description="No calendar behind the page: use `requestMeeting`."
    )
    PAGE_ONLINE = strawberry.enum_value("PAGE_ONLINE", description="The page books at once: use `bookMeeting`.")
    BOOKING_BLOCKED = strawberry.enum_value("BOOKING_BLOCKED", description="Nobody can book this page now.")
    CONTACT_OPTED_OUT = strawberry.enum_value(
        "CONTACT_OPTED_OUT", description="One of these contacts wants no mails of sequences."
    )
    ENROLLMENT_ENDED = strawberry.enum_value(
        "ENROLLMENT_ENDED", description="The enrolment has ended; it cannot be paused or go on."
    )
    UPCOMING_MEETINGS = strawberry.enum_value(
        "UPCOMING_MEETINGS", description="Meetings with this person are to come; they have to be called off first."
    )
    BOOKING_STATE_INVALID = strawberry.enum_value(
        "BOOKING_STATE_INVALID", description="The booking's state, or the time left, does not allow this."
    )
    IDEMPOTENCY_CONFLICT = strawberry.enum_value(
        "IDEMPOTENCY_CONFLICT", description="The key was used before with other input."
    )
    PROVIDER_UNAVAILABLE = strawberry.enum_value(
        "PROVIDER_UNAVAILABLE", description="A calendar cannot be reached now; worth another try."
    )
    RATE_LIMITED = strawberry.enum_value("RATE_LIMITED", description="Too often; see `retryAfter`.")
