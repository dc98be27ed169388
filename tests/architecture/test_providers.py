"""A provider is a folder, a line and an enum value: nothing else of the product names one.

The witness is Office 365, which nothing treats in a special way.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMES_THE_PROVIDER = re.compile(r"Provider\.OFFICE365|\bOFFICE365 ?= ?\"|adapters[./]office365")
NOT_THE_PRODUCT = ("meetings/infrastructure/demo/", "meetings/adapters/office365/")


def test_a_provider_is_named_by_its_enum_value_its_registry_line_and_one_sentence_of_the_api() -> None:
    found: dict[str, int] = {}
    for path in sorted(ROOT.glob("meetings/**/*.py")):
        name = path.relative_to(ROOT).as_posix()
        lines = [line for line in path.read_text().splitlines() if NAMES_THE_PROVIDER.search(line)]
        if lines and not name.startswith(NOT_THE_PRODUCT):
            found[name] = len(lines)
    assert found == {
        "meetings/domain/calendar_connection.py": 1,
        "meetings/domain/mailbox.py": 1,
        "meetings/domain/team_channel.py": 2,  # a team's mailbox can be there (A-IN7)
        "meetings/graphql/enums.py": 3,  # one sentence for calendars, for mailboxes and for teams' mail
        "meetings/graphql/exchange.py": 2,  # where mailboxes of Exchange Online are sent (S82)
        "meetings/infrastructure/providers.py": 2,  # the import and the line
    }
