"""A DNS server on loopback, with as much of the protocol as resolvers ask for (RFC 1035): real packets, over UDP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

_PIECE = 255
"""The longest string inside a TXT record."""


@dataclass
class NameServer:
    """Answers for every zone. `texts` are the TXT records by name, `services` the SRV records as they are written
    (`10 5 993 imap.example.com.`); a name without any does not exist."""

    host: str = "127.0.0.1"
    port: int = 0
    texts: dict[str, list[str]] = field(default_factory=dict)
    services: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    failing: bool = False
    """Answer SERVFAIL to everything, as a resolver does that reaches nobody."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def set(self, name: str, *texts: str) -> None:
        """Have exactly these TXT records at a name."""
        self.texts[name.rstrip(".").lower()] = list(texts)

    def set_services(self, name: str, *records: str) -> None:
        """Have exactly these SRV records at a name."""
        self.services[name.rstrip(".").lower()] = list(records)

    def clear(self, name: str) -> None:
        self.texts.pop(name.rstrip(".").lower(), None)

    @contextmanager
    def serve(self) -> Iterator["NameServer"]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind((self.host, 0))
            listener.settimeout(0.1)
            self.port = listener.getsockname()[1]
            stop = threading.Event()
            thread = threading.Thread(target=self._answer_all, args=(listener, stop), name="dns", daemon=True)
            thread.start()
            try:
                yield self
            finally:
                stop.set()
                thread.join(timeout=5)

    def _answer_all(self, listener: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                packet, sender = listener.recvfrom(4096)
            except TimeoutError:
                continue
            listener.sendto(self._answer(packet), sender)

    def _answer(self, packet: bytes) -> bytes:
        query = dns.message.from_wire(packet)
        answer = dns.message.make_response(query, recursion_available=True)
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif question.rdtype == dns.rdatatype.SRV and self.services.get(name):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "SRV", *self.services[name]))
        elif name not in self.texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT and self.texts[name]:
            records = [" ".join(f'"{piece}"' for piece in _pieces(text)) for text in self.texts[name]]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *records))
        return answer.to_wire()


def _pieces(text: str) -> list[str]:
    escaped = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] or [""]
    return [piece.replace("\\", "\\\\").replace('"', '\\"') for piece in escaped]
