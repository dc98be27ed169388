"""What no parser should see is refused before one does, quickly and without eating memory (IN-3)."""

import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from exchangelib.util import DocumentYielder, to_xml

from meetings.adapters.exchange.xml_limits import DEEPEST, MOST_NODES, XmlRefused, check_xml, whole_documents

ENVELOPE = (
    b'<?xml version="1.0" encoding="utf-8"?>\n'
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    b"<m:Subject xmlns:m='urn:m' a = \"it's > 1\">caf\xc3\xa9 &amp; &lt;b&gt; &#x1F; \x0b ]] > </m:Subject>"
    b"<!-- a comment --><m:Empty/><![CDATA[<not><markup>]]></s:Body></s:Envelope>\r\n"
)


@pytest.mark.parametrize(
    "content",
    [
        ENVELOPE,
        b"\xef\xbb\xbf" + ENVELOPE,
        b"\r\n " + ENVELOPE,
        ENVELOPE.replace(b"utf-8", b"UTF-8").replace(b'"1.0"', b"'1.0'"),
        b"<a/>",
        b"<a\n\tb='1'\n/>",
        b"<a><?target data?></a>",
        b"<caf\xc3\xa9>x</caf\xc3\xa9 >",
        b"<a>" * DEEPEST + b"</a>" * DEEPEST,
        b"<a><!DOCTYPE-is-text-only-in-comments></a>".replace(b"<!D", b"<!-- D").replace(b"comments>", b"comments -->"),
        b"<r>" + b"<a/>" * (MOST_NODES - 1) + b"</r>",
        b"<r>" + b"x" * (10 * 2**20 - 7) + b"</r>",
    ],
)
def test_what_exchange_may_send_is_passed(content: bytes) -> None:
    check_xml(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"no markup",
        b"text<a/>",
        b"<a/>text",
        b"<a/><b/>",
        b"<a>",
        b"</a>",
        b"<a></b>",
        b"<a><b></a></b>",
        b"<a b=1/>",
        b"<a b/>",
        b"<a b='<'/>",
        b"<a b=\"1'/>",
        b'<a b="1"c="2"/>',
        b"<a>1 < 2</a>",
        b"<a><!-- </a>",
        b"<a><![CDATA[ </a>",
        b"<a><!ELEMENT b></a>",
        b"<1/>",
        b"< a/>",
        b"<?xml version='1.0'?>",
        # document types, wherever and however
        b"<!DOCTYPE a><a/>",
        b"<!doctype html><html/>",
        b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><?x y?> <!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a><!DOCTYPE a></a>",
        b"<!ENTITY b 'c'><a/>",
        # encodings in which the rest would read differently
        "<?xml version='1.0'?><!DOCTYPE a><a/>".encode("utf-16"),
        "<?xml version='1.0'?><!DOCTYPE a><a/>".encode("utf-16-le"),
        "<?xml version='1.0'?><!DOCTYPE a><a/>".encode("utf-32"),
        "<?xml version='1.0'?><!DOCTYPE a><a/>".encode("cp037"),
        b"<?xml version='1.0' encoding='utf-7'?><a>+ADw-b+AD4-</a>",
        b"<?xml version='1.0' encoding='iso-2022-jp'?><a/>",
        b"<?xml version='1.0' encoding='utf-8' encoding='utf-7'?><a/>",
        b"<?xml encoding='utf-8'?><a/>",
        b"<?xml version='1.0' encoding=utf-8?><a/>",
        b"<?xml version='1.0'?><?xml version='1.0' encoding='utf-7'?><a/>",
        b"<a>\x00</a>",
    ],
)
def test_what_parsers_could_read_differently_is_refused(content: bytes) -> None:
    with pytest.raises(XmlRefused):
        check_xml(content)


def laughs() -> bytes:
    entities = b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    return b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY l0 'lol'>" + entities + b"]><a>&l9;</a>"


BOMBS: dict[str, Callable[[], bytes]] = {
    "a billion laughs": laughs,
    "a quadratic one": lambda: b"<!DOCTYPE a [<!ENTITY b '" + b"x" * 10**6 + b"'>]><a>" + b"&b;" * 10**6 + b"</a>",
    "too long": lambda: b"<a>" + b"x" * (10 * 2**20) + b"</a>",
    "too deep": lambda: b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
    "far too deep": lambda: b"<a>" * 3_400_000,
    "too many elements": lambda: b"<r>" + b"<a/>" * 2_600_000 + b"</r>",
    "too many attributes": lambda: b"<r " + b" ".join(b'a%d=""' % n for n in range(900_000)) + b"/>",
    "too many comments": lambda: b"<r>" + b"<!---->" * 1_400_000 + b"</r>",
    "too many comments before": lambda: b"<!---->" * 1_400_000 + b"<r/>",
    "too many instructions": lambda: b"<r>" + b"<?a?>" * 2_000_000 + b"</r>",
    "comments that never end": lambda: b"<r>" + b"<!--" * 2_600_000,
    "sections that never end": lambda: b"<r>" + b"<![CDATA[" * 1_100_000,
    "a name that never ends": lambda: b"<" + b"a" * 10_000_000,
    "a value that never ends": lambda: b"<a b='" + b"x" * 10_000_000,
    "blanks that never end": lambda: b"<a" + b" " * 10_000_000,
    "half attributes": lambda: b"<a" + b" b= " * 2_500_000,
    "a declaration that never ends": lambda: b"<?xml" + b" " * 10_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_a_second_and_fifty_megabytes(name: str) -> None:
    bomb = BOMBS[name]()
    started = time.process_time()
    with pytest.raises(XmlRefused):
        check_xml(bomb)
    assert time.process_time() - started < 1.0
    tracemalloc.start()
    try:
        with pytest.raises(XmlRefused):
            check_xml(bomb)
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


def test_a_refusal_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(XmlRefused) as refused:
        check_xml(b"<secret><of></secret>")
    assert "secret" not in str(refused.value)


# ---- connections that stay open ------------------------------------------------------------------------------------

ONE = b"<s:Envelope><s:Body a='1'/></s:Envelope>"
OTHER = b"<?xml version='1.0'?>\r\n<Envelope>x</Envelope >"


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
def test_documents_come_one_by_one_however_they_are_cut(size: int) -> None:
    stream = ONE + b"\r\n" + OTHER + ONE
    pieces = [stream[place : place + size] for place in range(0, len(stream), size)]
    assert [document.strip() for document in whole_documents(pieces)] == [ONE, OTHER, ONE]


def test_a_document_is_there_as_soon_as_it_is_whole() -> None:
    def pieces() -> Iterator[bytes]:
        yield ONE
        raise AssertionError("it waited for more")

    assert next(whole_documents(pieces())) == ONE


@pytest.mark.parametrize(
    "stream",
    [
        b"<!DOCTYPE a><Envelope></Envelope>",
        b"<Envelope><!-- <Envelope><a> --></Envelope>",
        b"<Envelope><![CDATA[ <Envelope> ]]></Envelope>",
        b"<Envelope><?x <Envelope> ?></Envelope>",
        b"<Envelope><a></Envelope>",
        b"<Envelope>" + b"<a>" * 101 + b"</a>" * 101 + b"</Envelope>",
        b"text<Envelope></Envelope>",
        b"<Envelope>" + b"x" * (10 * 2**20),
    ],
)
def test_a_document_no_parser_should_see_ends_the_stream(stream: bytes) -> None:
    with pytest.raises(XmlRefused):
        list(whole_documents([stream[place : place + 65536] for place in range(0, len(stream), 65536)]))


def test_what_passes_is_what_the_library_reads() -> None:
    passed = b"".join(whole_documents([ONE + OTHER]))
    read = list(DocumentYielder(passed[place : place + 1] for place in range(len(passed))))
    assert [len(to_xml(document).getroot()) for document in read] == [1, 0]
