"""How a tenant describes itself: the discovery document of OpenID Connect.

Source: "OpenID Connect on the Microsoft identity platform"; its members as the public document of `common` has them.
"""

from meetings.adapters.office365.simulator.errors import EntraError, Json
from meetings.adapters.office365.simulator.id_tokens import issuer
from meetings.adapters.office365.simulator.world import PERSONAL_TENANT, World


def configuration(world: World, tenant: str, base_url: str) -> Json:
    """The discovery document. Under `common` and `organizations` the issuer is a pattern, a tenant's own document
    names its id ("OpenID Connect on the Microsoft identity platform").

    Raises:
        EntraError: a tenant that nobody here belongs to.
    """
    own = {account.tenant_id for account in world.accounts.values()}
    domains = {account.email.partition("@")[2]: account.tenant_id for account in world.accounts.values()}
    tenant_id = {"common": "{tenantid}", "organizations": "{tenantid}", "consumers": PERSONAL_TENANT}.get(
        tenant, domains.get(tenant, tenant)
    )
    if tenant_id not in own | {"{tenantid}", PERSONAL_TENANT}:
        raise EntraError("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
    base = f"{base_url}/{tenant if tenant_id.startswith('{') else tenant_id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(base_url, tenant_id),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{world.pages_url}{base.removeprefix(base_url)}/oauth2/v2.0/authorize",
        "http_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "nonce",
            "preferred_username",
            "name",
            "tid",
            "email",
        ],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }
