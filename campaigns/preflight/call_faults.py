"""What is wrong with how a blast would call; one line each, that says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.context import Desk
from config import texts
from gateway.domain.offers.offer_call import CallPlan, OnMachine
from gateway.domain.offers.recording import Source, names_firm
from gateway.store.calls import recordings


def faults(desk: Desk, firm_id: int, plan: CallPlan, fallback: str) -> Iterator[str]:
    """`fallback`: the language for shoppers of another, which must be spoken."""
    if fallback not in plan.spoken:
        yield f"spoken: has nothing in {fallback}, the fallback: add it, or take another fallback"
    yield from _free_number(desk, plan)
    for language, said in plan.spoken.items():
        if language not in texts.LANGUAGES:
            yield f"spoken.{language}: no such language; there are {', '.join(texts.LANGUAGES)}"
            continue
        for part, id_ in (("intro", said.intro), ("offer", said.offer)):
            for told in _recording(desk, firm_id, id_, language, is_intro=part == "intro"):
                yield f"spoken.{language}.{part}: {told}"


def _free_number(desk: Desk, plan: CallPlan) -> Iterator[str]:
    known = ", ".join(desk.free_numbers) or "none is set up: ask your operator"
    if plan.on_machine is OnMachine.LEAVE_MESSAGE and not plan.free_number:
        yield f"free_number: a message that is left tells whom to call; one of {known}"
    elif plan.free_number and plan.free_number not in desk.free_numbers:
        yield f"free_number: is not ours; one of {known}"


def _recording(desk: Desk, firm_id: int, id_: int, language: str, *, is_intro: bool) -> Iterator[str]:
    """Every pack wants to hear who calls. What an uploaded sound says we cannot know: its firm answers."""
    found = recordings.find(desk.engine, firm_id, id_)
    if found is None:
        yield f"there is no recording {id_}: see the list of recordings"
        return
    if found.language != language:
        yield f"recording {id_} is in {found.language}"
    firm = desk.catalog().firms[firm_id]
    if is_intro and found.source == Source.SPOKEN and not names_firm(found.words or "", firm):
        yield f"recording {id_} does not say who calls: name {firm} in its words"
