"""What signing in to a CRM needs: credentials that are renewed, and trips to its consent page.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crm_connections", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column("crm_connections", sa.Column("lease", sa.Uuid, nullable=True))
    op.add_column("crm_connections", sa.Column("lease_until", types.Instant, nullable=True))
    op.create_table(
        "crm_trips",
        sa.Column("state_hash", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("browser_hash", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("return_to", sa.Text, nullable=False),
        sa.Column("expires_at", types.Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="crm_trips_account_id_fkey"),
        sa.PrimaryKeyConstraint("state_hash", name="crm_trips_pkey"),
    )
    op.create_index("crm_trips_expires_at_idx", "crm_trips", ["expires_at"])


def downgrade() -> None:
    """Sign-ins are lost: the version before knows access tokens that were handed over, and nothing else."""
    op.drop_table("crm_trips")
    for column in ("lease_until", "lease", "version"):
        op.drop_column("crm_connections", column)
