"""Connected mailboxes, the mails sent and found through them, and channels of teams.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # mailboxes
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("held_address", sa.Text, nullable=True),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("consent_accepted_at", types.Instant, nullable=False),
        sa.Column("connected_at", types.Instant, nullable=False),
        sa.Column("connection_id", sa.Uuid, nullable=True),
        sa.Column("grant_state", sa.Text, nullable=False),
        sa.Column("server_url", sa.Text, nullable=True),
        sa.Column("server_version", sa.Text, nullable=True),
        sa.Column("team", sa.Boolean, nullable=False),
        sa.Column("log_replies", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="mailboxes_account_id_fkey"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="mailboxes_user_id_fkey"),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name="mailboxes_connection_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="mailboxes_pkey"),
        sa.UniqueConstraint("connection_id", name="mailboxes_connection_id_key"),
    )
    op.create_index("mailboxes_account_id_held_address_idx", "mailboxes", ["account_id", "held_address"], unique=True)
    op.create_index("mailboxes_user_id_idx", "mailboxes", ["user_id"])
    op.create_table(
        "mailbox_credentials",
        sa.Column("mailbox_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("lease", sa.Uuid, nullable=True),
        sa.Column("lease_until", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="mailbox_credentials_account_id_fkey"),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailboxes.id"], name="mailbox_credentials_mailbox_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name="mailbox_credentials_pkey"),
    )
    # one sign-in for calendars and mail
    op.add_column("sign_in_attempts", sa.Column("uses", sa.Text, server_default="CALENDAR", nullable=False))
    op.add_column("sign_in_attempts", sa.Column("reconnect_mailbox", sa.Uuid, nullable=True))
    op.add_column("sign_in_attempts", sa.Column("channel_id", sa.Uuid, nullable=True))
    # channels of teams
    op.create_table(
        "team_channels",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("live_name", sa.Text, nullable=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("hosted_address", sa.Text, nullable=False),
        sa.Column("created_by", sa.Uuid, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("mailbox_id", sa.Uuid, nullable=True),
        sa.Column("removed_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="team_channels_account_id_fkey"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name="team_channels_mailbox_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="team_channels_pkey"),
        sa.UniqueConstraint("hosted_address", name="team_channels_hosted_address_key"),
    )
    op.create_index("team_channels_account_id_live_name_idx", "team_channels", ["account_id", "live_name"], unique=True)

    # mail
    op.add_column("accounts", sa.Column("email_logging", types.Document, nullable=True))
    op.create_table(
        "email_threads",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("mailbox_id", sa.Uuid, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("contact_email", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("last_at", types.Instant, nullable=False),
        sa.Column("provider_thread", sa.Text, nullable=True),
        sa.Column("unread", sa.Boolean, nullable=False),
        sa.Column("heard_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="email_threads_account_id_fkey"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="email_threads_user_id_fkey"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name="email_threads_mailbox_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="email_threads_pkey"),
    )
    op.create_index("email_threads_user_id_last_at_id_idx", "email_threads", ["user_id", "last_at", "id"])
    op.create_index("email_threads_account_id_contact_idx", "email_threads", ["account_id", "contact"])
    op.create_index("email_threads_user_id_contact_email_idx", "email_threads", ["user_id", "contact_email"])
    op.create_table(
        "emails",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("thread_id", sa.Uuid, nullable=False),
        sa.Column("mailbox_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("contacts", types.Document, nullable=False),
        sa.Column("sender_name", sa.Text, nullable=False),
        sa.Column("sender_email", sa.Text, nullable=False),
        sa.Column("recipients", types.Document, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=True),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.Column("sent_at", types.Instant, nullable=True),
        sa.Column("sent_as", sa.Text, nullable=True),
        sa.Column("handed_over_at", types.Instant, nullable=True),
        sa.Column("failure", sa.Text, nullable=True),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("unsubscribe", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="emails_account_id_fkey"),
        sa.ForeignKeyConstraint(["thread_id"], ["email_threads.id"], name="emails_thread_id_fkey"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name="emails_mailbox_id_fkey"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="emails_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="emails_pkey"),
    )
    op.create_index("emails_account_id_message_id_idx", "emails", ["account_id", "message_id"], unique=True)
    op.create_index("emails_account_id_sent_as_idx", "emails", ["account_id", "sent_as"])
    op.create_index("emails_thread_id_at_id_idx", "emails", ["thread_id", "at", "id"])
    op.create_index("emails_mailbox_id_created_at_idx", "emails", ["mailbox_id", "created_at"])
    op.create_index("emails_user_id_state_idx", "emails", ["user_id", "state"])
    op.create_table(
        "mail_sync",
        sa.Column("mailbox_id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("begin_at", types.Instant, nullable=False),
        sa.Column("cursor", sa.Text, nullable=True),
        sa.Column("confirmed_at", types.Instant, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("due_at", types.Instant, nullable=False),
        sa.Column("requested", sa.Boolean, nullable=False),
        sa.Column("lease_until", types.Instant, nullable=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="mail_sync_account_id_fkey"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name="mail_sync_mailbox_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mailbox_id", name="mail_sync_pkey"),
    )
    op.create_index("mail_sync_due_at_idx", "mail_sync", ["due_at"])


def downgrade() -> None:
    # mail
    op.drop_table("mail_sync")
    op.drop_table("emails")
    op.drop_table("email_threads")
    op.drop_column("accounts", "email_logging")
    # channels of teams
    op.drop_table("team_channels")
    # one sign-in for calendars and mail
    op.drop_column("sign_in_attempts", "channel_id")
    op.drop_column("sign_in_attempts", "reconnect_mailbox")
    op.drop_column("sign_in_attempts", "uses")
    # mailboxes
    op.drop_table("mailbox_credentials")
    op.drop_table("mailboxes")
