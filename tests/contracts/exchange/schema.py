"""Checks calls against the published schema of Exchange 2010 SP2.

The schema lies beside the repository, in `../shared/contracts/exchange-2010-sp2`; without it nothing is checked, and
`AVAILABLE` is False. `SchemaCheck` is an observer: attach it to a simulator at version 14.2 and it checks every request
and every answer of EWS; `problems` stays empty when both keep to the schema. Where it is silent: requests of
autodiscover, answers that a scripted fault made, and the documents of a stream (`check_stream` does those).

Three things in the schema are repaired in memory, because no validator could use it otherwise or because Microsoft's
own answers differ: the import of the `xml:` namespace has no location; `ArrayOfTransitionsType` is not deterministic;
and what stands inside `Notifications` and `ErrorSubscriptionIds` is of the messages namespace in documented answers.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from meetings.adapters.exchange.simulator import Call

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "exchange-2010-sp2"
AVAILABLE = FOLDER.is_dir()
ABSENT = "the published schema of Exchange is not beside this repository (../shared/contracts/exchange-2010-sp2)"

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_MESSAGES = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
_TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"
# The server said itself what is wrong with the request, or the client was finding out which version to speak.
_REFUSED_AS_SUCH = (b"ErrorSchemaValidation", b"ErrorInvalidServerVersion")
_XML_NAMESPACE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
 targetNamespace="http://www.w3.org/XML/1998/namespace"><xs:attribute name="lang" type="xs:language"/></xs:schema>"""


class SchemaCheck:
    """Call it with each finished call. `checked` counts the documents that were checked."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.checked = 0

    def __call__(self, call: Call) -> None:
        if call.path.lower() != "/ews/exchange.asmx" or call.verb != "POST" or call.status == 401:
            return
        where = f"call {call.number}, {call.operation}"
        if not (call.worked and any(code in call.answer for code in _REFUSED_AS_SUCH)):
            self._add(f"{where}, request", document_problems(call.raw))
        if call.worked and call.answer:
            self._add(f"{where}, answer", document_problems(call.answer))
            if b"ErrorInternalServerError" in call.answer:
                self.problems.append(f"{where}: the simulator failed")

    def check_stream(self, documents: bytes) -> None:
        """Everything a stream sent, one document behind the other."""
        for document in split_stream(documents):
            self._add("stream", document_problems(document))

    def _add(self, where: str, found: list[str]) -> None:
        self.checked += 1
        self.problems += [f"{where}: {problem}" for problem in found]


def split_stream(documents: bytes) -> list[bytes]:
    """The documents of a stream."""
    return [part for part in re.split(rb"(?=<\?xml )", documents) if part.strip()]


def document_problems(document: bytes) -> list[str]:
    """What is wrong with one SOAP document: its body, and the headers of EWS in it."""
    try:
        envelope = etree.fromstring(document)
    except etree.XMLSyntaxError as error:
        return [f"not XML: {error}"]
    if envelope.tag != f"{_SOAP}Envelope":
        return [f"not a SOAP envelope: {envelope.tag}"]
    parts = [each for each in envelope.findall(f"{_SOAP}Header/*") if str(each.tag).startswith(_TYPES)]
    bodies = envelope.findall(f"{_SOAP}Body/*")
    if len(bodies) != 1:
        return [f"{len(bodies)} elements in the body"]
    if bodies[0].tag == f"{_SOAP}Fault":
        return _fault_problems(bodies[0])
    return [problem for part in (*parts, *bodies) for problem in _problems(part)]


def _problems(part: etree._Element) -> list[str]:
    alone = etree.fromstring(etree.tostring(part, with_tail=False))
    for each in (*alone.iter(f"{_MESSAGES}Notifications"), *alone.iter(f"{_MESSAGES}ErrorSubscriptionIds")):
        for child in each:
            child.tag = str(child.tag).replace(_MESSAGES, _TYPES)
    schema = _schema()
    if schema.validate(alone):
        return []
    errors: Any = schema.error_log  # the stubs do not say that it can be iterated
    return [f"{error.path}: {error.message}" for error in errors]


def _fault_problems(fault: etree._Element) -> list[str]:
    """A fault has its own shape (SOAP 1.1, 4.4), and a response code that the schema knows."""
    code = fault.findtext("detail/{http://schemas.microsoft.com/exchange/services/2006/errors}ResponseCode")
    found = [f"a fault without {name}" for name in ("faultcode", "faultstring") if not fault.findtext(name)]
    return found if code in response_codes() else [*found, f"not a response code: {code}"]


@cache
def _schema() -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(_Repaired())
    return etree.XMLSchema(etree.fromstring(_messages(), parser, base_url=str(FOLDER / "messages.xsd")))


@cache
def response_codes() -> frozenset[str]:
    """Every response code that the schema knows."""
    root = etree.fromstring(_messages())
    xs = "{http://www.w3.org/2001/XMLSchema}"
    (codes,) = [each for each in root.iter(f"{xs}simpleType") if each.get("name") == "ResponseCodeType"]
    return frozenset(each.get("value", "") for each in codes.iter(f"{xs}enumeration"))


def _messages() -> bytes:
    return (FOLDER / "messages.xsd").read_bytes()


def _types() -> bytes:
    """All kinds of transitions belong to the substitution group of Transition, so naming that one says it all."""
    text = (FOLDER / "types.xsd").read_bytes()
    text = text.replace(
        b'<xs:import namespace="http://www.w3.org/XML/1998/namespace"/>',
        b'<xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="xml.xsd"/>',
    )
    for kind in (b"AbsoluteDateTransition", b"RecurringDayTransition", b"RecurringDateTransition"):
        text = text.replace(b'<xs:element ref="t:%s" minOccurs="0" maxOccurs="unbounded" />' % kind, b"")
    return text


class _Repaired(etree.Resolver):
    def resolve(self, system_url, public_id, context):  # type: ignore[override]  # the stubs forget `context`
        if str(system_url).endswith("types.xsd"):
            return self.resolve_string(_types(), context, base_url=str(FOLDER / "types.xsd"))
        if str(system_url).endswith("xml.xsd"):
            return self.resolve_string(_XML_NAMESPACE, context, base_url=str(FOLDER / "xml.xsd"))
        return None
