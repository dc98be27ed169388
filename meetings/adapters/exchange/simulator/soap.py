"""XML as Exchange Web Services speak it: building elements, reading requests, wrapping answers.

Namespaces and the place of `RequestServerVersion`, `TimeZoneContext` and `ServerVersionInfo`: MS-OXWSCDATA 2.2.3.
"""

from collections.abc import Iterator

from lxml import etree

from meetings.adapters.exchange.simulator.versions import ServerVersion

Element = etree._Element

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMES = {"s": SOAP, "m": MESSAGES, "t": TYPES, "e": ERRORS}

Content = Element | str | None


def t(name: str, *content: Content, **attributes: str | None) -> Element:
    """An element of the types namespace; what is None is left out."""
    return _element(TYPES, name, content, attributes)


def m(name: str, *content: Content, **attributes: str | None) -> Element:
    """An element of the messages namespace."""
    return _element(MESSAGES, name, content, attributes)


def _element(namespace: str, name: str, content: tuple[Content, ...], attributes: dict[str, str | None]) -> Element:
    made = etree.Element(f"{{{namespace}}}{name}", nsmap={"m": MESSAGES, "t": TYPES})
    for key, value in attributes.items():
        if value is not None:
            made.set(key, value)
    for each in content:
        if isinstance(each, str):
            made.text = each
        elif each is not None:
            made.append(each)
    return made


def local(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def children(element: Element | None) -> Iterator[Element]:
    """Child elements, without comments and processing instructions."""
    if element is not None:
        yield from (each for each in element if isinstance(each.tag, str))


def find(element: Element | None, path: str) -> Element | None:
    """The first match of a path such as `m:ItemShape/t:BaseShape`."""
    return None if element is None else element.find(path, NAMES)


def text(element: Element | None, path: str | None = None, default: str = "") -> str:
    found = find(element, path) if path is not None else element
    return default if found is None or found.text is None else found.text


def flag(value: str | None) -> bool:
    return (value or "").strip().lower() in ("true", "1")


def truth(value: bool) -> str:
    return "true" if value else "false"


def read(body: bytes) -> Element:
    """The root of a request. No entity is resolved, nothing is fetched.

    Raises:
        etree.XMLSyntaxError: it is not well-formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(body, parser)


def envelope(body: Element, version: ServerVersion | None) -> bytes:
    """A whole answer. Faults carry no header (seen in answers), so `version` is None for them."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
    if version is not None:
        header = etree.SubElement(root, f"{{{SOAP}}}Header")
        etree.SubElement(header, f"{{{TYPES}}}ServerVersionInfo", version_info(version), nsmap={"h": TYPES})
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    # Prefixes stay: a type of an element may be written with one.
    etree.cleanup_namespaces(body, keep_ns_prefixes=["m", "t"])
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def version_info(version: ServerVersion) -> dict[str, str]:
    names = ("MajorVersion", "MinorVersion", "MajorBuildNumber", "MinorBuildNumber")
    numbers = {name: str(part) for name, part in zip(names, version.build, strict=True)}
    return numbers | {"Version": version.reported}


def fault(code: str, reason: str, message: str, details: Element | None = None) -> Element:
    """A SOAP fault with its code in the detail, as answers in public reports show it."""
    body = etree.Element(f"{{{SOAP}}}Fault", nsmap={"s": SOAP})
    named = etree.SubElement(body, "faultcode", nsmap={"a": TYPES})
    named.text = f"a:{code}"
    etree.SubElement(body, "faultstring", {"{http://www.w3.org/XML/1998/namespace}lang": "en-US"}).text = reason
    detail = etree.SubElement(body, "detail")
    etree.SubElement(detail, f"{{{ERRORS}}}ResponseCode", nsmap={"e": ERRORS}).text = code
    etree.SubElement(detail, f"{{{ERRORS}}}Message", nsmap={"e": ERRORS}).text = message
    if details is not None:
        detail.append(details)
    return body


def violation_xml(violation: str) -> Element:
    """Where and how a request broke the schema; the place is not worked out here."""
    return t("MessageXml", t("LineNumber", "1"), t("LinePosition", "1"), t("Violation", violation))


def message_xml(values: dict[str, str]) -> Element:
    return t("MessageXml", *(t("Value", value, Name=name) for name, value in values.items()))
