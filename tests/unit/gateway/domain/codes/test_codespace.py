"""Codes from serials: FF1 against NIST's samples, permutations, and what a guess may cost."""

from __future__ import annotations

import itertools

import pytest
from fastfpe import ff1
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.codes.alphabet import ALPHABETS
from gateway.domain.codes.codespace import (
    MAX_LENGTH,
    MIN_LENGTH,
    CodeSpace,
    SpaceTooSmall,
    capacity,
    has_digit,
    shortest_length,
    space_size,
)

KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
TENS = "0123456789"
BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
TWEAK_10 = "39383736353433323130"
TWEAK_36 = "3737373770717273373737"
LONG = "0123456789abcdefghi"

# NIST, "FF1 samples" to SP 800-38G: number, key, tweak, symbols, plain, ciphered.
NIST_SAMPLES = [
    pytest.param(KEY_128, "", TENS, "0123456789", "2433477484", id="1: AES-128"),
    pytest.param(KEY_128, TWEAK_10, TENS, "0123456789", "6124200773", id="2: AES-128, tweak"),
    pytest.param(KEY_128, TWEAK_36, BASE_36, LONG, "a9tv40mll9kdu509eum", id="3: AES-128, radix 36"),
    pytest.param(KEY_192, "", TENS, "0123456789", "2830668132", id="4: AES-192"),
    pytest.param(KEY_192, TWEAK_10, TENS, "0123456789", "2496655549", id="5: AES-192, tweak"),
    pytest.param(KEY_192, TWEAK_36, BASE_36, LONG, "xbj3kv35jrawxv32ysr", id="6: AES-192, radix 36"),
    pytest.param(KEY_256, "", TENS, "0123456789", "6657667009", id="7: AES-256"),
    pytest.param(KEY_256, TWEAK_10, TENS, "0123456789", "1001623463", id="8: AES-256, tweak"),
    pytest.param(KEY_256, TWEAK_36, BASE_36, LONG, "xs8a0azh2avyalyzuwd", id="9: AES-256, radix 36"),
]


@pytest.mark.parametrize(("key", "tweak", "symbols", "plain", "ciphered"), NIST_SAMPLES)
def test_ff1_is_nists(key: str, tweak: str, symbols: str, plain: str, ciphered: str) -> None:
    assert ciphered == ff1.encrypt(key, tweak, symbols, plain)
    assert plain == ff1.decrypt(key, tweak, symbols, ciphered)


def test_code_is_ff1_of_the_serial() -> None:
    """Sample 7's key and tweak, at the length that is printed: what a space does is FF1 and nothing more."""
    space = CodeSpace(id=1, alphabet="digits", length=13, key=KEY_256)

    assert ff1.encrypt(KEY_256, "", TENS, "0123456789012") == space.encode(123456789012)


def space_of(alphabet: str, length: int, key: str = "a7" * 32) -> CodeSpace:
    return CodeSpace(id=1, alphabet=alphabet, length=length, key=key)


@st.composite
def spaces_and_serials(draw: st.DrawFn) -> tuple[CodeSpace, int]:
    alphabet = draw(st.sampled_from(sorted(ALPHABETS)))
    length = draw(st.integers(MIN_LENGTH[alphabet], MAX_LENGTH))
    key = draw(st.binary(min_size=32, max_size=32)).hex()
    serial = draw(st.integers(0, capacity(alphabet, length, 1_000_000)))
    return space_of(alphabet, length, key), serial


@given(spaces_and_serials())
def test_round_trip(drawn: tuple[CodeSpace, int]) -> None:
    space, serial = drawn

    code = space.encode(serial)

    assert serial == space.decode(code)
    assert (space.length, True, True) == (
        len(code),
        set(code) <= set(ALPHABETS[space.alphabet].symbols),
        has_digit(code),
    )


@pytest.mark.parametrize(("alphabet", "length"), [("digits", 13), ("letters", 8), ("letters", 9)])
def test_first_serials_are_a_permutation_without_order(alphabet: str, length: int) -> None:
    space = space_of(alphabet, length)
    codes = [space.encode(serial) for serial in range(20_000)]

    rising = sum(a < b for a, b in itertools.pairwise(codes))
    heads = {code[:2] for code in codes}

    assert len(codes) == len(set(codes))
    assert 0.48 < rising / len(codes) < 0.52  # as of any shuffled row
    assert len(heads) == len(ALPHABETS[alphabet].symbols) ** 2


def test_neighbours_share_no_more_digits_than_strangers() -> None:
    space = space_of("digits", 13)
    codes = [space.encode(serial) for serial in range(5_000)]

    alike = sum(a == b for one, other in itertools.pairwise(codes) for a, b in zip(one, other, strict=True))

    assert 0.095 < alike / (13 * (len(codes) - 1)) < 0.105


def test_letters_always_hold_a_digit() -> None:
    space = space_of("letters", 8)

    assert all(has_digit(space.encode(serial)) for serial in range(20_000))
    assert space.decode("ACDEFHJK") is None  # no serial becomes it


def test_another_key_is_another_permutation() -> None:
    one, other = space_of("digits", 13), space_of("digits", 13, key="b8" * 32)

    assert not {one.encode(n) for n in range(1000)} & {other.encode(n) for n in range(1000)}


@pytest.mark.parametrize(
    ("alphabet", "length", "expected"),
    [
        ("digits", 13, 10**13),
        ("letters", 1, 6),
        ("letters", 2, 24**2 - 18**2),
        ("letters", 8, 24**8 - 18**8),
    ],
)
def test_space_size(alphabet: str, length: int, expected: int) -> None:
    assert expected == space_size(alphabet, length)


CAPACITIES = [
    pytest.param("digits", 13, 10_000_000, 1_000_000, id="13 digits: a million at one in ten million"),
    pytest.param("digits", 14, 10_000_000, 10_000_000, id="14 digits: ten million"),
    pytest.param("letters", 8, 10_000_000, (24**8 - 18**8) // 10_000_000, id="8 letters"),
]


@pytest.mark.parametrize(("alphabet", "length", "odds", "expected"), CAPACITIES)
def test_capacity(alphabet: str, length: int, odds: int, expected: int) -> None:
    assert expected == capacity(alphabet, length, odds)


SHORTEST = [
    pytest.param("digits", 1, 10_000_000, 13, id="digits begin at 13, so that none is a phone number"),
    pytest.param("digits", 1_000_000, 10_000_000, 13, id="a million"),
    pytest.param("digits", 1_000_001, 10_000_000, 14, id="one more than a million"),
    pytest.param("digits", 50_000_000, 10_000_000, 15, id="fifty million"),
    pytest.param("digits", 1_000_000_000, 10_000_000, 16, id="a billion"),
    pytest.param("letters", 1, 10_000_000, 8, id="letters begin at 8"),
    pytest.param("letters", 1_000_000, 10_000_000, 10, id="a million in letters"),
    pytest.param("letters", 50_000_000, 10_000_000, 11, id="fifty million in letters"),
    pytest.param("digits", 10**17, 10_000_000, 24, id="all that fits"),
]


@pytest.mark.parametrize(("alphabet", "count", "odds", "expected"), SHORTEST)
def test_shortest_length(alphabet: str, count: int, odds: int, expected: int) -> None:
    assert expected == shortest_length(alphabet, count, odds)
    assert capacity(alphabet, expected, odds) >= count


def test_no_length_holds_too_many() -> None:
    with pytest.raises(SpaceTooSmall, match="need more than 24 digits"):
        shortest_length("digits", 10**17 + 1, 10_000_000)
