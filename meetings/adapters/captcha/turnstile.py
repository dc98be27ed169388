"""Cloudflare Turnstile: pages show its widget, rendered implicitly ("Embed the widget", Turnstile documentation), and
tokens are checked by its `siteverify` call ("Validate the token").
"""

import logging
from dataclasses import dataclass, field

import httpx

from meetings.application.ports.captcha import CaptchaToken, CaptchaUnavailable, CaptchaWidget

log = logging.getLogger(__name__)

SITEVERIFY = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js"
_MOST = 2048
"""Tokens are no longer than this ("Token characteristics")."""
_SECONDS = 5.0
_OURS = frozenset({"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"})
"""Error codes that say nothing about the token."""


@dataclass(frozen=True, slots=True)
class Turnstile:
    """See the port. `url` is where tokens are checked, `script` where browsers get the widget; a token is good for five
    minutes and one attempt."""

    site_key: str
    secret: str = field(repr=False)
    url: str = SITEVERIFY
    script: str = SCRIPT

    @property
    def widget(self) -> CaptchaWidget:
        return CaptchaWidget(self.script, "cf-turnstile", "cf-turnstile-response")

    async def solved(self, given: CaptchaToken) -> bool:
        if not given.token or len(given.token) > _MOST:
            return False
        form = {"secret": self.secret, "response": given.token, "idempotency_key": str(given.attempt)}
        try:
            async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as client:
                answer = await client.post(self.url, data=form)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise CaptchaUnavailable(type(error).__name__) from None
        if not isinstance(told, dict) or not isinstance(told.get("success"), bool):
            raise CaptchaUnavailable("no answer that can be read")
        reasons = told.get("error-codes")
        codes = {str(code) for code in reasons} if isinstance(reasons, list) else set()
        if not told["success"] and codes & _OURS:
            log.error("captchas cannot be checked", extra={"codes": sorted(codes)})
            raise CaptchaUnavailable(", ".join(sorted(codes)))
        return bool(told["success"])
