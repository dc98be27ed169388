"""Where Microsoft's clouds are. Source: "Microsoft Graph national cloud deployments" (Graph documentation).

They are separate: an app is registered in the cloud it is for, and accounts of one are unknown to the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """The sign-in service of Microsoft Entra, and Microsoft Graph, without a path."""

    login: str
    graph: str


CLOUDS: Mapping[str, Cloud] = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgovdod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": Cloud("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}
