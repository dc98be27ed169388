"""What a form can be filled in with beforehand: what the address says, and what a known visitor answered earlier.

Consents are never among it, and neither is anything from a field the form does not have (A-FO6, B-FO1).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID, uuid4

from meetings.application.links import token_hash
from meetings.application.ports.reads import ConnectedDomain
from meetings.application.ports.unit_of_work import Begin
from meetings.application.signed_tokens import SignedTokens
from meetings.domain.base import NotFound
from meetings.domain.booking import Booking
from meetings.domain.booking_form import FormField, answer_problems
from meetings.domain.identifiers import BookingId
from meetings.domain.page_settings import PageSettings
from meetings.domain.text import email_problem, text_problem

_NONCE_BYTES = 16
_MAX_NAME = 100
_PERSON = ("firstName", "lastName", "email")
_MULTIPLE = "guests"


class PrefillSource(Enum):
    """Where a value comes from. A link's beats the visitor's own."""

    LINK = "LINK"
    VISITOR = "VISITOR"


@dataclass(frozen=True, slots=True)
class FormValue:
    """A value to start with, for one of the form's fields; visitors see it and can change it."""

    key: str
    values: tuple[str, ...]
    source: PrefillSource


def from_address(query: Iterable[tuple[str, str]], settings: PageSettings) -> list[FormValue]:
    """What the query of a page's address fills in: the form's own fields by key, and `firstName`, `lastName`, `name`
    (split at its first space), `email`, `guests`. What the form would not take is left out."""
    given: dict[str, tuple[str, ...]] = {}
    for key, value in query:
        given[key] = (*given.get(key, ()), value.strip())
    if "name" in given and not any(field.key == "name" for field in settings.form_fields):
        first, _, last = given.pop("name")[0].partition(" ")
        given = {"firstName": (first,), "lastName": (last.strip(),), **given}
    return _accepted(given, settings, PrefillSource.LINK, hidden=True)


def from_booking(booking: Booking, settings: PageSettings) -> list[FormValue]:
    """What somebody answered before, for the fields that ask the same here; fields nobody sees are left out."""
    person = booking.invitee
    labels = {field.key: field.label for field in settings.form_fields}
    given = {
        "firstName": (person.first_name,),
        "lastName": (person.last_name,),
        "email": (person.email,),
        **{answer.key: answer.values for answer in booking.answers if labels.get(answer.key) == answer.label},
    }
    return _accepted(given, settings, PrefillSource.VISITOR, hidden=False)


def merged(first: Sequence[FormValue], second: Sequence[FormValue]) -> list[FormValue]:
    """All values; where both have a field, the first one's."""
    known = {value.key for value in first}
    return [*first, *(value for value in second if value.key not in known)]


def _accepted(
    given: Mapping[str, tuple[str, ...]], settings: PageSettings, source: PrefillSource, *, hidden: bool
) -> list[FormValue]:
    found = [FormValue(key, given[key][:1], source) for key in _PERSON if key in given and _fits(key, given[key][0])]
    for field in settings.form_fields:
        values = given.get(field.key, ())
        if any(values) and (hidden or not field.hidden) and _answers(field, values):
            found.append(FormValue(field.key, values, source))
    guests = tuple(guest for guest in given.get(_MULTIPLE, ()) if not email_problem(guest))
    if guests and settings.guests.allowed:
        found.append(FormValue(_MULTIPLE, guests[: settings.guests.most], source))
    return found


def _fits(key: str, value: str) -> bool:
    problem = email_problem(value) if key == "email" else text_problem(value, most=_MAX_NAME)
    return problem is None


def _answers(field: FormField, values: tuple[str, ...]) -> bool:
    return not list(answer_problems([field], {field.key: values}))


# ---- known visitors -------------------------------------------------------------------------------------------------


async def earlier_booking(token: str, domain: ConnectedDomain, *, look: Begin, tokens: SignedTokens) -> Booking | None:
    """What the browser with this token booked last under a custom domain; None for any token that was not given to a
    browser there, or was replaced since (S67)."""
    known = _read(token, domain.host, tokens)
    if known is None:
        return None
    visitor, nonce_hash = known
    async with look(domain.account_id) as work:
        booking_id = await work.visitors.last_booking(visitor, host=domain.host, nonce_hash=nonce_hash)
        try:
            return await work.bookings.get(booking_id) if booking_id else None
        except NotFound:
            return None


async def remember_visitor(
    token: str | None,
    booking_id: BookingId,
    domain: ConnectedDomain,
    *,
    begin: Begin,
    tokens: SignedTokens,
    days: int,
) -> str:
    """A new token for the browser that just booked. The one it came with, if it was good, is worth nothing any more.

    Kept is which booking was its last one, and nothing else: what was answered stands there, and goes with it.
    """
    known = _read(token, domain.host, tokens) if token else None
    nonce = secrets.token_bytes(_NONCE_BYTES)
    async with begin(domain.account_id) as work:
        visitor = uuid4()
        if known and await work.visitors.last_booking(known[0], host=domain.host, nonce_hash=known[1]):
            visitor = known[0]
        await work.visitors.remember(
            visitor, booking_id, host=domain.host, nonce_hash=token_hash(nonce.hex()), days=days
        )
        await work.commit()
    return tokens.sign(_purpose(domain.host), visitor.bytes + nonce)


def _read(token: str, host: str, tokens: SignedTokens) -> tuple[UUID, str] | None:
    payload = tokens.payload_of(_purpose(host), token, size=16 + _NONCE_BYTES)
    return (UUID(bytes=payload[:16]), token_hash(payload[16:].hex())) if payload else None


def _purpose(host: str) -> str:
    return f"visitor of {host}"
