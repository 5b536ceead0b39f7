"""TLS towards an SMSC, from the settings of a link: what is trusted, and who we are."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Protocol


class TlsTerms(Protocol):
    """What a link's settings say of TLS."""

    @property
    def tls_verify(self) -> bool:
        """The SMSC's certificate and its host name are verified."""

    @property
    def tls_ca_file(self) -> Path | None:
        """Who may have signed it (PEM); None: the system's certificate authorities."""

    @property
    def tls_certificate_file(self) -> Path | None:
        """Our own certificate (PEM), for an SMSC that asks for one."""

    @property
    def tls_key_file(self) -> Path | None:
        """Its key (PEM); None: in the certificate's file."""


def context(terms: TlsTerms) -> ssl.SSLContext:
    """A client's context: TLS 1.2 or newer. The files are read now, so that a renewed one is taken up.

    Raises ValueError naming the file that cannot be used.
    """
    made = _trusting(terms.tls_ca_file)
    if not terms.tls_verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if terms.tls_certificate_file is not None:
        _show(made, terms.tls_certificate_file, terms.tls_key_file)
    return made


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Whoever this file names, else the system's authorities.

    Since Python 3.13 a chain must keep to RFC 5280 in every detail. Private authorities of operators leave
    out what nothing depends on, such as the authority key identifier; of one that is named that is no fault.
    """
    try:
        made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca_file)
        if ca_file is not None:
            made.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return made
    except ssl.SSLError as err:
        raise ValueError(f"tls_ca_file: {ca_file}: holds no certificate in PEM form") from err
    except OSError as err:
        raise ValueError(f"tls_ca_file: {ca_file}: cannot be read: {err.strerror}") from err


def _show(made: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for name, file in (("tls_certificate_file", certificate), ("tls_key_file", key)):
        if file is not None and (why := _unreadable(file)):
            raise ValueError(f"{name}: {file}: cannot be read: {why}")
    try:
        # Without the function OpenSSL would ask for the password of an encrypted key on the terminal.
        made.load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, OSError) as err:
        raise ValueError(
            f"tls_certificate_file: {certificate}: holds no certificate in PEM form, or its unencrypted key "
            "is not there"
        ) from err


def _unreadable(file: Path) -> str:
    try:
        with file.open("rb"):
            return ""
    except OSError as err:
        return err.strerror or type(err).__name__
