"""Mails that people write themselves."""

from typing import Annotated

import strawberry

from meetings.application.email_templates import render_email_template
from meetings.domain.base import NotFound
from meetings.graphql.context import Info, Operation
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation


@strawberry.type(description="A rendered mail.")
class RenderedEmailPayload:
    """Either a text or errors."""

    text: str | None = strawberry.field(default=None, description="The template with its placeholders filled in.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it could not be rendered.")


@strawberry.type(description="Mutations of mails.")
class EmailTemplateMutations:
    """Part of the schema's mutations."""

    @mutation(
        RenderedEmailPayload,
        Access.SIGNED_IN,
        "Fill in the placeholders of a mail of the signed-in person's: `{{ meeting_link }}` is the address of their "
        "default page as of now, `{{ sender_name }}` and `{{ sender_email }}` are theirs. Nothing is stored or sent: "
        "mails rendered before keep the link they have.",
        Code.VALIDATION,
        Code.PAGE_NOT_FOUND,
    )
    async def render_email_template(
        self,
        info: Info,
        template: Annotated[
            str, strawberry.argument(description="Plain text or HTML with placeholders, at most 50,000 characters.")
        ],
    ) -> RenderedEmailPayload:
        sender = await info.context.viewer()
        if sender is None:
            raise NotFound("user")
        link = await default_link(info.context)
        return RenderedEmailPayload(text=render_email_template(template, sender=sender, link=link))


async def default_link(operation: Operation) -> str | None:
    """Where the signed-in person's default page is now; None when they have no page."""
    caller = operation.signed_in()
    loaders = operation.loaders(caller.account_id)
    default = await loaders.default_page_of(caller.user_id)
    page = await loaders.pages.load(default) if default else None
    return await loaders.url_of(page, operation.tools.links) if page else None
