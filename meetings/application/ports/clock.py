"""Time, handed in."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the present instant, aware, in UTC."""
