"""The way out: one click (RFC 8058), no login, never by GET.

A mail program's POST is answered with 200 and a line of text as soon as the reader's word is durable, whoever they are
by now. The page's own button leads back to the page, which then offers the way back in.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteError
from starlette.requests import ClientDisconnect

from newsletter.model import Subscriber
from newsletter.pipeline import roster, withdrawal
from newsletter.store.suppression import address_hash
from newsletter.web.desk import At, Desk, desk_of
from newsletter.web.pages import page
from newsletter.web.reader import masked

__all__ = ["router"]

router = APIRouter()
_METHODS = "GET, HEAD, POST, OPTIONS"


@router.get("/u/{token}")
def way_out(request: Request, desk: At, token: str, again: str = "") -> HTMLResponse:
    """One button: to leave, or for who has left to start again. Changes nothing."""
    subscriber, hashed = desk.open("unsubscribe", token)
    reader = _reader(desk, subscriber, hashed)
    left = withdrawal.left(desk.standing, hashed)
    return page(
        request, "unsubscribe", token=token, left=left, known=reader is not None, again=bool(again) and not left,
        address=masked(reader.email) if reader else "",
    )  # fmt: skip


@router.post("/u/{token}")
async def leave(request: Request, token: str) -> Response:
    """Takes the reader's word. Reads no profile, and waits for the body and for one commit alone."""
    desk = desk_of(request)  # no dependency: those run in a thread of their own
    subscriber, hashed = desk.open("unsubscribe", token)
    by_hand = await _by_hand(request)
    source = "page" if by_hand else "one click"
    exits: withdrawal.Exits = request.app.state.exits  # where those who leave at one time are gathered
    await exits.withdraw(hashed, subscriber, source=source, at=desk.clock())
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
    subscriber, hashed = desk.open("unsubscribe", token)
    reader = _reader(desk, subscriber, hashed)
    if reader is not None:
        withdrawal.resume(desk.standing, reader.name, reader.email, source="page", at=desk.clock())
    return RedirectResponse(f"{desk.prefix}/u/{token}?again=yes", 303)


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
