"""Who may see the operator's pages: a password and a session, or a proxy's word; and that a form is of our own page.

A session is a signed cookie of twelve hours that ends with the password that opened it, or when its operator logs out.
Forms carry a token that is bound to the session, and the browser must say that they come from our own pages.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, HTTPException, Request, Response

from newsletter.pipeline import networks
from newsletter.settings.web import AdminSettings
from newsletter.store import audit
from newsletter.web.desk import At, Desk, desk_of

__all__ = [
    "Acting", "Operator", "Visitor", "admin_of", "admit", "begin_session", "begin_visit", "credentials", "end_session",
    "form_token", "network_of", "require_own_form", "visit",
]  # fmt: skip

_LONGEST = timedelta(hours=12)
_VISIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, and in which session; `leaves` where there is one to leave."""

    name: str
    session: str
    leaves: bool = True


def admin_of(desk: Desk) -> AdminSettings:
    """The settings of the operator's pages; 404 where there are none."""
    admin = desk.workspace.settings.admin
    if admin is None:
        raise HTTPException(404)
    return admin


def operator(request: Request, desk: At) -> Operator:
    """Who is at the operator's pages; those who are nobody are led to the login, or refused."""
    admin = admin_of(desk)
    if admin.header:
        name = request.headers.get(admin.header, "").strip()[:200]  # only a proxy of ours can have set it (Peered)
        if not name or (admin.users and name not in admin.users):
            raise HTTPException(403)
        return Operator(name, f"header {name}", leaves=False)
    if (found := _session(request, desk)) is not None:
        return found
    if request.method == "GET":
        raise HTTPException(303, headers={"Location": f"{desk.prefix}/admin/login"})
    raise HTTPException(403)


Visitor = Annotated[Operator, Depends(operator)]


def acting(request: Request, desk: At, who: Visitor, token: Annotated[str, Form()] = "") -> Operator:
    """The operator who sends a form of ours; else 403."""
    require_own_form(request, desk, who.session, token)
    return who


Acting = Annotated[Operator, Depends(acting)]


def form_token(desk: Desk, session: str) -> str:
    """What every form of a session carries."""
    return desk.sign("admin", "form", session)


def require_own_form(request: Request, desk: Desk, session: str, token: str) -> None:
    """403 where the form is not one of our own pages', shown in this session."""
    try:
        kind, bound = desk.read("admin", token, valid=_LONGEST)
    except ValueError:  # TokenError, or the parts of another kind
        raise HTTPException(403) from None
    ours = kind == "form" and hmac.compare_digest(bound.encode(), session.encode())
    if not ours or not _from_our_page(request, desk):
        raise HTTPException(403)


def _from_our_page(request: Request, desk: Desk) -> bool:
    """By Sec-Fetch-Site, which no page can set; without it (plain http) by Origin, which must be base_url's."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    ours = urlsplit(desk.workspace.settings.base_url)
    return request.headers.get("Origin", "").lower() == f"{ours.scheme}://{ours.netloc}".lower()


def admit(desk: Desk, network: str, name: str, password: str) -> timedelta | None:
    """None where name and password are right; else how long the next try must wait, which may be no time."""
    admin = admin_of(desk)
    if admin.header:
        return timedelta()
    knocked = audit.knock(desk.workspace.engine, network, desk.clock())
    if knocked.wait:
        return knocked.wait
    right = _same(name, admin.username) & _same(password, desk.workspace.settings.admin_password())
    if not right:
        return timedelta()
    audit.admit(desk.workspace.engine, knocked.id, admin.username)
    return None


def credentials(desk: Desk, name: str, password: str) -> bytes:
    """A keyed digest by which right ones are known again, as long as the password is the same."""
    said = "\0".join((name, password, _fingerprint(desk)))
    return hmac.new(desk.workspace.key, said.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _same(given: str, wanted: str) -> bool:
    """In constant time, whatever their lengths."""
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, wanted)]
    return hmac.compare_digest(*digests)


def network_of(request: Request) -> str:
    """A keyed hash of where a request comes from: an IPv4 address, or the /64 of an IPv6 one."""
    desk = desk_of(request)
    network = networks.network_of(request.client.host if request.client else None, bits=32, bits6=64)
    keyed = hmac.new(desk.workspace.key, f"network {network}".encode(), hashlib.sha256)
    return f"network {keyed.hexdigest()[:16]}"


# ------------------------------------------------------------------ cookies


def begin_session(answer: Response, desk: Desk, name: str) -> None:
    """A new session, whatever cookie came with the password."""
    token = desk.sign("admin", "session", secrets.token_urlsafe(18), name, _fingerprint(desk))
    _set(answer, desk, _name(desk, "admin"), token, _LONGEST)
    answer.delete_cookie(_name(desk, "visit"), path=f"{desk.prefix}/admin")


def end_session(answer: Response, desk: Desk) -> None:
    """The cookie goes; the session's end is the audit's to keep."""
    answer.delete_cookie(_name(desk, "admin"), path=f"{desk.prefix}/admin")


def begin_visit(answer: Response, desk: Desk, nonce: str) -> None:
    """What the login form is bound to before there is a session."""
    _set(answer, desk, _name(desk, "visit"), desk.sign("admin", "visit", nonce), _VISIT)


def visit(request: Request, desk: Desk) -> str:
    """The nonce of `begin_visit`, empty where the browser brought none."""
    try:
        kind, nonce = desk.read("admin", request.cookies.get(_name(desk, "visit"), ""), valid=_VISIT)
    except ValueError:
        return ""
    return nonce if kind == "visit" else ""


def _session(request: Request, desk: Desk) -> Operator | None:
    try:
        kind, session, name, opened_by = desk.read(
            "admin", request.cookies.get(_name(desk, "admin"), ""), valid=_LONGEST
        )
    except ValueError:
        return None
    good = kind == "session" and hmac.compare_digest(opened_by, _fingerprint(desk))
    return Operator(name, session) if good and not audit.ended(desk.workspace.engine, session) else None


def _fingerprint(desk: Desk) -> str:
    """Another password, another fingerprint; it does not give the password away."""
    admin = admin_of(desk)
    password = "" if admin.header else desk.workspace.settings.admin_password()
    return hmac.new(b"session " + desk.workspace.key, password.encode(), hashlib.sha256).hexdigest()[:24]


def _name(desk: Desk, what: str) -> str:
    """Under https browsers hold the prefix to its word (RFC 6265bis, 4.1.3.1)."""
    return f"{'__Secure-' if desk.secure else ''}newsletter-{what}"


def _set(answer: Response, desk: Desk, name: str, value: str, age: timedelta) -> None:
    answer.set_cookie(
        name, value, max_age=int(age.total_seconds()), path=f"{desk.prefix}/admin", secure=desk.secure, httponly=True,
        samesite="strict",
    )  # fmt: skip
