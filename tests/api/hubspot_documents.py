"""What conversations about HubSpot are made of."""

from tests.api.documents import ERRORS

_CONNECTION = "connection { connectedAt refusedAt }"
CONNECT_HUBSPOT = (
    f"mutation($token: String!) {{ connectHubSpot(privateAppToken: $token) {{ {_CONNECTION} {ERRORS} }} }}"
)
DISCONNECT_HUBSPOT = f"mutation {{ disconnectHubSpot {{ {_CONNECTION} {ERRORS} }} }}"
START_HUBSPOT = (
    "mutation($returnTo: URL!) { startHubSpotConnection(returnTo: $returnTo) "
    f"{{ authorizationUrl expiresAt {ERRORS} }} }}"
)
SIGN_IN_OFFERED = "{ viewer { hubSpotSignInOffered } }"
HUBSPOT = "{ viewer { hubSpotConnection { connectedAt refusedAt } } }"
