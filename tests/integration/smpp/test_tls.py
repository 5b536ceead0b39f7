"""TLS to an SMSC: verified by default, each refusal with a fault that an operator understands."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.entry.process import process
from smpp.link.link import LinkState
from smpp.protocol.pdus import SubmitResult
from tests.certificates import Authority, server_side, shaking_hands
from tests.integration.smpp.gateway_side import ANSWER, Recorder, linked
from tests.integration.smpp.raw_smsc import RawSmsc, deliver, listening


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the SMSC's certificate."""
    return Authority(tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom nobody has agreed on."""
    return Authority(tmp_path_factory.mktemp("stranger"), "Somebody")


async def talks(smsc: RawSmsc, ca: Path, **changes: Any) -> None:
    """A bind, a text, an answer, a stop: all over TLS."""
    recorder = Recorder()
    async with linked(smsc.port, recorder, tls=True, tls_ca_file=ca, **changes) as link:
        session = await smsc.bound()
        session.write(deliver(1))
        assert (await session.read()).status == 0
        await recorder.until(lambda: link.free > 0)
        assert link.submit(ANSWER, "token")
        session.reply(await session.read(), message_id="m1")
        await recorder.until(lambda: bool(recorder.results))
        assert recorder.results == [("token", SubmitResult(0, "m1"))]
        assert recorder.bodies == [b"CODE"]


async def fault(port: int, **changes: Any) -> str:
    """The fault of a link that comes to no bind."""
    recorder = Recorder()
    async with linked(port, recorder, tls=True, **changes) as link:
        await recorder.until(lambda: LinkState.DOWN in recorder.states)
        assert link.health.dead
        assert LinkState.BOUND not in recorder.states
        return link.fault


async def test_an_smsc_over_tls(operator: Authority) -> None:
    async with listening(tls=server_side(operator.identity("127.0.0.1"))) as smsc:
        await talks(smsc, operator.file)


def test_the_processes_own_loop_does_it_too(operator: Authority) -> None:
    """They run on uvloop, which has a TLS of its own."""
    tls = server_side(operator.identity("127.0.0.1"))

    async def both() -> str:
        async with listening(tls=tls) as smsc:
            await talks(smsc, operator.file)
            told = await fault(smsc.port, tls_ca_file=operator.file, tls_server_hostname="other.example")
        async with listening() as plain:
            await talks_from(plain, "127.0.0.77")
        return told

    with asyncio.Runner(loop_factory=process._fast_loop()) as runner:
        assert "TLS: the SMSC's certificate is not trusted: Hostname mismatch" in runner.run(both())


async def talks_from(smsc: RawSmsc, local_host: str) -> None:
    """A bind that comes from an address of ours."""
    async with linked(smsc.port, Recorder(), local_host=local_host):
        assert (await smsc.bound()).comes_from == local_host


async def test_the_name_in_the_certificate_may_be_given(operator: Authority) -> None:
    async with listening(tls=server_side(operator.identity("smsc.example"))) as smsc:
        await talks(smsc, operator.file, tls_server_hostname="smsc.example")


async def test_an_operators_own_authority_need_not_keep_to_every_formality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python is as strict as from 3.13 on, and the certificates name no key of who signed them."""
    made = ssl.create_default_context

    def strict(*args: Any, **options: Any) -> ssl.SSLContext:
        context = made(*args, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    private = Authority(tmp_path / "private", strict=False)
    tls = server_side(private.identity("127.0.0.1"))
    monkeypatch.setattr(ssl, "create_default_context", strict)
    async with listening(tls=tls) as smsc:
        await talks(smsc, private.file)
        told = await fault(smsc.port, tls_ca_file=private.file, tls_server_hostname="other.example")
    assert "Hostname mismatch" in told


async def test_another_host_name_is_refused(operator: Authority) -> None:
    async with listening(tls=server_side(operator.identity("smsc.example"))) as smsc:
        told = await fault(smsc.port, tls_ca_file=operator.file)
    assert "the SMSC's certificate is not trusted: IP address mismatch" in told
    async with listening(tls=server_side(operator.identity("smsc.example"))) as smsc:
        told = await fault(smsc.port, tls_ca_file=operator.file, tls_server_hostname="other.example")
    assert "Hostname mismatch, certificate is not valid for 'other.example'" in told


async def test_another_authority_is_refused(operator: Authority, stranger: Authority) -> None:
    async with listening(tls=server_side(stranger.identity("127.0.0.1"))) as smsc:
        told = await fault(smsc.port, tls_ca_file=operator.file)
    assert "TLS: the SMSC's certificate is not trusted: unable to get local issuer certificate" in told


async def test_by_default_only_the_systems_authorities_are_trusted(operator: Authority) -> None:
    async with listening(tls=server_side(operator.identity("127.0.0.1"))) as smsc:
        told = await fault(smsc.port)
    assert "the SMSC's certificate is not trusted" in told


async def test_verification_can_be_given_up(stranger: Authority) -> None:
    recorder = Recorder()
    async with (
        listening(tls=server_side(stranger.identity("smsc.example"))) as smsc,
        linked(smsc.port, recorder, tls=True, tls_verify=False) as link,
    ):
        await smsc.bound()
        await recorder.until(lambda: link.state is LinkState.BOUND)


async def test_a_client_certificate_is_shown_where_it_is_demanded(operator: Authority) -> None:
    ours = operator.identity("undercap.example")
    demanding = server_side(operator.identity("127.0.0.1"), demands=operator.file)
    async with listening(tls=demanding) as smsc:
        await talks(smsc, operator.file, tls_certificate_file=ours.certificate, tls_key_file=ours.key)


async def test_an_smsc_that_misses_our_certificate_says_so(operator: Authority, stranger: Authority) -> None:
    theirs = stranger.identity("undercap.example")
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("none", {}, "certificate required"),
        (
            "of another authority",
            {"tls_certificate_file": theirs.certificate, "tls_key_file": theirs.key},
            "unknown ca",
        ),
    ]
    demanding = server_side(operator.identity("127.0.0.1"), demands=operator.file)
    for label, given, word in cases:
        with shaking_hands(demanding) as port:
            told = await fault(port, tls_ca_file=operator.file, **given)
        assert word in told.lower().replace("_", " "), (label, told)


async def test_a_plain_smsc_is_told_from_one_with_tls(operator: Authority) -> None:
    async with listening() as smsc:
        answering = asyncio.create_task(_say_something(smsc))
        told = await fault(smsc.port, tls_ca_file=operator.file)
        await answering
    assert "TLS: wrong version number" in told


async def _say_something(smsc: RawSmsc) -> None:
    (await smsc.session()).write(bytes(16))


async def test_a_file_that_went_is_a_fault_of_the_link_not_its_end(
    operator: Authority, tmp_path: Path
) -> None:
    """Certificates are read at each connect: one that is renewed meanwhile is taken up."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(operator.file.read_bytes())
    recorder = Recorder()
    async with (
        listening(tls=server_side(operator.identity("127.0.0.1"))) as smsc,
        linked(smsc.port, recorder, tls=True, tls_ca_file=ca) as link,
    ):
        session = await smsc.bound()
        await recorder.until(lambda: link.state is LinkState.BOUND)
        ca.unlink()
        session.close()
        await recorder.until(lambda: "ca.pem: cannot be read" in link.fault)
        ca.write_bytes(operator.file.read_bytes())
        await smsc.bound()
        await recorder.until(lambda: link.state is LinkState.BOUND)
