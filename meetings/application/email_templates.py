"""Templates of mails that people write themselves, with placeholders this product fills in."""

from meetings.domain.base import NotFound, refuse
from meetings.domain.event_title import fill_tokens, token_problems
from meetings.domain.text import text_problem
from meetings.domain.user import User

MAX_TEMPLATE = 50_000
MEETING_LINK = "meeting_link"
KNOWN = frozenset({MEETING_LINK, "sender_name", "sender_email"})


def render_email_template(template: str, *, sender: User, link: str | None) -> str:
    """The text with `{{ meeting_link }}`, `{{ sender_name }}` and `{{ sender_email }}` filled in.

    `link` is where the sender's default page is (S47); what was rendered before keeps the link it has.

    Raises:
        InvalidInput: too long, or a placeholder that is not known.
        NotFound: the link is wanted and the sender has no page.
    """
    refuse(
        text_problem(template, "template", most=MAX_TEMPLATE, required=False, lines=True),
        *token_problems(template, KNOWN, "template"),
    )
    values = {"sender_name": sender.name, "sender_email": sender.email, MEETING_LINK: link or ""}
    filled, used = fill_tokens(template, values)
    if link is None and MEETING_LINK in used:
        raise NotFound("page", ("template",))
    return filled
