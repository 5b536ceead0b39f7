"""Blasts edited, copied and deleted before they begin; two who do so at once, and a launch beside them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from campaigns.errors import Refused, Stale, Unknown
from campaigns.lifecycle import editing, lifecycle
from campaigns.preflight import preflight
from gateway.domain.offers.blast import State
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import DAY_MS, NOON, WORDS, Market

HOUR_MS = 3_600_000
NEW_WORDS = {"en": "New: {points} at {firm}. {opt_out}"}


def edited(market: Market, blast: Blast, seen: int | None = None, **changes: Any) -> Blast:
    stands = market.again(blast)
    return editing.edit(market.desk, stands, changes, seen=seen or stands.revision, now=market.now)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except (Refused, Unknown) as err:
            return err

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(one, work) for work in works]]


async def test_what_leaves_is_what_was_edited(market: Market) -> None:
    market.shoppers(12, region="38067")
    others = market.shoppers(11, first=100, region="38050")
    blast = market.blast()
    there = market.audience("there", regions=["38050"])

    after = edited(market, blast, texts=NEW_WORDS, audience=there.id, name="Autumn", holdout=0.0)

    assert (after.revision, after.state, after.fallback, after.name) == (2, State.DRAFT, "en", "Autumn")
    assert after.expires_at == blast.expires_at
    lifecycle.launch(market.desk, after, market.now)
    market.fan_out(after)
    assert {number for number, _ in market.waiting()} == set(others)
    assert {text[:8] for _, text in market.waiting()} == {"New: 10 "}


async def test_all_that_is_wrong_is_told_and_nothing_is_changed(market: Market) -> None:
    blast = market.blast()

    with pytest.raises(Refused) as refused:
        edited(market, blast, audience=99, texts={"en": "Hi"}, expires_at=NOON - 1)

    assert len(refused.value.why) >= 3
    others: list[dict[str, Any]] = [{"follows": 3}, {"call": {"spoken": {}}}]
    for fixed in others:
        with pytest.raises(Refused, match="add a new blast"):
            edited(market, blast, **fixed)
    assert market.again(blast) == blast


async def test_who_has_seen_an_older_one_is_told(market: Market) -> None:
    blast = market.blast()
    edited(market, blast, name="Mine")

    with pytest.raises(Stale, match="at revision 2"):
        edited(market, blast, 1, name="Theirs")
    with pytest.raises(Stale, match="at revision 2"):  # who had read it before it was edited
        editing.edit(market.desk, blast, {"name": "Theirs"}, seen=1, now=market.now)
    assert market.again(blast).name == "Mine"


async def test_two_who_edit_at_once(market: Market) -> None:
    blast = market.blast()
    for turn in range(6):
        seen = market.again(blast)
        done = at_once(
            partial(edited, market, seen, seen.revision, name=f"One {turn}"),
            partial(edited, market, seen, seen.revision, spread_s=60 + turn),
        )
        assert sorted(type(one).__name__ for one in done) == ["Blast", "Stale"]
        stands = market.again(blast)
        assert (stands.name == f"One {turn}") != (stands.spread_s == 60 + turn)


async def test_launch_and_edit_at_once_nothing_unseen_leaves(market: Market) -> None:
    """Whichever is first: a launch of what was looked at, or the edit, and the launch says to look again."""
    market.shoppers(12)
    everybody = market.audience()
    for turn in range(6):
        seen = market.blast(everybody)
        done = at_once(
            partial(lifecycle.launch, market.desk, seen, market.now),
            partial(
                editing.edit, market.desk, seen, {"texts": NEW_WORDS}, seen=seen.revision, now=market.now
            ),
        )
        launched, edit = done
        stands = market.again(seen)
        if isinstance(launched, Blast):
            assert isinstance(edit, Refused), turn
            assert (stands.state, dict(stands.texts)) == (State.RUNNING, WORDS)
        else:
            assert isinstance(launched, Stale), turn
            assert (stands.state, dict(stands.texts)) == (State.DRAFT, NEW_WORDS)


async def test_edited_while_the_launch_looks_at_its_people(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.shoppers(12)
    blast = market.blast()

    def looks_long(*args: Any, **kwargs: Any) -> preflight.Preflight:
        found = preflight.preflight(*args, **kwargs)
        edited(market, blast, texts=NEW_WORDS)
        return found

    monkeypatch.setattr(lifecycle, "preflight", looks_long)
    with pytest.raises(Stale):
        lifecycle.launch(market.desk, blast, market.now)
    assert market.again(blast).state is State.DRAFT


async def test_scheduled_one_is_looked_at_again(market: Market) -> None:
    market.shoppers(12)
    nobody = market.audience("nobody", regions=["1"])
    blast = lifecycle.launch(market.desk, market.blast(starts_at=NOON + HOUR_MS), market.now)
    assert blast.state is State.SCHEDULED

    with pytest.raises(Refused, match="nobody is in the audience"):
        edited(market, blast, audience=nobody.id)
    with pytest.raises(Refused, match="needs a time to come"):
        edited(market, blast, starts_at=None)

    later = edited(market, blast, starts_at=NOON + 2 * HOUR_MS)
    assert (later.state, later.starts_at) == (State.SCHEDULED, NOON + 2 * HOUR_MS)
    begun = lifecycle.start_due(market.desk, blast, NOON + HOUR_MS)  # who has read it before it was edited
    assert begun.state is State.SCHEDULED
    assert lifecycle.start_due(market.desk, later, NOON + 2 * HOUR_MS).state is State.RUNNING


async def test_what_has_begun_stays_as_it_is(market: Market) -> None:
    market.shoppers(12)
    blast = market.launched()
    with pytest.raises(Refused, match="has begun"):
        edited(market, blast, name="Late")
    lifecycle.pause(market.desk, blast, market.now)
    with pytest.raises(Refused, match="has begun"):
        edited(market, blast, name="Late")
    with pytest.raises(Refused, match="stays on record"):
        editing.delete(market.desk, market.again(blast), market.now)
    lifecycle.cancel(market.desk, blast, market.now)
    with pytest.raises(Refused, match="stays on record"):
        editing.delete(market.desk, market.again(blast), market.now)
    assert market.again(blast).name == "Spring"


async def test_a_copy_is_a_draft_without_its_times(market: Market) -> None:
    market.shoppers(12)
    blast = market.launched(starts_at=None, holdout=0.25, spread_s=600, texts=NEW_WORDS)
    lifecycle.cancel(market.desk, blast, market.now)
    market.now += 20 * DAY_MS  # the first one has long expired

    copied = editing.copy(market.desk, market.again(blast), market.now)

    assert copied.id != blast.id
    assert (copied.state, copied.name, copied.starts_at) == (State.DRAFT, "Spring (copy)", None)
    assert copied.expires_at == market.now + 7 * DAY_MS
    same = ("audience_id", "campaign_id", "texts", "fallback", "holdout", "spread_s", "short_number")
    assert [getattr(copied, name) for name in same] == [getattr(blast, name) for name in same]
    assert editing.copy(market.desk, copied, market.now, name="Own").name == "Own"
    long = editing.copy(market.desk, replace_name(copied, "x" * 100), market.now)
    assert len(long.name) == 100


def replace_name(blast: Blast, name: str) -> Blast:
    return blast._replace(name=name)


async def test_a_copy_of_calls(market: Market, dialling: Dialling) -> None:
    market.shoppers(12)
    blast = market.blast(call=dialling.plan())

    copied = editing.copy(market.desk, blast, market.now)

    assert (copied.channel, copied.call) == ("call", blast.call)
    assert editing.as_new(copied) == replace(
        editing.as_new(blast), name="Spring (copy)", expires_at=copied.expires_at
    )


async def test_only_what_never_began_is_deleted(market: Market, dialling: Dialling) -> None:
    market.shoppers(12)
    blast = market.blast()
    follower = market.blast(follows=blast.id, call=dialling.plan())

    with pytest.raises(Refused, match=f"blast {follower.id} follows it"):
        editing.delete(market.desk, blast, market.now)
    assert edited(market, blast, audience=market.audience("other").id).audience_id == 2
    assert market.again(follower).audience_id == 2
    editing.delete(market.desk, follower, market.now)
    scheduled = lifecycle.launch(market.desk, edited(market, blast, starts_at=NOON + HOUR_MS), market.now)
    with pytest.raises(Refused, match="cancel it first"):
        editing.delete(market.desk, scheduled, market.now)
    editing.delete(market.desk, lifecycle.cancel(market.desk, scheduled, market.now), market.now)

    assert blasts.of_firm(market.house.engine, market.firm) == []
    assert blasts.find(market.house.engine, blast.id) is None
    with pytest.raises(Unknown):
        lifecycle.launch(market.desk, blast, market.now)
    assert market.blast(market.audience("third")).id > follower.id


async def test_delete_and_launch_at_once(market: Market) -> None:
    market.shoppers(12)
    everybody = market.audience()
    for _ in range(6):
        blast = market.blast(everybody)
        launched, deleted = at_once(
            partial(lifecycle.launch, market.desk, blast, market.now),
            partial(editing.delete, market.desk, blast, market.now),
        )
        is_there = blasts.find(market.house.engine, blast.id) is not None
        assert isinstance(launched, Blast) is is_there
        assert isinstance(deleted, Refused) is is_there


async def test_one_that_begins_to_follow_while_it_is_deleted(market: Market, dialling: Dialling) -> None:
    """It never takes the whole audience for those whom the other one has not reached."""
    market.shoppers(12)
    everybody, plan = market.audience(), dialling.plan()
    for _ in range(6):
        blast = market.blast(everybody)
        follower, deleted = at_once(
            partial(market.blast, follows=blast.id, call=plan),
            partial(editing.delete, market.desk, blast, market.now),
        )
        assert isinstance(follower, Blast) is isinstance(deleted, Refused)
        assert isinstance(follower, Blast) is (blasts.find(market.house.engine, blast.id) is not None)


@pytest.mark.parametrize("waited_ms", [0, 2 * DAY_MS])
async def test_one_that_was_paused_before_its_time_goes_on_waiting_for_it(
    market: Market, waited_ms: int
) -> None:
    """It is resumed before its time, or behind it."""
    market.shoppers(12)
    blast = market.blast()
    edited(market, blast, starts_at=NOON + DAY_MS)
    assert lifecycle.launch(market.desk, market.again(blast), market.now).state is State.SCHEDULED
    lifecycle.pause(market.desk, market.again(blast), market.now)
    edited(market, blast, texts=NEW_WORDS)

    resumed = lifecycle.resume(market.desk, market.again(blast), market.now + waited_ms)

    begun = waited_ms > DAY_MS
    assert (resumed.state, resumed.launched_at is not None) == (
        State.RUNNING if begun else State.SCHEDULED,
        begun,
    )
    if not begun:
        assert lifecycle.start_due(market.desk, market.again(blast), NOON + DAY_MS).state is State.RUNNING
