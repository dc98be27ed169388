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


def downgrade() -> None:
    # mailboxes
    op.drop_table("mailbox_credentials")
    op.drop_table("mailboxes")
