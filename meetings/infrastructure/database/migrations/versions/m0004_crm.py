"""Customer records: contacts, meetings and mails on their timelines, meetings of calendars, HubSpot.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # one meeting in everybody's calendar
    op.add_column("bookings", sa.Column("ical_uid", sa.Text, nullable=True))
    op.create_index("bookings_ical_uid_idx", "bookings", ["ical_uid"])
    # meetings made on a record or found in a calendar
    op.create_table(
        "engagements",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owners", types.Document, nullable=False),
        sa.Column("contacts", types.Document, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("location", sa.Text, nullable=True),
        sa.Column("start_at", types.Instant, nullable=False),
        sa.Column("end_at", types.Instant, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("calendar_id", sa.Uuid, nullable=True),
        sa.Column("event_id", sa.Text, nullable=True),
        sa.Column("event_url", sa.Text, nullable=True),
        sa.Column("join_url", sa.Text, nullable=True),
        sa.Column("ical_uid", sa.Text, nullable=True),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("settled_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="engagements_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="engagements_pkey"),
    )
    op.create_index("engagements_account_id_ical_uid_idx", "engagements", ["account_id", "ical_uid"], unique=True)
    op.create_index("engagements_event_id_idx", "engagements", ["event_id"])
    # the records themselves
    op.create_table(
        "crm_contacts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=True),
        sa.Column("last_name", sa.Text, nullable=True),
        sa.Column("company", sa.Text, nullable=True),
        sa.Column("owner", sa.Text, nullable=True),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("properties", types.Document, server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_contacts_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="crm_contacts_pkey"),
    )
    op.create_index("crm_contacts_account_id_created_at_id_idx", "crm_contacts", ["account_id", "created_at", "id"])
    op.create_index("crm_contacts_account_id_email_key_idx", "crm_contacts", ["account_id", "email_key"], unique=True)
    op.create_table(
        "crm_meetings",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("owners", types.Document, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=True),
        sa.Column("start_at", types.Instant, nullable=False),
        sa.Column("end_at", types.Instant, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=True),
        sa.Column("join_url", sa.Text, nullable=True),
        sa.Column("activity_type", sa.Text, nullable=True),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_meetings_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="crm_meetings_pkey"),
    )
    op.create_index("crm_meetings_account_id_key_idx", "crm_meetings", ["account_id", "key"], unique=True)
    op.create_table(
        "crm_mails",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("recipients", types.Document, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=True),
        sa.Column("sent_at", types.Instant, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_mails_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="crm_mails_pkey"),
    )
    op.create_index("crm_mails_account_id_key_idx", "crm_mails", ["account_id", "key"], unique=True)
    op.create_table(
        "crm_timeline",
        sa.Column("contact_id", sa.Uuid, nullable=False),
        sa.Column("entry_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.Column("meeting_id", sa.Uuid, nullable=True),
        sa.Column("mail_id", sa.Uuid, nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["crm_contacts.id"], name="crm_timeline_contact_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_timeline_account_id_fkey"),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["crm_meetings.id"], name="crm_timeline_meeting_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["mail_id"], ["crm_mails.id"], name="crm_timeline_mail_id_fkey", ondelete="CASCADE"),
        sa.CheckConstraint(
            "(meeting_id IS NULL) <> (mail_id IS NULL)", name="crm_timeline_crm_timeline_entry_check_check"
        ),
        sa.PrimaryKeyConstraint("contact_id", "entry_id", name="crm_timeline_pkey"),
    )
    op.create_index("crm_timeline_contact_id_at_entry_id_idx", "crm_timeline", ["contact_id", "at", "entry_id"])
    op.create_index("crm_timeline_mail_id_idx", "crm_timeline", ["mail_id"])
    op.create_index("crm_timeline_meeting_id_idx", "crm_timeline", ["meeting_id"])
    op.create_table(
        "crm_connections",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("connected_at", types.Instant, nullable=False),
        sa.Column("refused_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_connections_account_id_fkey"),
        sa.PrimaryKeyConstraint("account_id", name="crm_connections_pkey"),
    )
    op.create_table(
        "record_feeds",
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("cursor", sa.Text, nullable=True),
        sa.Column("window_start", types.Instant, nullable=True),
        sa.Column("window_end", types.Instant, nullable=True),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name="record_feeds_calendar_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="record_feeds_account_id_fkey"),
        sa.PrimaryKeyConstraint("calendar_id", name="record_feeds_pkey"),
    )
    op.create_table(
        "found_events",
        sa.Column("calendar_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("engagement_id", sa.Uuid, nullable=False),
        sa.Column("organized_here", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name="found_events_calendar_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="found_events_account_id_fkey"),
        sa.PrimaryKeyConstraint("calendar_id", "event_id", name="found_events_pkey"),
    )
    op.create_index("found_events_engagement_id_idx", "found_events", ["engagement_id"])
    op.add_column("accounts", sa.Column("internal_domains", types.Document, server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("accounts", "internal_domains")
    op.drop_table("found_events")
    op.drop_table("record_feeds")
    op.drop_table("crm_connections")
    op.drop_table("crm_timeline")
    op.drop_table("crm_mails")
    op.drop_table("crm_meetings")
    op.drop_table("crm_contacts")
    op.drop_table("engagements")
    op.drop_index("bookings_ical_uid_idx", "bookings")
    op.drop_column("bookings", "ical_uid")
