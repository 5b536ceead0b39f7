"""After traffic of every kind no number and no redeemable code stands in clear anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from sqlalchemy import text as sql_text

from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Code, add_campaign, add_firm, known
from tests.acceptance.secret_forms import Search, Secret, tell
from tests.acceptance.secret_places import files, pickled, redis_places, sql_places
from tests.acceptance.stand import Stand, standing
from tests.conftest import smsc_program
from tests.harness import Gateway
from tests.peers.smsc import Behaviour, Delivery

CANARY: Final = Secret(name="canary", text="380509876543", is_number=True)
FRIEND: Final = Secret(name="invited friend", text="380671112233", is_number=True)
WEB: Final = Secret(name="who types it on a page", text="380674445566", is_number=True)
LINK: Final = "smpp34"
LOUD: Final[dict[str, dict[str, object]]] = {
    "log": {"format": "json", "level": "debug"},
    "limits": {"wrong_codes_per_hour": 3},
}


@dataclass(kw_only=True, slots=True)
class Secrets:
    """What must not be found: everybody's number, and the codes that can still be redeemed."""

    shoppers: list[Shopper] = field(default_factory=list)
    unclaimed: list[Code] = field(default_factory=list)

    def all(self) -> list[Secret]:
        """As the search takes them."""
        numbers = [Secret(name=s.name, text=s.number, is_number=True) for s in self.shoppers]
        codes = [Secret(name=f"code {c.serial}", text=c.printed.replace("-", "")) for c in self.unclaimed]
        printed = [Secret(name=f"printed code {c.serial}", text=c.printed) for c in self.unclaimed]
        return [FRIEND, WEB, *numbers, *codes, *printed]


@pytest.mark.timeout(180)
async def test_no_number_and_no_redeemable_code_stands_in_clear(tmp_path: Path) -> None:
    async with standing(tmp_path, {LINK: smsc_program(LINK)}, settings=LOUD) as stand:
        listen_to_redis(stand.gateway)
        secrets = await traffic_of_every_kind(stand)
        prove_the_search(stand.gateway)
        search = Search(secrets.all())
        while_running = search.find_all(places(stand.gateway))
        with closing(stand.gateway.redis()) as redis:
            assert pickled(redis) == []
        await stand.gateway.stop()
        assert tell([*while_running, *search.find_all(kept(stand.gateway))]) == ""


def listen_to_redis(gateway: Gateway) -> None:
    """Every command from now on stands in the slow log."""
    with closing(gateway.redis()) as redis:
        redis.config_set("slowlog-log-slower-than", 0)
        redis.config_set("slowlog-max-len", 100_000)


def places(gateway: Gateway) -> Iterator[tuple[str, bytes]]:
    """Everywhere."""
    yield from kept(gateway)
    yield from sql_places(gateway.engine())
    with closing(gateway.redis()) as redis:
        yield from redis_places(redis)


def kept(gateway: Gateway) -> Iterator[tuple[str, bytes]]:
    """Files and logs, but for those of the printer, which hold the codes on purpose."""
    for place, data in files(gateway.state):
        if not place.endswith(".csv"):
            yield place, data


def prove_the_search(gateway: Gateway) -> None:
    """A planted number is found in each kind of place; then it is taken out again."""
    (gateway.state / "planted.log").write_text(f"to {CANARY.text}", encoding="utf-8")
    with gateway.engine().begin() as connection:
        connection.execute(sql_text("CREATE TABLE planted (number BIGINT)"))
        connection.execute(sql_text("INSERT INTO planted VALUES (:number)"), {"number": int(CANARY.text)})
    with closing(gateway.redis()) as redis:
        redis.hset("planted", "number", CANARY.text)
        found = {hit.place for hit in Search([CANARY]).find_all(places(gateway))}
        redis.delete("planted")
    with gateway.engine().begin() as connection:
        connection.execute(sql_text("DROP TABLE planted"))
    (gateway.state / "planted.log").unlink()
    wanted = {"file planted.log", "Redis key planted", "Redis SLOWLOG", "SQL planted.number"}
    if gateway.engine().dialect.name == "sqlite":  # the files of a server are not ours
        wanted.add("file var/undercap.db-wal")
    assert wanted <= found


async def traffic_of_every_kind(stand: Stand) -> Secrets:
    """Texts, pages and faults; some answers still wait and some parts are missing when this returns."""
    gateway = stand.gateway
    add_firm(gateway)
    promotion = add_campaign(gateway)
    paused = add_campaign(gateway, numbers=("4040",))
    codes = promotion.codes(1_000, take=60)
    letters = promotion.codes(1_000, "letters", take=20)
    secrets = Secrets(shoppers=[await known(stand, LINK, codes.pop())])
    secrets.unclaimed += paused.codes(1_000, take=3)
    paused.change("pause")
    await texts(stand, secrets, codes, letters)
    await vault_of_every_kind(stand, newcomer(stand, secrets))
    await activation_by_page(gateway, codes.pop())
    stand.smscs[LINK].behave(Behaviour(no_answer=True))
    for code in (codes.pop(), letters.pop()):
        assert await stand.text(LINK, newcomer(stand, secrets), code.printed) == 0
    secrets.unclaimed += codes + letters
    return secrets


async def vault_of_every_kind(stand: Stand, shopper: Shopper) -> None:
    """Keys rotate, and somebody is erased."""
    await stand.exchange(LINK, shopper, "ALIAS")
    told = stand.gateway.cli("vault", "rotate", "--in", "1")
    told += stand.gateway.cli("vault", "erase", "--yes", said=f"+{shopper.number}\n")
    (stand.gateway.state / "vault.log").write_text(told, encoding="utf-8")


def newcomer(stand: Stand, secrets: Secrets) -> Shopper:
    """Somebody new, whose number must not be found."""
    secrets.shoppers.append(stand.shopper(f"shopper {len(secrets.shoppers)}"))
    return secrets.shoppers[-1]


async def texts(stand: Stand, secrets: Secrets, codes: list[Code], letters: list[Code]) -> None:
    """What shoppers send: good, used, wrong, paused and limited codes, services, numbers, halves of texts."""
    used = codes.pop().printed
    said = [
        *(
            f"код {codes.pop().printed}",
            letters.pop().printed.lower(),
            used,
            used,
            secrets.unclaimed[0].printed,
        ),
        *("STOP", "СТАРТ", "ALIAS", "баланс", "HELP", "чого?", "0000000000000"),
        *(f"INVITE +{FRIEND.text}", f"{codes.pop().printed} мій телефон +{FRIEND.text}"),
        f"{codes.pop().printed} {codes.pop().printed}, {letters.pop().printed}",
    ]
    for words in said:
        await stand.exchange(LINK, newcomer(stand, secrets), words)
    guesser = newcomer(stand, secrets)
    for guess in ("0000000000001", "0000000000002", "0000000000003", codes[0].printed):
        await stand.exchange(LINK, guesser, guess)  # the last is a good code, over the limit: it stays good
    half = b"\x05\x00\x03\x07\x02\x01" + f"my code {codes[1].printed} and".encode()
    await deliver(stand, newcomer(stand, secrets).number, half, esm_class=0x40)
    await deliver(stand, newcomer(stand, secrets).number, b"\x05\x00\x03\x07\x02\x09oops", esm_class=0x40)
    await deliver(stand, newcomer(stand, secrets).number, codes[2].printed.encode(), destination="9999")
    receipt = (
        b"id:77 sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:"
    )
    await deliver(stand, newcomer(stand, secrets).number, receipt, esm_class=0x04)


async def deliver(
    stand: Stand, source: str, body: bytes, *, destination: str = "4040", esm_class: int = 0
) -> None:
    """Something that a handset would not send like this."""
    odd = Delivery(source=source, destination=destination, body=body, esm_class=esm_class)
    assert await stand.smscs[LINK].deliver(odd) is not None


async def activation_by_page(gateway: Gateway, code: Code) -> None:
    """A firm's own page sends a code; then the same in a body that is not understood."""
    key = gateway.cli("firm", "key", "acme").split()[-1]
    address = re.findall(r"http://[0-9.:]+", (gateway.state / "up.log").read_text(encoding="utf-8"))[-1]
    good = {"phone": f"+{WEB.text}", "code": code.printed, "short_number": "4040"}
    calls = (
        ("/v1/activations", good, 202),
        ("/v1/activations", {**good, "surprise": code.printed}, 400),
        ("/v1/web/pins", {"phone": f"+{WEB.text}", "short_number": "4040"}, 202),
        ("/v1/web/activations", {"phone": f"+{WEB.text}", "code": code.printed, "pin": "000000"}, 403),
    )
    headers = {"Authorization": f"Bearer {key}", "Origin": address}
    async with aiohttp.ClientSession(headers=headers) as session:
        for path, body, status in calls:
            async with session.post(f"{address}{path}", json=body) as answer:
                assert (path, answer.status) == (path, status)
