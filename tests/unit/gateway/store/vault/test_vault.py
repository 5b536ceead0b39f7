"""The vault: what was sealed for one use opens for no other, and numbers meet without being read."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.vault.vault import SealBroken, Vault

MASTER = bytes(range(32))
NUMBER = "380671234567"


@given(st.binary(max_size=2000), st.text(min_size=1, max_size=20, alphabet="abcxyz-"))
def test_round_trip(clear: bytes, purpose: str) -> None:
    vault = Vault(MASTER)

    assert clear == vault.open(purpose, vault.seal(purpose, clear))


def test_purposes_are_apart() -> None:
    vault = Vault(MASTER)

    with pytest.raises(SealBroken, match="shopper"):
        vault.open("shopper", vault.seal("reply", b"380671234567"))


SEALED = Vault(MASTER).seal("reply", NUMBER.encode())
BROKEN = [
    pytest.param(b"", id="nothing"),
    pytest.param(SEALED[:11], id="shorter than a nonce"),
    pytest.param(SEALED[:12], id="a nonce alone"),
    pytest.param(SEALED[:-1], id="cut"),
    pytest.param(SEALED + b"\0", id="longer"),
    pytest.param(bytes([SEALED[0] ^ 1]) + SEALED[1:], id="another nonce"),
    pytest.param(SEALED[:-1] + bytes([SEALED[-1] ^ 1]), id="a bit changed"),
    pytest.param(Vault(bytes(32)).seal("reply", NUMBER.encode()), id="another master secret"),
]


@pytest.mark.parametrize("sealed", BROKEN)
def test_broken_seals(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        Vault(MASTER).open("reply", sealed)


def test_sealing_twice_differs() -> None:
    vault = Vault(MASTER)
    sealed = {vault.seal("reply", NUMBER.encode()) for _ in range(1000)}

    assert len(sealed) == 1000
    assert len({one[:12] for one in sealed}) == 1000  # a nonce must never come twice under one key


def test_index_and_digest_are_stable_and_reveal_nothing() -> None:
    """The values are pinned: a change of derivation would orphan every stored key."""
    vault = Vault(MASTER)

    assert vault.index(NUMBER) == "ZP24WQUxeiDvtUFzHF4HCA"
    assert vault.digest(NUMBER) == "mTxxA9NfjGi1s4wsmpwUAw"
    assert vault.index(NUMBER) == Vault(MASTER).index(NUMBER)
    assert len({vault.index(NUMBER), vault.digest(NUMBER), Vault(bytes(32)).index(NUMBER)}) == 3
    assert [len(vault.index(NUMBER)), len(vault.digest("any text, \ud800 too"))] == [22, 22]


def test_keys_of_all_uses_differ() -> None:
    vault = Vault(MASTER)
    labels = ["vault/index", "vault/digest", "vault/seal", "alias", "code-space/1", "code-space/11"]
    made = {vault.derive(label) for label in labels}

    assert len(made) == len(labels)
    assert MASTER not in made
    assert all(len(key) == 32 for key in made)
    assert vault.derive("alias")[:16] == vault.derive("alias", 16)


def test_openings_are_counted_by_purpose_even_if_they_fail() -> None:
    vault = Vault(MASTER)
    vault.open("reply", vault.seal("reply", b"1"))
    vault.open("answer", vault.seal("answer", b"2"))
    with pytest.raises(SealBroken):
        vault.open("answer", b"nothing")

    assert dict(vault.opened) == {"reply": 1, "answer": 2}


def test_no_form_of_the_number_is_in_the_sealed() -> None:
    vault = Vault(MASTER)
    everything = vault.seal("reply", NUMBER.encode()) + vault.index(NUMBER).encode()

    assert NUMBER.encode() not in everything
    assert base64.b64encode(NUMBER.encode())[:14] not in everything
