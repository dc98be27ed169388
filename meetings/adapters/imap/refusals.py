"""What answers of IMAP and SMTP servers mean for us.

Sources: RFC 5530 (words in brackets), RFC 5321 4.2 and RFC 4954 6 (reply codes), RFC 3463 (enhanced codes). A server's
words may repeat an address, so no error here has any of them.
"""

import re
import ssl

from meetings.application.outbound import AddressRefused
from meetings.application.ports.calendars import ProviderError, ProviderUnavailable, RateLimited, ReauthorizationNeeded
from meetings.application.ports.mail_accounts import MailNotAccepted

_CODE = re.compile(r"\[([A-Z-]{1,40})\b")
_WAIT = frozenset({"LIMIT", "INUSE", "THROTTLED"})
_OURS = frozenset({"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "CONTACTADMIN"})
_BUSY_WORDS = ("too many", "rate limit", "try again later", "temporarily")
_APP_PASSWORD_WORDS = ("application-specific password", "app password", "app-specific password", "webloginrequired")
# Answers about us rather than about the mail: authentication wanted, too weak, encryption wanted, or wrong.
_ABOUT_US = frozenset({530, 534, 535, 538})


def wants_app_password(words: str) -> bool:
    return any(each in words.lower() for each in _APP_PASSWORD_WORDS)


def refused_login(words: str) -> ProviderError:
    """A LOGIN that was answered with NO. Without a word that says otherwise, the password is wrong."""
    code = _code(words)
    if code in _WAIT or (code not in _OURS and any(each in words.lower() for each in _BUSY_WORDS)):
        return RateLimited("the mail server asks to wait")
    if code == "UNAVAILABLE":
        return ProviderUnavailable("the mail server cannot check passwords now")
    return ReauthorizationNeeded("the mail server does not accept the password")


def refused_command(words: str) -> ProviderError:
    """Any other command that was answered with NO or BAD."""
    code = _code(words)
    if code in _WAIT:
        return RateLimited("the mail server asks to wait")
    if code in ("AUTHENTICATIONFAILED", "EXPIRED"):
        return ReauthorizationNeeded("the mail server ended our access")
    return ProviderUnavailable(f"the mail server refused ({code or 'without a reason'})")


def refused_mail(step: str, status: int) -> ProviderError:
    """An answer of an SMTP server that is no success: it took nothing."""
    if status == 535:
        return ReauthorizationNeeded("the mail server does not accept the password")
    if 500 <= status <= 599 and status not in _ABOUT_US:
        return MailNotAccepted(f"the mail server refused the {step}: {status}")
    if status in (421, 450, 451, 452, 454):
        return RateLimited(f"the mail server does not take the {step} now: {status}")
    return ProviderUnavailable(f"the mail server does not take the {step}: {status}")


def no_answer(error: Exception) -> ProviderError:
    """A connection that did not come about, broke or took too long; or was not to be made."""
    if isinstance(error, AddressRefused):
        return ProviderUnavailable("the mail server's address is not to be called")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProviderUnavailable("the mail server's certificate is not to be believed")
    return ProviderUnavailable(f"no readable answer from the mail server ({type(error).__name__})")


def _code(words: str) -> str:
    match = _CODE.search(words)
    return match[1] if match else ""
