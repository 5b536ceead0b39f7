"""The doctor's checks of this machine: state directory, secret, disk, server program, ports, links."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import urlopen

from config import tls
from config.link_settings import Address, LinkSettings
from config.section import SettingsError
from config.settings import Settings
from gateway.entry.doctor.findings import Finding, Level, fail, good, warn
from gateway.entry.process import zone_data
from gateway.entry.supervision import up_lock
from gateway.entry.valkey import program as valkey_program
from gateway.store.vault import master_secret
from ivr.agi import probe

DISK_FAIL_BYTES = 100 * 1024**2
DISK_WARN_BYTES = 1024**3
CONNECT_WITHIN_S = 3.0


def state_dir(settings: Settings) -> Finding:
    """The directory is ours, private and can be written to."""
    name, path = "state directory", settings.state_dir.resolve()
    try:
        found = path.stat()
    except FileNotFoundError:
        return warn(name, f"{path} is not there yet", "`undercap up` makes it")
    except OSError as err:
        return fail(name, f"{path}: {err.strerror}", "give this user a state_dir that it can reach")
    mode = stat.S_IMODE(found.st_mode)
    if not os.access(path, os.W_OK | os.X_OK):
        return fail(name, f"{path} cannot be written to", f"chown {os.geteuid()} {path}")
    if mode & 0o077:
        return fail(name, f"{path} is open to others (mode {mode:04o})", f"chmod 700 {path}")
    return good(name, f"{path}, private")


def secret(settings: Settings) -> Finding:
    """The master secret is there, whole and private."""
    name = "master secret"
    try:
        found = master_secret.find(settings)
    except SettingsError as err:
        told, _, mend = str(err).rpartition(": ")
        return fail(name, told, mend)
    if found is None:
        return warn(name, "there is none yet", "`undercap up` makes it; back it up then")
    where = "in the settings" if settings.master_secret else f"in {master_secret.file_of(settings)}, private"
    return good(name, where)


def disk(settings: Settings) -> Finding:
    """Room for the append-only file and the database."""
    name = "free disk"
    path = settings.state_dir.resolve()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    told = f"{free / 1024**3:.1f} GB free at {path}"
    if free < DISK_FAIL_BYTES:
        return fail(name, told, "free space: on a full disk texts get the temporary answer")
    if free < DISK_WARN_BYTES:
        return warn(name, told, "free space before it is full")
    return good(name, told)


def zones(_: Settings) -> Finding:
    """The hours in which people may be texted and called are those of today's laws."""
    name, found = "time zones", zone_data.newest()
    told = f"{found.version}, of {'the system' if found.system else 'the package tzdata'}"
    if found.year < datetime.now(UTC).year - 1:
        return warn(name, told, "pip install --upgrade tzdata: allowed hours follow these files")
    return good(name, told)


def server_program(settings: Settings) -> Finding:
    """A Valkey for the embedded set-up."""
    name = "Valkey program"
    if settings.redis.url:
        return good(name, "not needed: redis.url names a server")
    try:
        program = valkey_program.find()
    except SettingsError as err:
        told, _, mend = str(err).partition(": ")
        return fail(name, told, mend)
    return good(name, f"{program.name} {program.version}")


def ports(settings: Settings) -> Iterator[Finding]:
    """Each port is free, or served by us."""
    wanted = [("http.port", settings.http.host, settings.http.port, _healthy)]
    if settings.simulator.enabled:
        host = settings.simulator.host
        wanted.append(("simulator.http_port", host, settings.simulator.http_port, _healthy))
        wanted.append(("simulator.smpp_port", host, settings.simulator.smpp_port, _healthy))
    if settings.ivr.enabled:
        wanted.append(("ivr.agi_port", settings.ivr.agi_host, settings.ivr.agi_port, probe.is_ours))
    for setting, host, port, by_itself in wanted:
        yield _port(setting, host, port, ours=up_lock.in_use(settings.state_dir) or by_itself(host, port))


def links(settings: Settings) -> Iterator[Finding]:
    """Each SMSC takes a connection, over TLS where that is set."""
    if not settings.links:
        yield warn("SMPP links", "there are none", "name one in [[smpp.links]], or try `undercap up --demo`")
    for link in settings.links:
        found = [_link(link, address) for address in link.addresses]
        works = any(finding.level is Level.OK for finding in found)
        for finding in found:  # while another host answers, texts go on
            yield replace(finding, level=Level.WARN) if works and finding.level is Level.FAIL else finding


def _link(link: LinkSettings, address: Address) -> Finding:
    name = f"link {link.name}"
    try:
        _connect(link, address)
    except ssl.SSLError as err:
        told = getattr(err, "verify_message", "") or err.reason or str(err)
        mend = "ask the operator who signs its certificate, and its name (tls_ca_file, tls_server_hostname)"
        if "key identifier" in told.lower():
            mend = "name the file of the authority that signs it in tls_ca_file: then its form is no fault"
        return fail(name, f"{address}: TLS fails ({told})", mend)
    except OSError as err:
        told = f"{address} cannot be reached ({err.strerror or err})"
        if link.name == "simulator":
            return warn(name, told, "`undercap up` starts the simulator")
        return fail(name, told, "ask the operator about host, port and allowed addresses")
    return good(name, f"{address} answers{' over TLS' if link.tls else ''}")


def _connect(link: LinkSettings, address: Address) -> None:
    """Connect, shake hands, leave."""
    ours = (link.local_host, 0) if link.local_host else None
    with socket.create_connection(address, timeout=CONNECT_WITHIN_S, source_address=ours) as connection:
        if link.tls:
            name = link.tls_server_hostname or address.host
            tls.context(link).wrap_socket(connection, server_hostname=name).close()


def _port(setting: str, host: str, port: int, *, ours: bool) -> Finding:
    name = f"port {setting}"
    try:
        with socket.create_server((host, port)):
            return good(name, f"{port} on {host} is free")
    except OSError as err:
        if err.errno != errno.EADDRINUSE:
            return fail(name, f"{port} on {host}: {err.strerror}", f"change {setting} or its host")
        if ours:
            return good(name, f"{port} on {host} is served by us")
        return fail(name, f"{port} on {host} is in use", f"stop what uses it, or change {setting}")


def _healthy(host: str, port: int) -> bool:
    """Whether an API process of ours answers there."""
    try:
        with urlopen(f"http://{host}:{port}/healthz", timeout=CONNECT_WITHIN_S) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError, ValueError):
        return False
