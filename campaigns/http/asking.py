"""What the routes of audiences and blasts have in common: whose they are, and refusals as problems."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from campaigns.context import Desk
from campaigns.errors import Refused, Unknown
from gateway.http.auth import firm_of
from gateway.http.problems import Kind, Problem, refused
from gateway.http.shares import Shares
from gateway.store.firms.api_keys import ApiKeys

_WHOLE = re.compile(r"[0-9]{1,9}")
Work = Callable[[int], Any]
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Asking:
    """`keys`: whose API key it is. Counting people has threads apart from what is answered at once."""

    def __init__(self, desk: Desk, keys: ApiKeys) -> None:
        self.desk = desk
        self._keys = keys
        self._light = Shares("blasts", threads=2, of_one=1)
        self._heavy = Shares("counts", threads=2, of_one=1)

    async def firm(self, request: web.Request) -> int:
        """The firm that asks. Raises Problem."""
        return await firm_of(request, self._keys)

    async def answer(
        self, firm: int, work: Callable[[], Any], *, heavy: bool = False, status: int = 200
    ) -> web.Response:
        """What `work` returns, as JSON; done beside the loop, in the firm's turn. `heavy`: it counts people.

        Raises Problem for what it refuses.
        """
        try:
            told = await (self._heavy if heavy else self._light).run(firm, work)
        except Refused as err:
            raise refused(*err.why) from err
        except Unknown as err:
            raise Problem(Kind.HTTP, 404, f"{err}.") from err
        return web.json_response(told, status=status, headers={"Cache-Control": "no-store"})


def id_of(request: web.Request) -> int:
    """The id in the path."""
    return int(request.match_info["id"])


def whole(request: web.Request, name: str, usual: int, most: int) -> int:
    """A number of the query. Raises Problem."""
    text = request.query.get(name, str(usual))
    found = int(text) if _WHOLE.fullmatch(text) else 0  # what is checked is what is used
    if not 1 <= found <= most:
        raise Problem(Kind.BAD_REQUEST, 400, f"{name}: a number from 1 to {most} is needed.")
    return found
