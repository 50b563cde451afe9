"""The way out: one click (RFC 8058), no login, never by GET.

A mail program's POST is answered with 200 and a line of text as soon as the reader's word is durable, whoever they are
by now. The page's own button leads back to the page, which then offers the way back in.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteError
from starlette.requests import ClientDisconnect

from newsletter.model import Subscriber
from newsletter.pipeline import roster, withdrawal
from newsletter.pipeline.links import link_keys
from newsletter.store.suppression import address_hash
from newsletter.tokens import TokenError, read
from newsletter.web.desk import At, Desk, desk_of
from newsletter.web.pages import page

__all__ = ["router"]

router = APIRouter()
_METHODS = "GET, HEAD, POST, OPTIONS"


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
def way_out(request: Request, desk: At, token: str, again: str = "") -> HTMLResponse:
    """One button: to leave, or for who has left to start again. Changes nothing."""
    subscriber, hashed = _opened(desk, token)
    reader = _reader(desk, subscriber, hashed)
    left = withdrawal.left(desk.standing, hashed)
    return page(
        request, "unsubscribe", token=token, left=left, known=reader is not None, again=bool(again) and not left,
        address=_masked(reader.email) if reader else "",
    )  # fmt: skip


@router.post("/u/{token}")
async def leave(request: Request, token: str) -> Response:
    """Takes the reader's word. Reads no profile, and waits for the body and for one commit alone."""
    desk = desk_of(request)  # no dependency: those run in a thread of their own
    subscriber, hashed = _opened(desk, token)
    by_hand = await _by_hand(request)
    source = "page" if by_hand else "one click"
    await _exits(request, desk).withdraw(hashed, subscriber, source=source, at=desk.clock())
    if by_hand:
        return RedirectResponse(f"{desk.prefix}/u/{token}", 303)
    return PlainTextResponse("You get no more letters.\n")


@router.options("/u/{token}")
async def options(token: str) -> Response:  # noqa: ARG001  for every token the same
    """What may be done here."""
    return Response(status_code=204, headers={"Allow": _METHODS})


@router.post("/u/{token}/again")
def start_again(desk: At, token: str) -> RedirectResponse:
    """Lifts what the reader's own word had stopped, and nothing else."""
    subscriber, hashed = _opened(desk, token)
    reader = _reader(desk, subscriber, hashed)
    if reader is not None:
        withdrawal.resume(desk.standing, reader.name, reader.email, source="page", at=desk.clock())
    return RedirectResponse(f"{desk.prefix}/u/{token}?again=yes", 303)


def _opened(desk: Desk, token: str) -> tuple[str, str]:
    """(subscriber, hash of the address); else 404."""
    keys = link_keys(desk.standing.settings, desk.standing.key)
    try:
        subscriber, hashed = read(keys, "unsubscribe", token, now=desk.clock())
    except (TokenError, ValueError) as error:
        raise HTTPException(404) from error
    return subscriber, hashed


def _reader(desk: Desk, name: str, hashed: str) -> Subscriber | None:
    """The reader whose letter held the link, if they are still there and have the same address."""
    reader = roster.reader_of(desk.standing, name)
    return reader if reader is not None and address_hash(reader.email, desk.standing.key) == hashed else None


async def _by_hand(request: Request) -> bool:
    """Whether the page's own button was pressed. Whatever else is in the body, a POST is the reader's word."""
    try:
        async with request.form() as form:
            return "page" in form
    except (StarletteError, ClientDisconnect):
        return False


def _exits(request: Request, desk: Desk) -> withdrawal.Exits:
    """The application's one place where those who leave are gathered."""
    state = request.app.state
    if not hasattr(state, "exits"):
        state.exits = withdrawal.Exits(desk.standing.engine)
    exits: withdrawal.Exits = state.exits
    return exits


def _masked(email: str) -> str:
    """Enough of the address for who has several, too little for a stranger: ``a…@example.org``."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
