"""`/v1/recordings`: what a firm lets be said in its calls, uploaded or spoken, under its API key."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field, ValidationError
from sqlalchemy import Engine

from gateway.domain.offers.recording import MOST_WORDS, Source
from gateway.http import bodies
from gateway.http.auth import firm_of
from gateway.http.bodies import Body, Name, Printable
from gateway.http.problems import Kind, Problem, refused
from gateway.http.shares import Shares
from gateway.store.calls import recordings
from gateway.store.calls.recordings import InUse, NameTaken, New, Recording, TooMany
from gateway.store.firms.api_keys import ApiKeys
from ivr.recordings import told
from ivr.recordings.studio import MOST_OCTETS, NotHere, NotUsable, Sound, Studio

PATH: Final = "/v1/recordings"
ONE: Final = f"{PATH}/{{id:[0-9]{{1,15}}}}"
UPLOADED_WITHIN_S: Final = 120.0
SILENT_S: Final = 5.0  # an upload that sends nothing for so long, or slower than the next line, is given up
LEAST_OCTETS_PER_S: Final = 16 * 1024
MOST_UPLOADS: Final = 16  # at once, of one process: each is held in memory
MOST_UPLOADS_OF_ONE: Final = 2  # firm
MOST_MADE: Final = 2  # at once: each takes a processor
_AGAIN_S: Final = 5
_WAV: Final = frozenset({"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"})


class Named(Body):
    """How a recording is named, once a language."""

    name: Name
    language: Literal["uk", "ru", "kk", "en"]


class Words(Named):
    """What is to be spoken."""

    words: Annotated[Printable, Field(min_length=1, max_length=MOST_WORDS)]


def routes(engine: Engine, keys: ApiKeys, studio: Studio) -> list[web.RouteDef]:
    """All of them."""
    under_way: Counter[int] = Counter()
    making = Shares("recordings", threads=MOST_MADE, of_one=1)

    async def create(request: web.Request) -> web.Response:
        firm = await firm_of(request, keys)
        if request.content_type in _WAV:
            named = _named(request)
            with _place(under_way, firm):
                wav = await _upload(request)
                sound = await _made(making, firm, lambda: studio.convert(wav))
            return await _kept(engine, firm, named, sound, None)
        form = await bodies.read(request, Words)
        sound = await _made(making, firm, lambda: studio.speak(form.words, form.language))
        return await _kept(engine, firm, form, sound, form.words)

    async def list_(request: web.Request) -> web.Response:
        firm = await firm_of(request, keys)
        found = await asyncio.to_thread(recordings.of_firm, engine, firm)
        return _json({"recordings": [told.recording(one) for one in found]})

    def of_one(answer: Callable[[Recording], Awaitable[web.Response]]) -> Any:
        """A handler for the firm's recording of the path."""

        async def handle(request: web.Request) -> web.Response:
            firm, id_ = await firm_of(request, keys), int(request.match_info["id"])
            found = await asyncio.to_thread(recordings.find, engine, firm, id_)
            if found is None:
                raise Problem(Kind.HTTP, 404, f"There is no recording {id_}.")
            return await answer(found)

        return handle

    async def show(found: Recording) -> web.Response:
        return _json(told.recording(found))

    async def play(found: Recording) -> web.Response:
        sound = await asyncio.to_thread(recordings.sound, engine, found.id)
        return web.Response(body=sound, content_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def remove(found: Recording) -> web.Response:
        try:
            await asyncio.to_thread(recordings.remove, engine, found.firm_id, found.id)
        except InUse as err:
            raise refused(f"{err}: cancel it first, or wait for its end") from err
        return web.Response(status=204)

    return [
        web.post(PATH, create),
        web.get(PATH, list_),
        web.get(ONE, of_one(show)),
        web.get(f"{ONE}/sound", of_one(play)),
        web.delete(ONE, of_one(remove)),
    ]


def _named(request: web.Request) -> Named:
    """Name and language of an upload, which stand in the query. Raises Problem."""
    try:
        return Named.model_validate(dict(request.query))
    except ValidationError as err:
        told_ = "The query must have name, of 100 characters at most, and language: uk, ru, kk or en."
        raise Problem(Kind.BAD_REQUEST, 400, told_) from err


@contextmanager
def _place(under_way: Counter[int], firm: int) -> Iterator[None]:
    """Around an upload: a firm has so many places, and all together. Raises Problem for one too many."""
    if under_way[firm] >= MOST_UPLOADS_OF_ONE or under_way.total() >= MOST_UPLOADS:
        told_ = f"A firm may have {MOST_UPLOADS_OF_ONE} uploads under way, all together {MOST_UPLOADS}."
        raise Problem(Kind.LIMITED, 429, told_, retry_after_s=_AGAIN_S)
    under_way[firm] += 1
    try:
        yield
    finally:
        under_way[firm] -= 1
        if not under_way[firm]:
            del under_way[firm]


async def _upload(request: web.Request) -> bytes:
    """The body, which may be larger than any other that we take, and must come on. Raises Problem."""
    found, clock = bytearray(), asyncio.get_running_loop().time
    begun = clock()
    while True:
        try:
            async with asyncio.timeout(SILENT_S):
                chunk = await request.content.readany()
        except TimeoutError as err:
            raise _too_slow() from err
        if not chunk:
            return bytes(found)
        found += chunk
        if len(found) > MOST_OCTETS:
            raise Problem(Kind.HTTP, 413, f"A recording has {MOST_OCTETS // 2**20} MiB at most.")
        took = clock() - begun
        if took > UPLOADED_WITHIN_S or (took > SILENT_S and len(found) < took * LEAST_OCTETS_PER_S):
            raise _too_slow()


def _too_slow() -> Problem:
    pace = f"{LEAST_OCTETS_PER_S // 1024} KiB a second or more"
    return Problem(Kind.HTTP, 408, f"The body must come within {UPLOADED_WITHIN_S:g} s, {pace}.")


async def _made(making: Shares, firm: int, make: Callable[[], Sound]) -> Sound:
    try:
        return await making.run(firm, make)
    except NotUsable as err:
        raise refused(str(err)) from err
    except NotHere as err:
        raise Problem(Kind.OURS, 501, f"No recordings can be made: {err}.") from err


async def _kept(engine: Engine, firm: int, named: Named, sound: Sound, words: str | None) -> web.Response:
    new = New(
        firm_id=firm,
        name=named.name,
        language=named.language,
        source=Source.UPLOADED if words is None else Source.SPOKEN,
        words=words,
        wav=sound.wav,
        milliseconds=sound.milliseconds,
    )
    try:
        made = await asyncio.to_thread(recordings.add, engine, new, int(time.time() * 1000))
    except NameTaken as err:
        raise refused(f"there is a recording {named.name!r} in {named.language} already") from err
    except TooMany as err:
        raise refused(f"there are {recordings.MOST_OF_FIRM} recordings: remove some first") from err
    return _json(told.recording(made), status=201)


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
