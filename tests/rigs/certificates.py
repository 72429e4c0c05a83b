"""Certificates that are wrong in one way each, made with openssl where there is one."""

import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x"


@dataclass(frozen=True, slots=True)
class Certificates:
    """`authority` is the PEM file of the one that is to be trusted; the others are servers' sides by name.

    `good` is of that authority, for 127.0.0.1 and valid; `expired`, `elsewhere` (for another host) and
    `stranger` (of an authority that nobody knows) differ from it in that alone; `self-signed` is of none.
    """

    authority: Path
    contexts: Mapping[str, ssl.SSLContext]


def made_in(folder: Path) -> Certificates:
    """Takes a tenth of a second."""
    for name in ("authority", "unknown"):
        _openssl(folder, f"req -x509 {_KEY} -days 2 -keyout {name}.key -out {name}.pem")
    here = "IP:127.0.0.1"
    _openssl(
        folder,
        f"req -x509 {_KEY} -days 2 -addext subjectAltName={here} -keyout self.key -out self.pem",
    )
    signed = {
        "good": ("authority", here, 2),
        "expired": ("authority", here, -1),
        "elsewhere": ("authority", "DNS:elsewhere.example,IP:127.0.0.2", 2),
        "stranger": ("unknown", here, 2),
    }
    for name, (by, host, days) in signed.items():
        _openssl(folder, f"req {_KEY} -addext subjectAltName={host} -keyout {name}.key -out {name}.csr")
        _openssl(
            folder,
            f"x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -days {days}"
            f" -copy_extensions copy -out {name}.pem",
        )
    contexts = {name: _context(folder / name) for name in signed} | {"self-signed": _context(folder / "self")}
    return Certificates(folder / "authority.pem", MappingProxyType(contexts))


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


def _context(stem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stem.with_suffix(".pem"), stem.with_suffix(".key"))
    return context
