"""The links of this process, by name: each held or stood by for, started, stopped and replaced one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from config.link_settings import LinkSettings
from gateway.entry.links.holding import Parts, Tenure
from smpp.link.link import Link
from smpp.sending.sender import Sender, SenderCounts
from smpp.session.counters import Tally


class Changes(NamedTuple):
    """The names of the links that new settings concern."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


class Links:
    """All links. `links` and `senders` are alive: they hold what runs here now, the stopping too."""

    def __init__(self, parts: Parts, *, deadline_s: float) -> None:
        """`deadline_s`: for the stop of a link."""
        self.links: list[Link] = []
        self.senders: dict[str, Sender] = {}
        self._parts = parts
        self._deadline_s = deadline_s
        self._tenures: dict[str, Tenure] = {}
        # What a link and its sender have counted goes on when they are replaced: counters never fall.
        self._tallies: dict[str, Tally] = {}
        self._counts: dict[str, SenderCounts] = {}

    def add(self, settings: LinkSettings) -> None:
        """Hold a link under a name that is free, or stand by for it."""
        tenure = self._tenures[settings.name] = Tenure(settings, self._parts, self)
        tenure.begin()

    async def remove(self, name: str) -> None:
        """Drain, unbind and forget the link of this name."""
        await self._tenures[name].stop(self._deadline_s)
        del self._tenures[name]

    async def replace(self, settings: LinkSettings) -> None:
        """Drain and unbind the link of this name, then start it with these settings."""
        await self.remove(settings.name)
        self.add(settings)

    async def follow(self, wanted: Sequence[LinkSettings]) -> Changes:
        """Make what runs what is wanted; whoever did not change is not touched. Returns once all is done."""
        changes = self._compare(wanted)
        by_name = {settings.name: settings for settings in wanted}
        for name in changes.added:
            self.add(by_name[name])
        await asyncio.gather(
            *(self.replace(by_name[name]) for name in changes.changed),
            *(self.remove(name) for name in changes.removed),
        )
        return changes

    async def stop(self) -> None:
        """Drain and unbind all."""
        await asyncio.gather(*(self.remove(name) for name in list(self._tenures)))

    @property
    def names(self) -> frozenset[str]:
        """Of all links, those of which this process holds none included."""
        return frozenset(self._tenures)

    # What a tenure tells (gateway.entry.links.holding.Holding).

    def tally(self, name: str) -> Tally:
        """What the link of this name has counted so far."""
        return self._tallies.setdefault(name, Tally())

    def on_link(self, link: Link) -> None:
        """A link was taken up."""
        self.links.append(link)

    def on_sender(self, link: Link, sender: Sender) -> None:
        """It has a sender, or another one."""
        sender.counts = self._counts.setdefault(link.name, sender.counts)
        self.senders[link.name] = sender

    def on_end(self, link: Link) -> None:
        """The link has ended here."""
        self.links.remove(link)
        self.senders.pop(link.name, None)

    def _compare(self, wanted: Sequence[LinkSettings]) -> Changes:
        now = {name: tenure.settings for name, tenure in self._tenures.items()}
        then = {settings.name: settings for settings in wanted}
        return Changes(
            added=tuple(name for name in then if name not in now),
            changed=tuple(name for name in then if name in now and then[name] != now[name]),
            removed=tuple(name for name in now if name not in then),
            kept=tuple(name for name in then if name in now and then[name] == now[name]),
        )
