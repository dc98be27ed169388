"""The page behind an invitation: choose a password and join. Works without scripts.

The token in the address is the only key, as on the page behind a manage link; following the link changes nothing.
"""

from datetime import timedelta

from fastapi import APIRouter, Form, Request, Response

from meetings.application.invitations import invitation_of
from meetings.application.people import accept_invitation
from meetings.application.sign_in import MAX_PASSWORD, MIN_PASSWORD
from meetings.application.toolbox import Toolbox
from meetings.domain.base import ConcurrentChange, InvalidInput, NotFound
from meetings.domain.user import InvitationInvalid, User, UserState
from meetings.infrastructure.http.html import language_of, message_page, page
from meetings.infrastructure.http.state import runtime_of
from meetings.infrastructure.http.words import WORDS

router = APIRouter(prefix="/invitations")


@router.get("/{token}")
async def show(token: str, request: Request) -> Response:
    """The form, as long as the invitation can be accepted."""
    tools = runtime_of(request).toolbox
    found = await _invited(token, tools)
    if found is None:
        return message_page("unknown", language_of(request), status=404)
    return _form(*found, token=token, status=200)


@router.post("/{token}")
async def accept(
    token: str,
    request: Request,
    name: str = Form("", max_length=500),
    password: str = Form("", max_length=1_000),
) -> Response:
    """Join, or show the form again."""
    tools = runtime_of(request).toolbox
    found = await _invited(token, tools)
    if found is None:
        return message_page("unknown", language_of(request), status=404)
    try:
        await accept_invitation(
            token,
            name=name,
            password=password,
            begin=tools.begin_as("invitee"),
            tokens=tools.links.tokens,
            identities=tools.identities,
            passwords=tools.passwords,
            clock=tools.clock,
            policy=tools.policy,
        )
    except InvalidInput:
        return _form(*found, token=token, status=422)
    except (InvitationInvalid, ConcurrentChange):
        return message_page("unknown", language_of(request), status=404)
    return message_page("joined", _language(found[0]), status=200)


async def _invited(token: str, tools: Toolbox) -> tuple[User, str] | None:
    """Who is invited to which account, while they can accept."""
    invitation = invitation_of(token, tools.links.tokens)
    if invitation is None:
        return None
    try:
        async with tools.look(invitation.account_id) as work:
            person, account = await work.users.get(invitation.user_id), await work.account()
    except NotFound:
        return None
    lasts = timedelta(days=tools.policy.invitation_days)
    waits = person.state is UserState.INVITED and person.invited_at == invitation.invited_at
    return (person, account.name) if waits and tools.clock() < invitation.invited_at + lasts else None


def _form(person: User, account: str, *, token: str, status: int) -> Response:
    language = _language(person)
    return page(
        "invitation.html",
        language,
        status=status,
        title=WORDS[language]["invitation_title"].format(account=account),
        name=person.name,
        email=person.email,
        token=token,
        refused=status != 200,
        least=MIN_PASSWORD,
        most=MAX_PASSWORD,
    )


def _language(person: User) -> str:
    language = person.settings.locale.partition("-")[0]
    return language if language in WORDS else "en"
