"""What a reader wants, by the signed link of their letters: one form, its preview, and a pause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from newsletter.model import Subscriber
from newsletter.pipeline import roster, withdrawal
from newsletter.pipeline.links import preferences_link, unsubscribe_link
from newsletter.pipeline.mails import send_mail
from newsletter.pipeline.roster import Document, DocumentError
from newsletter.settings import Problem
from newsletter.settings.fields import WEEKDAYS
from newsletter.settings.subscriber import SubscriberDocument
from newsletter.store import archive, ledger
from newsletter.store.suppression import address_hash
from newsletter.text import readable
from newsletter.web import document as document_tab
from newsletter.web.desk import At, Desk, desk_of
from newsletter.web.pages import page, render
from newsletter.web.preference_form import (
    Row,
    Said,
    Typed,
    changes,
    differing,
    read_document_tree,
    said_of,
    typed_from,
    typed_of,
)
from newsletter.web.previewing import preview_of
from newsletter.web.reader import LinkExpiredError, Posted, expired_reader, mark_of, reader_at

__all__ = ["expired", "router"]

router = APIRouter()
router.include_router(document_tab.router)

_EMPTY = 5  # rows for new interests
_LIKES = 200  # of the newest are listed
_LANGUAGES = {
    "en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "zh": "中文", "ja": "日本語", "ar": "العربية",
}  # fmt: skip
_WEEKS = {"1": "One week", "2": "Two weeks", "4": "Four weeks"}


@dataclass(frozen=True, slots=True)
class _Opened:
    """Whose preferences are open, and their document as it is now."""

    token: str
    reader: Subscriber
    document: Document
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Tried:
    """The document as it would be, who it would describe, and what is wrong with it."""

    text: str
    subscriber: Subscriber | None
    problems: tuple[Problem, ...]


@router.get("/p/{token}")
def preferences(request: Request, desk: At, token: str, saved: str = "") -> HTMLResponse:
    """The form as the document has it."""
    opened = _open(desk, token)
    problems = roster.check_document(desk.workspace, opened.reader.name, opened.document.text)[1]
    typed = typed_of(opened.data)
    said = said_of(opened.document.text, problems, typed.interests)
    return _form(request, desk, opened, typed, said, saved=bool(saved))


@router.post("/p/{token}")
def save(request: Request, desk: At, token: str, form: Posted) -> Response:
    """Writes down what was typed, if the rules of `newsletter check` let it and nobody has saved meanwhile."""
    opened, typed = _open(desk, token), typed_from(form)
    tried = _tried(desk, opened, typed)
    if tried.subscriber is None:
        said = said_of(tried.text, tried.problems, typed.interests)
        return _form(request, desk, opened, typed, said, status=422, mark=mark_of(form))
    if mark_of(form) != opened.document.mark or not _saved(desk, opened.document, tried.text):
        return _form(request, desk, _open(desk, token), typed, Said({}, {}), status=409, stale=True)
    _hold(desk, tried.subscriber)
    return RedirectResponse(f"{desk.prefix}/p/{token}?saved=yes", 303)


@router.post("/p/{token}/preview")
def preview(request: Request, desk: At, token: str, form: Posted) -> HTMLResponse:
    """What today's letter would hold for what is typed: a fragment for the script, else the page with it."""
    opened, typed = _open(desk, token), typed_from(form)
    tried = _tried(desk, opened, typed)
    shown = preview_of(desk, tried.subscriber) if tried.subscriber else None
    if "x-fragment" in request.headers:
        return HTMLResponse(render(desk, "preferences_preview", preview=shown))
    said = said_of(tried.text, tried.problems, typed.interests)
    return _form(request, desk, opened, typed, said, mark=mark_of(form), preview=shown, previewing=True)


@router.get("/p/{token}/pause")
def pause(request: Request, desk: At, token: str) -> HTMLResponse:
    """A few buttons: one week, two, four, until a day, or start again."""
    return _pause(request, desk, reader_at(desk, token), token)


@router.post("/p/{token}/pause")
def set_pause(request: Request, desk: At, token: str, form: Posted) -> Response:
    """Pauses or starts again; nothing else of the document changes."""
    opened = _open(desk, token)
    asked = str(form.get("weeks") or form.get("until") or "")
    if "again" in form:
        until: date | None = None
    else:
        until = _until(asked, _today(desk, opened.reader))
        if until is None:
            why = f"Name a day after today, such as {_today(desk, opened.reader) + timedelta(days=14)}"
            return _pause(request, desk, opened.reader, token, status=422, wrong=why, asked=asked)
    try:
        text = roster.changed_text(desk.workspace, opened.document, {"pause_until": until})
    except DocumentError as error:
        why = ". ".join(problem.message for problem in error.problems)
        return _pause(request, desk, opened.reader, token, status=422, wrong=why, asked=asked)
    if not _saved(desk, opened.document, text):
        why = "Your preferences were saved elsewhere at this moment. Press the button again"
        return _pause(request, desk, opened.reader, token, status=409, wrong=why, asked=asked)
    if reader := roster.reader_of(desk.workspace, opened.reader.name):
        _hold(desk, reader)
    return RedirectResponse(f"{desk.prefix}/p/{token}/pause", 303)


@router.post("/p/{token}/fresh")
def fresh(request: Request, desk: At, token: str) -> Response:
    """Mails a link that works to whoever an expired one was made for, not twice within minutes."""
    reader = expired_reader(desk, token)
    mail: BackgroundTask | None = None
    if request.app.state.links.takes(f"fresh {reader.name}", desk.clock()):
        link = {"link": preferences_link(desk.workspace, reader.name, reader.email, at=desk.clock())}
        mail = BackgroundTask(send_mail, desk.workspace, reader.email, "fresh", link, at=desk.clock())
    return RedirectResponse(f"{desk.prefix}/p/{token}/fresh", 303, background=mail)


@router.get("/p/{token}/fresh")
def freshened(request: Request, desk: At, token: str) -> HTMLResponse:
    """Says that the mail is on its way."""
    expired_reader(desk, token)
    return page(request, "preferences_expired", token=token, sent=True, days=desk.web.link_days)


def expired(request: Request, error: Exception) -> HTMLResponse:
    """The page of a reader's link that is too old, whichever page it was for."""
    if not isinstance(error, LinkExpiredError):
        raise error
    days = desk_of(request).web.link_days
    return page(request, "preferences_expired", status=410, token=error.token, sent=False, days=days)


def _open(desk: Desk, token: str) -> _Opened:
    reader = reader_at(desk, token)
    document = roster.read_document(desk.workspace, reader.name)
    if document is None:
        raise HTTPException(404)
    return _Opened(token, reader, document, read_document_tree(document.text).data)


def _tried(desk: Desk, opened: _Opened, typed: Typed) -> _Tried:
    wanted = changes(opened.data, typed)
    try:
        text = roster.changed_text(desk.workspace, opened.document, wanted)
    except DocumentError as error:
        return _Tried(opened.document.text, None, error.problems)
    return _Tried(text, *roster.check_document(desk.workspace, opened.reader.name, text))


def _saved(desk: Desk, document: Document, text: str) -> bool:
    """False where somebody else has saved the document meanwhile."""
    try:
        roster.save_document(desk.workspace, document, text, now=desk.clock())
    except DocumentError as error:
        if not error.stale:
            raise
        return False
    return True


def _hold(desk: Desk, reader: Subscriber) -> None:
    """A letter that waits for a reader who pauses is not sent."""
    if reader.paused_until is not None and reader.paused_until > _today(desk, reader):
        ledger.withdraw(desk.workspace.engine, reader.name, f"paused until {reader.paused_until}", desk.clock())


def _today(desk: Desk, reader: Subscriber) -> date:
    return desk.clock().astimezone(ZoneInfo(reader.timezone)).date()


def _until(asked: str, today: date) -> date | None:
    """The first day with a letter again; None where it is none, or not after today."""
    if asked in _WEEKS:
        return today + timedelta(weeks=int(asked))
    try:
        until = date.fromisoformat(asked)
    except ValueError:
        return None
    return until if until > today else None


def _pause(
    request: Request, desk: Desk, reader: Subscriber, token: str, *, status: int = 200, wrong: str = "", asked: str = ""
) -> HTMLResponse:
    today = _today(desk, reader)
    paused = reader.paused_until if reader.paused_until and reader.paused_until > today else None
    return page(
        request, "preferences_pause", status=status, token=token, reader=reader, here="preferences", paused=paused,
        weeks=_WEEKS, wrong=wrong, asked="" if asked in _WEEKS else asked, tomorrow=today + timedelta(days=1),
    )  # fmt: skip


def _form(
    request: Request, desk: Desk, opened: _Opened, typed: Typed, said: Said, *, status: int = 200, mark: str = "",
    **more: Any,
) -> HTMLResponse:  # fmt: skip
    """The page; `mark` is that of the document that the reader began with."""
    rows = [*typed.interests, *(Row(group=typed.interests[-1].group if typed.interests else "") for _ in range(_EMPTY))]
    groups = list(opened.data["interests"]) if isinstance(opened.data.get("interests"), dict) else []
    hashed = address_hash(opened.reader.email, desk.workspace.key)
    shown = {"saved": False, "stale": False, "preview": None, "previewing": False} | more
    return page(
        request, "preferences", status=status, token=opened.token, reader=opened.reader, here="preferences",
        typed=typed, rows=rows, filled=len(typed.interests), groups=groups, said=said,
        left=withdrawal.left(desk.workspace, hashed),
        way_out=unsubscribe_link(desk.workspace, opened.reader.name, opened.reader.email, at=desk.clock()),
        mark=mark or opened.document.mark, differs=differing(opened.data, typed) if shown["stale"] else [],
        rated={name: _rated(desk, opened, name) for name in ("likes", "dislikes")}, weekdays=WEEKDAYS,
        languages=_LANGUAGES | ({} if typed.language in _LANGUAGES else {typed.language: typed.language}),
        zones=_zones(), zone=desk.workspace.settings.schedule.timezone, newest=_LIKES,
        paused=opened.reader.paused_until, today=_today(desk, opened.reader), **shown,
    )  # fmt: skip


def _rated(desk: Desk, opened: _Opened, name: str) -> list[tuple[str, str]]:
    """(id as it is written, title or id) of liked or disliked papers, the newest first."""
    written = opened.data.get(name) or []
    ids = getattr(SubscriberDocument.model_validate(opened.data), name)
    known = archive.papers(desk.workspace.engine, ids[-_LIKES:])
    pairs = [(str(one), known[key].title if key in known else key) for one, key in zip(written, ids, strict=True)]
    return [(one, readable(title)) for one, title in pairs[::-1]]


@cache
def _zones() -> list[str]:
    return sorted(available_timezones() - {"localtime", "Factory"})
