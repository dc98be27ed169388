"""XML that a careful reader refuses: what a hostile or broken server could answer."""

from meetings.adapters.exchange.simulator.soap import SOAP

KINDS = ("dtd", "entities", "external", "depth")
_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>\n"


def document(kind: str) -> bytes:
    """A SOAP document with a document type, entities that grow, one that reads a file, or 100,000 nested elements.

    Raises ValueError for another kind.
    """
    if kind == "dtd":
        return _envelope("<!DOCTYPE x>", "").encode()
    if kind == "entities":
        lines = ["<!ENTITY a0 'ha ha ha ha ha ha'>"]
        lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)]
        return _envelope(f"<!DOCTYPE x [{''.join(lines)}]>", "&a11;").encode()
    if kind == "external":
        return _envelope("<!DOCTYPE x [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]>", "&secret;").encode()
    if kind == "depth":
        return _envelope("", "<x>" * 100_000 + "</x>" * 100_000).encode()
    raise ValueError(f"{kind} is not one of {KINDS}")


def _envelope(doctype: str, body: str) -> str:
    return f"{_DECLARATION}{doctype}<s:Envelope xmlns:s='{SOAP}'><s:Body>{body}</s:Body></s:Envelope>"
