"""What an answer must not hold before a parser sees it: a document type, entities, depth or bulk that eats memory.

The parser behind exchangelib forgives everything and has its own limits switched off (`recover`, `huge_tree`), because
Exchange writes characters that XML forbids. So text is not judged here, only markup, and that strictly: what reads
differently to different parsers is refused.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

LONGEST = 10 * 2**20
DEEPEST = 100
MOST_NODES = 100_000
"""Elements and attributes together: each costs the parser a hundred bytes and more, and may be as short as four. A full
page of a calendar has some ten thousand."""

LONGEST_PREAMBLE = 64 * 2**10


class XmlRefused(ValueError):
    """An answer no parser should see. The text says why and repeats nothing of it."""


def check_xml(content: bytes) -> None:
    """Pass what Exchange may send; cheap beside parsing it.

    Raises:
        XmlRefused: it is no XML in UTF-8, has a document type, or is too long, too deep or has too many parts.
    """
    if len(content) > LONGEST:
        raise XmlRefused("the answer is too long")
    position = _prologue(content)
    nodes, path = 0, list[bytes]()
    while (start := content.find(b"<", position)) >= 0:
        match = _MARKUP.match(content, start)
        if match is None or (not path and content[position:start].strip()):
            raise XmlRefused("the answer is not XML")
        position = match.end()
        if match.lastgroup == "close":
            if not path or path.pop() != match["closed"]:
                raise XmlRefused("the answer is not XML")
            continue
        if match.lastgroup in ("open", "empty") and not path and nodes:
            raise XmlRefused("the answer is not one document")
        if match.lastgroup == "open":
            path.append(match["opened"])
        nodes += 1 + (match[0].count(b"=") if match.lastgroup != "quiet" else 0)
        if len(path) > DEEPEST:
            raise XmlRefused("the answer is nested too deeply")
        if nodes > MOST_NODES:
            raise XmlRefused("the answer has too many parts")
    if path or nodes == 0 or content[position:].strip():
        raise XmlRefused("the answer is not whole")


def whole_documents(pieces: Iterable[bytes], last_tag: bytes = b"Envelope") -> Iterator[bytes]:
    """The documents of a connection that stays open, each as soon as it is whole, and checked.

    They hold elements and nothing else: in comments and the like a reader of single tags would find others.

    Raises:
        XmlRefused: as `check_xml`, or one that does not end.
    """
    end = re.compile(rb"</(?:[^<>\s:]+:)?" + re.escape(last_tag) + rb"\s*>")
    buffer = b""
    for piece in pieces:
        searched = max(len(buffer) - 256, 0)
        buffer += piece
        while (match := end.search(buffer, searched)) is not None:
            document, buffer, searched = buffer[: match.end()], buffer[match.end() :], 0
            if b"<!" in document or b"<?" in document.removeprefix(BOM_UTF8).lstrip()[2:]:
                raise XmlRefused("the answer holds more than elements")
            check_xml(document)
            yield document
        if len(buffer) > LONGEST:
            raise XmlRefused("the answer is too long")


def _prologue(content: bytes) -> int:
    """Where the markup of elements begins: after the mark of UTF-8, and a declaration that does not ask for another
    encoding, in which the rest could read differently."""
    match = _PROLOGUE.match(content)
    start = match.end() if match is not None else 0
    if b"\0" in content or content[start : start + 5].lower() == b"<?xml":
        raise XmlRefused("the answer is not in UTF-8")
    following = _BEFORE_ROOT.match(content, start)
    assert following is not None  # it matches nothing, too
    if content[following.end() : following.end() + 9].upper() == b"<!DOCTYPE":
        raise XmlRefused("the answer has a document type")
    if following.end() - start > LONGEST_PREAMBLE:
        raise XmlRefused("the answer has too many parts")
    return following.end()


_PROLOGUE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+"
    rb"""(?:<\?xml\s++version\s*=\s*(?:"1\.[01]"|'1\.[01]')"""
    rb"""(?:\s++encoding\s*=\s*["'](?:utf-8|us-ascii)["'])?(?:\s++standalone\s*=\s*["'](?:yes|no)["'])?\s*+\?>)?\s*+""",
    re.IGNORECASE,
)
_BEFORE_ROOT = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)

_NAME = rb"""[A-Za-z_:\x80-\xff][^\s<>/="'&]*+"""
_ATTRIBUTES = rb"""(?:\s++""" + _NAME + rb"""\s*+=\s*+(?:"[^<"]*+"|'[^<']*+'))*+\s*+"""
_MARKUP = re.compile(
    rb"(?P<open><(?P<opened>" + _NAME + rb")" + _ATTRIBUTES + rb">)"
    rb"|(?P<close></(?P<closed>" + _NAME + rb")\s*+>)"
    rb"|(?P<empty><" + _NAME + _ATTRIBUTES + rb"/>)"
    rb"|(?P<quiet><!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)",
    re.DOTALL,
)
