"""JSON bodies of requests, read within bounds and checked against the form that is described."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gateway.domain.written import instants
from gateway.domain.written.outside import fits
from gateway.http.problems import Kind, Problem

MOST_BYTES = 16 * 1024
WITHIN_S = 10.0
MOST_FAULTS = 100  # told of a body: as many as a list may have of items that are of no form
_FIELD = re.compile(r"[a-z_]{1,32}")


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("is empty, or has a control character")
    return text


def _of_our_time(moment: datetime) -> datetime:
    if not instants.fits(moment):
        raise ValueError("is not between 2000 and 2100")
    return moment


Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_of_our_time)]
Printable = Annotated[str, AfterValidator(_printable)]
Name = Annotated[Printable, Field(min_length=1, max_length=100)]


class Body(BaseModel):
    """A form; a field that is not in it is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Form = TypeVar("Form", bound=Body)


async def read(request: web.Request, form: type[Form]) -> Form:
    """The body as `form`. Raises Problem."""
    if request.content_type != "application/json":
        raise Problem(Kind.HTTP, 415, "Send Content-Type: application/json.")
    try:
        async with asyncio.timeout(WITHIN_S):
            raw = await request.read()
    except TimeoutError as err:
        raise Problem(Kind.HTTP, 408, f"The body did not come within {WITHIN_S:g} s.") from err
    try:
        found = form.model_validate_json(raw)
    except ValidationError as err:
        faults = [_fault(fault) for fault in err.errors(include_url=False, include_input=False)]
    else:
        faults = list(_unfit(found.model_dump(), "#"))
        if not faults:
            return found
    raise Problem(Kind.BAD_REQUEST, 400, "The body is not as described.", errors=faults[:MOST_FAULTS])


def _unfit(value: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Texts that no store takes, wherever they stand."""
    if isinstance(value, str) and not fits(value):
        yield {"pointer": pointer, "detail": "has a character that is none (NUL, or half of one)"}
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unfit(name, pointer)
            yield from _unfit(inner, f"{pointer}/{name}" if _FIELD.fullmatch(str(name)) else pointer)
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from _unfit(inner, f"{pointer}/{at}")


def _fault(fault: Any) -> dict[str, str]:
    """Where and what, without what was sent: a mistyped field name can be somebody's number."""
    where = [str(step) for step in fault["loc"] if isinstance(step, int) or _FIELD.fullmatch(str(step))]
    told = "no such field" if fault["type"] == "extra_forbidden" else fault["msg"]
    if fault["type"] == "json_invalid":
        told = "is not JSON"
    return {"pointer": "#/" + "/".join(where), "detail": told}
