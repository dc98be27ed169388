"""Microsoft's own sign-in library and a plain HTTP client, pointed at a simulator."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msal
import requests

from meetings.adapters.office365.simulator import CLIENT_ID, CLIENT_SECRET, SCOPES, Office365Simulator

REDIRECT = "http://127.0.0.1:8000/oauth/office365/callback"
# What httpx raises when an answer is lost or broken.
LOST = (httpx.TransportError, ssl.SSLError)
UTC_IDS = 'IdType="ImmutableId", outlook.timezone="UTC"'


def msal_app(office: Office365Simulator, tenant: str = "common", *, redirect: str = REDIRECT) -> Any:
    """A confidential client; its registration allows `redirect`."""
    office.register_client(CLIENT_ID, CLIENT_SECRET, (redirect,))
    session = requests.Session()
    # Variables of the environment would win over `verify`.
    session.trust_env, session.verify = False, office.ca_file
    return msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=CLIENT_SECRET,
        authority=office.endpoints.authority(tenant),
        http_client=session,
        instance_discovery=False,
    )


def answer_of(callback: str) -> dict[str, str]:
    """The parameters a callback carries."""
    return dict(parse_qsl(urlsplit(callback).query))


def tokens_for(office: Office365Simulator, form: dict[str, str], tenant: str = "common") -> httpx.Response:
    """POST to the token address, with the client's own name and secret unless the form has others."""
    own = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    with httpx.Client(verify=trusting(office), trust_env=False) as client:
        return client.post(office.endpoints.token(tenant), data={**own, **form})


def trusting(office: Office365Simulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=office.ca_file)


def graph_client(
    office: Office365Simulator,
    email: str,
    *,
    scopes: tuple[str, ...] = SCOPES,
    prefer: str = UTC_IDS,
    timeout: float = 5.0,
) -> httpx.Client:
    """A client of Graph v1.0, signed in as `email`; paths begin with a slash. Close it, or let the test end."""
    token = office.grant(email, scopes)["access_token"]
    return httpx.Client(
        base_url=office.endpoints.api,
        headers={"Authorization": f"Bearer {token}", "Prefer": prefer},
        verify=trusting(office),
        trust_env=False,
        timeout=timeout,
    )


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that is an error."""
    return answer.status_code, str(answer.json()["error"]["code"])
