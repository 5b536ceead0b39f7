"""Generations of sealing keys in a vault: taken up while it runs, old ones open, unknown ones looked for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.store.vault import sealing_keys
from gateway.store.vault import vault as vault_module
from gateway.store.vault.sealing_keys import KeyFile, SealingKey
from gateway.store.vault.vault import MARK, SealBroken, Vault, generation_of

MASTER = bytes(range(32))
NUMBER = b"380671234567"
# Sealed before there were generations: such values stand in databases, and must open for ever.
OLDEST = bytes.fromhex("6465666768696a6b6c6d6e6f60fe843d095619e162f70e76206464e5b5d09b9bb193b47c7a5ecbf5")
LONG_AGO = 1_000_000_000


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the keys stand; vaults look at each seal, not once a second."""
    monkeypatch.setattr(vault_module, "LOOK_EVERY_S", 0.0)
    return tmp_path / "sealing.keys"


def given(file: Path, *generations: int, seals_from: int = LONG_AGO) -> list[SealingKey]:
    """Keys of these generations stand in the file."""
    known = {key.generation: key for key in sealing_keys.read(file)}
    keys = [known.get(g) or sealing_keys.new(g, seals_from) for g in generations]
    sealing_keys.write(file, keys)
    return keys


def running(file: Path) -> Vault:
    """The vault of a process."""
    return Vault(MASTER, KeyFile(file))


def test_what_was_sealed_before_there_were_generations_opens(file: Path) -> None:
    assert Vault(MASTER).open("shopper", OLDEST) == NUMBER
    given(file, 1)
    vault = running(file)
    assert vault.generation == 1
    assert vault.open("shopper", OLDEST) == NUMBER
    assert generation_of(OLDEST) == 0


def test_a_running_process_takes_a_new_generation_up_and_opens_the_old(file: Path) -> None:
    vault = running(file)
    sealed = {0: vault.seal("reply", NUMBER)}
    for generation in (1, 2):
        given(file, *range(1, generation + 1))
        sealed[generation] = vault.seal("reply", NUMBER)

    assert {generation: generation_of(value) for generation, value in sealed.items()} == {0: 0, 1: 1, 2: 2}
    assert [vault.open("reply", value) for value in sealed.values()] == [NUMBER] * 3


def test_a_generation_waits_for_its_moment(file: Path) -> None:
    vault = running(file)
    given(file, 1, seals_from=int(time.time()) + 3600)

    assert generation_of(vault.seal("reply", NUMBER)) == 0


def test_a_value_of_a_generation_that_a_process_does_not_know_makes_it_look_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "LOOK_EVERY_S", 3600.0)
    late = running(file)
    late.seal("reply", NUMBER)
    given(file, 1)

    assert late.open("reply", running(file).seal("reply", NUMBER)) == NUMBER


def test_generations_and_purposes_are_apart(file: Path) -> None:
    given(file, 1)
    vault = running(file)
    sealed = vault.seal("reply", NUMBER)
    given(file, 1, 2)
    moved = sealed[: len(MARK)] + b"\0\x02" + sealed[len(MARK) + 2 :]

    for purpose, value in (("answer", sealed), ("reply", moved), ("reply", sealed[8:]), ("reply", MARK)):
        with pytest.raises(SealBroken, match=purpose):
            vault.open(purpose, value)


def test_a_key_needs_the_master_secret_and_the_file(file: Path, tmp_path: Path) -> None:
    given(file, 1)
    sealed = running(file).seal("reply", NUMBER)
    other = tmp_path / "other.keys"
    given(other, 1)

    for stranger in (Vault(bytes(32), KeyFile(file)), Vault(MASTER, KeyFile(other)), Vault(MASTER)):
        with pytest.raises(SealBroken):
            stranger.open("reply", sealed)


def test_a_retired_generation_opens_no_more(file: Path) -> None:
    given(file, 1)
    vault = running(file)
    sealed = vault.seal("reply", NUMBER)
    assert vault.open("reply", sealed) == NUMBER
    given(file, 2)
    vault.seal("reply", NUMBER)

    with pytest.raises(SealBroken):
        vault.open("reply", sealed)


@pytest.mark.parametrize("fault", ["gone", "cut", "open to others"])
def test_keys_that_cannot_be_read_are_gone_on_with(file: Path, fault: str) -> None:
    given(file, 1)
    vault = running(file)
    sealed = vault.seal("reply", NUMBER)
    if fault == "gone":
        file.unlink()
    elif fault == "cut":
        file.write_text("1 2026-05-04T09:12")
    else:
        file.touch()
        file.chmod(0o644)

    assert generation_of(vault.seal("reply", NUMBER)) == 1
    assert vault.open("reply", sealed) == NUMBER


def test_a_value_of_generation_0_may_look_like_another(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its nonce is random: for once it begins like a header."""
    given(file, 1)
    monkeypatch.setattr(vault_module, "urandom", lambda size: (MARK + b"\0\x01").ljust(size, b"x"))
    sealed = Vault(MASTER).seal("reply", NUMBER)
    assert generation_of(sealed) == 1

    assert running(file).open("reply", sealed) == NUMBER


def test_index_digest_and_derived_keys_do_not_rotate(file: Path) -> None:
    given(file, 1)
    rotated, before = running(file), Vault(MASTER)
    rotated.seal("reply", NUMBER)

    assert rotated.index("380671234567") == before.index("380671234567")
    assert rotated.digest("any") == before.digest("any")
    assert rotated.derive("alias") == before.derive("alias")
