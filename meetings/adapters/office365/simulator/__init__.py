"""Office 365, simulated: Entra's sign-in, calendar and mail of Microsoft Graph v1.0, over TLS on a loopback address.

    with Office365Simulator().serve() as office:
        office.add_account("ada@example.com", "Ada", time_zone="Europe/Berlin")
        ... point msal and an HTTP client at office.endpoints, trusting office.ca_file ...

It answers as Microsoft's documentation says. Each behaviour names its source: the title of a documentation page, a
resource of the reference, or a public report; what rests on a guess is marked "assumed". For the demo and the tests
only.
"""

from meetings.adapters.office365.simulator.browser import ConsentRefused
from meetings.adapters.office365.simulator.calls import Call
from meetings.adapters.office365.simulator.control import (
    CLIENT_ID,
    CLIENT_SECRET,
    SCOPES,
    Endpoints,
    Office365Simulator,
    weekly,
)
from meetings.adapters.office365.simulator.sending import Notification
from meetings.adapters.office365.simulator.world import HOME_TENANT, PERSONAL_TENANT, Mail
from meetings.adapters.scripted_faults.faults import Fault

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "HOME_TENANT",
    "PERSONAL_TENANT",
    "SCOPES",
    "Call",
    "ConsentRefused",
    "Endpoints",
    "Fault",
    "Mail",
    "Notification",
    "Office365Simulator",
    "weekly",
]
