"""From a received text to the calls that decide it. Pure but for the keys in its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.domain.codes.catalog import Issued, ShortNumber
from gateway.domain.reading.reading import Intent, Reading, read_text
from gateway.domain.reading.stop_named import named_firms
from gateway.store.codes.claims import ClaimCall, Verdict
from gateway.store.texts import outbox
from gateway.store.vault.places import Purpose
from gateway.store.vault.vault import Vault

STOP_FIRM = "stop_firm"  # in place of "stop" among the services of a text that names the firm
SEAL_REPLY = Purpose.REPLY  # a number sealed for this purpose opens only to answer its own text


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
    on the short number, unless a STOP names its firm.
    """
    reading = read_text(incoming.text, short.forms, max_candidates=max_codes)
    refused: frozenset[int] = frozenset()
    # A firm's name may be longer than a sentence that is read as a refusal without it.
    if Intent.STOP in reading.intents or not (reading.intents or reading.candidates):
        refused = named_firms(incoming.text, short.firm_names)
    return calls_of(incoming, reading, short, vault, refused=refused)


def calls_of(
    incoming: Incoming,
    reading: Reading,
    short: ShortNumber,
    vault: Vault,
    *,
    only_firm: int | None = None,
    refused: frozenset[int] = frozenset(),
) -> list[ClaimCall]:
    """As `calls_for`, for what was read already.

    `only_firm`: on a firm's own page its codes alone count, under its own limits; another's is a wrong one.
    `refused`: the firms that a STOP names; empty: it holds for all.
    """
    host = only_firm or short.host_firm_id
    codes_of: dict[int, list[Issued]] = {}
    wrong = reading.clipped
    for found in map(short.resolve, reading.candidates):
        if found is None or only_firm not in (None, found.firm_id):
            wrong += 1
        else:
            codes_of.setdefault(found.firm_id, []).append(found)
    for found in _run_together(reading, short):
        if only_firm in (None, found.firm_id) and found not in codes_of.get(found.firm_id, ()):
            codes_of.setdefault(found.firm_id, []).append(found)
    consent = "out" if refused else consent_word(reading)
    services = _services(reading, refused)
    shopper = vault.index(incoming.number)
    text = _Text(
        incoming=incoming,
        shopper=shopper,
        digest=vault.digest(f"{shopper}|{incoming.short_number}|{incoming.text}"),
        number=vault.seal(SEAL_REPLY, incoming.number.encode()),
        language=reading.language,
        understood=bool(codes_of or wrong or services),
        about_codes=bool(codes_of or wrong),
        call_for_alias=incoming.channel == "call" and Intent.ALIAS in reading.intents,
    )
    said_to = refused or frozenset(short.firm_ids if consent else ())
    speaker = host if host in said_to or not refused else min(refused)
    calls = []
    for firm in (host, *sorted((codes_of.keys() | said_to) - {host})):
        codes = tuple(codes_of.get(firm, ()))
        # Each firm answers for its own codes, the speaker for all else: a part of a text that holds another
        # firm's codes and nothing more gets no answer, nor has another firm's of a STOP.
        answers = codes or (firm == host and (wrong or not text.understood)) or (firm == speaker and services)
        part = _Part(
            firm=firm,
            codes=codes,
            wrong=wrong if firm == host else 0,
            consent=consent if firm in said_to else "",
            services=services if firm == speaker or consent == "yes" else (),
            mode=("" if firm == host else "f") + ("" if answers else "m"),
        )
        calls.append(_call(text, _if_asked(part, host, alone=len(short.firm_ids) == 1)))
    return calls


def _run_together(reading: Reading, short: ShortNumber) -> list[Issued]:
    """The codes of rows that were typed without a separator: of a row all of its pieces are codes, or none.

    A piece that is none is not told, so that a row tells a guesser nothing of the other ones.
    """
    codes: list[Issued] = []
    for ways in reading.joined:
        for way in ways:
            found = [short.resolve(piece) for piece in way]
            if all(found):
                codes += [code for code in found if code is not None]
                break
    return codes


class _Text(NamedTuple):
    """What is the same in all calls of a text."""

    incoming: Incoming
    shopper: str
    digest: str
    number: bytes
    language: str | None
    understood: bool
    about_codes: bool
    call_for_alias: bool


class _Part(NamedTuple):
    """What a text is to one firm. `mode`: the letters behind the first one."""

    firm: int
    codes: tuple[Issued, ...]
    wrong: int
    consent: str
    services: tuple[str, ...]
    mode: str


def _if_asked(part: _Part, host: int, *, alone: bool) -> _Part:
    """A bare yes is answered by each firm that has asked; another is silent, unless it is `alone`."""
    if part.consent != "yes":
        return part
    return part._replace(mode=("" if part.firm == host else "f") + ("" if alone else "y"))


def _call(text: _Text, part: _Part) -> ClaimCall:
    incoming = text.incoming
    mode = part.mode + ("" if incoming.link else "n")
    # Any text proves the caller's number, so the next one is heard even if it says nothing.
    mode += "h" if text.call_for_alias else ""
    # Nobody has proved a number that a firm's page names: a wrong code is told to the page alone.
    mode += "c" if incoming.channel == "api" else ""
    first = ("T" if text.about_codes else "S") if text.understood else "U"
    return ClaimCall(
        firm_id=part.firm,
        shopper=text.shopper,
        digest=text.digest,
        codes=part.codes,
        wrong=part.wrong,
        mode=first + mode,
        consent=part.consent,
        message_id=incoming.message_id,
        body=outbox.body(
            message_id=incoming.message_id,
            shopper=text.shopper,
            digest=text.digest,
            link=incoming.link,
            short_number=incoming.short_number,
            channel=incoming.channel,
            language=text.language,
            services=part.services,
            consent=part.consent,
            wrong=part.wrong,
            codes=part.codes,
            number=text.number,
        ),
    )


def _services(reading: Reading, refused: frozenset[int]) -> tuple[str, ...]:
    """What is answered beside codes; a STOP of named firms in its own words."""
    asked = [intent for intent in reading.intents if intent is not Intent.YES or _only_yes(reading)]
    if not refused:
        return tuple(asked)
    return (STOP_FIRM, *(intent for intent in asked if intent is not Intent.STOP))


def _only_yes(reading: Reading) -> bool:
    return reading.intents == (Intent.YES,) and not (reading.candidates or reading.clipped)


def after_host(calls: Sequence[ClaimCall], verdict: Verdict) -> list[ClaimCall]:
    """The calls of the other firms, once the host's `verdict` is known: none where the text was limited.

    Over a limit only a STOP or START is heard: then their codes are left out, too. Where the host itself is
    not spoken to, the firm that is answers.
    """
    kind = verdict.first if verdict.kind == "D" else verdict.kind
    if kind in ("A", "S"):
        return list(calls[1:])
    mute = "m" if kind == "O" else ""
    heard = (
        [call for call in calls[1:] if call.consent.startswith(("in", "out"))]
        if kind in ("O", "L", "Q")
        else []
    )
    return [call._replace(codes=(), mode=call.mode + mute) for call in heard]


def consent_word(reading: Reading) -> str:
    """`out` for a STOP, `in` for a START, `yes` for a bare yes, else empty; a yes and a no mean no."""
    if Intent.STOP in reading.intents:
        return "out"
    if Intent.START in reading.intents:
        return "in"
    return "yes" if _only_yes(reading) else ""
