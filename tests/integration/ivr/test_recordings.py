"""Recordings from what firms send to what Asterisk plays: studio, API, command, files."""

from __future__ import annotations

import array
import hashlib
import io
import math
import os
import random
import re
import resource
import shlex
import struct
import time
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert

from gateway.domain.offers.recording import Source
from gateway.http import bodies, guard
from gateway.store.calls import recordings
from gateway.store.calls.recordings import New
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.sql import database, schema
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.firms import set_up
from ivr.offer.recordings import FOLDER, KEPT_S, Recordings
from ivr.prompts.voice import Voice
from ivr.recordings import http as routes
from ivr.recordings.sound import samples
from ivr.recordings.studio import MOST_OCTETS, NotHere, NotUsable, Studio
from tests import described
from tests.conftest import peer_of
from tests.integration.conftest import Undercap, house, shared_server, undercap
from tests.integration.house import House
from tests.integration.ivr.conftest import VOICE
from tests.peers.hearing import likeness

__all__ = ["house", "shared_server", "undercap"]

QUERY = {"name": "intro", "language": "en"}
WORDS = {"name": "intro", "language": "en", "words": "Hello! Acme calls you."}


@pytest.fixture(scope="session")
def studio() -> Studio:
    """With the real programs."""
    espeak, sox = (tuple(peer_of(VOICE, name).argv) for name in VOICE)
    return Studio(voice=Voice(espeak=espeak, sox=sox))


def tone(
    rate: int = 8000, channels: int = 1, bits: int = 16, seconds: float = 1.0, loud: float = 0.5
) -> bytes:
    """A WAV file with a tone that rises, so that no place in it is like another."""
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        frames = bytearray()
        for at in range(round(rate * seconds)):
            value = loud * math.sin(2 * math.pi * (300 + 400 * at / rate) * at / rate)
            scaled = round(value * (2 ** (bits - 1) - 1))
            octets = (
                (scaled + 128).to_bytes(1, "little")
                if bits == 8
                else scaled.to_bytes(bits // 8, "little", signed=True)
            )
            frames += octets * channels
        file.writeframes(bytes(frames))
    return into.getvalue()


def header(rate: int, channels: int, bits: int, octets: int, form: int = 1) -> bytes:
    """A WAV file that says of itself what is true or not."""
    per_s, block = rate * channels * bits // 8, channels * bits // 8
    fmt = struct.pack("<IHHIIHH", 16, form, channels, rate, per_s & 0xFFFFFFFF, block & 0xFFFF, bits)
    size = struct.pack("<I", octets)
    return b"RIFF" + struct.pack("<I", octets + 36) + b"WAVEfmt " + fmt + b"data" + size + b"\x55" * octets


# The studio


@pytest.mark.parametrize(
    "form", [(44_100, 2, 16), (8_000, 1, 8), (48_000, 1, 24), (96_000, 6, 32), (11_025, 1, 16)]
)
def test_any_wav_becomes_sound_for_the_telephone(studio: Studio, form: tuple[int, int, int]) -> None:
    made = studio.convert(tone(*form))
    assert made.milliseconds == pytest.approx(1000, abs=20)
    turned = array.array("h", (-sample for sample in samples(made.wav)))  # by sox's filter: nobody hears it
    assert likeness(turned, samples(tone())) > 0.95


LARGE = MOST_OCTETS - 100
HOSTILE = {
    "no wav": b"ID3" + bytes(1000),
    "nothing": b"",
    "cut short": tone(44_100, 2)[:1000],
    "a header alone": tone()[:44],
    "noise behind a header": b"RIFF\0\0\0\0WAVE" + random.Random(1).randbytes(100_000),  # noqa: S311
    "a second of sound a sample": header(1, 1, 8, LARGE),
    "four thousand million samples a second": header(4_000_000_000, 1, 8, LARGE // 10),
    "65,535 channels": header(8_000, 65_535, 8, LARGE),
    "no rate": header(0, 1, 8, 1000),
    "no channel": header(8_000, 0, 8, 1000),
    "mp3 inside": header(8_000, 1, 0, 100_000, 0x55),
    "too much": header(8_000, 1, 8, MOST_OCTETS),
    "too long": tone(seconds=61),
    "silent": tone(loud=0.003),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=list(HOSTILE))
def test_what_makes_no_recording_is_refused_soon(studio: Studio, sent: bytes) -> None:
    begun = spent_s()
    with pytest.raises(NotUsable):
        studio.convert(sent)
    assert spent_s() - begun < 5


def spent_s() -> float:
    """Of processors, by the programs that have ended: a busy machine makes it no more."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_an_endless_rate_makes_no_work(studio: Studio) -> None:
    with pytest.raises(NotUsable, match="4000000000 samples a second, more than 768000"):
        studio.convert(HOSTILE["four thousand million samples a second"])


def test_hours_of_sound_are_cut_before_they_make_work(studio: Studio) -> None:
    with pytest.raises(NotUsable, match="longer than 60 seconds"):
        studio.convert(HOSTILE["a second of sound a sample"])


def test_words_are_spoken(studio: Studio) -> None:
    made = studio.speak("Вітаємо! Вам телефонує Кола.", "uk")
    assert 1500 < made.milliseconds < 4000
    assert max(map(abs, samples(made.wav))) == pytest.approx(32_767 * 0.708, rel=0.01)


@pytest.mark.parametrize("words", ["...", "слово " * 300], ids=["nothing to say", "too long"])
def test_words_that_make_no_recording(studio: Studio, words: str) -> None:
    with pytest.raises(NotUsable):
        studio.speak(words, "uk")


@pytest.mark.parametrize("words", ["--version", "-f /etc/passwd", '<audio src="/etc/passwd"/>'])
def test_words_are_never_options(studio: Studio, words: str) -> None:
    assert studio.speak(words, "en").milliseconds > 500


def test_a_program_that_is_not_there_is_named() -> None:
    absent = Studio(voice=Voice(espeak=("no-espeak",), sox=("/nowhere/no-sox",)))
    with pytest.raises(NotHere, match=r"no-sox is not installed here: .* ivr\.sox"):
        absent.convert(tone())
    with pytest.raises(NotHere, match=r"no-espeak .* ivr\.espeak"):
        absent.speak("Hello", "en")


# The API


class Caller:
    """Somebody with a firm's API key; each answer is held against the description."""

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"}

    async def ask(self, method: str, path: str = routes.PATH, **given: Any) -> tuple[int, Any]:
        headers = {**self._headers, **given.pop("headers", {})}
        async with self._client.request(method, path, headers=headers, **given) as answer:
            kind = answer.content_type
            json = kind.endswith("json")
            told = await answer.json() if json else await answer.read()
            template = re.sub(r"/\d+(?=/|$)", "/{id}", path)
            if answer.status != 204:
                shown = told if json else ""
                assert described.response_faults(method, template, answer.status, kind, shown) == []
            return answer.status, told

    async def upload(self, wav: bytes, query: dict[str, str] | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "audio/wav"}
        return await self.ask("POST", params=QUERY if query is None else query, data=wav, headers=headers)


@pytest.fixture
async def callers(house: House, studio: Studio) -> AsyncIterator[tuple[Caller, Caller]]:
    """The marketers of two firms."""
    app = web.Application(middlewares=[guard.middleware(Meter())], client_max_size=bodies.MOST_BYTES)
    app.add_routes(routes.routes(house.engine, ApiKeys(house.engine, house.vault), studio))
    keys = []
    for slug in ("acme", "bravo"):
        house.firm(slug)
        keys.append(set_up.new_api_key(house.engine, house.vault, slug))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client, keys[0]), Caller(client, keys[1])


async def test_a_recording_is_uploaded_listed_heard_and_removed(callers: tuple[Caller, Caller]) -> None:
    mine, other = callers
    status, made = await mine.upload(tone(44_100, 2, seconds=3))
    assert (status, made["source"], made["words"], made["seconds"]) == (201, "uploaded", None, 3.0)
    one = f"{routes.PATH}/{made['id']}"
    assert await mine.ask("GET") == (200, {"recordings": [made]})
    assert await mine.ask("GET", one) == (200, made)
    status, sound = await mine.ask("GET", f"{one}/sound")
    assert (status, len(samples(sound))) == (200, 3 * 8000)
    for path in (one, f"{one}/sound"):
        assert (await other.ask("GET", path))[0] == 404
    assert (await other.ask("DELETE", one))[0] == 404
    assert (await mine.ask("DELETE", one))[0] == 204
    assert (await mine.ask("GET", one))[0] == 404


async def test_words_are_spoken_and_kept_with_what_was_said(callers: tuple[Caller, Caller]) -> None:
    status, made = await callers[0].ask("POST", json=WORDS)
    assert (status, made["source"], made["words"]) == (201, "spoken", WORDS["words"])


async def test_a_name_is_taken_once_a_language_and_firm(callers: tuple[Caller, Caller]) -> None:
    mine, other = callers
    assert (await mine.ask("POST", json=WORDS))[0] == 201
    assert (await mine.ask("POST", json=WORDS))[0] == 409
    assert (await mine.ask("POST", json={**WORDS, "language": "uk"}))[0] == 201
    assert (await other.ask("POST", json=WORDS))[0] == 201


@pytest.mark.parametrize(
    ("query", "wav", "status"),
    [
        (QUERY, tone(loud=0.003), 409),
        (QUERY, b"no wav", 409),
        (QUERY, bytes(MOST_OCTETS + 1), 413),
        ({"name": "intro"}, tone(), 400),
        ({**QUERY, "language": "de"}, tone(), 400),
        ({**QUERY, "name": "a\nb"}, tone(), 400),
    ],
)
async def test_uploads_that_are_refused(
    callers: tuple[Caller, Caller], query: dict[str, str], wav: bytes, status: int
) -> None:
    assert (await callers[0].upload(wav, query))[0] == status


async def test_a_body_of_neither_kind(callers: tuple[Caller, Caller]) -> None:
    assert (await callers[0].ask("POST", data=b"x", headers={"Content-Type": "audio/mpeg"}))[0] == 415
    assert (await callers[0].ask("POST", json={**WORDS, "words": ""}))[0] == 400


async def test_where_no_program_is_there(house: House) -> None:
    house.firm()
    app = web.Application(middlewares=[guard.middleware(Meter())])
    absent = Studio(voice=Voice(espeak=("no-espeak",), sox=("no-sox",)))
    app.add_routes(routes.routes(house.engine, ApiKeys(house.engine, house.vault), absent))
    key = set_up.new_api_key(house.engine, house.vault, "acme")
    async with TestClient(TestServer(app)) as client:
        status, told = await Caller(client, key).ask("POST", json=WORDS)
    assert (status, "no-espeak is not installed here" in told["detail"]) == (501, True)


# The command


def test_the_command(
    undercap: Undercap, house: House, studio: Studio, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("UNDERCAP_IVR__ESPEAK", shlex.join(studio.voice.espeak))
    monkeypatch.setenv("UNDERCAP_IVR__SOX", shlex.join(studio.voice.sox))
    house.firm()
    (tmp_path / "intro.wav").write_bytes(tone(seconds=2))
    named = ("--firm", "acme", "--name", "intro", "--language")
    added = undercap("recording", "add", *named, "en", str(tmp_path / "intro.wav")).output
    assert added == "recording 1: 2.0 seconds\n"
    assert "recording 2" in undercap("recording", "say", *named, "uk", "Вам телефонує Acme.").output
    assert "already" in undercap("recording", "say", *named, "uk", "Ще раз.", fails=1).output
    listed = undercap("recording", "list", "--firm", "acme").output
    assert "Вам телефонує Acme." in listed
    undercap("recording", "play", "--firm", "acme", "1", "--into", str(tmp_path / "heard.wav"))
    assert len(samples((tmp_path / "heard.wav").read_bytes())) == 2 * 8000
    assert "recording 1 is gone" in undercap("recording", "remove", "--firm", "acme", "1").output
    assert "no recording 1" in undercap("recording", "play", "--firm", "acme", "1", fails=1).output


# Files for Asterisk


def keep(house: House, wav: bytes = b"sound", name: str = "intro") -> recordings.Recording:
    new = New(
        firm_id=house.firm() if not house.rows("firm", "id") else 1,
        name=name,
        language="uk",
        source=Source.UPLOADED,
        words=None,
        wav=wav,
        milliseconds=1000,
    )
    return recordings.add(house.engine, new, 1)


def test_files_are_put_whole_and_named_by_their_content(house: House, tmp_path: Path) -> None:
    intro, offer = keep(house), keep(house, b"other", "offer")
    put = Recordings(house.engine, tmp_path / "sounds").put([intro.id, offer.id, 99])
    assert put == {one.id: f"{FOLDER}/{one.digest}" for one in (intro, offer)}
    file = tmp_path / "sounds" / f"{put[intro.id]}.wav"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == intro.digest
    assert file.stat().st_mode & 0o444 == 0o444  # Asterisk is another user
    assert {found.suffix for found in file.parent.iterdir()} == {".wav"}


@pytest.mark.parametrize("spoilt", [b"", b"soun"])
def test_a_file_that_a_crash_has_spoilt_is_put_anew(house: House, tmp_path: Path, spoilt: bytes) -> None:
    one = keep(house)
    Recordings(house.engine, tmp_path).put([one.id])
    file = tmp_path / FOLDER / f"{one.digest}.wav"
    file.write_bytes(spoilt)
    Recordings(house.engine, tmp_path).put([one.id])
    assert file.read_bytes() == b"sound"


def test_files_stay_while_they_are_needed(house: House, tmp_path: Path) -> None:
    needed, old = keep(house), keep(house, b"other", "offer")
    files = Recordings(house.engine, tmp_path)
    files.put([needed.id, old.id])
    for one in (needed, old):
        os.utime(tmp_path / FOLDER / f"{one.digest}.wav", (1, 1))
    files.put([needed.id])
    assert files.sweep(time.time()) == 1
    assert [file.stem for file in (tmp_path / FOLDER).iterdir()] == [needed.digest]
    assert files.put([old.id])  # and comes again when it is needed again
    assert files.sweep(time.time() + KEPT_S + 10) == 2


def test_what_a_blast_says_cannot_be_removed_before_its_end(house: House) -> None:
    one = keep(house)
    campaign = house.campaign()
    a, b = schema.audience, schema.blast
    plan = {"spoken": {"uk": {"intro": one.id, "offer": one.id}}}
    with database.writing(house.engine) as connection:
        connection.execute(insert(a).values(id=1, firm_id=1, name="all", definition={}, created_at=1))
        columns = {
            c.name: 0
            for c in b.c
            if not c.nullable and c.name not in ("id", "firm_id") and c.type.python_type is int
        }
        connection.execute(
            insert(b).values(
                **columns | {"audience_id": 1, "campaign_id": campaign},
                id=7,
                firm_id=1,
                name="Spring",
                channel="call",
                short_number="4040",
                texts={},
                fallback="uk",
                state="paused",
                call=plan,
            )
        )
    with pytest.raises(recordings.InUse, match="blast 7"):
        recordings.remove(house.engine, 1, one.id)
    with database.writing(house.engine) as connection:
        connection.execute(b.update().values(state="finished"))
    assert recordings.remove(house.engine, 1, one.id)
