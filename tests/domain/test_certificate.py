"""Certificates that people paste; those here have the form of one and certify nothing."""

from base64 import b64encode

import pytest

from meetings.domain.base import Rule
from meetings.domain.certificate import MAX_CERTIFICATES, certificate_problem


def pem(der: bytes, label: str = "CERTIFICATE") -> str:
    text = b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


SHORT = b"\x30\x05hello"
LONG = b"\x30\x82\x01\x2c" + bytes(300)
GOOD = {
    "one": pem(SHORT),
    "a long one": pem(LONG),
    "a chain": pem(LONG) + pem(SHORT),
    "with words around": f"subject=CN=Corp CA\n{pem(LONG)}\nissuer=CN=Corp CA\n",
    "from Windows": pem(LONG).replace("\n", "\r\n"),
}
BAD = {
    "nothing": "",
    "words": "Corp CA",
    "a private key": pem(LONG, "PRIVATE KEY"),
    "a certificate and its key": pem(LONG) + pem(LONG, "RSA PRIVATE KEY"),
    "no end": pem(LONG).replace("-----END CERTIFICATE-----", ""),
    "no beginning": pem(LONG).replace("-----BEGIN CERTIFICATE-----", ""),
    "another end": pem(LONG).replace("END CERTIFICATE", "END X509 CRL"),
    "letters that are none": pem(LONG).replace("A", "*"),
    "not whole": pem(LONG[:-1]),
    "more than it says": pem(LONG + b"x"),
    "no sequence": pem(b"\x04\x05hello"),
    "empty": pem(b""),
    "an endless length": pem(b"\x30\x80hello"),
}


@pytest.mark.parametrize("what", GOOD)
def test_certificates_in_pem_are_taken(what: str) -> None:
    assert certificate_problem(GOOD[what], "caCertificate") is None


@pytest.mark.parametrize("what", BAD)
def test_anything_else_is_refused(what: str) -> None:
    problem = certificate_problem(BAD[what], "caCertificate")
    assert problem is not None
    assert (problem.path, problem.rule) == (("caCertificate",), Rule.NOT_A_CERTIFICATE)


def test_a_huge_text_is_refused_without_a_look_inside() -> None:
    problem = certificate_problem("-----BEGIN " * MAX_CERTIFICATES, "caCertificate")
    assert problem is not None
    assert problem.rule is Rule.TOO_LONG
