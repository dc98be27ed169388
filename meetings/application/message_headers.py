"""How a mail's headers become lines of ASCII.

How the standard library folds a value outside ASCII depends on the Python version: it loses the space between two words
of a German subject of usual length (python/cpython#92081), or glues two encoded words together, for which large
providers reject the mail (#144156), or drops the quotes around a name (#87720). Its older `Header` class does none of
that, so the headers that carry people's words are folded by it. Message ids that are longer than a line it encodes as
if they were words (#80222); here they stay as they are, one to a line.
"""

from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueAddressHeader, UniqueUnstructuredHeader
from email.policy import SMTP, Policy


class _Text(UniqueUnstructuredHeader):
    name: str  # the registry mixes in the base class that has it

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {_encoded(str(self), self.name, policy)}{policy.linesep}"


class _Tokens(UniqueUnstructuredHeader):
    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


class _Mailbox(UniqueAddressHeader):
    name: str

    def fold(self, *, policy: Policy) -> str:
        mailboxes = f",{policy.linesep} ".join(_mailbox(address, self.name, policy) for address in self.addresses)
        return f"{self.name}: {mailboxes}{policy.linesep}"


def _mailbox(address: Address, name: str, policy: Policy) -> str:
    if address.display_name.isascii():
        return str(address)
    return f"{_encoded(address.display_name, name, policy)}{policy.linesep} <{address.addr_spec}>"


def _encoded(text: str, name: str, policy: Policy) -> str:
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, header_name=name).encode(linesep=policy.linesep)


def _policy() -> Policy:
    registry = HeaderRegistry()
    registry.map_to_type("subject", _Text)  # type: ignore[arg-type]  # the registry mixes in BaseHeader
    for name in ("from", "to", "reply-to"):
        registry.map_to_type(name, _Mailbox)  # type: ignore[arg-type]  # the registry mixes in BaseHeader
    for name in ("message-id", "in-reply-to", "references", "list-unsubscribe"):
        registry.map_to_type(name, _Tokens)  # type: ignore[arg-type]  # the registry mixes in BaseHeader
    return SMTP.clone(header_factory=registry)


MAIL = _policy()
"""RFC 5322 with CRLF, for messages to be sent."""
