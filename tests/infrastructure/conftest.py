"""Databases and simulators for the tests of processes."""

from tests.databases import database_url, simulators, sqlite_template

__all__ = ["database_url", "simulators", "sqlite_template"]
