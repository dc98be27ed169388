"""Sequences of mails, who is in them, and who wants none.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sequences",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("steps", types.Document, nullable=False),
        sa.Column("created_at", types.Instant, nullable=False),
        sa.Column("updated_at", types.Instant, nullable=False),
        sa.Column("ends_by_company", sa.Boolean, nullable=False),
        sa.Column("archived_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="sequences_account_id_fkey"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="sequences_owner_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="sequences_pkey"),
    )
    op.create_index("sequences_owner_id_idx", "sequences", ["owner_id"])
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sequence_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("contact_email", sa.Text, nullable=False),
        sa.Column("contact_domain", sa.Text, nullable=False),
        sa.Column("enrolled_at", types.Instant, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("next_step", sa.Integer, nullable=False),
        sa.Column("next_send_at", types.Instant, nullable=True),
        sa.Column("email_id", sa.Uuid, nullable=True),
        sa.Column("thread_id", sa.Uuid, nullable=True),
        sa.Column("pause", sa.Text, nullable=True),
        sa.Column("ended_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="enrollments_account_id_fkey"),
        sa.ForeignKeyConstraint(["sequence_id"], ["sequences.id"], name="enrollments_sequence_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="enrollments_pkey"),
    )
    op.create_index("enrollments_sequence_id_enrolled_at_id_idx", "enrollments", ["sequence_id", "enrolled_at", "id"])
    op.create_index("enrollments_user_id_contact_email_idx", "enrollments", ["user_id", "contact_email"])
    op.create_index("enrollments_user_id_contact_domain_idx", "enrollments", ["user_id", "contact_domain"])
    op.create_index("enrollments_email_id_idx", "enrollments", ["email_id"])
    op.create_index("enrollments_thread_id_idx", "enrollments", ["thread_id"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "enrollments_open_idx",
        "enrollments",
        ["sequence_id", "contact_email"],
        unique=True,
        postgresql_where=still_open,
        sqlite_where=still_open,
    )
    op.create_table(
        "mail_opt_outs",
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="mail_opt_outs_account_id_fkey"),
        sa.PrimaryKeyConstraint("account_id", "email_key", name="mail_opt_outs_pkey"),
    )
    # links in mails of sequences
    op.add_column("meeting_links", sa.Column("enrollment_id", sa.Uuid, nullable=True))
    op.create_index("meeting_links_enrollment_id_idx", "meeting_links", ["enrollment_id"])
    op.create_index("meeting_links_booking_id_idx", "meeting_links", ["booking_id"])


def downgrade() -> None:
    op.drop_index("meeting_links_booking_id_idx", "meeting_links")
    op.drop_index("meeting_links_enrollment_id_idx", "meeting_links")
    op.drop_column("meeting_links", "enrollment_id")
    op.drop_table("mail_opt_outs")
    op.drop_table("enrollments")
    op.drop_table("sequences")
