"""Pages that want to be booked by people (A-FO5)."""

from uuid import NAMESPACE_URL, uuid5

from meetings.application.page_state import load_page
from meetings.application.ports.captcha import CaptchaToken, CaptchaUnavailable
from meetings.application.ports.reads import PagePointer
from meetings.domain.base import DomainError
from meetings.graphql.context import Operation
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    TRY_AGAIN_AFTER,
    RefusedError,
    TemporaryError,
    UserError,
    Wording,
    as_user_errors,
)


class CaptchaFailed(DomainError):
    """Nobody showed that this visitor is a person."""


async def check_captcha(operation: Operation, page: PagePointer, token: str | None, attempt: str) -> None:
    """Let a visitor through who solved the captcha a page asks for. Whoever is signed in needs none, and neither does
    anybody where no captcha is set up. `attempt` is the same when a form is sent again.

    Raises:
        NotFound: no such page.
        CaptchaFailed: no token, or not a good one.
        CaptchaUnavailable: nobody could say.
    """
    captcha = operation.tools.captcha
    if captcha is None or operation.caller is not None:
        return
    async with operation.tools.look(page.account_id) as work:
        settings = (await load_page(work, page.page_id)).page.settings
    if not settings.captcha:
        return
    given = CaptchaToken(token or "", uuid5(NAMESPACE_URL, f"{page.page_id}/{attempt}"))
    if not token or not await captcha.solved(given):
        raise CaptchaFailed


@as_user_errors.register
def _(error: CaptchaFailed, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.CAPTCHA_FAILED, ("captchaToken",)))]


@as_user_errors.register
def _(error: CaptchaUnavailable, wording: Wording) -> list[UserError]:
    base = wording.base(Code.PROVIDER_UNAVAILABLE, detail="CAPTCHA")
    return [TemporaryError(**base, retry_after=TRY_AGAIN_AFTER)]
