"""What erasing and keeping records of people needs.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
