"""Whoever dials at a place learns who did before."""

from __future__ import annotations

from pathlib import Path

from ivr.dialer.predecessor import succeed


def test_the_one_before_is_told(tmp_path: Path) -> None:
    place = tmp_path / "dialer-4573"
    assert succeed(place, "0a") == ""
    assert succeed(place, "0b") == "0a"
    assert succeed(place, "0c") == "0b"


def test_what_is_no_name_is_nobody(tmp_path: Path) -> None:
    place = tmp_path / "dialer-4573"
    for written in (b"", b"\xff\xfe\n", b"../up\n", b"0a\n0b\n", b"0" * 100_000):
        place.write_bytes(written)
        place.chmod(0o600)
        assert succeed(place, "0a") == ""
