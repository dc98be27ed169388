"""Telling "there shall be none" from "it stays", where None means the latter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cleared:
    """In place of a value: there shall be none."""


CLEARED = Cleared()
