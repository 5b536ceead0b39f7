"""From a received text to the calls that decide it. Pure but for the keys in its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.domain.catalog import Issued, ShortNumber
from gateway.domain.reading import Intent, Reading, read_text
from gateway.store import outbox
from gateway.store.claims import ClaimCall, Verdict
from gateway.store.vault import Vault

SEAL_REPLY = "reply"  # a number sealed for this purpose opens only to answer its own text


class Incoming(NamedTuple):
    """A text from a shopper.

    `number`: E.164 digits without plus. `link`: where the answer must leave; empty where none can.
    `channel`: sms, web, api or call.
    """

    message_id: str
    number: str
    short_number: str
    text: str
    link: str
    channel: str


def calls_for(incoming: Incoming, short: ShortNumber, vault: Vault, max_codes: int) -> list[ClaimCall]:
    """The calls that decide a text: the host firm's first, which checks the limits, then other firms'.

    A firm beside the host is called for its own codes, and for a STOP or START, which holds for every firm
    on the short number.
    """
    return calls_of(incoming, read_text(incoming.text, short.forms, max_candidates=max_codes), short, vault)


def calls_of(
    incoming: Incoming, reading: Reading, short: ShortNumber, vault: Vault, *, only_firm: int | None = None
) -> list[ClaimCall]:
    """As `calls_for`, for what was read already.

    `only_firm`: on a firm's own page its codes alone count, under its own limits; another's is a wrong one.
    """
    shopper = vault.index(incoming.number)
    digest = vault.digest(f"{shopper}|{incoming.short_number}|{incoming.text}")
    issued: list[Issued] = []
    wrong = reading.clipped
    for candidate in reading.candidates:
        found = short.resolve(candidate)
        if found is None or only_firm not in (None, found.firm_id):
            wrong += 1
        else:
            issued.append(found)
    consent = consent_word(reading)
    services = tuple(i.value for i in reading.intents)
    sealed = vault.seal(SEAL_REPLY, incoming.number.encode())

    def call(firm: int, *, host: bool) -> ClaimCall:
        codes = tuple(code for code in issued if code.firm_id == firm)
        understood = bool(issued or wrong or services)
        mode = ("T" if issued or wrong else "S") if understood else "U"
        if not host:
            mode += "f"
        # Each firm answers for its own codes, the host for all else: its part of a text that holds another
        # firm's codes and nothing more gets no answer, nor has another firm's of a STOP.
        if not (codes or (host and (wrong or services or not issued))):
            mode += "m"
        if not incoming.link:
            mode += "n"
        # Any text proves the caller's number, so the next one is heard even if it says nothing.
        if incoming.channel == "call" and Intent.ALIAS in reading.intents:
            mode += "h"
        return ClaimCall(
            firm_id=firm,
            shopper=shopper,
            digest=digest,
            codes=codes,
            wrong=wrong if host else 0,
            mode=mode,
            consent=consent,
            message_id=incoming.message_id,
            body=outbox.body(
                message_id=incoming.message_id,
                shopper=shopper,
                digest=digest,
                link=incoming.link,
                short_number=incoming.short_number,
                channel=incoming.channel,
                language=reading.language,
                services=services if host else (),
                consent=consent,
                wrong=wrong if host else 0,
                codes=codes,
                number=sealed,
            ),
        )

    host = only_firm or short.host_firm_id
    others = {code.firm_id for code in issued} | (set(short.firm_ids) if consent else set())
    return [call(host, host=True)] + [call(firm, host=False) for firm in sorted(others - {host})]


def after_host(calls: Sequence[ClaimCall], verdict: Verdict) -> list[ClaimCall]:
    """The calls of the other firms, once the host's `verdict` is known: none where the text was limited.

    Over a limit only a STOP or START is heard: then their codes are left out, too.
    """
    kind = verdict.first if verdict.kind == "D" else verdict.kind
    if kind == "O":
        return [call._replace(codes=(), mode=call.mode + "m") for call in calls[1:] if call.consent]
    return list(calls[1:]) if kind in ("A", "S") else []


def consent_word(reading: Reading) -> str:
    """`out` for a STOP, `in` for a START, else empty; a text that says both means no."""
    if Intent.STOP in reading.intents:
        return "out"
    return "in" if Intent.START in reading.intents else ""
