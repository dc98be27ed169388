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


class Captcha(Protocol):
    @property
    def site_key(self) -> str:
        """What the page's script needs to show it; not secret."""

    async def solved(self, given: CaptchaToken) -> bool:
        """Whether a token was given for a captcha that somebody solved, on a page of ours, a moment ago.

        A token is good once, but for the same attempt.

        Raises:
            CaptchaUnavailable: nobody could say.
        """
