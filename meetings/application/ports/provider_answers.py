"""What reads the same in any provider's answer. For adapters."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds to wait: the header is a number of them, or a date (RFC 9110 10.2.3). None for what is neither."""
    if header is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", header.strip()):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (TypeError, ValueError):
        return None


def word(text: str) -> str:
    """A word from outside, made safe for logs: at most 64 letters, digits and `_.-`; a `?` stands for anything else."""
    return re.sub(r"[^A-Za-z0-9_.-]", "?", text)[:64]
