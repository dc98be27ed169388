"""How tests ask for free times that are put into a mail."""

from tests.api.documents import ERRORS

INSERT = f"""mutation($page: ID!, $from: Date!, $to: Date!, $zone: TimeZone!, $count: Int!, $minutes: Int) {{
  insertAvailableTimes(
    pageId: $page, from: $from, to: $to, timeZone: $zone, count: $count, durationMinutes: $minutes
  ) {{ availableTimes {{ times {{ url slot {{ start end }} }} html text }} {ERRORS} }}
}}"""
