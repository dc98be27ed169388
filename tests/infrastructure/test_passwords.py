"""Passwords are hashed with a salt and checked in the same time, whether there is one or not."""

import time

import pytest
from argon2 import PasswordHasher

from meetings.infrastructure.passwords import ArgonPasswords


@pytest.fixture
def passwords() -> ArgonPasswords:
    return ArgonPasswords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


async def test_a_password_matches_its_own_hash_only(passwords: ArgonPasswords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("correct horse ", stored)
    assert not await passwords.matches("", stored)


async def test_the_same_password_is_hashed_differently_each_time(passwords: ArgonPasswords) -> None:
    assert await passwords.hash("secret") != await passwords.hash("secret")


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=64"])
async def test_nothing_matches_where_there_is_no_hash(passwords: ArgonPasswords, stored: str | None) -> None:
    assert not await passwords.matches("nobody's password", stored)


async def test_checking_takes_as_long_where_there_is_no_hash() -> None:
    passwords = ArgonPasswords(PasswordHasher(time_cost=8, memory_cost=8 * 1024, parallelism=1))
    stored = await passwords.hash("secret")
    await passwords.matches("warm up", None)

    async def fastest(password_hash: str | None) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            await passwords.matches("wrong", password_hash)
            times.append(time.perf_counter() - began)
        return min(times)

    known, unknown = await fastest(stored), await fastest(None)
    assert 0.5 < unknown / known < 2
