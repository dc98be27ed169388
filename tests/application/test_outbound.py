"""Which addresses may be called when somebody else has a say in them (IN-1, IN-2, A-EX6)."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from meetings.application.ip_addresses import belongs_to_no_server, is_public
from meetings.application.outbound import AddressRefused, Objection, OutboundGuard, Target, system_resolver

PUBLIC = "93.184.215.14"


def guard(*private: str, answers: Sequence[str] = (PUBLIC,)) -> OutboundGuard:
    return OutboundGuard(private, resolver=lambda host, port: answers)


def objection_to(url: str, *private: str, answers: Sequence[str] = (PUBLIC,)) -> Objection | None:
    """What is said against `url` when its host has `answers`, in either of the two steps."""
    judge = guard(*private, answers=answers)
    try:
        target = judge.check_url(url)
        judge.resolve(target.host, target.port)
    except AddressRefused as refused:
        return refused.objection
    return None


WELL_WRITTEN = {
    "https://mail.example.com/EWS/Exchange.asmx": Target("mail.example.com", 443),
    "https://mail.example.com": Target("mail.example.com", 443),
    "https://mail.example.com:443/": Target("mail.example.com", 443),
    "https://mail.example.com:8443/ews": Target("mail.example.com", 8443),
    "HTTPS://MAIL.Example.COM/ews": Target("mail.example.com", 443),
    "https://xn--mller-kva.example/ews?a=b&c=%20d": Target("xn--mller-kva.example", 443),
    "https://exchange/ews": Target("exchange", 443),
    "https://93.184.215.14/": Target("93.184.215.14", 443),
    "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/": Target("2606:2800:21f:cb07:6820:80da:af6b:8b2c", 443),
    "https://[2606:2800:021F:CB07::1]:8443/": Target("2606:2800:21f:cb07::1", 8443),
    "https://[::ffff:93.184.215.14]/": Target("::ffff:5db8:d70e", 443),
    "https://a.b-c.d1.example?x=//y@z": Target("a.b-c.d1.example", 443),
}

BADLY_WRITTEN = {
    # no address, or not one that all parsers read alike
    "": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com/\nX: y": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com/a b": Objection.NOT_AN_ADDRESS,
    "https://mail.exam\tple.com/": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com\\@127.0.0.1/": Objection.NOT_AN_ADDRESS,
    "https:\\\\127.0.0.1\\": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com/\x00": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com/\x7f": Objection.NOT_AN_ADDRESS,
    "https://müller.example/": Objection.NOT_AN_ADDRESS,
    "https://①②⑦.⓪.⓪.①/": Objection.NOT_AN_ADDRESS,
    "https://127。0。0。1/": Objection.NOT_AN_ADDRESS,
    "https://１２７.0.0.1/": Objection.NOT_AN_ADDRESS,
    "https://ma\u212al.example/": Objection.NOT_AN_ADDRESS,
    "https://mai\u017f.example/": Objection.NOT_AN_ADDRESS,
    "https://mail\u200b.example/": Objection.NOT_AN_ADDRESS,
    "https://<mail>.example/": Objection.NOT_AN_ADDRESS,
    "https://mail.example.com/" + "a" * 2048: Objection.NOT_AN_ADDRESS,
    # another scheme
    "http://mail.example.com/": Objection.NOT_HTTPS,
    "//mail.example.com/": Objection.NOT_HTTPS,
    "mail.example.com": Objection.NOT_HTTPS,
    "ftp://mail.example.com/": Objection.NOT_HTTPS,
    "file:///etc/passwd": Objection.NOT_HTTPS,
    "gopher://127.0.0.1:6379/_INFO": Objection.NOT_HTTPS,
    "https:mail.example.com": Objection.NOT_HTTPS,
    "https:/mail.example.com": Objection.NOT_HTTPS,
    "javascript:alert(1)//https://": Objection.NOT_HTTPS,
    # credentials, fragments
    "https://user:secret@mail.example.com/": Objection.CREDENTIALS,
    "https://user@mail.example.com/": Objection.CREDENTIALS,
    "https://@mail.example.com/": Objection.CREDENTIALS,
    "https://mail.example.com@127.0.0.1/": Objection.CREDENTIALS,
    "https://127.0.0.1:443@mail.example.com/": Objection.CREDENTIALS,
    "https://mail.example.com/#here": Objection.FRAGMENT,
    "https://mail.example.com#@127.0.0.1/": Objection.FRAGMENT,
    # odd hosts
    "https:///ews": Objection.ODD_HOST,
    "https://:443/": Objection.ODD_HOST,
    "https://mail.example.com./": Objection.ODD_HOST,
    "https://./": Objection.ODD_HOST,
    "https://mail..example.com/": Objection.ODD_HOST,
    "https://.example.com/": Objection.ODD_HOST,
    "https://-mail.example.com/": Objection.ODD_HOST,
    "https://mail-.example.com/": Objection.ODD_HOST,
    "https://mail_1.example.com/": Objection.ODD_HOST,
    "https://*.example.com/": Objection.ODD_HOST,
    "https://%31%32%37.0.0.1/": Objection.ODD_HOST,
    "https://mail.example.com%2f@x/": Objection.CREDENTIALS,
    "https://mail.example.com%00.evil.example/": Objection.ODD_HOST,
    "https://" + "a" * 64 + ".example/": Objection.ODD_HOST,
    "https://" + "a." * 127 + "example/": Objection.ODD_HOST,
    # IPv4 in other clothes
    "https://2130706433/": Objection.ODD_HOST,
    "https://017700000001/": Objection.ODD_HOST,
    "https://0x7f000001/": Objection.ODD_HOST,
    "https://0x7f.0.0.1/": Objection.ODD_HOST,
    "https://0177.0.0.1/": Objection.ODD_HOST,
    "https://127.1/": Objection.ODD_HOST,
    "https://127.0.1/": Objection.ODD_HOST,
    "https://127.0.0.01/": Objection.ODD_HOST,
    "https://127.0.0.0x1/": Objection.ODD_HOST,
    "https://127.0.0.1./": Objection.ODD_HOST,
    "https://256.0.0.1/": Objection.ODD_HOST,
    "https://1.2.3.4.5/": Objection.ODD_HOST,
    "https://mail.example.0x/": Objection.ODD_HOST,
    # IPv6 in other clothes
    "https://[::1%25lo]/": Objection.ODD_HOST,
    "https://[fe80::1%25eth0]/": Objection.ODD_HOST,
    "https://[::1/": Objection.ODD_HOST,
    "https://::1/": Objection.ODD_HOST,
    "https://[127.0.0.1]/": Objection.ODD_HOST,
    "https://[mail.example.com]/": Objection.ODD_HOST,
    "https://[::1]mail.example.com/": Objection.ODD_HOST,
    "https://[::1][::2]/": Objection.ODD_HOST,
    "https://[1:2:3:4:5:6:7:8:9]/": Objection.ODD_HOST,
    "https://[::0177.0.0.1]/": Objection.ODD_HOST,
    # ports
    "https://mail.example.com:80/": Objection.PORT,
    "https://mail.example.com:0/": Objection.PORT,
    "https://mail.example.com:/": Objection.PORT,
    "https://mail.example.com:0443/": Objection.PORT,
    "https://mail.example.com:+443/": Objection.PORT,
    "https://mail.example.com:65979/": Objection.PORT,
    "https://mail.example.com:-1/": Objection.PORT,
    "https://mail.example.com:4:4/": Objection.ODD_HOST,
    "https://mail.example.com:25/": Objection.PORT,
    "https://93.184.215.14:22/": Objection.PORT,
}

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 100.100.100.200 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::2 ::127.0.0.1 ::93.184.215.14 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0
    ::ffff:0:127.0.0.1 ::ffff:0:93.184.215.14 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe
    64:ff9b:1::127.0.0.1 64:ff9b:1:7f00:0:100:: 64:ff9b:1::93.184.215.14 100::1 2001::1
    2001:0:4136:e378:8000:63bf:3fff:fdd2
    2001:2::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe:: 2002:5db8:d70e::1 2606:4700::5efe:127.0.0.1
    2606:4700::200:5efe:10.0.0.1 2606:4700::200:5efe:5db8:d70e 3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1
    fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
""".split()

ALLOWED = """
    93.184.215.14 1.1.1.1 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 169.253.255.255 11.0.0.1 192.0.1.1
    198.17.255.255 223.255.255.255 2606:4700::1111 2a00:1450:4001:82a::200e 2003:a::1 ::ffff:93.184.215.14
    64:ff9b::93.184.215.14
""".split()


@pytest.mark.parametrize("url", WELL_WRITTEN)
def test_a_plain_address_is_read_in_the_one_way_it_can_be_read(url: str) -> None:
    assert guard().check_url(url) == WELL_WRITTEN[url]


@pytest.mark.parametrize("url", BADLY_WRITTEN)
def test_an_address_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    assert objection_to(url) is BADLY_WRITTEN[url]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_host_at_a_forbidden_address_is_refused(address: str) -> None:
    assert objection_to("https://mail.example.com/", answers=[address]) is Objection.NOT_PUBLIC


@pytest.mark.parametrize("address", [address for address in FORBIDDEN if "%" not in address])
def test_a_forbidden_address_in_the_url_is_refused_without_asking_anybody(address: str) -> None:
    written = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused) as refused:
        OutboundGuard(resolver=_nobody_asks).check_url(f"https://{written}/")
    assert refused.value.objection is Objection.NOT_PUBLIC


@pytest.mark.parametrize("address", ALLOWED)
def test_a_host_at_a_public_address_is_called(address: str) -> None:
    assert objection_to("https://mail.example.com/", answers=[address]) is None


@pytest.mark.parametrize("place", range(5))
def test_one_forbidden_answer_refuses_all_of_them(place: int) -> None:
    answers = [PUBLIC, "1.1.1.1", "2606:4700::1111", "8.8.8.8"]
    answers.insert(place, "10.0.0.1")
    assert objection_to("https://mail.example.com/", answers=answers) is Objection.NOT_PUBLIC


def test_answers_keep_their_order_and_lose_repetitions() -> None:
    found = guard(answers=["2606:4700::1111", PUBLIC, PUBLIC, "2606:4700::1111"]).resolve("mail.example.com", 443)
    assert [str(address) for address in found] == ["2606:4700::1111", PUBLIC]


@pytest.mark.parametrize("answers", [[], ["mail.example.com"], ["1.2.3"], ["0x7f000001"]])
def test_a_host_without_a_readable_address_is_unknown(answers: list[str]) -> None:
    assert objection_to("https://mail.example.com/", answers=answers) is Objection.UNKNOWN_HOST


def test_a_host_that_the_resolver_does_not_know_is_unknown() -> None:
    assert _objection_of_resolver(OSError("no such name")) is Objection.UNKNOWN_HOST
    assert _objection_of_resolver(UnicodeError("label too long")) is Objection.UNKNOWN_HOST


@pytest.mark.parametrize(
    ("entry", "url", "answer"),
    [
        ("10.0.0.0/8", "https://mail.corp.example/", "10.1.2.3"),
        ("10.0.0.0/8", "https://mail.corp.example/", "::ffff:10.1.2.3"),
        ("10.0.0.0/8", "https://mail.corp.example/", "64:ff9b::10.1.2.3"),
        ("10.1.2.3", "https://mail.corp.example:8443/", "10.1.2.3"),
        ("100.64.0.0/10", "https://mail.corp.example/", "100.64.0.7"),
        ("fd00::/8", "https://mail.corp.example/", "fd12::1"),
        ("64:ff9b:1::/48", "https://mail.corp.example/", "64:ff9b:1::a01:203"),
        ("mail.corp.example", "https://mail.corp.example/", "10.1.2.3"),
        ("Mail.Corp.Example", "https://MAIL.corp.example/", "fd12::1"),
        ("mail.corp.example:4443", "https://mail.corp.example:4443/", "10.1.2.3"),
        ("mail.corp.example:4443", "https://mail.corp.example:4443/", PUBLIC),
        ("127.0.0.1:1024-65535", "https://127.0.0.1:54321/", "127.0.0.1"),
        ("127.0.0.0/8:54321", "https://localhost:54321/", "127.0.0.1"),
        ("[::1]:54321", "https://[::1]:54321/", "::1"),
        ("[fd00::/8]:8443-8444", "https://mail.corp.example:8444/", "fd12::1"),
        ("::1", "https://localhost/", "::1"),
    ],
)
def test_the_operators_list_opens_what_it_names(entry: str, url: str, answer: str) -> None:
    assert objection_to(url, entry, answers=[answer]) is None


@pytest.mark.parametrize(
    ("entry", "url", "answer", "objection"),
    [
        ("10.0.0.0/8", "https://mail.corp.example/", "192.168.0.1", Objection.NOT_PUBLIC),
        ("10.0.0.0/8", "https://mail.corp.example:4443/", "10.0.0.1", Objection.PORT),
        ("mail.corp.example", "https://other.corp.example/", "10.0.0.1", Objection.NOT_PUBLIC),
        ("corp.example", "https://mail.corp.example/", "10.0.0.1", Objection.NOT_PUBLIC),
        ("mail.corp.example:4443", "https://mail.corp.example/", "10.0.0.1", Objection.NOT_PUBLIC),
        ("mail.corp.example:4443", "https://other.example:4443/", PUBLIC, Objection.PORT),
        ("127.0.0.1:54321", "https://127.0.0.1:54322/", "127.0.0.1", Objection.NOT_PUBLIC),
        ("127.0.0.1:54321", "https://127.0.0.2:54321/", "127.0.0.2", Objection.NOT_PUBLIC),
        ("127.0.0.1:54321", "https://localhost:54321/", "127.0.0.2", Objection.NOT_PUBLIC),
        # what no list opens
        ("169.254.0.0/16", "https://169.254.169.254/", "169.254.169.254", Objection.NOT_PUBLIC),
        ("metadata.internal", "https://metadata.internal/", "169.254.169.254", Objection.NOT_PUBLIC),
        ("fd00::/8", "https://mail.corp.example/", "fd00:ec2::254", Objection.NOT_PUBLIC),
        ("0.0.0.0/0", "https://mail.corp.example/", "0.0.0.0", Objection.NOT_PUBLIC),
        ("::/0", "https://mail.corp.example/", "::", Objection.NOT_PUBLIC),
        ("::/0", "https://mail.corp.example/", "2002:a00:1::1", Objection.NOT_PUBLIC),
        ("::/0", "https://mail.corp.example/", "ff02::1", Objection.NOT_PUBLIC),
        ("mail.corp.example", "https://mail.corp.example/", "fe80::1", Objection.NOT_PUBLIC),
        ("mail.corp.example", "https://mail.corp.example/", "168.63.129.16", Objection.NOT_PUBLIC),
        ("10.0.0.0/8", "http://10.0.0.1/", "10.0.0.1", Objection.NOT_HTTPS),
    ],
)
def test_the_operators_list_opens_nothing_else(entry: str, url: str, answer: str, objection: Objection) -> None:
    assert objection_to(url, entry, answers=[answer]) is objection


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "127.1",
        "mail_1",
        "mail:0",
        "mail:70000",
        "mail:9-3",
        "mail:x",
        "a b",
        "[mail]x",
        "*",
    ],
)
def test_an_entry_that_is_neither_network_nor_host_is_told_by_its_text(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a network nor a host") as refused:
        OutboundGuard([entry])
    assert f"`{entry}`" in str(refused.value)


def test_the_resolver_is_asked_once_and_never_for_addresses() -> None:
    asked: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return [PUBLIC]

    judge = OutboundGuard(resolver=resolver)
    judge.check_url("https://mail.example.com/")
    judge.resolve("Mail.Example.com", 443)
    judge.resolve("93.184.215.14", 443)
    assert asked == [("mail.example.com", 443)]


def test_no_refusal_repeats_what_was_asked_for() -> None:
    for url in BADLY_WRITTEN:
        with pytest.raises(AddressRefused) as refused:
            guard().check_url(url)
        assert "example" not in str(refused.value)


def test_every_forbidden_address_is_forbidden_for_a_reason_that_can_be_told() -> None:
    for text in FORBIDDEN:
        address = ip_address(text)
        assert belongs_to_no_server(address) or not is_public(address)


def test_refusals_tell_spelling_from_meaning() -> None:
    assert Objection.ODD_HOST.about_spelling
    assert not Objection.NOT_PUBLIC.about_spelling


def test_the_systems_resolver_knows_this_machine() -> None:
    assert set(system_resolver("localhost", 443)) <= {"127.0.0.1", "::1"}


def _nobody_asks(host: str, port: int) -> list[str]:
    raise AssertionError("a name was looked up")


def _objection_of_resolver(error: Exception) -> Objection:
    def resolver(host: str, port: int) -> list[str]:
        raise error

    with pytest.raises(AddressRefused) as refused:
        OutboundGuard(resolver=resolver).resolve("mail.example.com", 443)
    return refused.value.objection
