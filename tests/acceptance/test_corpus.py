"""Every line of the corpus, over real SMPP through each SMSC: what was stored, then what was answered."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from gateway.domain.codes.alphabet import ALPHABETS, printed
from gateway.domain.people.alias import counter_of
from tests.acceptance.books import Reply, Stored
from tests.acceptance.corpus_answers import POINTS, answer_to
from tests.acceptance.phone import Shopper, ends_in
from tests.acceptance.promotion import Code, Promotion, add_campaign, add_firm, known, read_codes
from tests.acceptance.stand import Stand, standing
from tests.conftest import smsc_program
from tests.corpus import Line, load_corpus
from tests.databases import Databases

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

LINES: Final = load_corpus()
NUMBERS: Final = {"smpp34": "4040", "node-smpp": "5050"}  # texted through each link
# Two SMSCs are enough for what depends on the text alone.
LINKS: Final = {name: name.replace(" ", "-") for name in ("smpp34", "node smpp")}
WHOLE_SERIES: Final = 1_000_000
LENGTHS: Final = {"digits": 13, "letters": 10}  # what the default odds give for that
MOST_CODES: Final = 400  # of a whole series, as many as all lines need
OTHER_SERIES: Final = 1_000
OTHERS: Final = 20
KYIV: Final = ZoneInfo("Europe/Kyiv")
START: Final = datetime.now(UTC) + timedelta(days=400)
WRONG_CODES_PER_HOUR: Final = 10  # the default
ONE_SEGMENT: Final = 70  # characters in UCS-2
ONE_SEGMENT_OF_ASCII: Final = 160
CONSENT: Final = {"opt_out": "withdrawn", "opt_in": "given"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """The gateway, its campaigns and the codes that are still to be texted, by placeholder or series."""

    stand: Stand
    campaigns: Mapping[str, Promotion]
    fresh: Mapping[str, Iterator[Code]] = field(repr=False)
    issued: Mapping[str, str] = field(repr=False)  # the printer's files
    chance: random.Random = field(default_factory=lambda: random.Random(2))  # noqa: S311 - repeatable

    def never_issued(self, series: str) -> Code:
        """A well-formed code that nobody has printed."""
        while True:
            code = printed("".join(self.chance.choices(ALPHABETS[series].symbols, k=LENGTHS[series])))
            if any(c.isdigit() for c in code) and code not in self.issued[series]:
                return Code(printed=code, serial=-1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stage]:
    """One gateway with a link to each SMSC that can be had; all campaigns on both short numbers."""
    programs = {}
    for name, link in LINKS.items():
        try:
            programs[link] = smsc_program(name)
        except pytest.skip.Exception:
            continue
    async with standing(tmp_path_factory.mktemp(f"corpus-{database.kind}"), programs) as stand:
        yield await _staged(stand)
        codes = await stand.gateway.stop()
        assert codes == {"up": 0}


async def _staged(stand: Stand) -> Stage:
    gateway, numbers = stand.gateway, tuple(NUMBERS.values())
    add_firm(gateway)
    letters = add_campaign(gateway, numbers=numbers, points=POINTS["letters"], language="ru")
    ended = add_campaign(gateway, numbers=numbers, points=3, language="uk")
    fresh = {"ended": ended.codes(OTHER_SERIES, take=OTHERS)}
    ended.change("end")
    fresh["voided"] = letters.codes(OTHER_SERIES, "letters", take=OTHERS)
    told = gateway.cli("codes", "check", fresh["voided"][0].printed, "--short-number", numbers[0])
    gateway.cli("codes", "void", _batch(told), "--yes")
    digits = add_campaign(gateway, numbers=numbers, points=POINTS["digits"], language="uk")
    campaigns = {"digits": digits, "letters": letters}
    made = [asyncio.to_thread(campaign.series, WHOLE_SERIES, name) for name, campaign in campaigns.items()]
    files = dict(zip(campaigns, await asyncio.gather(*made), strict=True))
    fresh |= {name: read_codes(file, MOST_CODES) for name, file in files.items()}
    assert {name: len(fresh[name][0].printed.replace("-", "")) for name in files} == LENGTHS
    later = add_campaign(gateway, "--starts", START.isoformat(), numbers=numbers, language="uk")
    fresh["not-started"] = later.codes(OTHER_SERIES, take=OTHERS)
    paused = add_campaign(gateway, numbers=numbers, language="uk")
    fresh["paused"] = paused.codes(OTHER_SERIES, take=OTHERS)
    link = next(iter(stand.smscs))
    await known(stand, link, fresh["paused"].pop(), to=NUMBERS[link])
    paused.change("pause")
    return Stage(
        stand=stand,
        campaigns=campaigns,
        fresh={name: iter(codes) for name, codes in fresh.items()},
        issued={name: file.read_text(encoding="ascii") for name, file in files.items()},
    )


def _batch(told: str) -> str:
    """The print batch, as `undercap codes check` names it."""
    found = re.search(r"print batch (\d+)", told)
    assert found is not None
    return found[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Texting:
    """One line about to be texted. `codes`: by placeholder; `before`: what stands of its shopper already."""

    line: Line
    link: str
    shopper: Shopper
    codes: Mapping[str, Code]
    before: Stored


async def prepared(stage: Stage, link: str, line: Line) -> Texting:
    """Codes for the line's placeholders, brought into their state by real texts."""
    shopper = stage.stand.shopper(line.id)
    codes: dict[str, Code] = {}
    for name in line.placeholders:
        codes[name] = await _code(stage, link, line, name, shopper)
    return Texting(line=line, link=link, shopper=shopper, codes=codes, before=stage.stand.stored(shopper))


async def _code(stage: Stage, link: str, line: Line, name: str, shopper: Shopper) -> Code:
    exchange, number = stage.stand.exchange, NUMBERS[link]
    if name == "bad":
        return stage.never_issued(line.series)
    if name in stage.fresh:
        return next(stage.fresh[name])
    code = next(stage.fresh[line.series])
    if name == "used":
        await exchange(link, stage.stand.shopper("who was first"), code.printed, to=number)
    elif name == "mine":
        await exchange(link, shopper, f"Код {code.printed}!", to=number)
    elif name == "over-limit:c1":
        wrong = [stage.never_issued(line.series).printed for _ in range(WRONG_CODES_PER_HOUR)]
        await exchange(link, shopper, " ".join(wrong), to=number)
    return code


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
@pytest.mark.parametrize("name", LINKS)
async def test_line(stage: Stage, name: str, line: Line) -> None:
    smsc_program(name)
    stand, link = stage.stand, LINKS[name]
    texting = await prepared(stage, link, line)
    text = line.text({placeholder: code.printed for placeholder, code in texting.codes.items()})

    answer = await stand.exchange(link, texting.shopper, text, to=NUMBERS[link])

    after = stand.stored(texting.shopper)
    _assert_stored(stage, texting, after)
    _assert_answered(stage, texting, after, answer)


def _assert_stored(stage: Stage, texting: Texting, after: Stored) -> None:
    before, line = texting.before, texting.line
    campaign = stage.campaigns[line.series]
    credited = [texting.codes[name] for name in line.placeholders if name in ("c1", "c2", "c3")]
    credited = credited if "activated" in line.outcomes else []
    assert len(credited) == line.outcomes.get("activated", 0)
    activations = [(campaign.id, code.serial, campaign.points, "sms") for code in credited]
    assert before.activations + activations == after.activations
    entries = [("activation", "confirmed", campaign.points)] * len(credited)
    assert before.entries + entries == after.entries
    assert before.balance + campaign.points * len(credited) == after.balance
    state = next((CONSENT[outcome] for outcome in line.outcomes if outcome in CONSENT), None)
    channels = {None: (), "withdrawn": ("sms", "call"), "given": ("sms",)}[state]  # START: texts alone
    assert [(channel, state, "sms") for channel in channels] == after.consent
    assert {None: "", "withdrawn": "out", "given": "in"}[state] == stage.stand.consent_word(texting.shopper)
    assert ("alias" in line.outcomes) == (len(after.aliases) == 1)
    assert line.outcomes.get("invalid", 0) == after.wrong - before.wrong
    told = [outcome for outcome, count in line.outcomes.items() for _ in range(count)]
    reply = after.replies[-1]
    assert len(before.replies) + 1 == len(after.replies)
    expected = Reply(
        outcomes=",".join(told),
        state="accepted",
        link=texting.link,
        short_number=NUMBERS[texting.link],
        segments=reply.segments,
        attempts=1,
        error=None,
        emptied=True,
    )
    assert expected == reply


def _assert_answered(stage: Stage, texting: Texting, after: Stored, answer: str) -> None:
    expected = answer_to(texting.line).format(
        day=datetime.now(KYIV).strftime("%d.%m.%Y"),
        start=START.astimezone(KYIV).strftime("%d.%m.%Y"),
        alias="{alias}",
        time="{time}",
    )
    pattern = re.escape(expected).replace(r"\{alias\}", r"(\d{3} \d{3} \d{3})")
    pattern = pattern.replace(r"\{time\}", r"((?:\d\d\.\d\d )?\d\d:\d\d)")
    found = re.fullmatch(pattern, answer)
    assert found is not None, f"{answer!r}, not {expected!r}"
    if after.aliases:
        key = stage.stand.vault.derive("alias").hex()
        assert [counter_of(found[1], key)] == after.aliases
    if "limited" in texting.line.outcomes:
        assert found[1] in ends_in(60, day="%d.%m")
    sent = stage.stand.smscs[texting.link].sent_to(texting.shopper.number)
    assert sum(reply.segments for reply in after.replies) == len(sent)
    one = ONE_SEGMENT_OF_ASCII if answer.isascii() else ONE_SEGMENT
    assert (1 if len(answer) <= one else 2) == after.replies[-1].segments
    assert {NUMBERS[texting.link]} == {submit.source for submit in sent}
    assert {1} == {submit.registered_delivery for submit in sent}  # a receipt of each part
    for other, smsc in stage.stand.smscs.items():
        assert other == texting.link or not smsc.sent_to(texting.shopper.number)


async def test_the_books_balance_and_nobody_was_answered_twice(stage: Stage) -> None:
    stand = stage.stand
    sums = "SELECT shopper_id, sum(points) FROM ledger_entry GROUP BY shopper_id ORDER BY shopper_id"
    balances = "SELECT shopper_id, points FROM balance WHERE points > 0 ORDER BY shopper_id"
    assert stand.gateway.sql(sums) == stand.gateway.sql(balances)
    entries = stand.gateway.sql("SELECT count(*), count(DISTINCT reference) FROM ledger_entry")
    activations = stand.gateway.sql(
        "SELECT count(*), count(DISTINCT space_id || ':' || serial) FROM activation"
    )
    assert entries == activations
    assert entries[0][0] == entries[0][1]
    for link, smsc in stand.smscs.items():
        segments = stand.gateway.sql("SELECT sum(segments) FROM message WHERE link = :link", link=link)
        assert segments[0][0] == len(smsc.submitted)
