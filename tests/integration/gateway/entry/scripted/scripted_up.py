"""A supervisor of scripted children: `scripted_up.py [--unprepared N] NAME:MODE …`; set-up fails N times."""

from __future__ import annotations

import sys
from pathlib import Path

from config import settings as settings_module
from config.section import SettingsError
from gateway.entry.process.process import Exit
from gateway.entry.supervision import supervisor
from gateway.entry.supervision.child import Child

CHILD = Path(__file__).with_name("scripted_child.py")


def main(arguments: list[str]) -> int:
    """Run until stopped; the exit code of `undercap up`."""
    failures = [int(arguments[1])] if arguments[:1] == ["--unprepared"] else [0]
    named = arguments[2:] if failures[0] else arguments
    children = [
        Child(name=name, argv=(sys.executable, str(CHILD), name, mode))
        for name, _, mode in (argument.partition(":") for argument in named)
    ]

    def prepare() -> None:
        if failures[0]:
            failures[0] -= 1
            raise OSError("the database is away")

    try:
        return supervisor.run_plan(
            supervisor.Plan(settings=settings_module.load(), children=children, prepare=prepare)
        )
    except SettingsError as err:  # as the command line tells it
        sys.stderr.write(f"undercap: {err}\n")
        return Exit.CONFIG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
