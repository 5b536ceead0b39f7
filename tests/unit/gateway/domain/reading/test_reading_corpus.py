"""Every line of the corpus, as far as a parser alone can judge: the candidates, the intents, or nothing."""

from __future__ import annotations

import random

import pytest

from gateway.domain.codes.alphabet import ALPHABETS, printed
from gateway.domain.codes.candidate import CodeForm
from gateway.domain.reading.reading import Intent, read_text
from tests.corpus import Line, load_corpus

LENGTHS = {"digits": 13, "letters": 10}
FORMS = {name: CodeForm(alphabet=name, length=length) for name, length in LENGTHS.items()}
# A series that breaks the odds opens a longer space: then there are several lengths at one short number.
LONGER = [CodeForm(alphabet=name, length=length + 1) for name, length in LENGTHS.items()]
TAKEN = {"one form": [], "both forms": [*FORMS.values()], "longer ones, too": [*FORMS.values(), *LONGER]}
SERVICES = {
    "opt_out": Intent.STOP,
    "opt_in": Intent.START,
    "help": Intent.HELP,
    "alias": Intent.ALIAS,
    "balance": Intent.BALANCE,
    "invite": Intent.INVITE,
}
LINES = load_corpus()


def some_code(series: str, chance: random.Random) -> str:
    """A code as printed; in letters it has a digit, as every issued one has."""
    while True:
        symbols = "".join(chance.choices(ALPHABETS[series].symbols, k=LENGTHS[series]))
        if series == "digits" or (not symbols.isalpha() and not symbols.isdigit()):
            return printed(symbols)


def expected_symbols(line: Line, codes: dict[str, str]) -> tuple[str, ...]:
    return ("0000000000000",) if line.template == "0" * 13 else line.symbols(codes)


def _plain(codes: dict[str, str]) -> set[str]:
    return {code.replace("-", "") for code in codes.values()}


def test_corpus_is_whole() -> None:
    assert len(LINES) == 150
    assert {"d001", "d043", "l020", "k038", "c005", "x001"} <= {line.id for line in LINES}


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_corpus_line(line: Line, taken: str) -> None:
    forms = TAKEN[taken] or [FORMS[line.series]]
    for seed in range(40):
        chance = random.Random(f"{line.id} {seed}")  # noqa: S311 - repeatable by design
        codes = {name: some_code(line.series, chance) for name in line.placeholders}
        text = line.text(codes)

        reading = read_text(text, forms)

        # A perfect resolver takes of a row of joined codes the way of which each piece is a code.
        offered = [way for ways in reading.joined for way in ways]
        joined = next((way for way in offered if {c.symbols for c in way} <= _plain(codes)), ())
        symbols = tuple(c.symbols for c in (*reading.candidates, *joined))
        assert expected_symbols(line, codes) == symbols, text
        assert {line.series} >= {c.alphabet for c in (*reading.candidates, *joined)}, text
        wanted = tuple(SERVICES[o] for o in line.outcomes if o in SERVICES)
        assert wanted == reading.intents, text
        assert reading.clipped == 0
