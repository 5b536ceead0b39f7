"""The command `undercap`: reads the settings once and hands them to the part that was asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from config import settings as settings_module
from config.section import SettingsError
from config.settings import Settings
from gateway.domain.written.outside import fits
from gateway.entry.lazy_group import LazyGroup, imported
from gateway.entry.process import readiness, zone_data
from gateway.entry.process.process import Exit, ends_with
from gateway.store.files.full_disk import is_full

OPERATOR_GROUPS = {
    "smpp": (
        "gateway.entry.commands.smpp:smpp",
        "The SMPP process; how its links stand; a text to try one with.",
    ),
    "ivr": ("gateway.entry.commands.ivr:ivr", "The IVR process; calls to the free numbers at a glance."),
    "firm": ("gateway.entry.commands.firm:firm", "Firms (tenants) and the keys of their own pages."),
    "campaign": (
        "gateway.entry.commands.campaigns.campaign:campaign",
        "Campaigns: dates, short numbers, points.",
    ),
    "audience": (
        "gateway.entry.commands.offers.audience:audience",
        "Audiences: which shoppers a blast is for.",
    ),
    "blast": (
        "gateway.entry.commands.offers.blast:blast",
        "Blasts: preview, try, launch, watch, pause, judge.",
    ),
    "recording": (
        "gateway.entry.commands.offers.recording:recording",
        "What a firm lets be said in its calls: add, speak, listen.",
    ),
    "consent": (
        "gateway.entry.commands.consent.consent:consent",
        "Consent to offers: show it, why somebody was contacted, import lists.",
    ),
    "codes": (
        "gateway.entry.commands.campaigns.codes:codes",
        "Make codes for the printer, list them, check one, void a batch.",
    ),
    "prompts": (
        "gateway.entry.commands.prompts:prompts",
        "What callers hear: sound files, and the texts for a studio.",
    ),
    "vault": (
        "gateway.entry.commands.vault.vault:vault",
        "The vault: its keys, erasure of a person, who opened what.",
    ),
    "dead": (
        "gateway.entry.commands.operations.dead:dead",
        "Work that failed for good: look at it, run it again.",
    ),
}


@click.group(
    cls=LazyGroup,
    lazy=OPERATOR_GROUPS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `undercap up --demo`; if something is wrong, ask `undercap doctor`.",
)
@click.option(
    "--config",
    "config_file",
    metavar="PATH",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (TOML). Default: $UNDERCAP_CONFIG, else ./undercap.toml if there is one. "
    "Every setting may also come as UNDERCAP_<SECTION>__<KEY>.",
)
@click.version_option(package_name="undercap", prog_name="undercap")
def cli(config_file: Path | None) -> None:
    """SMS gateway for promotional codes: codes in, points credited, confirmations out."""
    zone_data.use_newest()
    if config_file is not None:
        # In the environment, so that the processes that `up` starts read the same file.
        os.environ["UNDERCAP_CONFIG"] = str(config_file.absolute())


@cli.command(
    epilog="""\b
Examples:
  undercap up --demo                 try it: virtual phone, demo firm, a few codes
  undercap --config my.toml up       one machine in earnest
Ctrl-C or SIGTERM stops everything in order; the state stays."""
)
@click.option("--demo", is_flag=True, help="With the SMSC simulator, its virtual phone and a demo firm.")
def up(demo: bool) -> None:
    """Everything on this machine: Valkey, SMPP, worker, API; what dies is started again."""
    if demo:
        os.environ["UNDERCAP_SIMULATOR__ENABLED"] = "true"  # the children read it, too
        imported("gateway.entry.demo.defaults").offer(load())
        imported("gateway.entry.demo.calls").offer(load())
    _run("gateway.entry.supervision.supervisor", demo=demo)


@cli.command()
def api() -> None:
    """The API process: web activation, /v1, /healthz, /readyz, /metrics."""
    _run("gateway.entry.processes.api")


@cli.command()
def worker() -> None:
    """The worker: settles claims into the ledger and prepares the answers."""
    _run("gateway.entry.processes.worker")


@cli.command()
def blasts() -> None:
    """The process that runs blasts: their texts, batch by batch, into the sending queues."""
    _run("gateway.entry.processes.blasts")


@cli.command()
def simulate() -> None:
    """An SMSC of our own with a page of handsets. Never beside real links."""
    _run("gateway.entry.processes.simulator")


@cli.command(hidden=True)
def asterisk() -> None:
    """The Asterisk of `up --demo`, which starts it where it can."""
    _run("gateway.entry.processes.asterisk")


@cli.command()
@click.option("--replace-foreign", is_flag=True, help="Throw away what another deployment has in this Redis.")
@click.option("--ledger-lost", is_flag=True, help="The database is of an earlier time than Redis, for good.")
def rebuild(replace_foreign: bool, ledger_lost: bool) -> None:
    """Restore claims, consent and counters in Redis from SQL after Redis was lost."""
    _run(
        "gateway.entry.commands.operations.rebuild", replace_foreign=replace_foreign, ledger_lost=ledger_lost
    )


@cli.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy database, Redis and secrets of one moment into the new folder TARGET, while all runs."""
    settings = load()
    sys.exit(imported("gateway.entry.commands.operations.backup").run(settings, target))


@cli.command()
@click.argument("target", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--replace", is_flag=True, help="Move aside what the state directory holds.")
def restore(target: Path, replace: bool) -> None:
    """Put a backup into the state directory, and rebuild Redis from it. Stop `undercap up` first."""
    settings = load()
    sys.exit(imported("gateway.entry.commands.operations.restore").run(settings, target, replace=replace))


@cli.command()
def migrate() -> None:
    """Bring the database to this version's schema. `undercap up` does it by itself."""
    _run("gateway.entry.commands.operations.migrate")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def doctor(as_json: bool) -> None:
    """Tell what is wrong with this set-up and how to mend it. Exit code 1 if something is."""
    sys.exit(imported("gateway.entry.doctor.report").run(as_json=as_json))


@cli.group()
def config() -> None:
    """The settings."""


@config.command()
def check() -> None:
    """Read and validate the settings; every fault in one report. Exit code 78 if there is one."""
    settings = load()
    named = os.environ.get("UNDERCAP_CONFIG", "undercap.toml")
    source = named if Path(named).exists() else "defaults and environment"
    click.echo(f"The settings are good ({source}; state in {settings.state_dir.absolute()}).")


def _run(module_name: str, **options: bool) -> NoReturn:
    """Read the settings, then import and run the part that was asked for."""
    settings = load()
    sys.exit(imported(module_name).run(settings, **options))


def load() -> Settings:
    """The validated settings. Faults are told in one report and end the program with 78."""
    try:
        return settings_module.load()
    except SettingsError as err:
        refuse(err)


def refuse(err: Exception) -> NoReturn:
    """Tell the faults, to the supervisor if there is one, and exit with 78, or 74 where the disk is full."""
    code, told = ends_with(err)
    if not readiness.fault(told):
        first, *more = told.splitlines()
        if more:
            click.echo(f"undercap cannot go on, {len(more) + 1} faults:", err=True)
            first = "\n".join(f"  {line}" for line in (first, *more))
        else:
            first = f"undercap: {first}"
        click.echo(first, err=True)
    sys.exit(code)


def main() -> None:
    """Entry point of the console script."""
    try:
        if not all(map(fits, sys.argv)):
            raise click.UsageError("a word of the command is not UTF-8")
        cli(prog_name="undercap", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(Exit.FAILED)
    except click.ClickException as err:
        if not readiness.fault(err.format_message()):
            err.show()
        sys.exit(err.exit_code)
    except SettingsError as err:
        refuse(err)
    except Exception as err:
        if is_full(err):
            refuse(err)
        readiness.fault(f"{type(err).__name__}: {err}")
        raise


if __name__ == "__main__":
    main()
