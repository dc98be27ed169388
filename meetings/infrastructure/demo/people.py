"""Who lives in the demo."""

from dataclasses import dataclass

ZONE = "Europe/Berlin"
PASSWORD = "demo-password"
TEAM_CALENDAR = "Team rota"
BOB_EMAIL = "bob@demo.example"


@dataclass(frozen=True)
class Person:
    """A host of the demo's account."""

    name: str
    email: str


ANNA = Person("Anna Albers", "anna@demo.example")
"""Has a Google calendar."""

BEN = Person("Ben Brandt", "ben@demo.example")
"""Waits for his provider: not connected."""

CARLA = Person("Carla Cohn", "carla@demo.example")
"""Waits for her provider: not connected."""

DORA = Person("Dora Dietz", "dora@demo.example")
"""Has no calendar at all."""

EVERYBODY = (ANNA, BEN, CARLA, DORA)
