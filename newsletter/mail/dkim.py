"""DKIM signatures (RFC 6376, RFC 8463), relaxed/relaxed, made with `cryptography`.

dkimpy signs in pure Python (7.6 ms a letter against 0.3 ms); the tests verify with it what is signed here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from newsletter.errors import ConfigError

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"reply-to", b"message-id", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted",
    b"precedence", b"feedback-id",
)  # fmt: skip
# Named once more than they occur, so that nobody can add a second one (RFC 6376 section 8.15). List-Id and the marks of
# bulk mail are left open: a reader's own forwarder may add them.
_SEALED = frozenset(_SIGNED) - {b"list-id", b"auto-submitted", b"precedence", b"feedback-id"}
_LEAST_BITS = 1024  # RFC 8301 section 3.2: verifiers take nothing shorter
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"  +")
_BLANK_AT_END = re.compile(rb"\r(?<= \r)")  # begins with what is rare, and so takes half the time


@dataclass(frozen=True, slots=True)
class _Key:
    selector: str
    private: PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(sha256(data).digest())  # RFC 8463 section 3

    @property
    def record(self) -> str:
        """The TXT record of ``SELECTOR._domainkey.DOMAIN``."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            kind, raw = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, raw = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={kind}; p={b64encode(raw).decode('ascii')}"


class DkimSigner:
    """Signs for `domain` with every key: receivers that know no Ed25519 yet look at the RSA signature."""

    def __init__(self, domain: str, keys: Sequence[_Key]) -> None:
        self.domain = domain
        self._keys = keys

    @property
    def records(self) -> dict[str, str]:
        """DNS names and the TXT records that must stand there."""
        return {f"{key.selector}._domainkey.{self.domain}": key.record for key in self._keys}

    def sign(self, fields: Sequence[bytes], body: bytes, moment: datetime) -> bytes:
        """DKIM-Signature fields for whole header fields (each with its CRLF) and the body after the empty line."""
        names, canonical = _signed_fields(fields)
        body_hash = b64encode(sha256(relaxed_body(body)).digest()).decode("ascii")
        return b"".join(
            self._signature(key, names, canonical, body_hash, int(moment.timestamp())) for key in self._keys
        )

    def _signature(self, key: _Key, names: str, canonical: bytes, body_hash: str, moment: int) -> bytes:
        tags = f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={self.domain}; s={key.selector};"
        head = f"DKIM-Signature: {tags}\r\n t={moment}; h={names};\r\n bh={body_hash};\r\n b="
        signature = b64encode(key.sign(canonical + relaxed_field(head.encode("ascii"))[:-2])).decode("ascii")
        lines = "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return f"{head}{lines}\r\n".encode("ascii")


def load_signer(domain: str, keys: Iterable[tuple[str, Path]]) -> DkimSigner:
    """The signer for `domain` with the (selector, PEM file) pairs; raises ConfigError that says what to do."""
    return DkimSigner(domain, tuple(_Key(selector, _load_key(path)) for selector, path in keys))


def _load_key(path: Path) -> PrivateKey:
    how = "Make one with: openssl genrsa -out dkim.pem 2048"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(
            "Cannot read the DKIM key", which=str(path), why=error.strerror or str(error), do=how
        ) from error
    except TypeError as error:  # cryptography's word for: encrypted, and no password given
        do = "Store it without one, readable by this program's user alone"
        raise ConfigError("Cannot use the DKIM key", which=str(path), why="it has a password", do=do) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("Cannot use the DKIM key", which=str(path), why="not a private key in PEM", do=how) from error
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_BITS:
        raise ConfigError("Cannot use the DKIM key", which=str(path), why=f"only {key.key_size} bits", do=how)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ConfigError("Cannot use the DKIM key", which=str(path), why="neither RSA nor Ed25519", do=how)
    return key


def _signed_fields(fields: Sequence[bytes]) -> tuple[str, bytes]:
    """The h= tag, folded, and the canonical fields in its order: of fields with one name the last comes first."""
    found: dict[bytes, list[bytes]] = {}
    for field in fields:
        canonical = relaxed_field(field)
        found.setdefault(canonical.partition(b":")[0], []).append(canonical)
    chosen = [field for name in _SIGNED if name in found for field in reversed(found[name])]
    return _names(tuple((name, len(found.get(name, ()))) for name in _SIGNED)), b"".join(chosen)


@lru_cache(maxsize=64)
def _names(present: tuple[tuple[bytes, int], ...]) -> str:
    """The h= tag for the names and how often each occurs."""
    return _folded_names([name for name, times in present for _ in range(times + (name in _SEALED))])


def _folded_names(names: Sequence[bytes]) -> str:
    lines = [b":".join(names[at : at + 4]) for at in range(0, len(names), 4)]
    return b":\r\n ".join(lines).decode("ascii")


@lru_cache(maxsize=1024)  # most fields are the same in every letter
def relaxed_field(field: bytes) -> bytes:
    """One header field, canonical (RFC 6376 section 3.4.2), with its CRLF."""
    name, _, value = _FOLD.sub(b"", field).partition(b":")
    return name.strip().lower() + b":" + b" ".join(value.split()) + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """The body, canonical (RFC 6376 section 3.4.4): runs of blanks are one, none ends a line, no empty last lines."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    if b"  " in body:
        body = _BLANKS.sub(b" ", body)
    if _BLANK_AT_END.search(body):
        body = body.replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
