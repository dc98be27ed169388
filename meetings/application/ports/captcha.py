"""Telling people from programs."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


class CaptchaUnavailable(Exception):
    """Nobody could say: whoever checks tokens did not answer, or refused to for reasons of ours."""


@dataclass(frozen=True, slots=True)
class CaptchaToken:
    """What a browser got for a solved captcha. `attempt` is the same when the same form is sent again."""

    token: str
    attempt: UUID


@dataclass(frozen=True, slots=True)
class CaptchaWidget:
    """How a page shows it: `script` is where browsers load it from, over https, and show its frames from; it fills the
    elements of the class `element` that name the site key as `data-sitekey`, and once it is solved, the form around
    has the token as `field`."""

    script: str
    element: str
    field: str


class Captcha(Protocol):
    @property
    def site_key(self) -> str:
        """What the page's script needs to show it; not secret."""

    @property
    def widget(self) -> CaptchaWidget:
        """What a page without a script of its own puts into its form."""

    async def solved(self, given: CaptchaToken) -> bool:
        """Whether a token was given for a captcha that somebody solved, on a page of ours, a moment ago.

        A token is good once, but for the same attempt.

        Raises:
            CaptchaUnavailable: nobody could say.
        """
