"""What conversations about HubSpot are made of."""

from tests.api.documents import ERRORS

_CONNECTION = "connection { connectedAt refusedAt }"
CONNECT_HUBSPOT = (
    f"mutation($token: String!) {{ connectHubSpot(privateAppToken: $token) {{ {_CONNECTION} {ERRORS} }} }}"
)
DISCONNECT_HUBSPOT = f"mutation {{ disconnectHubSpot {{ {_CONNECTION} {ERRORS} }} }}"
HUBSPOT = "{ viewer { hubSpotConnection { connectedAt refusedAt } } }"
