"""Mail addresses for headers and envelopes."""

import re
from email.headerregistry import Address

from email_validator import EmailNotValidError, validate_email

from meetings.adapters.smtp.free_text import header_text
from meetings.application.ports.mail import UnsafeLetter

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ASCII_ADDRESS = re.compile(rf"({_WORD}(?:\.{_WORD})*)@({_LABEL}(?:\.{_LABEL})*)")


def address_of(email: str, *, name: str, field: str) -> Address:
    """One mailbox as a structured header value; an international domain in its ASCII form.

    Quoted local parts (`"a b"@…`) are refused although RFC 5322 allows them: nobody uses them, but attackers.

    Raises:
        UnsafeLetter: `email` is not exactly one address of the form `left@right`, or `name` cannot stand in a header.
    """
    local_part, domain = _parts(email, field=field)
    return Address(display_name=header_text(name, field=f"{field}.name"), username=local_part, domain=domain)


def _parts(email: str, *, field: str) -> tuple[str, str]:
    if len(email) <= 254 and (match := _ASCII_ADDRESS.fullmatch(email)):
        # Not left to the validator: it refuses names such as `localhost` and `.local`, which a private server serves.
        return match[1], match[2]
    try:
        known = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise UnsafeLetter(f"{field}.email is not one mail address") from None
    return known.local_part, str(known.ascii_domain)
