"""What Exchange adds: the server of a connection, what an account presets and lifts, and which events to look after.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

import sqlalchemy as sa
from alembic import op

from meetings.infrastructure.database import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("exchange_full_sync", sa.Boolean, server_default=sa.false(), nullable=False))
    op.add_column("accounts", sa.Column("mail_presets", types.Document, server_default="[]", nullable=False))
    op.add_column("connections", sa.Column("server_url", sa.Text, nullable=True))
    op.add_column("connections", sa.Column("server_version", sa.Text, nullable=True))
    op.create_index(op.f("bookings_calendar_id_settled_at_idx"), "bookings", ["calendar_id", "settled_at"])


def downgrade() -> None:
    op.drop_index(op.f("bookings_calendar_id_settled_at_idx"), table_name="bookings")
    op.drop_column("connections", "server_version")
    op.drop_column("connections", "server_url")
    op.drop_column("accounts", "mail_presets")
    op.drop_column("accounts", "exchange_full_sync")
