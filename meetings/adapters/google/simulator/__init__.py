"""Google, simulated: OAuth 2.0, Calendar API v3 and Gmail API v1 over HTTP on a loopback address.

    with GoogleSimulator().serve() as google:
        google.add_account("ada@example.com", "Ada", time_zone="Europe/Berlin")
        ... point a real Google client at google.endpoints ...

It answers as Google's documentation says. Each behaviour names its source: the title of a documentation page, a field
of the discovery documents that ship inside google-api-python-client, or a public report; what rests on a
guess is marked "assumed". For the demo and the tests only.
"""

from meetings.adapters.google.simulator.browser import ConsentRefused
from meetings.adapters.google.simulator.calls import Call
from meetings.adapters.google.simulator.control import (
    CALENDAR_SCOPE,
    CLIENT_ID,
    CLIENT_SECRET,
    MAIL_SCOPES,
    Endpoints,
    GoogleSimulator,
)
from meetings.adapters.google.simulator.push import Notification
from meetings.adapters.google.simulator.world import Mail
from meetings.adapters.scripted_faults.faults import Fault

__all__ = [
    "CALENDAR_SCOPE",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "MAIL_SCOPES",
    "Call",
    "ConsentRefused",
    "Endpoints",
    "Fault",
    "GoogleSimulator",
    "Mail",
    "Notification",
]
