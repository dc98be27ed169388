"""What the calendar settings add: plans and seats, people by invitation, paths of pages, links.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # plans and seats
    op.add_column("accounts", sa.Column("plan", types.Document, nullable=True))
    op.add_column("accounts", sa.Column("owners_revision", sa.Integer, server_default="0", nullable=False))
    # people
    op.add_column("users", sa.Column("permissions", types.Document, nullable=True))
    op.add_column("users", sa.Column("invited_at", types.Instant, nullable=True))
    # paths of pages
    op.add_column("users", sa.Column("meeting_url", sa.Text, nullable=True))
    op.create_index("users_meeting_url_idx", "users", ["meeting_url"], unique=True)
    # links
    op.create_table(
        "meeting_links",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("created_by", sa.Uuid, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("prefill", types.Document, nullable=False),
        sa.Column("duration_minutes", sa.Integer, nullable=True),
        sa.Column("single_use", sa.Boolean, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=True),
        sa.Column("used_at", types.Instant, nullable=True),
        sa.Column("booking_id", sa.Uuid, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="meeting_links_account_id_fkey"),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="meeting_links_page_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="meeting_links_pkey"),
    )
    op.create_index("meeting_links_page_id_idx", "meeting_links", ["page_id"])
    op.create_index("meeting_links_expires_at_idx", "meeting_links", ["expires_at"])

    # custom domains
    op.add_column("users", sa.Column("meeting_domain", sa.Text, nullable=True))
    op.create_table(
        "web_domains",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("connected_host", sa.Text, nullable=True),
        sa.Column("added_at", types.Instant, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("connected_at", types.Instant, nullable=True),
        sa.Column("checked_at", types.Instant, nullable=True),
        sa.Column("missing_since", types.Instant, nullable=True),
        sa.Column("is_primary", sa.Boolean, nullable=False),
        sa.Column("indexed", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="web_domains_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="web_domains_pkey"),
        sa.UniqueConstraint("connected_host", name="web_domains_connected_host_key"),
    )
    op.create_index("web_domains_account_id_host_idx", "web_domains", ["account_id", "host"], unique=True)
    # visitors of custom domains
    op.create_table(
        "visitors",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("nonce_hash", sa.Text, nullable=False),
        sa.Column("booking_id", sa.Uuid, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="visitors_account_id_fkey"),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name="visitors_booking_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="visitors_pkey"),
    )
    op.create_index("visitors_booking_id_idx", "visitors", ["booking_id"])
    op.create_index("visitors_expires_at_idx", "visitors", ["expires_at"])
    # beside a chat
    op.add_column("users", sa.Column("chat_profile", types.Document, nullable=True))


def downgrade() -> None:
    # beside a chat
    op.drop_column("users", "chat_profile")
    # visitors of custom domains
    op.drop_table("visitors")
    # custom domains
    op.drop_table("web_domains")
    op.drop_column("users", "meeting_domain")
    # links
    op.drop_table("meeting_links")
    # paths of pages
    op.drop_index("users_meeting_url_idx", "users")
    op.drop_column("users", "meeting_url")
    # people
    op.drop_column("users", "invited_at")
    op.drop_column("users", "permissions")
    # plans and seats
    op.drop_column("accounts", "owners_revision")
    op.drop_column("accounts", "plan")
