"""A campaign edited while it runs: what shoppers are answered, what is refused, and two who edit at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from gateway.domain.offers.audience import Definition
from gateway.store.codes import campaigns, series
from gateway.store.codes.claims import Verdict
from gateway.store.offers import blasts
from gateway.store.offers.audiences import Audiences
from gateway.usecases.campaigns.edit import Changes, Edited, edit
from gateway.usecases.codes import issue_codes
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import Refused, TextLimit
from tests.integration.conftest import Undercap
from tests.integration.house import ANNA, BOHDAN, HOUR_MS, SHORT, House

ODDS = 10_000_000
OTHER = "5050"


def now() -> int:
    return int(time.time() * 1000)


def edited(house: House, campaign: int, revision: int = 1, **changes: Any) -> Edited:
    done = edit(
        house.engine,
        campaign,
        Changes(revision=revision, **changes),
        odds=ODDS,
        limit=TextLimit(),
        now=now(),
    )
    house.publish(done.firm_id)
    return done


def found(house: House, campaign: int) -> campaigns.CampaignRow:
    with house.engine.connect() as connection:
        row = campaigns.find(connection, campaign)
    assert row is not None
    return row


async def test_points_and_words_hold_for_the_next_text(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    first, second = house.codes(campaign, 2)
    await house.text(first)
    house.drain()

    assert (
        edited(house, campaign, points=25, texts={"en": {"activated": "Now {points}! {balance}"}}).revision
        == 2
    )

    assert await house.text(second, BOHDAN) == Verdict(kind="A", codes=("C2",))
    house.drain()
    assert (house.balance(ANNA), house.balance(BOHDAN)) == (10, 25)
    assert any(text.startswith("Now 25") for _, text in house.waiting_answers())


async def test_whoever_has_seen_an_older_revision_is_told_and_nothing_is_lost(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    edited(house, campaign, points=25)

    for word in ("pause", "resume"):
        set_up.change_state(house.engine, campaign, word)
    with pytest.raises(Refused, match="is at revision 4, you have seen 1"):
        edited(house, campaign, name="Mine", points=5)

    assert (found(house, campaign).name, found(house, campaign).points) == ("Summer", 25)
    assert edited(house, campaign, 4, name="Mine").revision == 5
    assert edited(house, campaign, 5, name="Mine").revision == 5  # nothing is otherwise
    assert (found(house, campaign).name, found(house, campaign).points) == ("Mine", 25)


async def test_two_who_edit_at_once(house: House) -> None:
    """One of them wins, and the other one learns of it, on whatever database."""
    house.firm()
    campaign = house.campaign()
    for turn in range(1, 7):
        revision = found(house, campaign).revision
        one = _at_once(
            partial(edited, house, campaign, revision, points=100 + turn),
            partial(edited, house, campaign, revision, name=f"Name {turn}"),
        )
        assert sorted(type(done).__name__ for done in one) == ["Edited", "Refused"]
        row = found(house, campaign)
        assert row.revision == revision + 1
        assert (row.points == 100 + turn) != (row.name == f"Name {turn}")


async def test_points_that_two_change_at_once_are_versions_of_their_own(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    for turn in range(6):
        done = _at_once(
            partial(set_up.change_points, house.engine, campaign, 50 + turn),
            partial(set_up.change_points, house.engine, campaign, 90 + turn),
        )
        assert done == [1, 1]
    assert [rule.version for rule in found(house, campaign).rules] == list(range(1, 14))


def _at_once(*works: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except Refused as err:
            return err

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(one, work) for work in works]]


async def test_number_for_which_codes_were_issued_stays(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    assert edited(house, campaign, short_numbers=(OTHER,)).revision == 2  # nothing is printed yet
    code = house.codes(campaign, 1)[0]

    with pytest.raises(Refused, match="5050: 1 codes were issued for it"):
        edited(house, campaign, 2, short_numbers=(SHORT,))

    edited(house, campaign, 2, short_numbers=(OTHER, SHORT))
    assert found(house, campaign).short_numbers == (SHORT, OTHER)
    assert (await house.text(code, short=SHORT)).codes == ("C1",)


async def test_number_at_which_such_codes_are_others_is_refused(house: House) -> None:
    house.firm()
    campaign, there = house.campaign(), house.campaign(short_numbers=(OTHER,))
    house.codes(campaign, 1)
    house.codes(there, 1)

    with pytest.raises(Refused, match="13 digits are other codes there"):
        edited(house, campaign, short_numbers=(SHORT, OTHER))


@pytest.mark.parametrize("first", ["acme", "zeta"])
async def test_number_takes_no_firm_along_whose_codes_share_the_space(house: House, first: str) -> None:
    """In whatever order the two have come."""
    for firm in (first, *({"acme", "zeta"} - {first})):
        house.firm(firm)
    mine, theirs = house.campaign("acme"), house.campaign("zeta")
    house.codes(mine, 1)
    house.codes(theirs, 1)

    with pytest.raises(Refused, match=f"share their space with those of campaign {theirs}"):
        edited(house, mine, short_numbers=(SHORT, OTHER))
    assert set(house.catalog.short_numbers) == {SHORT}


async def test_codes_live_again_only_where_the_odds_hold(house: House) -> None:
    house.firm()
    over, other = house.campaign(), house.campaign(name="Other")
    room = 1_000_000
    _issue(house, over, room * 2 // 3)
    at = now()
    house.move(over, at - 2 * HOUR_MS, at - HOUR_MS)
    _issue(house, other, room // 3)
    assert edited(house, over, ends_at=at + HOUR_MS).revision == 2  # there is room for both
    house.move(over, at - 2 * HOUR_MS, at - HOUR_MS)
    _issue(house, other, room // 3)

    with pytest.raises(Refused, match="while it was over, codes of others were issued"):
        edited(house, over, 2, ends_at=at + HOUR_MS)
    assert found(house, over).ends_at == at - HOUR_MS


async def test_extended_and_issued_at_once_the_odds_hold(house: House) -> None:
    house.firm()
    at = now()
    for turn in range(4):
        number = f"{6000 + turn}"
        over = house.campaign(short_numbers=(number,))
        other = house.campaign(short_numbers=(number,), name="Other")
        _issue(house, over, 600_000)
        house.move(over, at - 2 * HOUR_MS, at - HOUR_MS)
        done = _at_once(
            partial(edited, house, over, ends_at=at + HOUR_MS),
            partial(_issue, house, other, 600_000, length=13),
        )
        assert sum(isinstance(one, Refused) for one in done) == 1


def _issue(house: House, campaign: int, count: int, length: int | None = None) -> None:
    issue_codes.issue(
        house.engine,
        house.vault,
        campaign=campaign,
        count=count,
        alphabet="digits",
        odds=ODDS,
        length=length,
    )


async def test_dates_that_shoppers_would_not_understand(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    at = now()
    edited(house, campaign, starts_at=at + HOUR_MS // 2)
    edited(house, campaign, 2, starts_at=at - HOUR_MS)
    await house.text(house.codes(campaign, 1)[0])
    house.drain()

    with pytest.raises(Refused, match="cannot begin later: `undercap campaign pause"):
        edited(house, campaign, 3, starts_at=at + HOUR_MS // 2)
    with pytest.raises(Refused, match=f"`undercap campaign end {campaign}` ends it now"):
        edited(house, campaign, 3, ends_at=at - 1)
    with pytest.raises(Refused, match="end before it starts"):
        edited(house, campaign, 3, starts_at=at - HOUR_MS, ends_at=at - HOUR_MS)
    set_up.change_state(house.engine, campaign, "end")
    with pytest.raises(Refused, match="ended for good"):
        edited(house, campaign, 4, name="Again")


async def test_series_and_batches_with_what_was_used(house: House) -> None:
    house.firm()
    campaign = house.campaign()
    made = issue_codes.issue(
        house.engine,
        house.vault,
        campaign=campaign,
        count=25,
        alphabet="digits",
        odds=ODDS,
        length=None,
        batch_size=10,
    )
    house.publish(made.firm_id)
    codes = [code for _, code in made.codes()]
    for at in (0, 10, 11):
        await house.text(codes[at], f"38067000000{at % 10}")
    house.drain()
    issue_codes.void_batch(house.engine, 2)
    house.series(campaign, 5)

    with house.engine.connect() as connection:
        batches = [(batch.id, batch.first_serial, *batch.codes) for batch in series.batches(connection, 1)]
        listed = [(one.id, one.batches, *one.codes) for one in series.all_series(connection, campaign)]
        none = series.all_series(connection, 99)

    assert batches == [(1, 0, 10, 1, 0), (2, 10, 10, 2, 8), (3, 20, 5, 0, 0)]
    assert listed == [(1, 3, 25, 3, 8), (2, 1, 5, 0, 0)]
    assert none == []


async def test_commands(house: House, undercap: Undercap) -> None:
    house.firm()
    campaign = str(house.campaign(texts={"uk": {"ended": "Акцію {campaign} завершено."}}))
    first, second = house.codes(int(campaign), 2)
    await house.text(first)
    house.drain()

    told = undercap("campaign", "show", campaign).output
    assert all(part in told for part in ("10 a code", SHORT, "uk: ended", "2 issued, 1 used", "running"))
    assert "2" in undercap("campaign", "edit", campaign, "--revision", "1", "--points", "30").output
    assert (
        "revision 2"
        in undercap("campaign", "edit", campaign, "--revision", "1", "--name", "X", fails=1).output
    )
    assert (await house.text(second, BOHDAN)).codes == ("C2",)
    (house.state / "long.toml").write_text(f'[en]\nended = "{"A" * 900}"\n')
    long = ("--revision", "2", "--texts", "long.toml")
    assert "segments" in undercap("campaign", "edit", campaign, *long, fails=1).output
    undercap("campaign", "edit", campaign, "--revision", "2", "--no-texts", "--ends", "2098-12-31")
    told = undercap("campaign", "show", campaign).output
    assert "10 from" in told
    assert "2098-12-31" in told
    assert "ended" not in told
    listed = undercap("campaign", "list").output
    assert all(part in listed for part in ("30", SHORT, "2098-12-31", "running"))
    assert "13 digits" in undercap("codes", "series").output
    assert "0 to 1" in undercap("codes", "batches", "1").output
    assert "no code series 9" in undercap("codes", "batches", "9", fails=1).output
    assert "no campaign 9" in undercap("campaign", "show", "9", fails=1).output
    assert "no campaign 9" in undercap("codes", "series", "--campaign", "9", fails=1).output


async def test_number_of_a_blast_that_waits_stays(house: House) -> None:
    house.firm()
    campaign = house.campaign(short_numbers=(SHORT, OTHER))
    _draft(house, campaign, OTHER)

    with pytest.raises(Refused, match="5050: blast 1 leaves from it"):
        edited(house, campaign, short_numbers=(SHORT,))


def _draft(house: House, campaign: int, number: str) -> None:
    audience = Audiences(house.engine, house.vault).add(1, "all", Definition(), now())
    values = {
        "firm_id": 1,
        "name": "Spring",
        "channel": "sms",
        "audience_id": audience.id,
        "campaign_id": campaign,
        "short_number": number,
        "texts": {"en": "Hi"},
        "fallback": "en",
        "holdout": 0,
        "spread_s": 0,
        "error_share": 0,
        "expires_at": now() + HOUR_MS,
        "created_at": now(),
    }
    blasts.add(house.engine, values)
