import pytest

from meetings.domain.account import (
    MOST_PRESETS,
    ExchangeFullSyncSwitched,
    MailPreset,
    MailServerKind,
    MailServerPreset,
    MailServerPresetRemoved,
)
from meetings.domain.base import NotFound, PermissionMissing, Rule
from meetings.domain.user import Role
from tests.builders import NOW, a_user, an_account
from tests.domain.problems import refused

EXCHANGE, IMAP = MailServerKind.EXCHANGE, MailServerKind.IMAP
SERVER = MailPreset("example.com", EXCHANGE, "https://mail.example.com/EWS/Exchange.asmx")
OTHER = MailPreset("example.org", EXCHANGE, "https://mail.example.org/EWS/Exchange.asmx")
POST_OFFICE = MailPreset("example.com", IMAP, "imap.example.com:993")


def test_the_limits_of_exchange_hold_until_an_admin_lifts_them() -> None:
    account = an_account()
    assert not account.exchange_full_sync
    for _ in range(2):
        account.switch_exchange_full_sync(on=True, now=NOW)
    account.switch_exchange_full_sync(on=False, now=NOW)
    assert account.pull_events() == (
        ExchangeFullSyncSwitched(at=NOW, on=True),
        ExchangeFullSyncSwitched(at=NOW, on=False),
    )


def test_a_domain_has_one_server_and_can_get_another_of_its_kind() -> None:
    account = an_account()
    moved = MailPreset("example.com", EXCHANGE, "https://new.example.com/EWS/Exchange.asmx")
    for preset in (SERVER, OTHER, SERVER, moved):
        account.preset_mail_server(preset, now=NOW)
    assert account.mail_presets == (OTHER, moved)
    assert (account.mail_preset("example.com"), account.mail_preset("mail.example.com")) == (moved, None)
    assert len(account.pull_events()) == 3


@pytest.mark.parametrize(("first", "second"), [(SERVER, POST_OFFICE), (POST_OFFICE, SERVER)])
def test_a_domain_has_settings_of_one_kind_never_of_both(first: MailPreset, second: MailPreset) -> None:
    """A-EX3."""
    account = an_account()
    account.preset_mail_server(first, now=NOW)
    account.pull_events()
    assert refused(lambda: account.preset_mail_server(second, now=NOW)) == [("domain", Rule.OTHER_MAIL_SETTINGS)]
    assert (account.mail_presets, account.pull_events()) == ((first,), ())
    with pytest.raises(NotFound):
        account.remove_mail_preset("example.com", second.kind, now=NOW)
    account.remove_mail_preset("example.com", first.kind, now=NOW)
    account.preset_mail_server(second, now=NOW)
    assert account.pull_events() == (
        MailServerPresetRemoved(at=NOW, domain="example.com", kind=first.kind),
        MailServerPreset(at=NOW, domain="example.com", kind=second.kind),
    )


def test_an_account_has_a_bounded_number_of_presets_that_can_still_be_changed() -> None:
    account = an_account()
    for number in range(MOST_PRESETS):
        account.preset_mail_server(MailPreset(f"d{number}.example", EXCHANGE, SERVER.address), now=NOW)
    assert refused(lambda: account.preset_mail_server(SERVER, now=NOW)) == [("domain", Rule.TOO_MANY)]
    account.preset_mail_server(MailPreset("d7.example", EXCHANGE, OTHER.address), now=NOW)
    preset = account.mail_preset("d7.example")
    assert preset is not None
    assert preset.address == OTHER.address


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(NotFound):
        an_account().remove_mail_preset("example.com", EXCHANGE, now=NOW)


@pytest.mark.parametrize("role", Role)
def test_owners_and_admins_administer_the_account_and_members_do_not(role: Role) -> None:
    user = a_user(role=role)
    if role is Role.MEMBER:
        with pytest.raises(PermissionMissing):
            user.check_administers()
    else:
        user.check_administers()
