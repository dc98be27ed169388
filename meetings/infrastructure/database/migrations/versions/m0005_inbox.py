"""Connected mailboxes, the mails sent and found through them, and channels of teams.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
