"""All that is stored of a person from outside, in one document (TP-4).

Nothing is put together, and nothing kept, before somebody fetches it: asking gives a link, and the link makes the
document anew from what is stored then. So an erased person stands in no export either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from meetings.application.erase_person import contact_id
from meetings.application.links import Links
from meetings.application.ports.clock import Clock
from meetings.application.ports.crm import CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound, refuse
from meetings.domain.erasure import PersonExportRead, PersonExportRequested
from meetings.domain.identifiers import AccountId
from meetings.domain.text import email_problem

LINK_LASTS = timedelta(hours=1)
_PURPOSE = "person export"
_ID_BYTES = 16

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportLink:
    """Where the document is fetched, by whoever has the address, until it expires."""

    url: str
    expires_at: datetime


async def export_person(email: str, *, caller: Caller, begin: Begin, links: Links, clock: Clock) -> ExportLink:
    """Have everything about a person put together. Each call gives a link of its own, also for somebody of whom
    nothing is stored.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: no address.
    """
    refuse(email_problem(email.strip(), "email"))
    now = clock()
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        expires_at = now + LINK_LASTS
        request = await work.personal_data.keep_request(email, now=now, expires_at=expires_at)
        (await work.account()).record(PersonExportRequested(at=now))
        await work.commit()
    token = links.tokens.sign(_PURPOSE, caller.account_id.bytes + request.bytes)
    return ExportLink(links.export(token), expires_at)


async def read_export(token: str, *, begin: Begin, look: Begin, crm_of: CrmOf, links: Links, clock: Clock) -> Document:
    """The document behind a link. Every reading stands in the journal.

    Raises:
        NotFound: no link of ours, it has expired, or the person was erased since.
    """
    payload = links.tokens.payload_of(_PURPOSE, token, size=2 * _ID_BYTES)
    if payload is None:
        raise NotFound("export")
    account_id, request = AccountId(UUID(bytes=payload[:_ID_BYTES])), UUID(bytes=payload[_ID_BYTES:])
    async with look(account_id) as work:
        email = await work.personal_data.requested(request, now=clock())
    if email is None:
        raise NotFound("export")
    contact = await contact_id(email, account_id, crm_of)
    now = clock()
    async with begin(account_id) as work:
        account = await work.account()
        account.record(PersonExportRead(at=now))
        document = _document(email, account.name, await work.personal_data.everything_of(email, contact), now)
        await work.commit()
    return document


async def put_together(email: str, *, caller: Caller, begin: Begin, crm_of: CrmOf, clock: Clock) -> Document:
    """The same at once, for whoever runs the product.

    Raises:
        InvalidInput: no address.
    """
    refuse(email_problem(email.strip(), "email"))
    contact = await contact_id(email, caller.account_id, crm_of)
    now = clock()
    async with begin(caller.account_id) as work:
        account = await work.account()
        account.record(PersonExportRequested(at=now))
        account.record(PersonExportRead(at=now))
        document = _document(email, account.name, await work.personal_data.everything_of(email, contact), now)
        await work.commit()
    return document


def _document(email: str, account: str, stored: Mapping[str, Any], now: datetime) -> Document:
    return {"person": email.strip(), "account": account, "exportedAt": now.isoformat(), **stored}
