"""The keyring: what the settings may say, and the keys derived from it."""

import base64

import pytest

from meetings.infrastructure.secrets import BadKeys, Keyring, SealBroken, new_key

GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no secret key"),
        (" , ", "no secret key"),
        (GOOD, "does not look like id:base64"),
        (f":{GOOD}", "does not look like id:base64"),
        (f"a b:{GOOD}", "does not look like id:base64"),
        ("k1:not base64!", "called k1 is not base64"),
        ("k1:", "called k1 has 0 bytes instead of 32"),
        (f"k1:{GOOD},k2:{base64.b64encode(b'short').decode()}", "called k2 has 5 bytes instead of 32"),
        (f"k1:{GOOD},k1:{GOOD}", "two secret keys called k1"),
    ],
)
def test_keys_that_cannot_be_used_are_named_without_being_shown(text: str, why: str) -> None:
    with pytest.raises(BadKeys, match=why) as refused:
        Keyring.parse(text)
    assert GOOD not in str(refused.value)


def test_the_first_key_seals_and_all_open() -> None:
    old, new = new_key("old"), new_key("new")
    key_id, sealed = Keyring.parse(old).seal(b"secret", b"here")
    both = Keyring.parse(f" {new} , {old} ")
    assert both.open(key_id, sealed, b"here") == b"secret"
    assert both.seal(b"secret", b"here")[0] == both.newest == "new"
    with pytest.raises(BadKeys, match="called old is needed and missing"):
        Keyring.parse(new).open(key_id, sealed, b"here")


def test_a_sealed_text_opens_in_its_context_only() -> None:
    keyring = Keyring.parse(new_key())
    key_id, sealed = keyring.seal(b"secret", b"here")
    with pytest.raises(SealBroken):
        keyring.open(key_id, sealed, b"there")
    with pytest.raises(SealBroken):
        Keyring.parse(new_key()).open(key_id, sealed, b"here")


def test_derived_keys_differ_by_purpose_and_key_and_stay_the_same() -> None:
    old, new = new_key("old"), new_key("new")
    both = Keyring.parse(f"{new},{old}")
    links = both.derive(b"manage-links")
    assert links == [*Keyring.parse(new).derive(b"manage-links"), *Keyring.parse(old).derive(b"manage-links")]
    assert links == both.derive(b"manage-links")
    keys = [*links, *both.derive(b"sessions"), *both.derive(b"")]
    assert len(set(keys)) == 6
    assert {len(key) for key in keys} == {32}


def test_a_keyring_does_not_show_its_keys() -> None:
    key = new_key("k1")
    assert repr(Keyring.parse(key)) == "Keyring(k1)"
