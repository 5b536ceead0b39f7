"""Series issued at once: what was looked up still holds when it is written. SQLite writers queue anyway."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from gateway.domain.codes.codespace import capacity
from gateway.usecases.codes import issue_codes
from gateway.usecases.codes.issue_codes import IssuedSeries
from gateway.usecases.firms.set_up import Refused
from tests.integration.house import House

ROUNDS = 6


def at_once(
    house: House, campaign: int, count: int, length: int | None = None
) -> list[IssuedSeries | Refused]:
    """Two operators."""
    barrier = Barrier(2)

    def issue() -> IssuedSeries | Refused:
        barrier.wait()
        try:
            return issue_codes.issue(
                house.engine,
                house.vault,
                campaign=campaign,
                count=count,
                alphabet="digits",
                odds=10_000_000,
                length=length,
            )
        except Refused as err:
            return err

    with ThreadPoolExecutor(2) as pool:
        asked: list[Callable[[], IssuedSeries | Refused]] = [issue, issue]
        return [done.result() for done in [pool.submit(one) for one in asked]]


async def test_series_of_a_new_number_share_one_space_and_all_codes_are_codes(house: House) -> None:
    house.firm()
    for at in range(ROUNDS):
        short = f"{5000 + at}"
        campaign = house.campaign(short_numbers=(short,))
        made = [series for series in at_once(house, campaign, 60) if isinstance(series, IssuedSeries)]
        assert len(made) == 2
        assert len({series.space.id for series in made}) == 1
        assert {series.first for series in made} == {0, 60}
        house.publish(1)
        for n, series in enumerate(made):
            code = next(code for _, code in series.codes())
            assert (await house.text(code, f"38067{at:03d}{n:04d}", short=short)).codes == ("C1",)


async def test_the_odds_hold_whoever_issues_at_once(house: House) -> None:
    house.firm()
    for at in range(ROUNDS):
        campaign = house.campaign(short_numbers=(f"{6000 + at}",))
        count = capacity("digits", 13, 10_000_000) * 2 // 3
        made = at_once(house, campaign, count, 13)
        assert sorted(type(one).__name__ for one in made) == ["IssuedSeries", "Refused"]
