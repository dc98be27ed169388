"""What keeps people from connecting a mailbox, in words for them."""

import requests

from meetings.adapters.exchange.guarded_http import CallRefused
from meetings.adapters.exchange.versions import OLDEST
from meetings.application.outbound import AddressRefused, Objection
from meetings.application.ports.calendars import LoginProblem, LoginRefused

SAID = {
    LoginProblem.CREDENTIALS_REJECTED: "The server did not accept the user name and password.",
    LoginProblem.APP_PASSWORD_REQUIRED: "This account signs in with two factors: it needs an app password.",
    LoginProblem.USERNAME_REQUIRED: "The server did not accept the address as a user name, or the password is wrong.",
    LoginProblem.URL_REQUIRED: "The server could not be found by the address.",
    LoginProblem.URL_INVALID: "This is not the address of a server's web service.",
    LoginProblem.ADDRESS_FORBIDDEN: "Addresses inside private networks are not called.",
    LoginProblem.UNREACHABLE: "The server does not answer us. Its firewall may have to let our addresses in.",
    LoginProblem.CERTIFICATE_INVALID: "The server's certificate could not be verified.",
    LoginProblem.VERSION_UNSUPPORTED: f"The server is older than {OLDEST.name}.",
    LoginProblem.USE_OFFICE365: "This mailbox is in Exchange Online: connect it as Office 365.",
    LoginProblem.SHARED_MAILBOX: "Only personal mailboxes can be connected.",
    LoginProblem.MAILBOX_NOT_FOUND: "The account has no mailbox on this server.",
}
"""One sentence for each problem."""


class Reaching:
    """Turns what keeps us from a server into the problem that the person can do something about."""

    def __init__(self, unreachable: LoginRefused) -> None:
        self._unreachable = unreachable

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CallRefused):
            error = error.refused
        if isinstance(error, AddressRefused):
            raise self._forbidden(error) from None
        if isinstance(error, requests.exceptions.SSLError) and "certificate" in str(error).lower():
            raise LoginRefused(LoginProblem.CERTIFICATE_INVALID) from None
        if isinstance(error, requests.RequestException | OSError):
            raise self._unreachable from None

    def _forbidden(self, refused: AddressRefused) -> LoginRefused:
        if refused.objection is Objection.UNKNOWN_HOST:
            return self._unreachable
        if refused.objection in (Objection.NOT_PUBLIC, Objection.PORT):
            return LoginRefused(LoginProblem.ADDRESS_FORBIDDEN)
        return LoginRefused(LoginProblem.URL_INVALID)
