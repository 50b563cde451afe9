"""A reader's letters in the browser: the list of them, and each one whole, as it was frozen.

A letter's own link works for ever. So the links in it are signed as of its day: who has an old letter must not get
from it one that opens the preferences.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from newsletter.pipeline.links import preferences_link
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
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]  # a delivery's number, as PostgreSQL's integer holds it


@router.get("/p/{token}/letters")
def letters(request: Request, desk: At, token: str, before: Before = None) -> HTMLResponse:
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
    parts, workspace = desk.open("letter", token), desk.workspace
    reader = reader_of_parts(desk, parts)
    found = frozen.letter_to(workspace.engine, reader.name, parts[1], address_hash(reader.email, workspace.key))
    if found is None:
        raise HTTPException(404)
    then = datetime.combine(found.day, time(), UTC)
    head, body, end = letter_page(workspace, found, at=then).rpartition("</body>")
    own = preferences_link(workspace, reader.name, reader.email, at=then)
    below = render(desk, "letters_below", letter=found, shares=theme_shares(workspace, found), own=own)
    text = head + below + body + end if body else end + below
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY})
