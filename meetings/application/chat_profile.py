"""A person decides how they appear beside a chat, and visitors of web sites are shown the link."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.application.scheduling_pages import default_page_of
from meetings.domain.chat_profile import ChatProfile
from meetings.domain.scheduling_page import SchedulingPage
from meetings.domain.user import User


def widget_key(account_id: UUID) -> str:
    """What web sites name an account by: 22 characters that are safe in an address, always the same.

    It stands in public pages and opens nothing; the account's id cannot be read from it.
    """
    digest = hashlib.sha256(b"chat widget:" + account_id.bytes).digest()
    return urlsafe_b64encode(digest[:16]).decode("ascii").rstrip("=")


def chat_page_of(user: User, pages: Sequence[SchedulingPage]) -> SchedulingPage | None:
    """The page a chat links to, of a person's pages that are up, oldest first: the chosen one while it is there, else
    the default page; None when there is none at all."""
    chosen = next((page for page in pages if page.id == user.chat_profile.page_id), None)
    return chosen or default_page_of(user, pages)


async def change_chat_profile(
    changed: Callable[[ChatProfile], ChatProfile], *, caller: Caller, begin: Begin, clock: Clock
) -> None:
    """Take what `changed` makes of the caller's profile, all of it or nothing (S76).

    A chosen page that was archived since counts as no choice.

    Raises:
        InvalidInput: everything that is wrong with it, see `ChatProfile.check`.
    """
    async with begin(caller.account_id) as work:
        user = await work.users.get(caller.user_id)
        own = {page.id for page in await work.pages.of_organizer(user.id)}
        profile = user.chat_profile
        if profile.page_id not in own:
            profile = replace(profile, page_id=None)
        user.change_chat_profile(changed(profile), own_pages=own, now=clock())
        await work.commit()
