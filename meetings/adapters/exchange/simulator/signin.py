"""Who is calling: Basic and NTLM, as IIS in front of Exchange does them.

Basic: RFC 7617. NTLM: MS-NLMP over HTTP (RFC 4559's sibling, "NTLM over HTTP" MS-NTHT): it signs in a connection, and
later requests on it need no header. A refused sign-in is 401 whatever the reason: unknown name, wrong password, locked,
disabled, or with a password that expired (assumed for the last: nothing tells it apart).

An account with two-factor sign-in takes only an app password; its normal password gives 401 with a hint in
`X-MS-Diagnostics` (the header is Exchange's, what it says here is assumed).
"""

import base64
import binascii
import struct
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from meetings.adapters.exchange.simulator.ntlm import Handshake, NtlmRefused
from meetings.adapters.exchange.simulator.settings import Settings
from meetings.adapters.exchange.simulator.world import Account, World

APP_PASSWORD_HINT = (
    '2000009;reason="Multi-factor authentication is required for this account. Use an app password.";'
    'error_category="mfa_required"'
)


@dataclass
class Refused(Exception):
    """The request is answered with 401. `challenges` are values of WWW-Authenticate."""

    challenges: list[str]
    headers: dict[str, str] = field(default_factory=dict)


class Gate:
    def __init__(self, world: World, settings: Settings) -> None:
        self._world = world
        self._settings = settings

    def account_of(self, headers: Mapping[str, str], connection: MutableMapping[str, Any]) -> Account:
        """The account behind the request. `connection` keeps what belongs to its TCP connection.

        Raises:
            Refused: sign in, or sign in otherwise.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if not scheme:
            signed_in: tuple[Account | None, int] = connection.get("signed_in", (None, 0))
            account, epoch = signed_in
            if account is None or not self._may_enter(account) or epoch != account.sign_in_epoch:
                raise self._refused()
            return account
        if scheme.lower() == "basic" and "Basic" in self._settings.schemes:
            return self._by_password(*_basic(token))
        if scheme.lower() == "ntlm" and "NTLM" in self._settings.schemes:
            account = self._by_handshake(token, connection)
            connection["signed_in"] = (account, account.sign_in_epoch)
            return account
        raise self._refused()

    def find(self, login: str) -> Account | None:
        """The account with this login name: address or UPN, `DOMAIN\\name`, or the short name; case does not matter."""
        wanted = login.strip().lower()
        for account in self._world.accounts.values():
            if wanted in login_names(account):
                return account
        return None

    def _by_password(self, login: str, password: str) -> Account:
        account = self.find(login)
        if account is None:
            raise self._refused()
        if account.app_password is not None and password == account.password:
            account.failed_sign_ins += 1
            raise self._refused({"X-MS-Diagnostics": APP_PASSWORD_HINT})
        return self._checked(account, password == (account.app_password or account.password))

    def _by_handshake(self, token: str, connection: MutableMapping[str, Any]) -> Account:
        try:
            message = base64.b64decode(token, validate=True)
        except binascii.Error:
            raise self._refused() from None
        if _is_first(message):
            connection["handshake"] = Handshake()
            answer = base64.b64encode(connection["handshake"].challenge(message)).decode()
            raise Refused([f"NTLM {answer}"])
        handshake = connection.pop("handshake", None)
        if handshake is None:
            raise self._refused()
        login = handshake.login_of(message)
        account = self.find(login)
        if account is None:
            raise self._refused()
        if account.app_password is not None and _proves(handshake, message, login, account.password):
            account.failed_sign_ins += 1
            raise self._refused({"X-MS-Diagnostics": APP_PASSWORD_HINT})
        return self._checked(account, _proves(handshake, message, login, account.app_password or account.password))

    def _checked(self, account: Account, is_right: bool) -> Account:
        """Counts wrong passwords; after too many the account is locked, and the right one does not help."""
        if not is_right:
            account.failed_sign_ins += 1
            account.failures += 1
            if self._settings.lock_after is not None and account.failures >= self._settings.lock_after:
                account.locked = True
        if not is_right or not self._may_enter(account):
            raise self._refused()
        account.failures = 0
        return account

    def _may_enter(self, account: Account) -> bool:
        return not (account.locked or account.disabled or account.password_expired)

    @property
    def challenges(self) -> list[str]:
        return [{"Basic": 'Basic realm="localhost"'}.get(each, each) for each in self._settings.schemes]

    def _refused(self, headers: dict[str, str] | None = None) -> Refused:
        return Refused(self.challenges, headers or {})


def login_names(account: Account) -> set[str]:
    """The names this account may sign in with, in lower case."""
    found = set()
    if "upn" in account.names:
        found |= {account.upn.lower()}
    if "domain" in account.names:
        found |= {f"{account.domain}\\{account.alias}".lower()}
    if "alias" in account.names:
        found |= {account.alias.lower()}
    return found


def _proves(handshake: Handshake, message: bytes, login: str, password: str) -> bool:
    try:
        handshake.verify(message, login, password)
    except NtlmRefused:
        return False
    return True


def _is_first(message: bytes) -> bool:
    return message[:8] == b"NTLMSSP\0" and len(message) >= 12 and struct.unpack("<I", message[8:12])[0] == 1


def _basic(token: str) -> tuple[str, str]:
    try:
        login, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return login, password
