"""The reader's document itself, checked while they type and saved under the same rules."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from newsletter.model import Subscriber
from newsletter.pipeline import roster
from newsletter.pipeline.roster import Document, DocumentError
from newsletter.settings import Problem
from newsletter.settings.document import fields
from newsletter.settings.subscriber import SubscriberDocument
from newsletter.web.desk import At, Desk
from newsletter.web.pages import page, render
from newsletter.web.preference_form import read_document_tree
from newsletter.web.reader import Posted, mark_of, reader_at

__all__ = ["router"]

router = APIRouter()

LARGEST = 200_000  # bytes of a document on this page; a request takes a little more
_MOVED = (
    "Your address cannot be changed here, because the new one has to be confirmed. Put {email} back; for another "
    "address, subscribe with it and then unsubscribe this one"
)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A text as it was typed, and what is wrong with it; `subscriber` only where it may be saved."""

    text: str
    problems: tuple[Problem, ...]
    subscriber: Subscriber | None


@router.get("/p/{token}/document")
def document(request: Request, desk: At, token: str, saved: str = "") -> HTMLResponse:
    """The document as it is."""
    reader, present = _present(desk, token)
    return _page(request, token, reader, present, _checked(desk, reader, present.text), saved=bool(saved))


@router.post("/p/{token}/document/check")
def check(request: Request, desk: At, token: str, form: Posted) -> HTMLResponse:
    """What is wrong with the text: a fragment for the script, else the page with it. Nothing is written."""
    reader, present = _present(desk, token)
    checked = _checked(desk, reader, _text(form))
    if "x-fragment" in request.headers:
        return HTMLResponse(render(desk, "document_problems", checked=checked))
    return _page(request, token, reader, Document(reader.name, present.text, mark_of(form)), checked, looked=True)


@router.post("/p/{token}/document")
def save(request: Request, desk: At, token: str, form: Posted) -> Response:
    """Puts the text in the place of the document, if it is right and nobody has saved meanwhile."""
    reader, present = _present(desk, token)
    checked = _checked(desk, reader, _text(form))
    begun = Document(reader.name, present.text, mark_of(form))
    if checked.subscriber is None:
        return _page(request, token, reader, begun, checked, status=422, looked=True)
    try:
        if begun.mark == present.mark:
            roster.save_document(desk.workspace, begun, checked.text, now=desk.clock())
            return RedirectResponse(f"{desk.prefix}/p/{token}/document?saved=yes", 303)
    except DocumentError as error:
        if not error.stale:
            raise
    return _page(request, token, *_present(desk, token), checked, status=409, stale=True, looked=True)


def _present(desk: Desk, token: str) -> tuple[Subscriber, Document]:
    reader = reader_at(desk, token)
    found = roster.read_document(desk.workspace, reader.name)
    if found is None:
        raise HTTPException(404)
    return reader, found


def _text(form: FormData) -> str:
    """What was typed, with the line ends that people type; browsers send others."""
    return str(form.get("document", "")).replace("\r\n", "\n").replace("\r", "\n")


def _checked(desk: Desk, reader: Subscriber, text: str) -> _Checked:
    """The rules of `newsletter check`, and those of this page: not too long, and the address stays."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST:
        why = f"{size:,} bytes; this page takes {LARGEST:,} at most. Ask us, and we put the document in its place"
        return _Checked(text, (Problem("", 1, 1, why),), None)
    found, problems = roster.check_document(desk.workspace, reader.name, text)
    if found is not None and desk.hash(found.email) != desk.hash(reader.email):
        line, column = read_document_tree(text).place(("email",))
        moved = Problem("", line, column, _MOVED.format(email=reader.email))
        return _Checked(text, (moved, *problems), None)
    return _Checked(text, problems, found)


def _page(
    request: Request, token: str, reader: Subscriber, present: Document, checked: _Checked, *, status: int = 200,
    saved: bool = False, stale: bool = False, looked: bool = False,
) -> HTMLResponse:  # fmt: skip
    return page(
        request, "document", status=status, token=token, reader=reader, here="document", mark=present.mark,
        checked=checked, saved=saved, stale=stale, looked=looked, largest=LARGEST,
        keys=[(name, info.description) for name, info in fields(SubscriberDocument).items()],
    )  # fmt: skip
