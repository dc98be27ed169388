"""Whoever gets mails of a sequence can end them, by a link in each, or by a button of their mail program (RFC 8058)."""

from dataclasses import dataclass
from uuid import UUID

from meetings.application.links import Links
from meetings.application.local_times import language_of
from meetings.application.ports.clock import Clock
from meetings.application.ports.unit_of_work import Begin
from meetings.application.signed_tokens import SignedTokens
from meetings.domain.enrollment import Enrollment, EnrollmentState
from meetings.domain.identifiers import AccountId, EnrollmentId

_PURPOSE = "unsubscribe"
_SIZE = 32
_WORDS = {
    "en": "You do not want mails like this any more?",
    "de": "Sie möchten solche Mails nicht mehr bekommen?",
}


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """Who stands behind a link: an enrolment of an account."""

    account_id: AccountId
    enrollment_id: EnrollmentId


def unsubscribe_address(enrollment: Enrollment, links: Links) -> str:
    """Where the contact ends it. Following the link changes nothing yet."""
    payload = enrollment.account_id.bytes + enrollment.id.bytes
    return f"{links.public_url}/unsubscribe/{links.tokens.sign(_PURPOSE, payload)}"


def unsubscribe_words(locale: str) -> str:
    """What stands before that address in a mail."""
    return _WORDS[language_of(locale)]


def unsubscription_of(token: str, tokens: SignedTokens) -> Unsubscription | None:
    """What a token stands for; None for any other text."""
    payload = tokens.payload_of(_PURPOSE, token, size=_SIZE)
    if payload is None:
        return None
    return Unsubscription(AccountId(UUID(bytes=payload[:16])), EnrollmentId(UUID(bytes=payload[16:])))


async def unsubscribe(who: Unsubscription, *, begin: Begin, clock: Clock) -> None:
    """End every sequence this person is in, and take them into none any more. A second call changes nothing.

    Raises:
        NotFound: the enrolment is gone.
    """
    async with begin(who.account_id) as work:
        enrollment = await work.enrollments.get(who.enrollment_id)
        now = clock()
        await work.enrollments.opt_out(enrollment.contact_email, at=now)
        for each in await work.enrollments.open_of(enrollment.contact_email):
            each.end(EnrollmentState.ENDED_BY_UNSUBSCRIBE, now=now)
        await work.commit()
