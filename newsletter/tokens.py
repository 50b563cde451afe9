"""Signed links: what a letter's reader may do without a password, and nobody else.

A token names its purpose, and opens nothing else; a letter's token is not one for the preferences. The newest key
signs, every key of the list is accepted, so that keys can be changed while letters with old links are about.
itsdangerous does the signing (HMAC-SHA256, a key derived for each purpose) and compares in constant time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode
from itsdangerous.exc import BadData

__all__ = ["Purpose", "TokenError", "read", "sign"]

# letter: see one letter and say what one thinks of its papers; preferences: read and change what one gets;
# unsubscribe: get nothing more; confirm: say that an address is one's own; data: export and erase; admin: its forms
Purpose = Literal["letter", "preferences", "unsubscribe", "confirm", "data", "admin"]
_PARTS = {"letter": 3, "preferences": 2, "unsubscribe": 2, "confirm": 1, "data": 2}  # admin has several kinds
_LONGEST = 1024  # no token of ours is near it


class TokenError(ValueError):
    """A token that opens nothing here; `expired` tells one that did once, for this purpose."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


def sign(keys: Sequence[bytes], purpose: Purpose, *parts: str, at: datetime) -> str:
    """A token of `parts` (no NUL in them) for a URL: letters, digits and ``. - _``. `at` is when it was made."""
    fields = (f"{int(at.timestamp()):x}", *parts)
    if any("\0" in field for field in fields):
        raise ValueError("a part of a token holds NUL")
    payload = base64_encode("\0".join(fields).encode("utf-8", "surrogatepass"))
    return _signer(tuple(keys), purpose).sign(payload).decode("ascii")


def read(
    keys: Sequence[bytes], purpose: Purpose, token: str, *, now: datetime, valid: timedelta | None = None
) -> tuple[str, ...]:
    """The parts of a token that one of `keys` signed for `purpose`, at most `valid` ago; raises TokenError.

    They are as many as tokens of the purpose have: letter (subscriber, edition, address), preferences and data
    (subscriber, address), unsubscribe (subscriber, whole hash of the address), confirm (request).
    """
    if len(token) > _LONGEST:
        raise TokenError("too long for a token")
    try:
        payload = _signer(tuple(keys), purpose).unsign(token.encode("utf-8", "surrogatepass"))
        made, *parts = base64_decode(payload).decode("utf-8", "surrogatepass").split("\0")
        age = now.timestamp() - int(made, 16)
    except (BadSignature, BadData, ValueError) as error:
        raise TokenError("not signed by this newsletter for this purpose") from error
    if len(parts) != _PARTS.get(purpose, len(parts)):
        raise TokenError("not what a token for this purpose holds")
    if valid is not None and age > valid.total_seconds():
        raise TokenError("expired", expired=True)
    return tuple(parts)


@lru_cache(maxsize=64)
def _signer(keys: tuple[bytes, ...], purpose: Purpose) -> Signer:
    """Newest key first, as the settings list them; itsdangerous signs with the last one."""
    if not keys or not all(keys):
        raise ValueError("a token needs a key")
    salt = f"newsletter.{purpose}"
    return Signer(list(reversed(keys)), salt=salt, sep=".", key_derivation="hmac", digest_method=hashlib.sha256)
