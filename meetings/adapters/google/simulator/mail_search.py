"""Searching a mailbox: as much of Gmail's search as programs use.

Source: "Refine searches in Gmail" (help), "Search for Gmail messages" (Gmail API guides: dates as seconds). Words stand
for words of the subject (simplified, assumed); an operator that is not simulated is an error here and none at Google.
"""

from collections.abc import Callable

from meetings.adapters.google.simulator.errors import GoogleError
from meetings.adapters.google.simulator.mailbox import DRAFT, INBOX, SENT, SPAM, TRASH, StoredMail

_PLACES = {"inbox": INBOX, "sent": SENT, "drafts": DRAFT, "spam": SPAM, "trash": TRASH, "chats": "CHAT"}
Test = Callable[[StoredMail], bool]


def fits(query: str, mail: StoredMail) -> bool:
    """Whether a mail fits every term; one that begins with a minus must not fit."""
    return all(_fits(term, mail) for term in query.split())


def _fits(term: str, mail: StoredMail) -> bool:
    if term.startswith("-"):
        return not _fits(term[1:], mail)
    operator, colon, value = term.partition(":")
    if not colon:
        return operator.lower() in mail.header("Subject").lower()
    if operator == "in" and value in _PLACES:
        return _PLACES[value] in mail.labels
    if operator == "in" and value == "anywhere":
        return True
    if operator == "rfc822msgid":
        return mail.header("Message-ID").strip("<> ") == value.strip("<>")
    if operator in ("after", "before") and value.isdigit():
        seconds = int(mail.at.timestamp())
        return seconds >= int(value) if operator == "after" else seconds < int(value)
    if operator in ("from", "to"):
        return value.lower() in mail.header(operator).lower()
    raise GoogleError(501, "notImplemented", f"The search operator {operator} is not simulated.")
