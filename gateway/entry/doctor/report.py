"""`undercap doctor`: what is wrong with this set-up, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from config import settings as settings_module
from config.section import SettingsError
from config.settings import Settings
from gateway.entry.demo import environment
from gateway.entry.doctor import checks_asterisk, checks_here, checks_processes, checks_stores, findings
from gateway.entry.doctor.findings import Finding, Level, fail, good

CHECKS: tuple[Callable[[Settings], Finding | Iterator[Finding]], ...] = (
    checks_here.state_dir,
    checks_here.secret,
    checks_here.disk,
    checks_here.zones,
    checks_here.server_program,
    checks_stores.redis,
    checks_stores.database,
    checks_stores.secret,
    checks_stores.sealing_keys,
    checks_processes.processes,
    checks_here.ports,
    checks_here.links,
    checks_asterisk.asterisk,
)


def run(*, as_json: bool = False) -> int:
    """Check everything and show it. Exit code 1 if something has to be mended."""
    found = list(examine())
    findings.show(found, as_json=as_json)
    return int(any(finding.level is Level.FAIL for finding in found))


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which an operator would mend things."""
    try:
        settings = environment.joined(settings_module.load())
    except SettingsError as err:
        for line in str(err).splitlines():
            yield fail("settings", line, "mend it in the settings file or the environment")
        return
    yield good("settings", "are valid")
    for check in CHECKS:
        result = check(settings)
        if isinstance(result, Finding):
            yield result
        else:
            yield from result
