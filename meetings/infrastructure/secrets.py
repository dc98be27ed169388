"""Sealing what must not be read in a copy of the database (OA-7), and keys for everything else derived from one secret.

Two layers: the keys of the settings (the keyring) wrap one data key per account, and that seals the account's values.
Changing a key of the keyring therefore touches one row per account, and no value. Each sealed text says which key made
it and is bound to where it stands: moved to another account, row or field it does not open.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from meetings.domain.identifiers import AccountId
from meetings.infrastructure.database.tables import account_keys, key_check

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_CHECK_TEXT = b"the keys are right"
_CHECK_CONTEXT = b"key_check"


class BadKeys(Exception):
    """The secret keys of the settings cannot be used. The text says why and holds no key."""


class SealBroken(Exception):
    """A sealed text was changed, cut, or stands where it was not sealed for."""


# ---- the keyring --------------------------------------------------------------------------------------------------


class Keyring:
    """The secret keys of the settings, newest first: the first one seals, all of them open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise BadKeys("there is no secret key")
        self._keys = dict(keys)
        self._sealers = {key_id: AESGCM(_derived(key, b"seal")) for key_id, key in keys.items()}
        self.newest = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """The keyring written as `id:base64 of 32 bytes`, separated by commas, the newest first.

        Raises:
            BadKeys: malformed, of another length, an id twice, or none at all.
        """
        keys: dict[str, bytes] = {}
        for number, entry in enumerate((part.strip() for part in text.split(",") if part.strip()), 1):
            key_id, _, encoded = entry.partition(":")
            if not _KEY_ID.fullmatch(key_id):
                raise BadKeys(f"secret key {number} does not look like id:base64")
            if key_id in keys:
                raise BadKeys(f"there are two secret keys called {key_id}")
            keys[key_id] = _decoded_key(key_id, encoded)
        return cls(keys)

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def seal(self, plain: bytes, context: bytes) -> tuple[str, str]:
        """Seal with the newest key, bound to `context`; gives the key's id and the sealed text."""
        return self.newest, _seal(self._sealers[self.newest], plain, context)

    def open(self, key_id: str, sealed: str, context: bytes) -> bytes:
        """Open what `seal` gave.

        Raises:
            BadKeys: the keyring has no key of this id.
            SealBroken: changed, or sealed for another context, or by another key of the same id.
        """
        if key_id not in self._sealers:
            raise BadKeys(f"the secret key called {key_id} is needed and missing")
        return _open(self._sealers[key_id], sealed, context)

    def derive(self, purpose: bytes) -> list[bytes]:
        """A key of 32 bytes for `purpose` from each key, newest first: sign with the first, accept all of them."""
        return [_derived(key, b"derive/" + purpose) for key in self._keys.values()]

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"


def new_key(key_id: str = "k1") -> str:
    """A fresh random key, as `Keyring.parse` reads it."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _decoded_key(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadKeys(f"the secret key called {key_id} is not base64") from None
    if len(key) != KEY_BYTES:
        raise BadKeys(f"the secret key called {key_id} has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"meetings/" + purpose).derive(key)


def _seal(sealer: AESGCM, plain: bytes, context: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + sealer.encrypt(nonce, plain, context)).decode()


def _open(sealer: AESGCM, sealed: str, context: bytes) -> bytes:
    try:
        raw = base64.b64decode(sealed, validate=True)
        return sealer.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise SealBroken("a sealed text cannot be opened") from None


# ---- the secrets of accounts --------------------------------------------------------------------------------------


class Secrets:
    """Seals and opens the secrets of accounts, each with its account's own key."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self._data_keys: dict[tuple[AccountId, int], AESGCM] = {}

    async def add_account(self, connection: AsyncConnection, account_id: AccountId) -> None:
        """Make the key of a new account, in the transaction that stores the account."""
        key_id, wrapped = self.keyring.seal(AESGCM.generate_key(256), _key_context(account_id, 1))
        row = {"account_id": account_id, "number": 1, "key_id": key_id, "wrapped": wrapped}
        await connection.execute(insert(account_keys), row)

    async def seal(
        self, connection: AsyncConnection, account_id: AccountId, field: str, row: object, secret: str
    ) -> str:
        """The sealed text of a secret that stands in `field` (`table.column`) of the row with this id."""
        number = 1
        sealer = await self._data_key(connection, account_id, number)
        return f"{number}:{_seal(sealer, secret.encode(), _context(account_id, field, row))}"

    async def open(
        self, connection: AsyncConnection, account_id: AccountId, field: str, row: object, sealed: str
    ) -> str:
        """The secret again.

        Raises:
            SealBroken: changed, or moved from another account, field or row.
            BadKeys: the outside key that wraps the account's key is missing.
        """
        number, _, text = sealed.partition(":")
        if not number.isdecimal():
            raise SealBroken("a sealed text does not name its key")
        sealer = await self._data_key(connection, account_id, int(number))
        return _open(sealer, text, _context(account_id, field, row)).decode()

    async def _data_key(self, connection: AsyncConnection, account_id: AccountId, number: int) -> AESGCM:
        # Kept for the life of the process. Keys are only made together with their account, so whoever finds one in a
        # transaction of its own finds a committed one.
        known = self._data_keys.get((account_id, number))
        if known is None:
            query = select(account_keys.c.key_id, account_keys.c.wrapped).where(
                account_keys.c.account_id == account_id, account_keys.c.number == number
            )
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                raise SealBroken("the account has no such key")
            known = AESGCM(self.keyring.open(row.key_id, row.wrapped, _key_context(account_id, number)))
            self._data_keys[account_id, number] = known
        return known

    async def check(self, connection: AsyncConnection) -> None:
        """Find out at the start whether the keyring fits this database; a new database takes it for its own.

        Raises:
            BadKeys: a key that sealed something here is missing, or is not the same key any more.
        """
        stored = (await connection.execute(select(key_check.c.key_id, key_check.c.sealed))).one_or_none()
        if stored is None:
            key_id, sealed = self.keyring.seal(_CHECK_TEXT, _CHECK_CONTEXT)
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            new = dialect.insert(key_check).values(id=1, key_id=key_id, sealed=sealed).on_conflict_do_nothing()
            await connection.execute(new)
            stored = (await connection.execute(select(key_check.c.key_id, key_check.c.sealed))).one()
        try:
            self.keyring.open(stored.key_id, stored.sealed, _CHECK_CONTEXT)
        except SealBroken:
            raise BadKeys(f"the secret key called {stored.key_id} is not the one this database was made with") from None
        used = set((await connection.execute(select(account_keys.c.key_id).distinct())).scalars())
        missing = sorted(used - self.keyring.key_ids)
        if missing:
            raise BadKeys(f"secret keys that are still in use are missing: {', '.join(missing)}")

    async def rewrap(self, connection: AsyncConnection, *, limit: int = 500) -> int:
        """Wrap the keys of up to `limit` accounts by the newest key; gives how many, 0 when no older key is in use.

        Values stay readable throughout. After it gave 0, older keys can leave the settings (OA-8).
        """
        old = select(account_keys).where(account_keys.c.key_id != self.keyring.newest).limit(limit)
        rows = (await connection.execute(old)).all()
        for row in rows:
            context = _key_context(row.account_id, row.number)
            key_id, wrapped = self.keyring.seal(self.keyring.open(row.key_id, row.wrapped, context), context)
            same = (account_keys.c.account_id == row.account_id) & (account_keys.c.number == row.number)
            await connection.execute(update(account_keys).where(same).values(key_id=key_id, wrapped=wrapped))
        if not rows:
            key_id, sealed = self.keyring.seal(_CHECK_TEXT, _CHECK_CONTEXT)
            await connection.execute(update(key_check).values(key_id=key_id, sealed=sealed))
        return len(rows)


def _context(account_id: AccountId, field: str, row: object) -> bytes:
    return f"{account_id.hex}|{field}|{row}".encode()


def _key_context(account_id: AccountId, number: int) -> bytes:
    return f"account_keys|{account_id.hex}|{number}".encode()
