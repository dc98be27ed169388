"""Anna and a person from outside who left traces everywhere."""

from tests.databases import database_url, simulators, sqlite_template

__all__ = ["database_url", "simulators", "sqlite_template"]
