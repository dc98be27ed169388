"""Who lives in the demo."""

from dataclasses import dataclass

ZONE = "Europe/Berlin"
PASSWORD = "demo-password"
TEAM_CALENDAR = "Team rota"
PROJECT_CALENDAR = "Projects"
CARLA_PASSWORD = "carla's mailbox password"
BOB_EMAIL = "bob@demo.example"


@dataclass(frozen=True)
class Person:
    """A host of the demo's account."""

    name: str
    email: str


ANNA = Person("Anna Albers", "anna@demo.example")
"""Has a Google calendar."""

BEN = Person("Ben Brandt", "ben@demo.example")
"""Has a mailbox in Office 365."""

CARLA = Person("Carla Cohn", "carla@demo.example")
"""Has a mailbox on the company's own Exchange server."""

DORA = Person("Dora Dietz", "dora@demo.example")
"""Has no calendar at all."""

EVERYBODY = (ANNA, BEN, CARLA, DORA)
