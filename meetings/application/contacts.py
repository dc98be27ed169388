"""People of ours look after the contacts on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from meetings.application.cleared import Cleared
from meetings.application.ports.crm import Contact, ContactDetails, ContactField, CrmOf
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.base import NotFound, Problem, refuse
from meetings.domain.identifiers import UserId
from meetings.domain.text import email_problem, text_problem

MAX_FIELD = 200

ContactText = Literal["first_name", "last_name", "company"]


@dataclass(frozen=True, slots=True)
class ContactWish:
    """What is to be said of a contact. Texts that are not named stay, None clears one; an owner of None stays."""

    texts: Mapping[ContactText, str | None]
    owner: UserId | Cleared | None = None

    def problems(self) -> list[Problem | None]:
        return [
            text_problem(value or "", _PATHS[name], most=MAX_FIELD, required=False)
            for name, value in self.texts.items()
        ]


_PATHS: Mapping[ContactText, str] = {"first_name": "firstName", "last_name": "lastName", "company": "company"}


async def create_contact(email: str, wish: ContactWish, *, caller: Caller, look: Begin, crm_of: CrmOf) -> Contact:
    """Put somebody on record. Whoever is there under this address already is completed, not doubled (A-CR4), and keeps
    the owner they have.

    Raises:
        InvalidInput: everything wrong.
        NotFound: the owner is nobody of the account.
        ProviderError: the records cannot be reached, or refuse it.
    """
    refuse(email_problem(email.strip(), "email"), *wish.problems())
    owner = await _address_of(wish.owner, caller, look)
    said: dict[ContactText, str | None] = {name: (value or "").strip() or None for name, value in wish.texts.items()}
    crm = await crm_of(caller.account_id)
    return await crm.put_contact(
        ContactDetails(
            email.strip(),
            first_name=said.get("first_name"),
            last_name=said.get("last_name"),
            company=said.get("company"),
            owner=owner,
        )
    )


async def change_contact(contact: str, wish: ContactWish, *, caller: Caller, look: Begin, crm_of: CrmOf) -> Contact:
    """Have a contact say something else.

    Raises:
        InvalidInput: everything wrong.
        NotFound: no such contact, or the owner is nobody of the account.
        ProviderError: the records cannot be reached, or refuse it.
    """
    refuse(*wish.problems())
    changes: dict[ContactField, str | None] = {
        name: (value or "").strip() or None for name, value in wish.texts.items()
    }
    if wish.owner is not None:
        changes["owner"] = await _address_of(wish.owner, caller, look)
    crm = await crm_of(caller.account_id)
    return await crm.change_contact(contact, changes)


async def _address_of(owner: UserId | Cleared | None, caller: Caller, look: Begin) -> str | None:
    if owner is None or isinstance(owner, Cleared):
        return None
    async with look(caller.account_id) as work:
        try:
            return (await work.users.get(owner)).email
        except NotFound as nobody:
            raise NotFound("user", ("ownerId",)) from nobody
