"""The links that run, each with its sender: started, stopped and replaced one by one, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from config.settings import LinkSettings
from smpp.link import Link
from smpp.sender import Sender, SenderCounts
from smpp.tally import Tally

FILED_WITHIN = 0.25  # share of the deadline, after the link's own, in which outcomes may still be filed


class Changes(NamedTuple):
    """The names of the links that new settings concern."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A link with its sender, and their tasks."""

    link: Link
    sender: Sender
    running: asyncio.Future[None]
    sending: asyncio.Future[None]

    async def stop(self, deadline_s: float) -> None:
        """No new answers; what is in flight is finished and filed; unbind."""
        self.sender.stop()
        await self.link.stop(deadline_s)
        await asyncio.wait({self.sending}, timeout=max(1.0, deadline_s * FILED_WITHIN))
        self.sending.cancel()
        self.running.cancel()
        await asyncio.gather(self.sending, self.running, return_exceptions=True)


class Links:
    """All pairs. `links` and `senders` are alive: they always hold what runs now, the stopping too."""

    def __init__(
        self,
        make_link: Callable[[LinkSettings, Tally], Link],
        make_sender: Callable[[Link], Sender],
        *,
        deadline_s: float,
    ) -> None:
        """`deadline_s`: for the stop of a link."""
        self.links: list[Link] = []
        self.senders: dict[str, Sender] = {}
        self._make_link = make_link
        self._make_sender = make_sender
        self._deadline_s = deadline_s
        self._pairs: dict[str, Pair] = {}
        # What a link and its sender have counted goes on when they are replaced: counters never fall.
        self._tallies: dict[str, Tally] = {}
        self._counts: dict[str, SenderCounts] = {}

    def add(self, settings: LinkSettings) -> None:
        """Start a link under a name that is free."""
        name = settings.name
        link = self._make_link(settings, self._tallies.setdefault(name, Tally()))
        sender = self._make_sender(link)
        sender.counts = self._counts.setdefault(name, sender.counts)
        self.links.append(link)
        self.senders[name] = sender
        self._pairs[name] = Pair(
            link=link,
            sender=sender,
            running=asyncio.ensure_future(link.run()),
            sending=asyncio.ensure_future(sender.run()),
        )

    async def remove(self, name: str) -> None:
        """Drain, unbind and forget the link of this name."""
        pair = self._pairs[name]
        await pair.stop(self._deadline_s)
        self.links.remove(pair.link)
        del self.senders[name], self._pairs[name]

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
        await asyncio.gather(*(self.remove(name) for name in list(self._pairs)))

    def _compare(self, wanted: Sequence[LinkSettings]) -> Changes:
        now = {name: pair.link.settings for name, pair in self._pairs.items()}
        then = {settings.name: settings for settings in wanted}
        return Changes(
            added=tuple(name for name in then if name not in now),
            changed=tuple(name for name in then if name in now and then[name] != now[name]),
            removed=tuple(name for name in now if name not in then),
            kept=tuple(name for name in then if name in now and then[name] == now[name]),
        )
