"""A real SMTP server on the loopback interface, and a mailer that talks to it."""

from collections.abc import Iterator

import pytest

from meetings.adapters.smtp.mailer import SmtpMailer, SmtpSecurity, SmtpSettings
from meetings.infrastructure.demo.mail_catcher import MailCatcher
from tests.contracts.smtp.letters import WRITTEN_AT


@pytest.fixture(scope="session")
def running_catcher() -> Iterator[MailCatcher]:
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
def catcher(running_catcher: MailCatcher) -> MailCatcher:
    running_catcher.clear()
    return running_catcher


@pytest.fixture
def mailer(catcher: MailCatcher) -> SmtpMailer:
    settings = SmtpSettings(
        host=catcher.host,
        port=catcher.port,
        sender_name="meetings",
        sender_address="no-reply@meetings.test",
        security=SmtpSecurity.NONE,
        timeout_seconds=5,
    )
    return SmtpMailer(settings, now=lambda: WRITTEN_AT)
