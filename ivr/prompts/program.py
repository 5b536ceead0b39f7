"""A program of others, run on what a stranger may have given: bounded in time, memory and output."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Sequence
from typing import Final

WITHIN_S: Final = 30.0
MOST_MEMORY: Final = 1 << 30
MOST_FILE: Final = 64 << 20


class ProgramError(Exception):
    """A program is not there, or does not do its work; the message says which and why."""


def run(argv: Sequence[str], given: bytes) -> bytes:
    """What it writes when it is given these octets. Raises ProgramError."""
    try:
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            _limit(process.pid)  # before it is given anything
            try:
                wrote, said = process.communicate(given, WITHIN_S)
            except subprocess.TimeoutExpired as err:
                process.kill()
                raise ProgramError(f"{argv[0]}: no end within {WITHIN_S:g} s") from err
    except OSError as err:
        raise ProgramError(f"{argv[0]}: {err}") from err
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines()
        raise ProgramError(f"{argv[0]} failed: {lines[-1] if lines else f'exit code {process.returncode}'}")
    return wrote


def _limit(pid: int) -> None:
    """As far as the system can: Linux can."""
    limits = {
        resource.RLIMIT_AS: MOST_MEMORY,
        resource.RLIMIT_CPU: int(WITHIN_S),
        resource.RLIMIT_FSIZE: MOST_FILE,
    }
    if hasattr(resource, "prlimit"):
        for which, most in limits.items():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, which, (most, most))
