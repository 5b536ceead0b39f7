"""From a received text to the calls that decide it. Pure but for the keys in its arguments."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.catalog import Issued, ShortNumber
from gateway.domain.reading import Intent, Reading, read_text
from gateway.store.claims import ClaimCall
from gateway.store.vault import Vault

SEAL_REPLY = "reply"  # a number sealed for this purpose opens only to answer its own text


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A text from a shopper.

    `number`: E.164 digits without plus. `link`: where the answer must leave. `channel`: sms, web or api.
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
    reading = read_text(incoming.text, short.forms, max_candidates=max_codes)
    shopper = vault.index(incoming.number)
    digest = vault.digest(f"{shopper}|{incoming.short_number}|{incoming.text}")
    issued: list[Issued] = []
    wrong = reading.clipped
    for candidate in reading.candidates:
        found = short.resolve(candidate)
        if found is None:
            wrong += 1
        else:
            issued.append(found)
    consent = consent_word(reading)
    services = [i.value for i in reading.intents]
    sealed = b64encode(vault.seal(SEAL_REPLY, incoming.number.encode())).decode()

    def call(firm: int, *, host: bool) -> ClaimCall:
        codes = tuple(code for code in issued if code.firm_id == firm)
        understood = bool(issued or wrong or services)
        mode = ("T" if codes or wrong else "S") if understood else "U"
        return ClaimCall(
            firm_id=firm,
            shopper=shopper,
            digest=digest,
            codes=codes,
            wrong=wrong if host else 0,
            mode=mode if host else mode + "f",
            consent=consent,
            message_id=incoming.message_id,
            body=_body(
                incoming, shopper, digest, sealed, reading, codes, wrong if host else 0, services, host
            ),
        )

    host = short.host_firm_id
    others = {code.firm_id for code in issued} | (set(short.firm_ids) if consent else set())
    return [call(host, host=True)] + [call(firm, host=False) for firm in sorted(others - {host})]


def consent_word(reading: Reading) -> str:
    """`out` for a STOP, `in` for a START, else empty; a text that says both means no."""
    if Intent.STOP in reading.intents:
        return "out"
    return "in" if Intent.START in reading.intents else ""


def _body(
    incoming: Incoming,
    shopper: str,
    digest: str,
    sealed: str,
    reading: Reading,
    codes: Sequence[Issued],
    wrong: int,
    services: list[str],
    host: bool,
) -> bytes:
    # A firm beside the host answers for its codes only; its part of a STOP is settled without an answer.
    return json.dumps(
        {
            "i": incoming.message_id,
            "s": shopper,
            "x": digest,
            "n": sealed,
            "k": incoming.link,
            "d": incoming.short_number,
            "h": incoming.channel,
            "g": reading.language,
            "v": services if host else [],
            "o": consent_word(reading),
            "w": wrong,
            "m": not host and not codes,
            "c": [(c.space_id, c.serial, c.campaign_id) for c in codes],
        },
        separators=(",", ":"),
    ).encode()
