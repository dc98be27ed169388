"""Trying a password: each user name once, and not one more time than the server's answers justify (S38, X9).

Without a user name the address is tried, then the part before its "@". Servers do not tell a wrong name from a wrong
password, so a wrong password fails twice then. The second name is tried only after a bare 401: not after an answer that
speaks of the account itself (locked, disabled, expired, a second factor), where the first name was right. Accounts are
seldom locked before the third failure; and what failed in discovery is not shown to the web service once more.
"""

from collections.abc import Callable
from typing import TypeVar

from meetings.adapters.exchange.answers import APP_PASSWORD, UNAUTHORIZED
from meetings.adapters.exchange.refusals import Refused
from meetings.application.ports.calendars import LoginProblem, LoginRefused, MailboxCredentials, ServerAuth

T = TypeVar("T")

APP_PASSWORD_HELP = (
    "https://support.microsoft.com/account-billing/"  # noqa: S105 - an address
    "app-passwords-for-a-work-or-school-account-d6dc8c6d-4bf7-4851-ad95-6d07799387e9"
)


class PasswordTrial:
    """One per login. `username` is the name that was accepted, None before."""

    def __init__(self, given: MailboxCredentials) -> None:
        self._given = given
        named = given.username.strip() if given.username else ""
        local = given.email.rpartition("@")[0]
        self._left = [named] if named else [given.email, local]
        self._was_named = bool(named)
        self.username: str | None = None

    def run(self, attempt: Callable[[str], T]) -> T:
        """What `attempt` gives for the first name that is accepted. It raises `Refused`.

        Raises:
            LoginRefused: no name is; a second call does not try again.
            Refused: a name was accepted, and the server said no to what was asked.
        """
        while self.username is None:
            if not self._left:
                raise self._rejected()
            name = self._left.pop(0)
            try:
                answer = attempt(name)
            except Refused as refused:
                if not refused.code.startswith(UNAUTHORIZED):
                    self._took(name, refused)
                    raise
                self._think(refused.code)
            else:
                self.username = name
                return answer
        try:
            return attempt(self.username)
        except Refused as refused:
            if refused.code.startswith(UNAUTHORIZED):
                raise self._rejected() from None
            raise

    def _took(self, name: str, refused: Refused) -> None:
        """An error of the web service comes after signing in; one of HTTP may come before."""
        if refused.code.startswith("Error"):
            self.username = name

    def _think(self, code: str) -> None:
        if code == APP_PASSWORD:
            self._left = []
            raise LoginRefused(LoginProblem.APP_PASSWORD_REQUIRED, suggestion=APP_PASSWORD_HELP)
        if code != UNAUTHORIZED:
            self._left = []
            raise LoginRefused(LoginProblem.CREDENTIALS_REJECTED)

    def _rejected(self) -> LoginRefused:
        """Where no name was given, it may be the name or the password: the name is what can be added (S25)."""
        named = self._was_named or self.username is not None
        return LoginRefused(LoginProblem.CREDENTIALS_REJECTED if named else LoginProblem.USERNAME_REQUIRED)


def best_offered(wished: ServerAuth, offers: frozenset[str]) -> ServerAuth | None:
    """How to show the password: as wished, or NTLM before Basic; None when the server does not offer it.

    A server that offers only to negotiate takes NTLM under that name.
    """
    possible = {
        ServerAuth.NTLM: bool(offers & {"ntlm", "negotiate"}),
        ServerAuth.BASIC: "basic" in offers,
    }
    wanted = [wished] if wished is not ServerAuth.AUTO else [ServerAuth.NTLM, ServerAuth.BASIC]
    return next((auth for auth in wanted if possible[auth]), None)
