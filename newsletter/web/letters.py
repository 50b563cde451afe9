"""A reader's letters in the browser: the list of them, and each one whole, as it was frozen."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from newsletter.pipeline.webview import letter_page, theme_shares
from newsletter.store import reader_letters as frozen
from newsletter.store.suppression import address_hash
from newsletter.web.desk import At
from newsletter.web.pages import page, render
from newsletter.web.reader import reader_at, reader_of_parts

__all__ = ["POLICY", "router"]

router = APIRouter()
# a letter's styles stand in its elements, because mail programs want them there; its pictures lie with the papers
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_PAGE = 50


@router.get("/p/{token}/letters")
def letters(request: Request, desk: At, token: str, before: int | None = None) -> HTMLResponse:
    """Every letter that the reader got, newest first."""
    reader = reader_at(desk, token)
    hashed = address_hash(reader.email, desk.workspace.key)
    found = frozen.got(desk.workspace.engine, reader.name, hashed, before=before, limit=_PAGE + 1)
    shown = [(one, desk.sign("letter", reader.name, one.edition, desk.hash(reader.email))) for one in found[:_PAGE]]
    return page(
        request, "letters", token=token, reader=reader, here="letters", letters=shown, first=before is None,
        older=found[_PAGE - 1].id if len(found) > _PAGE else None,
    )  # fmt: skip


@router.get("/l/{token}")
def letter(desk: At, token: str) -> HTMLResponse:
    """The letter that the token was signed for, with its themes; 404 once its reader or their address is another."""
    parts = desk.open("letter", token)
    reader = reader_of_parts(desk, parts) if len(parts) == 3 else None
    workspace = desk.workspace
    hashed = address_hash(reader.email, workspace.key) if reader else ""
    found = frozen.letter_to(workspace.engine, reader.name, parts[1], hashed) if reader else None
    if reader is None or found is None:
        raise HTTPException(404)
    head, body, end = letter_page(workspace, found, at=desk.clock()).rpartition("</body>")
    own = desk.prefix + "/p/" + desk.sign("preferences", reader.name, desk.hash(reader.email))
    below = render(desk, "letters_below", letter=found, shares=theme_shares(workspace, found), own=own)
    text = head + below + body + end if body else end + below
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})
