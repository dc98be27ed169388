"""What erasing and keeping records of people needs.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_requests",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("requested_at", types.Instant, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="person_requests_account_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="person_requests_pkey"),
    )
    op.create_index("person_requests_expires_at_idx", "person_requests", ["expires_at"])
    op.add_column("journal", sa.Column("hash", sa.Text, nullable=True))
    op.add_column("journal_heads", sa.Column("hashed_position", sa.BigInteger, nullable=True))
    op.add_column("journal_heads", sa.Column("hash", sa.Text, nullable=True))


def downgrade() -> None:
    op.drop_column("journal_heads", "hash")
    op.drop_column("journal_heads", "hashed_position")
    op.drop_column("journal", "hash")
    op.drop_table("person_requests")
