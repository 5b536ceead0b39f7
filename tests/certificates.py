"""A certificate authority for a test, and the certificates that it signs. Names and addresses alike."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A certificate and its key, each in a PEM file."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own stands in `file`. `strict`: with all that RFC 5280 asks for."""

    def __init__(self, directory: Path, name: str = "Operators' CA", *, strict: bool = True) -> None:
        self._directory = directory
        self._strict = strict
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        directory.mkdir(exist_ok=True)
        self.file = directory / "ca.pem"
        signed = self._signed(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0)
        )
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def identity(self, *names: str) -> Identity:
        """A certificate for these host names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        signed = self._signed(subject, key.public_key(), alternatives)
        stem = names[0].replace(":", "-")
        made = Identity(certificate=self._directory / f"{stem}.pem", key=self._directory / f"{stem}.key")
        made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        )
        for more, critical in self._formalities(key, extension) if self._strict else ():
            builder = builder.add_extension(more, critical=critical)
        return builder.sign(self._key, hashes.SHA256())

    def _formalities(
        self, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> Iterator[tuple[x509.ExtensionType, bool]]:
        """Whose key it is, who signed it; of an authority, that it signs (RFC 5280, 4.2.1.1 to 4.2.1.3)."""
        yield x509.SubjectKeyIdentifier.from_public_key(key), False
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
        if isinstance(extension, x509.BasicConstraints):
            signs = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
            ) | dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
            yield x509.KeyUsage(key_cert_sign=True, crl_sign=True, **signs), True


def server_side(identity: Identity, *, demands: Path | None = None) -> ssl.SSLContext:
    """What an SMSC listens with. `demands`: who must have signed the gateway's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=demands)
    context.load_cert_chain(identity.certificate, identity.key)
    if demands is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def shaking_hands(tls: ssl.SSLContext) -> Iterator[int]:
    """A server that only takes connections: asyncio's keeps OpenSSL's alert to itself, this one sends it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_shake_hands, args=(server, tls), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _shake_hands(server: socket.socket, tls: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection.dup() as rest, suppress(OSError):
            rest.settimeout(10)
            with suppress(ssl.SSLError):
                tls.wrap_socket(connection, server_side=True).close()
            rest.shutdown(socket.SHUT_WR)
            while rest.recv(1024):  # closed with octets unread, the alert would be overtaken by a reset
                pass


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
