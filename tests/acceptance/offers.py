"""A marketer at work on a running gateway: shoppers who said yes, blasts by HTTP under the firm's key."""

from __future__ import annotations

import json
import re
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError

from sqlalchemy import func, insert, select

from gateway.store.people import shoppers as people
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from tests.acceptance.stand import Stand
from tests.peers.smsc import Submitted

WEDNESDAY: Final = 2
WORDS: Final = {"en": "{points} at {firm}. {opt_out}"}
_AT_ONCE: Final = 1_000
SAID: Final[dict[str, Any]] = {"language": "en", "at": 1}


def to_noon() -> int:
    """Seconds from now to the next Wednesday's noon in Kyiv, or what comes near it in winter."""
    now = datetime.now(UTC)
    noon = now.replace(hour=10, minute=0, second=0, microsecond=0)
    noon += timedelta(days=(WEDNESDAY - noon.weekday()) % 7)
    if noon < now:
        noon += timedelta(days=7)
    return int((noon - now).total_seconds())


@dataclass(kw_only=True, slots=True)
class Marketer:
    """The marketer of one firm. `campaign`: whose shoppers these are; `link`: by which the offers leave."""

    stand: Stand
    firm_id: int
    campaign: int
    key: str = field(repr=False)
    link: str = "peer"

    def shoppers(self, count: int, region: str, *, first: int = 0, consent: str = "in:1") -> list[str]:
        """So many shoppers of the firm whose numbers begin with `region`, five digits; their numbers."""
        numbers = [f"{region}{i:07}" for i in range(first, first + count)]
        self.known(numbers, consent=consent)
        return numbers

    def known(self, numbers: list[str], *, consent: str = "in:1") -> None:
        """Make these numbers shoppers of the firm, in this order."""
        vault, gateway = self.stand.vault, self.stand.gateway
        s = schema.shopper.c
        with database.writing(gateway.engine()) as connection:
            last = connection.scalar(select(func.coalesce(func.max(s.id), 0)))
            for at in range(0, len(numbers), _AT_ONCE):
                rows = [
                    people.row(vault, key=vault.index(n), number=n.encode(), language="en", at=1)
                    for n in numbers[at : at + _AT_ONCE]
                ]
                connection.execute(insert(schema.shopper), rows)
            made = connection.execute(select(s.id, s.key).where(s.id > last)).all()
            balances = [{"shopper_id": id_, "firm_id": self.firm_id, "points": 10} for id_, _ in made]
            connection.execute(insert(schema.balance), balances)
        with closing(gateway.redis()) as redis:
            pipe: Any = redis.pipeline(transaction=False)
            for _, key in made:
                pipe.set(keys.consent(self.firm_id, key), consent)
            pipe.execute()

    def record_consents(self) -> None:
        """Let the ledger know that all shoppers of the firm said yes, so that a rebuild knows it, too."""
        s, e = schema.shopper.c, schema.consent_entry
        said = {"firm_id": self.firm_id, "state": "given", "how": "import", "said_at": 1}
        with database.writing(self.stand.gateway.engine()) as connection:
            ids = connection.scalars(select(s.id).order_by(s.id)).all()
            for at in range(0, len(ids), _AT_ONCE):
                rows = [
                    said | {"shopper_id": id_, "channel": channel, "message_id": f"form {id_}"}
                    for id_ in ids[at : at + _AT_ONCE]
                    for channel in ("sms", "call")
                ]
                connection.execute(insert(e), rows)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Under the firm's key. Raises HTTPError."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._api()}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            found: dict[str, Any] = json.load(response)
        return found

    def upload(self, name: str, language: str, wav: Path) -> int:
        """A recording of the firm; its id."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._api()}/v1/recordings?name={name}&language={language}",
            method="POST",
            data=wav.read_bytes(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "audio/wav"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return int(json.load(response)["id"])

    def sound(self, recording: int) -> bytes:
        """A recording as it is kept: a WAV file."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self._api()}/v1/recordings/{recording}/sound", headers={"Authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return bytes(response.read())

    def blast(self, name: str, *, region: str, **changes: object) -> int:
        """A draft for the shoppers of a region."""
        definition = {"regions": [region], "uploaded": False}
        audience = self.ask("POST", "/v1/audiences", {"name": name, "definition": definition})
        draft = {"name": name, "audience": audience["id"], "campaign": self.campaign, "texts": WORDS}
        return int(self.ask("POST", "/v1/blasts", {**draft, **changes})["id"])

    def turn(self, blast: int, word: str) -> str:
        """launch, pause, resume or cancel; the state that follows."""
        return str(self.ask("POST", f"/v1/blasts/{blast}/{word}")["state"])

    def results(self, blast: int) -> dict[str, Any]:
        """What became of it so far."""
        return self.ask("GET", f"/v1/blasts/{blast}/results")

    def texts(self, blast: int) -> Counter[str]:
        """Its texts by state, however few: the API tells no firm so."""
        query = "SELECT state, count(*) FROM message WHERE blast_id = :blast GROUP BY state"
        return Counter(dict(map(tuple, self.stand.gateway.sql(query, blast=blast))))

    async def over(self, blast: int, timeout_s: float = 60.0) -> dict[str, Any]:
        """Its results once it has ended."""
        ended = ("finished", "cancelled", "expired")
        complaint = f"blast {blast} does not end"
        await self.stand.gateway.until(
            lambda: self.results(blast)["state"] in ended, complaint, timeout_s, every_s=0.2
        )
        return self.results(blast)

    def received(self, numbers: list[str]) -> Counter[str]:
        """How often each of them was sent to, by the SMSC's own journal."""
        wanted = set(numbers)
        return Counter(one.destination for one in self.journal() if one.destination in wanted)

    def journal(self) -> list[Submitted]:
        """Every submit that the SMSC saw."""
        return self.stand.smscs[self.link].submitted

    async def until_sent(self, numbers: list[str], count: int) -> None:
        """Until the SMSC has seen so many submits to these."""
        complaint = f"{count} texts did not reach the SMSC"
        await self.stand.gateway.until(
            lambda: self.received(numbers).total() >= count, complaint, every_s=0.01
        )

    def takes(self, draft: dict[str, Any]) -> bool:
        """Whether a draft is taken now."""
        try:
            self.ask("POST", "/v1/blasts", draft)
        except HTTPError:
            return False
        return True

    def answered(self) -> bool:
        """Whether the API answers now."""
        try:
            self.ask("GET", "/v1/blasts")
        except OSError:
            return False
        return True

    def _api(self) -> str:
        logs = [self.stand.gateway.state / name for name in ("up.log", "api.log")]
        told = "".join(log.read_text() for log in logs if log.exists())
        found = re.findall(r"API\W+(http://[^\s/]+)", told)
        assert found, self.stand.gateway.log_tails()
        return str(found[-1])


async def marketer(stand: Stand, *, firm: str = "acme") -> Marketer:
    """A firm with a campaign, a key, and its marketer."""
    campaign = stand.gateway.campaign(firm=firm)
    key = stand.gateway.cli("firm", "key", firm).split()[-1]
    ((firm_id,),) = stand.gateway.sql("SELECT id FROM firm WHERE slug = :slug", slug=firm)
    made = Marketer(stand=stand, firm_id=firm_id, campaign=int(campaign.id), key=key)
    audience = made.ask("POST", "/v1/audiences", {"name": "to see whether the campaign is known"})
    draft = {"name": "the same", "audience": audience["id"], "campaign": made.campaign, "texts": WORDS}
    await stand.gateway.until(lambda: made.takes(draft), "the API does not know the campaign")
    return made
