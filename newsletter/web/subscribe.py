"""The first page and the way in: subscribe, with a mail that asks whether the address is the reader's own.

Whoever fills in the form learns nothing about the address: the page that answers is the same for one that is known,
waiting, closed or new, what is done before it is the same, and the mail is written afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import structlog
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.background import BackgroundTask

from newsletter.errors import NewsletterError
from newsletter.model import Subscriber
from newsletter.pipeline import roster, subscribing, withdrawal
from newsletter.pipeline.links import preferences_link
from newsletter.pipeline.mails import post_mail
from newsletter.settings.fields import WEEKDAYS
from newsletter.store import editions
from newsletter.text import tidy
from newsletter.web.desk import At, Desk
from newsletter.web.pages import page, render
from newsletter.web.previewing import Previewed, preview_of

__all__ = ["router"]

log = structlog.get_logger()
router = APIRouter()
_WAITS = (5.0, 60.0)  # seconds before a deferred mail is tried again
_THEMES = 8
_NOBODY = "preview@example.org"
_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
_DAYS = {"daily": "Every day", "weekdays": "Monday to Friday"} | {
    f"weekly-{day}": f"Once a week, on {day.title()}" for day in WEEKDAYS
}
_KEY = re.compile(r"(\w+):")
_LABEL = re.compile(r"^(?:the document|\w+)(?:\[(?P<line>\d+)\])?(?:\.\w+)?(?P<rest>:? .*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed into the form, as it was typed."""

    email: str = ""
    name: str = ""
    send_at: str = "07:00"
    days: str = "weekdays"
    timezone: str = "UTC"
    interests: str = ""

    def values(self) -> dict[str, Any]:
        """The same as a subscriber's document has it."""
        kind, _, day = self.days.partition("-")
        lines = (tidy(line).removeprefix("- ").strip() for line in self.interests.splitlines())
        return {
            "email": tidy(self.email), "name": tidy(self.name), "timezone": tidy(self.timezone),
            "send_at": tidy(self.send_at), "days": {"weekly": day} if day else kind,
            "interests": list(dict.fromkeys(line for line in lines if line)),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """A wish that was checked: its document, its subscriber where it is right, and by field what is wrong."""

    document: str
    subscriber: Subscriber | None
    wrong: Mapping[str, list[str]] = field(default_factory=dict)


def _wish(
    *, email: Annotated[str, Form()] = "", name: Annotated[str, Form()] = "", send_at: Annotated[str, Form()] = "07:00",
    days: Annotated[str, Form()] = "weekdays", timezone: Annotated[str, Form()] = "UTC",
    interests: Annotated[str, Form()] = "",
) -> Wish:  # fmt: skip
    return Wish(email, name, send_at, days, timezone, interests)


Wished = Annotated[Wish, Depends(_wish)]
Trap = Annotated[str, Form()]


@router.get("/")
def first(request: Request, desk: At) -> HTMLResponse:
    """What this is, what today's edition holds, and the form."""
    wish = Wish(timezone=desk.workspace.settings.schedule.timezone)
    answer = _page(request, desk, wish, guess=True)
    answer.headers["Cache-Control"] = "public, max-age=60"
    return answer


@router.get("/subscribe")
def form(desk: At) -> Response:
    """The form is on the first page."""
    return RedirectResponse(desk.prefix + "/#subscribe", 303)


@router.post("/subscribe/preview")
def preview(request: Request, desk: At, wish: Wished) -> HTMLResponse:
    """What today's letter would hold: the whole page, or the fragment alone for a script. Stores nothing."""
    _require_open(desk)
    network = subscribing.site_of(request.client.host if request.client else None)
    if not request.app.state.previews.takes(network, desk.clock()):
        raise HTTPException(429, headers={"Retry-After": "60"})
    read = _read(desk, wish, nobody=True)
    shown = preview_of(desk, read.subscriber) if read.subscriber else None
    if "x-fragment" in request.headers:
        return HTMLResponse(render(desk, "preferences_preview", preview=shown))
    return _page(request, desk, wish, read=read, preview=shown, previewed=True)


@router.post("/subscribe")
def subscribe(request: Request, desk: At, wish: Wished, website: Trap = "") -> Response:
    """Keeps the wish and writes to the address; the answer tells nothing about it. `website` is for machines alone."""
    _require_open(desk)
    read = _read(desk, wish)
    if read.subscriber is None:
        return _page(request, desk, wish, read=read, status=422)
    answer = RedirectResponse(desk.prefix + "/subscribe/sent", 303)
    if website:
        log.info("a machine filled in the form")
        return answer
    now, host = desk.clock(), request.client.host if request.client else None
    asked = subscribing.ask(
        desk.workspace, read.subscriber.email, read.document, host=host, source=f"the form at {desk.absolute('/')}",
        at=now,
    )  # fmt: skip
    if asked == "network":
        raise HTTPException(429, headers={"Retry-After": "3600"})
    if isinstance(asked, subscribing.Pending):  # else the address has had its mails for today
        answer.background = BackgroundTask(_write_to, desk, asked)
    return answer


@router.get("/subscribe/sent")
def sent(request: Request, desk: At) -> HTMLResponse:
    """What to do now: the same for every address."""
    _require_open(desk)
    return page(request, "subscribe_sent", hours=int(subscribing.VALID / timedelta(hours=1)))


@router.get("/confirm/{token}")
def ask_to_confirm(request: Request, desk: At, token: str) -> HTMLResponse:
    """One button; afterwards, when the next letter comes. Changes nothing."""
    found = subscribing.opened(desk.workspace, token, at=desk.clock())
    status = {"expired": 410, "unknown": 404}.get(found.state, 200)
    return page(
        request, "confirm", status=status, token=token, state=found.state, email=found.email, **_next(desk, found)
    )


@router.post("/confirm/{token}")
def confirm(desk: At, token: str) -> Response:
    """Makes a subscriber of who asked; a second time it leads to the same page."""
    found = subscribing.confirm(desk.workspace, token, at=desk.clock())
    log.info("confirmation", state=found.state)
    return RedirectResponse(f"{desk.prefix}/confirm/{token}", 303)


def _require_open(desk: Desk) -> None:
    if not desk.web.subscribe:
        raise HTTPException(404)


async def _write_to(desk: Desk, pending: subscribing.Pending) -> None:
    """The mail that belongs to what is known of the address; nobody waits for it."""
    workspace, now = desk.workspace, desk.clock()
    try:
        letter = await run_in_threadpool(subscribing.mail_for, workspace, pending, at=now)
    except NewsletterError as error:
        log.warning("mail not written", why=str(error))
        return
    if letter is not None:
        await post_mail(workspace, letter.to, letter.template, letter.values, at=now, waits=_WAITS)


def _read(desk: Desk, wish: Wish, *, nobody: bool = False) -> Read:
    """The wish, checked as `newsletter check` does; for `nobody` only what a preview needs."""
    values = wish.values()
    missing = not nobody and not values["email"]
    if nobody:
        values |= {"name": "", "days": "daily"}
    if nobody or missing:
        values["email"] = _NOBODY
    document = subscribing.document_of(values, on=desk.clock().date().isoformat())
    subscriber, problems = roster.check_document(desk.workspace, "", document)
    wrong: dict[str, list[str]] = {}
    for problem in problems:
        if problem.severity == "error":
            key, message = _said(document, problem.line, problem.message)
            wrong.setdefault(key, []).append(message)
    if missing:
        wrong["email"] = ["Write the address that the letter goes to."]
    return Read(document, None if missing else subscriber, wrong)


def _said(document: str, line: int, message: str) -> tuple[str, str]:
    """(field, message without the key that the field's label says) of a problem in a document of our own making."""
    keys = [match[1] for text in document.splitlines()[: max(line, 1)] if (match := _KEY.match(text))]
    match = _LABEL.match(message)
    rest = match["rest"].lstrip(": ") if match else message
    where = f"Line {match['line']}: " if match and match["line"] else ""
    return (keys[-1] if keys else "email"), where + (rest if where else rest[:1].upper() + rest[1:])


def _page(
    request: Request, desk: Desk, wish: Wish, *, read: Read | None = None, preview: Previewed | None = None,
    status: int = 200, guess: bool = False, previewed: bool = False,
) -> HTMLResponse:  # fmt: skip
    edition = editions.newest_edition(desk.workspace.engine, desk.clock().date())
    themes = sorted(edition.themes, key=lambda theme: -len(theme.papers))[:_THEMES] if edition else []
    return page(
        request, "home", status=status, wish=wish, wrong=read.wrong if read else {}, preview=preview, guess=guess,
        previewed=previewed, days=_DAYS, zones=_zones(), edition=edition, themes=themes,
    )  # fmt: skip


def _next(desk: Desk, found: subscribing.Opened) -> dict[str, Any]:
    """When the reader's next letter comes, in their own zone, and where their preferences are."""
    reader, now = found.reader, desk.clock()
    if reader is None or withdrawal.withdrawn(desk.workspace, reader.email):
        return {"reader": None, "next": None, "soon": False, "preferences": ""}
    at = subscribing.next_letter(desk.workspace, reader, now)
    return {
        "reader": reader, "next": at.astimezone(ZoneInfo(reader.timezone)) if at else None, "soon": at == now,
        "preferences": preferences_link(desk.workspace, reader.name, reader.email, at=now) if found.own else "",
    }  # fmt: skip


@cache
def _zones() -> dict[str, list[str]]:
    """The zones of the world by region."""
    known = sorted(available_timezones())
    return {region: [zone for zone in known if zone.startswith(region + "/")] for region in _REGIONS} | {
        "Elsewhere": ["UTC"]
    }
