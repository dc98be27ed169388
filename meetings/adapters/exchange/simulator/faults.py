"""Faults that only a server of Exchange can have, beside those of `scripted_faults`.

- `anonymous`: hit calls that are not signed in as well, also those of a handshake;
- `status`: answered with a page of IIS;
- `code` (with `back_off_ms`): this response code instead of doing the work; as a SOAP fault when `as_fault`, which
  ErrorServerBusy and others that concern the whole request always are;
- `hostile`: XML that a careful reader refuses, instead of the work: `dtd`, `entities`, `external` or `depth`.

A stream can be refused, delayed, dropped or reset, but not spoiled: `ExchangeSimulator.end_streams` breaks it off.
"""

from dataclasses import dataclass
from typing import ClassVar

from meetings.adapters.scripted_faults import faults
from meetings.adapters.scripted_faults.faults import Asked

# What anybody may see.
_FOR_ALL = ("page", "unknown", "autodiscover.redirect")
_WHOLE_REQUEST = (
    "ErrorServerBusy",
    "ErrorExceededConnectionCount",
    "ErrorInvalidServerVersion",
    "ErrorSchemaValidation",
)


@dataclass
class Fault(faults.Fault):
    named: ClassVar[tuple[str, ...]] = (*faults.Fault.named, "hostile", "code")

    anonymous: bool = False
    code: str | None = None
    as_fault: bool = False
    back_off_ms: int | None = None
    hostile: str | None = None

    @property
    def replaces_the_work(self) -> bool:
        return super().replaces_the_work or self.code is not None or self.hostile is not None

    @property
    def ends_the_request(self) -> bool:
        return self.as_fault or self.code in _WHOLE_REQUEST

    def wants(self, call: Asked) -> bool:
        """As any fault; those who are not signed in are left alone unless it says otherwise."""
        signed_in = self.anonymous or call.account is not None or call.operation in _FOR_ALL
        return signed_in and super().wants(call)
