"""What a person writes, as mail: Markdown becomes plain text and clean HTML, placeholders are filled in."""

import nh3
from markdown_it import MarkdownIt

from meetings.application.email_templates import MEETING_LINK, render_email_template
from meetings.domain.base import NotFound, refuse
from meetings.domain.email import MAX_BODY, MAX_SUBJECT, EmailText
from meetings.domain.event_title import fill_tokens
from meetings.domain.text import text_problem
from meetings.domain.user import User

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def write_mail(
    subject: str, body_markdown: str, *, sender: User, link: str | None, include_meeting_link: bool
) -> EmailText:
    """The mail as it leaves. Its plain text is the Markdown itself, which reads well; its HTML holds no script, no
    image and no style.

    `link` is where the sender's default page is; with `include_meeting_link` it stands at the end, unless the text has
    `{{ meeting_link }}` somewhere.

    Raises:
        InvalidInput: something is missing, too long, or holds what no mail can, or a placeholder is not known.
        NotFound: the link is wanted and the sender has no page.
    """
    refuse(
        text_problem(subject, "subject", most=MAX_SUBJECT),
        text_problem(body_markdown, "bodyMarkdown", most=MAX_BODY, lines=True),
    )
    text = render_email_template(body_markdown, sender=sender, link=link)
    if include_meeting_link and MEETING_LINK not in fill_tokens(body_markdown, {})[1]:
        if link is None:
            raise NotFound("page", ("includeMeetingLink",))
        text = f"{text.rstrip()}\n\n{link}"
    text = text.replace("\r\n", "\n").rstrip() + "\n"
    return EmailText(_one_line(subject), text, html_of(text))


def html_of(markdown: str) -> str:
    """Markdown (CommonMark, line breaks kept) as HTML of few elements. An address on a line of its own is a link."""
    return nh3.clean(_MARKDOWN.render(_with_links(markdown)), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES)


def _with_links(markdown: str) -> str:
    """A line that is nothing but an address becomes a link, as people expect of one."""
    return "\n".join(f"<{line.strip()}>" if _is_address(line.strip()) else line for line in markdown.split("\n"))


def _is_address(line: str) -> bool:
    return line.startswith(("https://", "http://")) and not any(char.isspace() or char in "<>" for char in line)


def _one_line(subject: str) -> str:
    return " ".join(subject.split())
