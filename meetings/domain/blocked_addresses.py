"""Whose mail addresses a page takes no bookings from (A-FO3, A-FO4)."""

from collections.abc import Iterator, Sequence

from meetings.domain.base import Problem, ProblemCode, Rule
from meetings.domain.mail_domain import mail_domain, mail_domain_problem

MOST_BLOCKED = 200
FREE_DOMAINS = frozenset(
    "aol.com fastmail.com freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.com "
    "hotmail.de hotmail.fr icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru me.com msn.com orange.fr "
    "outlook.com outlook.de posteo.de proton.me protonmail.com qq.com rocketmail.com t-online.de tutanota.com web.de "
    "yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com 126.com 163.com".split()
)
"""Where anybody gets a mailbox for nothing: the large ones, by general knowledge; no list is complete."""

_RESERVED_NAMES = frozenset({"example.com", "example.net", "example.org"})
_RESERVED_ENDS = frozenset({"example", "invalid", "localhost", "test"})
"""Nobody gets mail there (RFC 2606, RFC 6761)."""


def is_reserved(address: str) -> bool:
    """Whether an address is under a name that nobody can have, so that it is false in any case."""
    parents = list(_parents(address))
    return bool(parents) and (parents[-1] in _RESERVED_ENDS or not _RESERVED_NAMES.isdisjoint(parents))


def blocked_problem(address: str, blocked: Sequence[str], *path: str, free_too: bool) -> Problem | None:
    """What keeps an address from being taken: its domain, or one it is under, is blocked."""
    parents = set(_parents(address))
    refused = not parents.isdisjoint(blocked) or (free_too and not parents.isdisjoint(FREE_DOMAINS))
    return Problem(path, Rule.NOT_ALLOWED_HERE, ProblemCode.EMAIL_DOMAIN_BLOCKED) if refused else None


def block_list_problems(blocked: Sequence[str], *path: str) -> Iterator[Problem]:
    """Everything wrong with a list of domains."""
    if len(blocked) > MOST_BLOCKED:
        yield Problem(path, Rule.TOO_MANY, values={"most": MOST_BLOCKED})
    for index, domain in enumerate(blocked):
        wrong = mail_domain_problem(domain, *path, str(index))
        if wrong:
            yield wrong


def _parents(address: str) -> Iterator[str]:
    """`a.b.com`, `b.com`, `com` for an address at `a.b.com`; nothing for what is no address."""
    labels = (mail_domain(address) or "").split(".")
    return (".".join(labels[at:]) for at in range(len(labels)) if labels[at])
