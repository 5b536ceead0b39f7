"""The troubled SMSC's own journal: what it was sent, what it answered, which receipts it gave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.bench import wire

REFUSALS: Final = frozenset({0x08, 0x14, 0x58, 0x64})  # for now; the gateway sends again
UNCERTAIN_S: Final = 1.5  # an answer so short before the connection ended may not have been heard


@dataclass(kw_only=True, slots=True)
class Submit:
    """A `submit_sm`; times are monotonic seconds. `status` None: it was taken and not answered.

    `answered_at` 0: the answer has not left (yet). `doubtful`: it may have waited for us to read it.
    """

    part: int
    last: bool
    status: int | None
    message_id: str
    receipt: bool
    link: int
    at: float
    doubtful: bool
    answered_at: float = 0.0


@dataclass(kw_only=True, slots=True)
class TroubleJournal:
    """By shopper's number; receipts by the SMSC's own message id.

    `sound`: message id -> state of a receipt that can be read, once it was acknowledged with ESME_ROK;
    `statuses`: answers to the texts and parts, by command_status. `missing`: what of each text is not
    acknowledged yet.
    """

    response_timeout_s: float
    missing: list[int]
    submits: dict[str, list[Submit]] = field(default_factory=dict)
    sound: dict[str, str] = field(default_factory=dict)
    receipts: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    lost_links: dict[int, float] = field(default_factory=dict)
    resent: int = 0

    def submitted(self, submit: wire.Submit, **facts: object) -> Submit:
        """Note a submit before anything is answered."""
        part, total = part_of(submit)
        noted = Submit(
            part=part,
            last=part == total,
            receipt=bool(submit.registered_delivery & 1),
            **facts,  # type: ignore[arg-type]
        )
        self.submits.setdefault(submit.destination.decode(), []).append(noted)
        return noted

    def acknowledged(self, index: int) -> bool:
        """Whether all that came of this text has been answered with ESME_ROK."""
        return self.missing[index] == 0

    def unknown(self, submit: Submit) -> bool:
        """Whether the gateway may not have learned what became of this submit."""
        if submit.doubtful or submit.status is None or not submit.answered_at:
            return True
        lost = self.lost_links.get(submit.link)
        hurried = lost is not None and lost - submit.answered_at < UNCERTAIN_S
        return hurried or submit.answered_at - submit.at > 0.8 * self.response_timeout_s


def part_of(submit: wire.Submit) -> tuple[int, int]:
    """Number and total of a part (3GPP TS 23.040, 9.2.3.24.1 and .8, as the first element); else 1 and 1."""
    text = submit.text
    if submit.esm_class & wire.ESM_UDHI and text[1] in (0x00, 0x08):
        end = 3 + text[2]
        return text[end - 1], text[end - 2]
    return 1, 1
