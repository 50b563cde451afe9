"""The operator's pages, behind a password or a proxy's header; 404 where `admin` is not configured.

/admin                  how it is: editions, what is due, sources, disk
/admin/login, /logout   newsletter.web.entry
/admin/editions/DAY     letters by state, the mail servers' words, resend          newsletter.web.admin_letters
/admin/test, /themes                                                               newsletter.web.admin_letters
/admin/subscribers, /returns                                                       newsletter.web.admin_readers
/admin/log              who did what
"""

from __future__ import annotations

import heapq
import secrets
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response

from newsletter import pipeline
from newsletter.delivery import STATES
from newsletter.due import next_due
from newsletter.model import Subscriber
from newsletter.pipeline.doctor import disk
from newsletter.pipeline.health import health
from newsletter.store import audit, oversight
from newsletter.web import admin_letters, admin_readers
from newsletter.web.admin_shell import ROWS, Leaf, Number, noted, show, to
from newsletter.web.desk import At, Desk
from newsletter.web.entry import (
    Acting,
    Visitor,
    admin_of,
    admit,
    begin_session,
    begin_visit,
    end_session,
    form_token,
    network_of,
    require_own_form,
    visit,
)
from newsletter.web.pages import page

router = APIRouter(include_in_schema=False)
_NEWEST = 7  # editions of the overview
_NEXT = 10  # letters of the overview


@router.get("/admin")
def show_overview(request: Request, desk: At, who: Visitor) -> Response:
    """How it is."""
    now = desk.clock()
    workspace = desk.workspace
    return show(
        request, desk, who, "admin_overview", here="overview", states=STATES,
        health=health(workspace, at=now, ask=False), disk=disk(workspace),
        editions=oversight.edition_lines(workspace.engine, _NEWEST), next_letters=_next_letters(desk, now),
        readers=len(pipeline.readers(workspace)),
    )  # fmt: skip


def _next_letters(desk: Desk, now: datetime) -> list[tuple[datetime, Subscriber]]:
    moments = ((at, reader) for reader in pipeline.readers(desk.workspace) if (at := next_due(reader, now)))
    return heapq.nsmallest(_NEXT, moments, key=lambda one: (one[0], one[1].name))


@router.get("/admin/login")
def show_login(request: Request, desk: At) -> Response:
    """The form for name and password."""
    return _login(request, desk)


@router.post("/admin/login")
def log_in(
    request: Request, desk: At, username: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "", token: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """A session for the right password; each wrong one makes the next try wait longer."""
    if admin_of(desk).header:
        raise HTTPException(404)
    if not (bound := visit(request, desk)):
        return _login(request, desk, status=422, wrong="The form was too old, or the browser keeps no cookies. Again:")
    require_own_form(request, desk, bound, token)
    wait = admit(desk, network_of(request), username, password)
    if wait is None:
        inside = to(desk, "")
        begin_session(inside, desk, username)
        return inside
    if not wait:
        return _login(request, desk, status=422, username=username, wrong="Name or password is not right.")
    seconds = int(wait.total_seconds()) + 1
    wrong = f"Too many tries. Wait {seconds} seconds before the next one; it was not looked at."
    answer = _login(request, desk, status=429, username=username, wrong=wrong)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _login(request: Request, desk: Desk, *, status: int = 200, **said: Any) -> Response:
    if admin_of(desk).header:
        raise HTTPException(404)
    nonce = secrets.token_urlsafe(18)
    values = {"username": "", "wrong": ""} | said
    answer = page(request, "admin_login", status=status, form_token=form_token(desk, nonce), **values)
    answer.headers["Referrer-Policy"] = "same-origin"  # or browsers send `Origin: null` with the form
    begin_visit(answer, desk, nonce)
    return answer


@router.post("/admin/logout")
def log_out(desk: At, who: Acting) -> Response:
    """The session ends, also for a copy of its cookie."""
    noted(desk, who, audit.LOGOUT, who.session)
    answer = to(desk, "/login")
    end_session(answer, desk)
    return answer


@router.get("/admin/log")
def show_log(request: Request, desk: At, who: Visitor, number: Number = 1) -> Response:
    """Who did what."""
    leaf = Leaf(number, audit.recorded(desk.workspace.engine))
    lines = audit.audit(desk.workspace.engine, ROWS, offset=leaf.offset)
    return show(request, desk, who, "admin_log", here="log", lines=lines, leaf=leaf, query="")


router.include_router(admin_letters.router)
router.include_router(admin_readers.router)
