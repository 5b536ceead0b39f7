"""`undercap vault`: the sealing keys, erasure of a person, and who opened what for which purpose."""

from __future__ import annotations

import sys
import time

import click
from rich.console import Console

from gateway.domain.written.instants import utc
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing, shown
from gateway.entry.commands.tables import Column, Listing
from gateway.entry.lazy_group import LazyGroup
from gateway.entry.process import rq_worker
from gateway.entry.wiring.backing import Backing
from gateway.store.integrity import key_generations
from gateway.store.people import erasures, sealed_values
from gateway.store.sql import database
from gateway.store.vault import sealing_keys
from gateway.store.vault.sealing_keys import sealing_now
from gateway.usecases.firms.set_up import Refused
from gateway.usecases.vault import rotate as rotation
from gateway.usecases.vault.reseal import reseal as reseal_all

COPIED_WITHIN_S = 600  # by hand, to every machine

MORE = {
    "erase": ("gateway.entry.commands.vault.vault_erase:erase", "Erase one person; the ledger stays whole."),
    "misread": (
        "gateway.entry.commands.vault.vault_misread:misread",
        "Who is stored under a number that was read wrongly.",
    ),
    "report": (
        "gateway.entry.commands.vault.vault_report:report",
        "Who opened how many numbers for which purpose, and each access to one person's.",
    ),
}


@click.group(cls=LazyGroup, lazy=MORE)
def vault() -> None:
    """The vault: its keys, erasure of a person, who opened what."""


@vault.command()
@click.option(
    "--in",
    "begins_after_s",
    type=float,
    default=rotation.BEGINS_AFTER_S,
    show_default=True,
    metavar="SECONDS",
    help="When it begins to seal. With several machines: long enough to copy the file to all of them.",
)
def rotate(begins_after_s: float) -> None:
    """Make a new generation of sealing keys; running processes take it up by themselves.

    Numbers that are sealed already stay as they are until `undercap vault reseal`. Codes, aliases and the
    index by which a number is found again are of the master secret, and stay.
    """
    with backing() as opened:
        file = sealing_keys.file_of(opened.settings)
        _refuse_unknown_elsewhere(opened, begins_after_s)
        made = rotation.rotate(opened.engine, file, begins_after_s=begins_after_s)
    click.echo(f"generation {made.generation} seals from {shown(made.seals_from * 1000)} UTC on")
    click.echo(f"Back up {file} now: without it what it seals cannot be opened.", err=True)


def _refuse_unknown_elsewhere(opened: Backing, begins_after_s: float) -> None:
    """What a machine cannot open it would lay aside: each has its own copy of the file. Raises Refused."""
    others = rq_worker.other_machines(opened.queue_redis)
    if others and begins_after_s < COPIED_WITHIN_S:
        raise Refused(
            f"workers run on other machines ({', '.join(sorted(others))}): "
            f"take --in {COPIED_WITHIN_S} or more and copy the sealing keys to each of them before that"
        )


@vault.command()
@tables.JSON
def status(as_json: bool) -> None:
    """Generations of sealing keys and how much is sealed under each; erasures that are not complete."""
    with backing() as opened:
        keys = sealing_keys.read(sealing_keys.file_of(opened.settings))
        with opened.engine.connect() as connection:
            made = {g.generation: g for g in key_generations.all_of(connection)}
            ever = {0, *made, *(key.generation for key in keys)}
            counted = dict(sealed_values.in_sql(connection, sorted(ever - {0})))
            open_ = len(erasures.unfinished(connection))
        counted |= sealed_values.in_redis(opened.redis)
        counted |= sealed_values.on_disk(opened.settings.state_dir)
    sealing = sealing_now(keys)
    columns = [tables.count(name, name.replace(" ", "_")) for name in counted]
    listing = Listing("generations", "generation", Column("made (UTC)", "made_at"), "state", *columns)
    for generation in sorted(ever):
        known = made.get(generation)
        state = "seals" if generation == sealing else "opens" if generation < sealing else "begins soon"
        if known and known.retired_at:
            state = f"retired {shown(known.retired_at)}"
        counts = {name.replace(" ", "_"): values[generation] for name, values in counted.items()}
        made_at = utc(known.made_at) if known else None
        listing.add(generation=generation, made_at=made_at, state=state, **counts)
    tables.show(listing, as_json=as_json, erasures_open=open_)
    if open_:
        told = f"{open_} erasures are not complete: run `undercap vault erase` for the same person again"
        click.echo(told, err=as_json)
        sys.exit(1)


@vault.command()
def reseal() -> None:
    """Seal what is at rest under today's generation. May be interrupted and repeated, with all running."""
    begun = time.monotonic()
    with backing() as opened, Console(stderr=True).status("sealing") as shows:
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            shows.update(f"sealed {done:,}")

        database.be_patient(opened.engine)
        found = reseal_all(opened.engine, opened.redis, opened.vault, opened.settings.state_dir, told)
    click.echo(f"{found['sealed']:,} sealed anew in {time.monotonic() - begun:.1f} s")
    if found["broken"]:
        raise click.ClickException(f"{found['broken']:,} cannot be opened and stay as they are")


@vault.command()
@click.argument("generation", type=int)
@click.confirmation_option(prompt="Backups from before then cannot be opened any more. Go on?")
def retire(generation: int) -> None:
    """Destroy the key of GENERATION; refused while anything is sealed under it.

    What was sealed under it cannot be opened any more, in backups neither: end copies of the file as well.
    """
    with backing() as opened:
        file, state = sealing_keys.file_of(opened.settings), opened.settings.state_dir
        rotation.retire(generation, opened.engine, opened.redis, file, state)
    click.echo("retired")
