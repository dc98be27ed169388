"""The server's certificate. Clients of Entra insist on https, so each simulator is its own certificate authority.

People's browsers do not know that authority, so the pages for people may be served without TLS.
"""

import shutil
import ssl
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """What the server shows, and the PEM file of the authority that a client has to believe in."""

    context: ssl.SSLContext
    authority_file: str


def certificate_for(owner: object) -> Certificate:
    """A certificate of 127.0.0.1, `::1` and localhost from a new authority; its file lasts as long as `owner`."""
    authority = trustme.CA(organization_name="Office 365, simulated")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "::1", "localhost").configure_cert(context)
    folder = tempfile.mkdtemp(prefix="office365-simulator-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return Certificate(context, str(path))
