"""Everything the first version stores."""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN = sa.text("done_at IS NULL AND died_at IS NULL")
DEAD = sa.text("died_at IS NOT NULL")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
    )
    op.create_table(
        "key_check",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("key_check_pkey")),
    )
    op.create_table(
        "account_keys",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("account_keys_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("account_keys_pkey")),
    )
    op.create_table(
        "blocked_attempts",
        sa.Column("id", types.Counter, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("host_id", sa.Uuid, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("wished_start", types.Instant, nullable=False),
        sa.Column("tried_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("blocked_attempts_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("blocked_attempts_pkey")),
    )
    op.create_index(op.f("blocked_attempts_host_id_idx"), "blocked_attempts", ["host_id"], unique=False)
    op.create_table(
        "blocked_attempts_told",
        sa.Column("host_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("told_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("blocked_attempts_told_account_id_fkey")),
        sa.PrimaryKeyConstraint("host_id", name=op.f("blocked_attempts_told_pkey")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("idempotency_keys_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "operation", "scope", "key", name=op.f("idempotency_keys_pkey")),
    )
    op.create_index(op.f("idempotency_keys_created_at_idx"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "intents",
        sa.Column("seq", types.Counter, autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("reaction", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("details", types.Document, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("due_at", types.Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("lease_until", types.Instant, nullable=True),
        sa.Column("done_at", types.Instant, nullable=True),
        sa.Column("died_at", types.Instant, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("intents_account_id_fkey")),
        sa.PrimaryKeyConstraint("seq", name=op.f("intents_pkey")),
        sa.UniqueConstraint("id", name=op.f("intents_id_key")),
    )
    op.create_index(
        "intents_dead_idx", "intents", ["account_id", "died_at"], unique=False, postgresql_where=DEAD, sqlite_where=DEAD
    )
    op.create_index(op.f("intents_done_at_idx"), "intents", ["done_at"], unique=False)
    op.create_index(
        "intents_open_due_idx", "intents", ["due_at"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_index(
        "intents_open_lane_idx", "intents", ["lane", "seq"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_index(
        "intents_open_subject_idx", "intents", ["subject"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_table(
        "journal",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.Column("details", types.Document, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("journal_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", "position", name=op.f("journal_pkey")),
    )
    op.create_index(op.f("journal_subject_idx"), "journal", ["subject"], unique=False)
    op.create_table(
        "journal_heads",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("journal_heads_account_id_fkey")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("journal_heads_pkey")),
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("organizer_id", sa.Uuid, nullable=False),
        sa.Column("hosts", types.Document, nullable=False),
        sa.Column("settings", types.Document, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("updated_at", types.Instant, nullable=False),
        sa.Column("archived_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("pages_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pages_pkey")),
        sa.UniqueConstraint("slug", name=op.f("pages_slug_key")),
    )
    op.create_index(
        op.f("pages_account_id_created_at_id_idx"), "pages", ["account_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("pages_organizer_id_idx"), "pages", ["organizer_id"], unique=False)
    op.create_table(
        "push_channels",
        sa.Column("id", types.Counter, autoincrement=True, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.Column("renew_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("push_channels_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("push_channels_pkey")),
        sa.UniqueConstraint("channel_id", name=op.f("push_channels_channel_id_key")),
    )
    op.create_index(op.f("push_channels_calendar_id_idx"), "push_channels", ["calendar_id"], unique=False)
    op.create_table(
        "sign_in_attempts",
        sa.Column("state_hash", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("browser_hash", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("verifier", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("disclosure_version", sa.Text, nullable=False),
        sa.Column("reconnect", sa.Uuid, nullable=True),
        sa.Column("login_hint", sa.Text, nullable=True),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("sign_in_attempts_account_id_fkey")),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("sign_in_attempts_pkey")),
    )
    op.create_index(op.f("sign_in_attempts_expires_at_idx"), "sign_in_attempts", ["expires_at"], unique=False)
    op.create_table(
        "slot_holds",
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("visitor", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("start_at", types.Instant, nullable=False),
        sa.Column("end_at", types.Instant, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("slot_holds_account_id_fkey")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("slot_holds_pkey")),
    )
    op.create_index(op.f("slot_holds_expires_at_idx"), "slot_holds", ["expires_at"], unique=False)
    op.create_index(op.f("slot_holds_page_id_address_idx"), "slot_holds", ["page_id", "address"], unique=False)
    op.create_index(op.f("slot_holds_visitor_idx"), "slot_holds", ["visitor"], unique=False)
    op.create_table(
        "sync_schedule",
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("due_at", types.Instant, nullable=False),
        sa.Column("requested", sa.Boolean, nullable=False),
        sa.Column("lease_until", types.Instant, nullable=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("sync_schedule_account_id_fkey")),
        sa.PrimaryKeyConstraint("calendar_id", name=op.f("sync_schedule_pkey")),
    )
    op.create_index(op.f("sync_schedule_connection_id_idx"), "sync_schedule", ["connection_id"], unique=False)
    op.create_index(op.f("sync_schedule_due_at_idx"), "sync_schedule", ["due_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("avatar_url", sa.Text, nullable=True),
        sa.Column("default_page_id", sa.Uuid, nullable=True),
        sa.Column("password_hash", sa.Text, nullable=True),
        sa.Column("settings", types.Document, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("users_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("email_key", name=op.f("users_email_key_key")),
    )
    op.create_index(op.f("users_account_id_idx"), "users", ["account_id"], unique=False)
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", types.Document, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("last_used_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("api_tokens_account_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("api_tokens_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_tokens_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("api_tokens_token_hash_key")),
    )
    op.create_index(op.f("api_tokens_user_id_idx"), "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("start_at", types.Instant, nullable=False),
        sa.Column("end_at", types.Instant, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("hosts", types.Document, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("calendar_id", sa.Uuid, nullable=True),
        sa.Column("event_id", sa.Text, nullable=True),
        sa.Column("event_url", sa.Text, nullable=True),
        sa.Column("join_url", sa.Text, nullable=True),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("settled_at", types.Instant, nullable=True),
        sa.Column("rescheduled_from", types.Instant, nullable=True),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("details", types.Document, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("bookings_account_id_fkey")),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name=op.f("bookings_page_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("bookings_pkey")),
    )
    op.create_index(
        op.f("bookings_account_id_start_at_id_idx"), "bookings", ["account_id", "start_at", "id"], unique=False
    )
    op.create_index(op.f("bookings_page_id_idx"), "bookings", ["page_id"], unique=False)
    op.create_index(op.f("bookings_event_id_idx"), "bookings", ["event_id"], unique=False)
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("account_email", sa.Text, nullable=False),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("consent_accepted_at", types.Instant, nullable=False),
        sa.Column("connected_at", types.Instant, nullable=False),
        sa.Column("grant_state", sa.Text, nullable=False),
        sa.Column("default_calendar_id", sa.Uuid, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("connections_account_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("connections_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("connections_pkey")),
        sa.UniqueConstraint("user_id", name=op.f("connections_user_id_key")),
    )
    op.create_index(op.f("connections_account_id_idx"), "connections", ["account_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("sessions_account_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("sessions_user_id_fkey")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("sessions_pkey")),
    )
    op.create_index(op.f("sessions_expires_at_idx"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "booking_hosts",
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("host_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("booking_hosts_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("booking_hosts_booking_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "host_id", name=op.f("booking_hosts_pkey")),
    )
    op.create_index(op.f("booking_hosts_host_id_idx"), "booking_hosts", ["host_id"], unique=False)
    op.create_table(
        "calendars",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("is_primary", sa.Boolean, nullable=False),
        sa.Column("color", sa.Text, nullable=True),
        sa.Column("time_zone", sa.Text, nullable=True),
        sa.Column("selected", sa.Boolean, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("health", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("calendars_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("calendars_connection_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("calendars_pkey")),
    )
    op.create_index(op.f("calendars_connection_id_idx"), "calendars", ["connection_id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("connection_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lease", sa.Uuid, nullable=True),
        sa.Column("lease_until", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("credentials_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("credentials_connection_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("credentials_pkey")),
    )
    op.create_table(
        "host_times",
        sa.Column("id", types.Counter, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("host_id", sa.Uuid, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("booking_id", sa.Uuid, nullable=True),
        sa.Column("hold", sa.Text, nullable=True),
        sa.Column("start_minute", sa.BigInteger, nullable=False),
        sa.Column("end_minute", sa.BigInteger, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=True),
        sa.CheckConstraint("(booking_id IS NULL) <> (hold IS NULL)", name=op.f("host_times_owner_check")),
        sa.CheckConstraint("end_minute > start_minute", name=op.f("host_times_span_check")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("host_times_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("host_times_booking_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["hold"], ["slot_holds.token_hash"], name=op.f("host_times_hold_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("host_times_pkey")),
    )
    op.create_index(op.f("host_times_booking_id_idx"), "host_times", ["booking_id"], unique=False)
    op.create_index(op.f("host_times_hold_idx"), "host_times", ["hold"], unique=False)
    op.create_index(op.f("host_times_host_id_end_minute_idx"), "host_times", ["host_id", "end_minute"], unique=False)
    op.create_index(
        op.f("host_times_page_id_start_minute_idx"), "host_times", ["page_id", "start_minute"], unique=False
    )
    op.create_table(
        "mirror_states",
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("copy", sa.Integer, nullable=False),
        sa.Column("shadow", sa.Integer, nullable=True),
        sa.Column("cursor", sa.Text, nullable=True),
        sa.Column("window_start", types.Instant, nullable=True),
        sa.Column("window_end", types.Instant, nullable=True),
        sa.Column("confirmed_at", types.Instant, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("mirror_states_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("mirror_states_calendar_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("calendar_id", name=op.f("mirror_states_pkey")),
    )
    op.create_table(
        "mirror_times",
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("copy", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("series_id", sa.Text, nullable=True),
        sa.Column("start_minute", sa.BigInteger, nullable=False),
        sa.Column("end_minute", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("mirror_times_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["calendar_id"],
            ["mirror_states.calendar_id"],
            name=op.f("mirror_times_calendar_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calendar_id", "copy", "event_id", name=op.f("mirror_times_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("mirror_times_calendar_id_copy_end_minute_start_minute_idx"),
        "mirror_times",
        ["calendar_id", "copy", "end_minute", "start_minute"],
        unique=False,
    )
    op.create_index(
        op.f("mirror_times_calendar_id_copy_series_id_idx"),
        "mirror_times",
        ["calendar_id", "copy", "series_id"],
        unique=False,
    )

    if op.get_bind().dialect.name == "postgresql":
        _forbid_overlap_on_postgresql()
    else:
        _forbid_overlap_on_sqlite()


def _forbid_overlap_on_postgresql() -> None:
    op.execute(
        "ALTER TABLE host_times ADD COLUMN during int8range"
        " GENERATED ALWAYS AS (int8range(start_minute, end_minute, '[)')) STORED"
    )
    op.execute(
        "ALTER TABLE host_times ADD CONSTRAINT host_times_no_overlap"
        " EXCLUDE USING gist (host_id WITH =, during WITH &&)"
    )


def _forbid_overlap_on_sqlite() -> None:
    op.execute(
        """
        CREATE TRIGGER host_times_no_overlap BEFORE INSERT ON host_times
        WHEN EXISTS (
            SELECT 1 FROM host_times WHERE host_id = NEW.host_id
            AND start_minute < NEW.end_minute AND end_minute > NEW.start_minute
        )
        BEGIN SELECT RAISE(ABORT, 'host_times_no_overlap'); END
        """
    )
    op.execute(
        """
        CREATE TRIGGER host_times_no_overlap_later BEFORE UPDATE OF host_id, start_minute, end_minute ON host_times
        WHEN EXISTS (
            SELECT 1 FROM host_times WHERE host_id = NEW.host_id AND id <> OLD.id
            AND start_minute < NEW.end_minute AND end_minute > NEW.start_minute
        )
        BEGIN SELECT RAISE(ABORT, 'host_times_no_overlap'); END
        """
    )


def downgrade() -> None:
    op.drop_index(op.f("mirror_times_calendar_id_copy_series_id_idx"), table_name="mirror_times")
    op.drop_index(op.f("mirror_times_calendar_id_copy_end_minute_start_minute_idx"), table_name="mirror_times")
    op.drop_table("mirror_times")
    op.drop_table("mirror_states")
    op.drop_index(op.f("host_times_page_id_start_minute_idx"), table_name="host_times")
    op.drop_index(op.f("host_times_host_id_end_minute_idx"), table_name="host_times")
    op.drop_index(op.f("host_times_hold_idx"), table_name="host_times")
    op.drop_index(op.f("host_times_booking_id_idx"), table_name="host_times")
    op.drop_table("host_times")
    op.drop_table("credentials")
    op.drop_index(op.f("calendars_connection_id_idx"), table_name="calendars")
    op.drop_table("calendars")
    op.drop_index(op.f("booking_hosts_host_id_idx"), table_name="booking_hosts")
    op.drop_table("booking_hosts")
    op.drop_index(op.f("sessions_expires_at_idx"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("connections_account_id_idx"), table_name="connections")
    op.drop_table("connections")
    op.drop_index(op.f("bookings_event_id_idx"), table_name="bookings")
    op.drop_index(op.f("bookings_page_id_idx"), table_name="bookings")
    op.drop_index(op.f("bookings_account_id_start_at_id_idx"), table_name="bookings")
    op.drop_table("bookings")
    op.drop_index(op.f("api_tokens_user_id_idx"), table_name="api_tokens")
    op.drop_table("api_tokens")
    op.drop_index(op.f("users_account_id_idx"), table_name="users")
    op.drop_table("users")
    op.drop_index(op.f("sync_schedule_due_at_idx"), table_name="sync_schedule")
    op.drop_index(op.f("sync_schedule_connection_id_idx"), table_name="sync_schedule")
    op.drop_table("sync_schedule")
    op.drop_index(op.f("slot_holds_visitor_idx"), table_name="slot_holds")
    op.drop_index(op.f("slot_holds_page_id_address_idx"), table_name="slot_holds")
    op.drop_index(op.f("slot_holds_expires_at_idx"), table_name="slot_holds")
    op.drop_table("slot_holds")
    op.drop_index(op.f("sign_in_attempts_expires_at_idx"), table_name="sign_in_attempts")
    op.drop_table("sign_in_attempts")
    op.drop_index(op.f("push_channels_calendar_id_idx"), table_name="push_channels")
    op.drop_table("push_channels")
    op.drop_index(op.f("pages_organizer_id_idx"), table_name="pages")
    op.drop_index(op.f("pages_account_id_created_at_id_idx"), table_name="pages")
    op.drop_table("pages")
    op.drop_table("journal_heads")
    op.drop_index(op.f("journal_subject_idx"), table_name="journal")
    op.drop_table("journal")
    op.drop_index(
        "intents_open_subject_idx",
        table_name="intents",
        postgresql_where=sa.text("done_at IS NULL AND died_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL AND died_at IS NULL"),
    )
    op.drop_index(
        "intents_open_lane_idx",
        table_name="intents",
        postgresql_where=sa.text("done_at IS NULL AND died_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL AND died_at IS NULL"),
    )
    op.drop_index(
        "intents_open_due_idx",
        table_name="intents",
        postgresql_where=sa.text("done_at IS NULL AND died_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL AND died_at IS NULL"),
    )
    op.drop_index(op.f("intents_done_at_idx"), table_name="intents")
    op.drop_index(
        "intents_dead_idx",
        table_name="intents",
        postgresql_where=sa.text("died_at IS NOT NULL"),
        sqlite_where=sa.text("died_at IS NOT NULL"),
    )
    op.drop_table("intents")
    op.drop_index(op.f("idempotency_keys_created_at_idx"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("blocked_attempts_told")
    op.drop_index(op.f("blocked_attempts_host_id_idx"), table_name="blocked_attempts")
    op.drop_table("blocked_attempts")
    op.drop_table("account_keys")
    op.drop_table("key_check")
    op.drop_table("accounts")
