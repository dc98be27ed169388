"""Beside a chat: how a person appears there, and the link to their page that visitors are shown."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import strawberry

from meetings.application import chat_links
from meetings.application.chat_profile import change_chat_profile, chat_page_of
from meetings.domain import chat_profile as domain
from meetings.domain.base import InvalidInput, Problem, Rule
from meetings.domain.chat_profile import MAX_CHAT_NAME, MAX_LINK_TEXT
from meetings.domain.identifiers import PageId, UserId
from meetings.domain.user import User
from meetings.graphql.context import Info, again_on_conflict
from meetings.graphql.enums import BookingMode
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation
from meetings.graphql.node_ids import Kind, from_id
from meetings.graphql.scalars import URL
from meetings.graphql.scheduling_pages import SchedulingPage
from meetings.graphql.slots import Slot


@strawberry.type(description="How the signed-in person appears beside a chat.")
class ChatProfile:
    """The settings page's section of the same name."""

    display_name: str = strawberry.field(description="The name shown there; their own while they chose no other.")
    avatar_url: URL | None = strawberry.field(
        description="The picture shown there; their own while they chose no other."
    )
    show_meeting_link: bool = strawberry.field(description="Whether their meeting link is shown; off at first.")
    meeting_link_text: str | None = strawberry.field(
        description="The words on the link; null for the usual ones, in the person's language."
    )
    user: strawberry.Private[User]

    @strawberry.field(
        description="The page the link leads to: the chosen one while it is up, else the default page; null when they "
        "have none."
    )
    async def scheduling_page(self, info: Info) -> SchedulingPage | None:
        operation = info.context
        async with operation.tools.look(self.user.account_id) as work:
            page = chat_page_of(self.user, await work.pages.of_organizer(UserId(self.user.id)))
        return SchedulingPage.of(page, operation) if page else None

    @classmethod
    def of(cls, user: User) -> "ChatProfile":
        profile = user.chat_profile
        picture = profile.avatar_url or user.avatar_url
        return cls(
            display_name=profile.display_name or user.name,
            avatar_url=URL(picture) if picture else None,
            show_meeting_link=profile.shows_link,
            meeting_link_text=profile.link_text,
            user=user,
        )


@strawberry.input(description="A field left out is unchanged; `null` clears what can be empty.")
class ChatProfileInput:
    """What to change."""

    display_name: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description=f"At most {MAX_CHAT_NAME} characters; `null` for the person's own name."
    )
    avatar_url: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="An absolute http(s) address; `null` for the person's own picture."
    )
    show_meeting_link: strawberry.Maybe[bool | None] = strawberry.field(
        default=None, description="Whether the link is shown. Refused while there is no page it could lead to."
    )
    meeting_link_text: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description=f"At most {MAX_LINK_TEXT} characters; `null` for the usual words."
    )
    scheduling_page_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="One of the person's own pages that are up; `null` for the default page."
    )

    def applied_to(self, profile: domain.ChatProfile) -> domain.ChatProfile:
        """The profile with these changes.

        Raises:
            InvalidInput: a `null` where there has to be a value.
        """
        changes: dict[str, Any] = {}
        for name, given in (
            ("display_name", self.display_name),
            ("avatar_url", self.avatar_url),
            ("link_text", self.meeting_link_text),
        ):
            if given is not None:
                changes[name] = given.value.strip() if given.value is not None else None
        if self.show_meeting_link is not None:
            if self.show_meeting_link.value is None:
                raise InvalidInput([Problem(("showMeetingLink",), Rule.REQUIRED)])
            changes["shows_link"] = self.show_meeting_link.value
        if self.scheduling_page_id is not None:
            chosen = self.scheduling_page_id.value
            changes["page_id"] = PageId(from_id(Kind.PAGE, chosen)) if chosen is not None else None
        return replace(profile, **changes)


@strawberry.type(description="What became of the chat profile.")
class ChatProfilePayload:
    """Either the profile or errors."""

    profile: ChatProfile | None = strawberry.field(default=None, description="The profile as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What is shown beside a chat: a person, and the link to their page.")
class ChatMeetingLink:
    """Nothing of the person that they do not show there."""

    agent_name: str = strawberry.field(description="Whom one is talking to.")
    agent_avatar_url: URL | None = strawberry.field(description="Their picture.")
    text: str = strawberry.field(description="The words on the link.")
    url: URL = strawberry.field(description="Where people book.")
    mode: BookingMode = strawberry.field(description="What the page can do now.")
    next_available: Slot | None = strawberry.field(description="The first time on offer; null when there is none.")

    @classmethod
    def of(cls, link: chat_links.ChatLink) -> "ChatMeetingLink":
        return cls(
            agent_name=link.agent_name,
            agent_avatar_url=URL(link.agent_avatar_url) if link.agent_avatar_url else None,
            text=link.text,
            url=URL(link.url),
            mode=link.mode,
            next_available=Slot.of(link.next_available) if link.next_available else None,
        )


@strawberry.type(description="Queries of chats.")
class ChatQueries:
    """Part of the schema's queries."""

    @strawberry.field(
        description="Public. What a chat on a web site shows beside a person, also for a step of a bot; null when they "
        "show no link, and just the same when there is no such person or account."
    )
    async def chat_meeting_link(
        self,
        info: Info,
        widget_key: Annotated[str, strawberry.argument(description="The account's `widgetKey`.")],
        agent_id: Annotated[strawberry.ID, strawberry.argument(description="The person's id.")],
    ) -> ChatMeetingLink | None:
        operation = info.context
        await operation.count_by_address(operation.options.rates.chat_link, "chat_link")
        agent = UserId(from_id(Kind.USER, agent_id))
        links = operation.connection.product.chat_links
        link = await links.of(widget_key, agent)
        if link is None:
            return None
        operation.sources.used(partial(links.still, widget_key, agent, link))
        return ChatMeetingLink.of(link)


@strawberry.type(description="Mutations of what is shown beside a chat.")
class ChatMutations:
    """Part of the schema's mutations."""

    @mutation(
        ChatProfilePayload,
        Access.SIGNED_IN,
        "Change how the signed-in person appears beside a chat, all of the changes or none. Web sites show it from "
        "then on; a link that is switched off is gone at once.",
        Code.VALIDATION,
        Code.CONCURRENT_CHANGE,
    )
    async def update_chat_profile(
        self, info: Info, input: Annotated[ChatProfileInput, strawberry.argument(description="What to change.")]
    ) -> ChatProfilePayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: change_chat_profile(input.applied_to, caller=caller, begin=operation.begin, clock=clock)
        )
        operation.forget_loaded()
        user = await operation.viewer()
        return ChatProfilePayload(profile=ChatProfile.of(user) if user else None)
