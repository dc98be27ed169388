"""Every table. Migrations make them; a test compares the two.

Rows are no domain classes: `mapping.py` turns one into the other. Minutes are whole minutes since the epoch; spans are
half-open. What stands here but not in a table's columns are the guards against overlapping meetings (BK-1), which each
database words in its own way: see the first migration.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    and_,
    false,
)

from meetings.infrastructure.database.types import Counter, Document, Instant

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


def _account() -> Column[object]:
    return Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False)


# ---- aggregates ---------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("exchange_full_sync", Boolean, nullable=False, server_default=false()),
    Column("mail_presets", Document, nullable=False, server_default="[]"),
    Column("plan", Document),
    Column("owners_revision", Integer, nullable=False, server_default="0"),
    Column("email_logging", Document),
    Column("internal_domains", Document, nullable=False, server_default="[]"),
)

users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("avatar_url", Text),
    Column("default_page_id", Uuid),
    Column("password_hash", Text),
    Column("settings", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("permissions", Document),
    Column("invited_at", Instant),
    Column("meeting_url", Text),
    Column("meeting_domain", Text),
    Column("chat_profile", Document),
    Index(None, "account_id"),
    Index(None, "meeting_url", unique=True),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("account_email", Text, nullable=False),
    Column("consent_version", Text, nullable=False),
    Column("consent_accepted_at", Instant, nullable=False),
    Column("connected_at", Instant, nullable=False),
    Column("grant_state", Text, nullable=False),
    Column("default_calendar_id", Uuid),
    Column("server_url", Text),
    Column("server_version", Text),
    Index(None, "account_id"),
)

calendars = Table(
    "calendars",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("connection_id", Uuid, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("access", Text, nullable=False),
    Column("is_primary", Boolean, nullable=False),
    Column("color", Text),
    Column("time_zone", Text),
    Column("selected", Boolean, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("health", Text, nullable=False),
    Index(None, "connection_id"),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("held_address", Text),
    Column("consent_version", Text, nullable=False),
    Column("consent_accepted_at", Instant, nullable=False),
    Column("connected_at", Instant, nullable=False),
    Column("connection_id", Uuid, ForeignKey("connections.id"), unique=True),
    Column("grant_state", Text, nullable=False),
    Column("server_url", Text),
    Column("server_version", Text),
    Column("team", Boolean, nullable=False),
    Column("log_replies", Boolean, nullable=False),
    Index(None, "account_id", "held_address", unique=True),
    Index(None, "user_id"),
)
"""`held_address` is the address, as compared, while the mailbox has it: an account connects none twice. `connection_id`
is the calendar connection whose credentials it borrows."""

team_channels = Table(
    "team_channels",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("live_name", Text),
    Column("provider", Text, nullable=False),
    Column("hosted_address", Text, nullable=False, unique=True),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("mailbox_id", Uuid, ForeignKey("mailboxes.id")),
    Column("removed_at", Instant),
    Index(None, "account_id", "live_name", unique=True),
)
"""`live_name` is the name, as compared, until the channel is removed."""

pages = Table(
    "pages",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("organizer_id", Uuid, nullable=False),
    Column("hosts", Document, nullable=False),
    Column("settings", Document, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    Index(None, "account_id", "created_at", "id"),
    Index(None, "organizer_id"),
)

meeting_links = Table(
    "meeting_links",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("page_id", Uuid, ForeignKey("pages.id", ondelete="CASCADE"), nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("prefill", Document, nullable=False),
    Column("duration_minutes", Integer),
    Column("single_use", Boolean, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Column("booking_id", Uuid),
    Column("enrollment_id", Uuid),
    Index(None, "page_id"),
    Index(None, "expires_at"),
    Index(None, "enrollment_id"),
    Index(None, "booking_id"),
)
"""Links to a page with answers filled in. `booking_id` is what was booked by one that can be used once."""

bookings = Table(
    "bookings",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("page_id", Uuid, ForeignKey("pages.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("hosts", Document, nullable=False),
    Column("title", Text, nullable=False),
    Column("calendar_id", Uuid),
    Column("event_id", Text),
    Column("event_url", Text),
    Column("join_url", Text),
    Column("sequence", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("settled_at", Instant),
    Column("rescheduled_from", Instant),
    Column("failure", Text),
    Column("details", Document, nullable=False),
    Column("ical_uid", Text),
    Index(None, "account_id", "start_at", "id"),
    Index(None, "page_id"),
    Index(None, "event_id"),
    Index(None, "calendar_id", "settled_at"),
    Index(None, "ical_uid"),
)

booking_hosts = Table(
    "booking_hosts",
    metadata,
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("host_id", Uuid, primary_key=True),
    _account(),
    Index(None, "host_id"),
)
"""Who hosts which booking, whatever its state: for lists by host. The order of hosts is in `bookings.hosts`."""

web_domains = Table(
    "web_domains",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("connected_host", Text, unique=True),
    Column("added_at", Instant, nullable=False),
    Column("proof", Text, nullable=False),
    Column("connected_at", Instant),
    Column("checked_at", Instant),
    Column("missing_since", Instant),
    Column("is_primary", Boolean, nullable=False),
    Column("indexed", Boolean, nullable=False),
    Index(None, "account_id", "host", unique=True),
)
"""Claims on domains. `connected_host` is the host once control was shown, so that no two accounts have one."""

visitors = Table(
    "visitors",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("host", Text, nullable=False),
    Column("nonce_hash", Text, nullable=False),
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "booking_id"),
    Index(None, "expires_at"),
)
"""Browsers that booked on a custom domain, by their cookie. What they answered stands in the booking alone, so it is
gone here once it is gone there."""

# ---- customer records -----------------------------------------------------------------------------------------------

engagements = Table(
    "engagements",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("owners", Document, nullable=False),
    Column("contacts", Document, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text),
    Column("location", Text),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("calendar_id", Uuid),
    Column("event_id", Text),
    Column("event_url", Text),
    Column("join_url", Text),
    Column("ical_uid", Text),
    Column("sequence", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("settled_at", Instant),
    Index(None, "account_id", "ical_uid", unique=True),
    Index(None, "event_id"),
)
"""Meetings made on a record or found in a calendar. Those booked on a page are in `bookings`."""

crm_contacts = Table(
    "crm_contacts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("company", Text),
    Column("owner", Text),
    Column("created_at", Instant, nullable=False),
    Column("words", Text, nullable=False),
    Column("properties", Document, nullable=False, server_default="{}"),
    Index(None, "account_id", "email_key", unique=True),
    Index(None, "account_id", "created_at", "id"),
)
"""People on record. `words` is what they are found by: in lower case, a blank before each word."""

crm_meetings = Table(
    "crm_meetings",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("key", Uuid, nullable=False),
    Column("owners", Document, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("location", Text),
    Column("join_url", Text),
    Column("activity_type", Text),
    Column("created_at", Instant, nullable=False),
    Index(None, "account_id", "key", unique=True),
)

crm_mails = Table(
    "crm_mails",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("key", Uuid, nullable=False),
    Column("owner", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipients", Document, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("sent_at", Instant, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "account_id", "key", unique=True),
)

crm_connections = Table(
    "crm_connections",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("connected_at", Instant, nullable=False),
    Column("refused_at", Instant),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("lease", Uuid),
    Column("lease_until", Instant),
)
"""Accounts whose records are in HubSpot, with the access token, or with what a sign-in gave, which is renewed as in
`credentials`; `refused_at` is when it was refused first."""

crm_trips = Table(
    "crm_trips",
    metadata,
    Column("state_hash", Text, primary_key=True),
    _account(),
    Column("user_id", Uuid, nullable=False),
    Column("browser_hash", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)
"""People who were sent to HubSpot's consent page."""

crm_timeline = Table(
    "crm_timeline",
    metadata,
    Column("contact_id", Uuid, ForeignKey("crm_contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
    _account(),
    Column("at", Instant, nullable=False),
    Column("meeting_id", Uuid, ForeignKey("crm_meetings.id", ondelete="CASCADE")),
    Column("mail_id", Uuid, ForeignKey("crm_mails.id", ondelete="CASCADE")),
    CheckConstraint("(meeting_id IS NULL) <> (mail_id IS NULL)", name="entry"),
    Index(None, "contact_id", "at", "entry_id"),
    Index(None, "meeting_id"),
    Index(None, "mail_id"),
)
"""What stands on whose record: a meeting at its start, a mail when it was sent. `entry_id` is the one or the other."""

# ---- mail -----------------------------------------------------------------------------------------------------------

email_threads = Table(
    "email_threads",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("mailbox_id", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("contact", Text, nullable=False),
    Column("contact_email", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("provider_thread", Text),
    Column("unread", Boolean, nullable=False),
    Column("heard_at", Instant),
    Index(None, "user_id", "last_at", "id"),
    Index(None, "account_id", "contact"),
    Index(None, "user_id", "contact_email"),
)

emails = Table(
    "emails",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("thread_id", Uuid, ForeignKey("email_threads.id"), nullable=False),
    Column("mailbox_id", Uuid, ForeignKey("mailboxes.id"), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("contacts", Document, nullable=False),
    Column("sender_name", Text, nullable=False),
    Column("sender_email", Text, nullable=False),
    Column("recipients", Document, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("message_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("sent_as", Text),
    Column("handed_over_at", Instant),
    Column("failure", Text),
    Column("automatic", Boolean, nullable=False),
    Column("unsubscribe", Text),
    Index(None, "account_id", "message_id", unique=True),
    Index(None, "account_id", "sent_as"),
    Index(None, "thread_id", "at", "id"),
    Index(None, "mailbox_id", "created_at"),
    Index(None, "user_id", "state"),
)
"""Mails that were sent here or logged. `message_id` is unique, so that a mail that is found again is not logged again;
`at` is where it stands in its conversation."""

mail_sync = Table(
    "mail_sync",
    metadata,
    Column("mailbox_id", Uuid, ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    _account(),
    Column("begin_at", Instant, nullable=False),
    Column("cursor", Text),
    Column("confirmed_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("requested", Boolean, nullable=False),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Index(None, "due_at"),
)
"""Which mailboxes are read, since when what comes counts (`begin_at`), and how far each was read (`cursor`)."""

record_feeds = Table(
    "record_feeds",
    metadata,
    Column("calendar_id", Uuid, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    _account(),
    Column("cursor", Text),
    Column("window_start", Instant),
    Column("window_end", Instant),
    Column("asked", Integer, nullable=False),
)
"""How far a calendar's events were read for people's records. `asked` counts how often somebody wanted that, so that
who reads it knows whether there was another wish meanwhile."""

found_events = Table(
    "found_events",
    metadata,
    Column("calendar_id", Uuid, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", Text, primary_key=True),
    _account(),
    Column("engagement_id", Uuid, nullable=False),
    Column("organized_here", Boolean, nullable=False),
    Index(None, "engagement_id"),
)
"""Which event of a calendar stands for which meeting: in everybody's calendar it has an id of its own."""

sequences = Table(
    "sequences",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("owner_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("steps", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ends_by_company", Boolean, nullable=False),
    Column("archived_at", Instant),
    Index(None, "owner_id"),
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("version", Integer, nullable=False),
    Column("sequence_id", Uuid, ForeignKey("sequences.id"), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("contact", Text, nullable=False),
    Column("contact_email", Text, nullable=False),
    Column("contact_domain", Text, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_step", Integer, nullable=False),
    Column("next_send_at", Instant),
    Column("email_id", Uuid),
    Column("thread_id", Uuid),
    Column("pause", Text),
    Column("ended_at", Instant),
    Index(None, "sequence_id", "enrolled_at", "id"),
    Index(None, "user_id", "contact_email"),
    Index(None, "user_id", "contact_domain"),
    Index(None, "email_id"),
    Index(None, "thread_id"),
)
"""Who is in which sequence. Nobody is in one twice at a time."""

_not_ended = enrollments.c.ended_at.is_(None)
Index(
    "enrollments_open_idx",
    enrollments.c.sequence_id,
    enrollments.c.contact_email,
    unique=True,
    postgresql_where=_not_ended,
    sqlite_where=_not_ended,
)

mail_opt_outs = Table(
    "mail_opt_outs",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("email_key", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""Who wants no mails of sequences."""

# ---- taken time ---------------------------------------------------------------------------------------------------

slot_holds = Table(
    "slot_holds",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _account(),
    Column("page_id", Uuid, nullable=False),
    Column("visitor", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "visitor"),
    Index(None, "page_id", "address"),
    Index(None, "expires_at"),
)

host_times = Table(
    "host_times",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    _account(),
    Column("host_id", Uuid, nullable=False),
    Column("page_id", Uuid, nullable=False),
    Column("booking_id", Uuid, ForeignKey("bookings.id", ondelete="CASCADE")),
    Column("hold", Text, ForeignKey("slot_holds.token_hash", ondelete="CASCADE")),
    Column("start_minute", BigInteger, nullable=False),
    Column("end_minute", BigInteger, nullable=False),
    Column("expires_at", Instant),
    CheckConstraint("end_minute > start_minute", name="span"),
    CheckConstraint("(booking_id IS NULL) <> (hold IS NULL)", name="owner"),
    Index(None, "host_id", "end_minute"),
    Index(None, "page_id", "start_minute"),
    Index(None, "booking_id"),
    Index(None, "hold"),
)
"""Time of one host that a live booking or a hold takes; what is not live any more has no row. No two rows of a host
overlap, which the database itself refuses. A hold whose `expires_at` has passed still has its rows until somebody
locks the host, who removes them first."""

# ---- busy time of calendars ---------------------------------------------------------------------------------------

mirror_states = Table(
    "mirror_states",
    metadata,
    Column("calendar_id", Uuid, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    _account(),
    Column("copy", Integer, nullable=False),
    Column("shadow", Integer),
    Column("cursor", Text),
    Column("window_start", Instant),
    Column("window_end", Instant),
    Column("confirmed_at", Instant),
    Column("failures", Integer, nullable=False),
)
"""`copy` is the number of the copy in force, `shadow` of the one that is being filled."""

mirror_times = Table(
    "mirror_times",
    metadata,
    Column("calendar_id", Uuid, ForeignKey("mirror_states.calendar_id", ondelete="CASCADE"), primary_key=True),
    Column("copy", Integer, primary_key=True),
    Column("event_id", Text, primary_key=True),
    _account(),
    Column("series_id", Text),
    Column("start_minute", BigInteger, nullable=False),
    Column("end_minute", BigInteger, nullable=False),
    Index(None, "calendar_id", "copy", "end_minute", "start_minute"),
    Index(None, "calendar_id", "copy", "series_id"),
    sqlite_with_rowid=False,
)
"""Blocking events only, and none this product wrote."""

sync_schedule = Table(
    "sync_schedule",
    metadata,
    Column("calendar_id", Uuid, primary_key=True),
    _account(),
    Column("connection_id", Uuid, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("requested", Boolean, nullable=False),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Index(None, "due_at"),
    Index(None, "connection_id"),
)

push_channels = Table(
    "push_channels",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("channel_id", Text, nullable=False, unique=True),
    _account(),
    Column("calendar_id", Uuid, nullable=False),
    Column("connection_id", Uuid, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("renew_at", Instant, nullable=False),
    Index(None, "calendar_id"),
)

# ---- what follows from changes --------------------------------------------------------------------------------------

intents = Table(
    "intents",
    metadata,
    Column("seq", Counter, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    _account(),
    Column("reaction", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("lane", Text, nullable=False),
    Column("details", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("done_at", Instant),
    Column("died_at", Instant),
    Column("error", Text),
)
"""The outbox. An intent is open until it is done or dead."""

_open = and_(intents.c.done_at.is_(None), intents.c.died_at.is_(None))
Index("intents_open_due_idx", intents.c.due_at, postgresql_where=_open, sqlite_where=_open)
Index("intents_open_lane_idx", intents.c.lane, intents.c.seq, postgresql_where=_open, sqlite_where=_open)
Index("intents_open_subject_idx", intents.c.subject, postgresql_where=_open, sqlite_where=_open)
_dead = intents.c.died_at.is_not(None)
Index("intents_dead_idx", intents.c.account_id, intents.c.died_at, postgresql_where=_dead, sqlite_where=_dead)
Index(None, intents.c.done_at)

journal_heads = Table(
    "journal_heads",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("hashed_position", BigInteger),
    Column("hash", Text),
)
"""The newest position of each account. Whoever writes a journal holds its row until the commit, and takes it last.
`hash` is that of the entry at `hashed_position`, the newest one that has any."""

journal = Table(
    "journal",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("details", Document, nullable=False),
    Column("hash", Text),
    Index(None, "subject"),
)
"""`hash` covers the entry and the hash before it; entries from before there were hashes have none."""

person_requests = Table(
    "person_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    _account(),
    Column("sealed", Text),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Index(None, "expires_at"),
)
"""Of whom data was asked for, or to be erased: the address, sealed, while it is needed. Those that expire are
exports."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "created_at"),
)

blocked_attempts = Table(
    "blocked_attempts",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    _account(),
    Column("host_id", Uuid, nullable=False),
    Column("page_id", Uuid, nullable=False),
    Column("wished_start", Instant, nullable=False),
    Column("tried_at", Instant, nullable=False),
    Index(None, "host_id"),
)

blocked_attempts_told = Table(
    "blocked_attempts_told",
    metadata,
    Column("host_id", Uuid, primary_key=True),
    _account(),
    Column("told_at", Instant, nullable=False),
)

# ---- who is calling, and secrets ------------------------------------------------------------------------------------

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _account(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    _account(),
    Column("user_id", Uuid, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Document, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Index(None, "user_id"),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("state_hash", Text, primary_key=True),
    _account(),
    Column("user_id", Uuid, nullable=False),
    Column("browser_hash", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("return_to", Text, nullable=False),
    Column("disclosure_version", Text, nullable=False),
    Column("reconnect", Uuid),
    Column("login_hint", Text),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("uses", Text, nullable=False, server_default="CALENDAR"),
    Column("reconnect_mailbox", Uuid),
    Column("channel_id", Uuid),
    Index(None, "expires_at"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("connection_id", Uuid, ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True),
    _account(),
    Column("sealed", Text),
    Column("version", Integer, nullable=False),
    Column("lease", Uuid),
    Column("lease_until", Instant),
)
"""`version` grows with each change; whoever holds the `lease` may ask the provider for newer credentials."""

mailbox_credentials = Table(
    "mailbox_credentials",
    metadata,
    Column("mailbox_id", Uuid, ForeignKey("mailboxes.id", ondelete="CASCADE"), primary_key=True),
    _account(),
    Column("sealed", Text),
    Column("version", Integer, nullable=False),
    Column("lease", Uuid),
    Column("lease_until", Instant),
)
"""As `credentials`, of mailboxes that do not borrow theirs."""

account_keys = Table(
    "account_keys",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("wrapped", Text, nullable=False),
)
"""The key that seals an account's secrets, itself wrapped by the outside key `key_id`."""

key_check = Table(
    "key_check",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", Text, nullable=False),
)
"""One row that only the right outside key opens. It belongs to no account."""
