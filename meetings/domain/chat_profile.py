"""How a person appears beside a chat, and whether their meeting link is shown there."""

from collections.abc import Collection
from dataclasses import dataclass

from meetings.domain.base import Problem, Rule, refuse
from meetings.domain.identifiers import PageId
from meetings.domain.text import text_problem, url_problem

MAX_CHAT_NAME = 80
MAX_LINK_TEXT = 120


@dataclass(frozen=True, slots=True)
class ChatProfile:
    """What a person set; off unless they switched it on (S74).

    `display_name` and `avatar_url` stand in for the person's own; None takes those. `link_text` None means the
    usual words. `page_id` is the chosen one of their own pages; None means the default page (S75).
    """

    display_name: str | None = None
    avatar_url: str | None = None
    shows_link: bool = False
    link_text: str | None = None
    page_id: PageId | None = None

    def check(self, own_pages: Collection[PageId]) -> None:
        """Whether this can be taken by somebody with these pages, archived ones left out.

        Raises:
            InvalidInput: everything that is wrong: a text or address that cannot be shown, a page that is not theirs,
                or a link to be shown while they have no page at all (S75).
        """
        name, text, picture = self.display_name, self.link_text, self.avatar_url
        refuse(
            text_problem(name, "displayName", most=MAX_CHAT_NAME) if name is not None else None,
            text_problem(text, "meetingLinkText", most=MAX_LINK_TEXT) if text is not None else None,
            url_problem(picture, "avatarUrl") if picture is not None else None,
            self._page_problem(own_pages),
        )

    def _page_problem(self, own_pages: Collection[PageId]) -> Problem | None:
        if self.page_id is not None and self.page_id not in own_pages:
            return Problem(("schedulingPageId",), Rule.UNKNOWN)
        if self.shows_link and not own_pages:
            return Problem(("schedulingPageId",), Rule.REQUIRED)
        return None
