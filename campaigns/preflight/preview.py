"""What recipients would read: for real shoppers under the firm's own names, and on one's own phone."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from campaigns.context import Desk
from campaigns.errors import Refused
from campaigns.fan_out.words import setting_of, written
from gateway.domain.consent.word import Channel, Consent, read_word
from gateway.domain.offers.offer import Facts, render
from gateway.domain.sms.segments import split
from gateway.store.offers.blasts import Blast
from gateway.store.redis import keys
from gateway.usecases.operations import trial_text
from gateway.usecases.operations.trial_text import Trial

MOST: Final = 20
TRIALS_A_DAY: Final = 20  # of a firm: a way to try a text, not to send one
_EXAMPLE: Final = Facts(points=120, codes=12, first=1_767_225_600_000)


class Seen(NamedTuple):
    """One text. `reference`: the firm's own name of the shopper; `encoding`: gsm7 or ucs2."""

    reference: str
    language: str
    text: str
    segments: int
    encoding: str


def preview(desk: Desk, blast: Blast, now: int, *, most: int = 5, seed: str = "") -> list[Seen]:
    """The texts of some of its recipients, drawn at random; the same for the same `seed`."""
    audience = desk.audiences.find(blast.firm_id, blast.audience_id)
    if audience is None:
        raise LookupError("a blast without its audience")
    members = desk.audiences.some(audience, now, most=min(most, MOST), seed=seed)
    setting = setting_of(desk.catalog(), blast.firm_id, blast.campaign_id)
    texts = written(desk.engine, blast.firm_id, blast.template, setting, members)
    seen = []
    for member, text in zip(members, texts, strict=True):
        cut = split(text, plain=True)  # as links have it by default
        reference = desk.reference(blast.firm_id, member.shopper_id)
        language = blast.template.language(member.language)
        seen.append(Seen(reference, language, text, len(cut.parts), cut.encoding))
    return seen


def try_out(desk: Desk, blast: Blast, number: str, language: str | None) -> str:
    """Send the text with made-up facts to a number of the marketer's own (E.164 digits); the text's id.

    Raises Refused: too many today, no link, or a number whose owner said no to the firm's offers.
    """
    word = desk.redis.get(keys.consent(blast.firm_id, desk.vault.index(number)))
    said = read_word(word.decode() if isinstance(word, bytes) else "")[Channel.SMS]
    if said.consent is Consent.WITHDRAWN:
        raise Refused("the owner of this number said no to offers of this firm: take another number")
    link = desk.link(number)
    if not link:
        raise Refused("no link carries this number: take another one")
    if desk.offers.count_trial(blast.firm_id) > TRIALS_A_DAY:
        raise Refused(f"{TRIALS_A_DAY} texts were tried out today: try again tomorrow")
    setting = setting_of(desk.catalog(), blast.firm_id, blast.campaign_id)
    trial = Trial(
        message_id=os.urandom(12).hex(),
        firm_id=blast.firm_id,
        link=link,
        short_number=blast.short_number,
        number=number,
        text=render(blast.template, language, _EXAMPLE, setting),
        blast=str(blast.id),
    )
    return trial_text.send(trial, desk.engine, desk.redis, desk.vault, who=f"firm {blast.firm_id}")
