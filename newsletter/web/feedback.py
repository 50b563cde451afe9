"""What readers say of papers, from the links of their letters; and what they saved, as a list, BibTeX and RIS.

A letter's token lets its bearer say something, and see what was said of papers. It does not open the reader's pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.letter.view import paper_link, paper_ref
from newsletter.letter.wording import people
from newsletter.model import Paper, Subscriber
from newsletter.sources.bibliography.writing import bibtex, ris
from newsletter.store import archive, ledger, letters
from newsletter.store import feedback as store
from newsletter.store.feedback import Feedback, FeedbackKind
from newsletter.text import readable
from newsletter.web.desk import At, Desk
from newsletter.web.pages import page
from newsletter.web.reader import reader_at, reader_of_parts

__all__ = ["router"]

router = APIRouter()
_KINDS: tuple[FeedbackKind, ...] = ("more", "less", "save")
_NOTHING = frozenset[str]()
_NAMED = ("arxiv:", "doi:", "title:")  # canonical ids; other names of papers are for people


@dataclass(frozen=True, slots=True)
class Rated:
    """A paper as the pages show it, and what its reader has said of it; `ref` is its id in an address."""

    id: str
    ref: str
    title: str
    url: str
    authors: str
    said: frozenset[str]


@router.get("/f/{token}")
def whole_letter(request: Request, desk: At, token: str) -> HTMLResponse:
    """Every paper of the letter, to be rated on one page."""
    reader, edition = _opened(desk, token)
    said = _said(desk, reader)
    papers = [_rated(paper, said.get(paper.id, _NOTHING)) for paper in _papers_of(desk, reader, edition)]
    return page(request, "feedback_letter", token=token, papers=papers, edition=edition)


@router.get("/f/{token}/{kind}/{paper:path}")
def one_paper(request: Request, desk: At, token: str, kind: str, paper: str) -> HTMLResponse:
    """One paper and one button; when it was pressed, what that means, and a button that takes it back."""
    reader, _ = _opened(desk, token)
    said, known = _known(desk, kind, paper)
    shown = _rated(known, _said(desk, reader).get(known.id, _NOTHING))
    return page(request, "feedback", token=token, kind=said, paper=shown)


@router.post("/f/{token}/{kind}/{paper:path}")
def say(
    *, desk: At, token: str, kind: str, paper: str, undo: Annotated[str, Form()] = "", back: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Writes it down, or takes it back; then shows what it means."""
    reader, _ = _opened(desk, token)
    said, known = _known(desk, kind, paper)
    if undo:
        store.withdraw_feedback(desk.workspace.engine, reader.name, known.id, said)
    else:
        store.record_feedback(desk.workspace.engine, Feedback(reader.name, known.id, said, desk.clock()))
    here, ref = f"{desk.prefix}/f/{token}", paper_ref(known.id)
    return RedirectResponse(f"{here}#{ref}" if back else f"{here}/{said}/{ref}", 303)


@router.get("/p/{token}/saved")
def saved(request: Request, desk: At, token: str) -> HTMLResponse:
    """What the reader saved, newest first."""
    reader = reader_at(desk, token)
    papers = [(_rated(paper, _NOTHING), one) for one, paper in _saved(desk, reader)]
    return page(request, "saved", token=token, reader=reader, here="saved", papers=papers)


@router.post("/p/{token}/saved")
def unsave(desk: At, token: str, paper: Annotated[str, Form()]) -> RedirectResponse:
    """Takes one paper off the list."""
    reader = reader_at(desk, token)
    store.withdraw_feedback(desk.workspace.engine, reader.name, paper, "save")
    return RedirectResponse(f"{desk.prefix}/p/{token}/saved", 303)


@router.get("/p/{token}/saved.bib")
def saved_bibtex(desk: At, token: str) -> Response:
    """The same for LaTeX and reference managers."""
    papers = [paper for _, paper in _saved(desk, reader_at(desk, token))]
    return _file(bibtex(papers), "saved.bib", "application/x-bibtex")


@router.get("/p/{token}/saved.ris")
def saved_ris(desk: At, token: str) -> Response:
    """The same for reference managers."""
    papers = [paper for _, paper in _saved(desk, reader_at(desk, token))]
    return _file(ris(papers), "saved.ris", "application/x-research-info-systems")


@router.get("/test")
@router.get("/test/{rest:path}")
def of_a_test(request: Request, rest: str = "") -> HTMLResponse:  # noqa: ARG001  every link of a test letter leads here
    """What the links of a one-off test letter say: what the real ones do."""
    return page(request, "feedback_test")


def _opened(desk: Desk, token: str) -> tuple[Subscriber, str]:
    """Whose letter it was, and the edition; 404 where the address is no longer theirs."""
    parts = desk.open("letter", token)
    return reader_of_parts(desk, parts), parts[1]


def _known(desk: Desk, kind: str, name: str) -> tuple[FeedbackKind, Paper]:
    """What is said, and the paper as the archive knows it; else 404."""
    said = next((known for known in _KINDS if known == kind), None)
    found = archive.papers(desk.workspace.engine, [name]) if name.startswith(_NAMED) else {}
    if said is None or name not in found:
        raise HTTPException(404)
    return said, found[name]


def _papers_of(desk: Desk, reader: Subscriber, edition: str) -> list[Paper]:
    """The letter's papers in its order, as the archive knows them now; 404 where there is no such letter."""
    engine = desk.workspace.engine
    ids = [delivery.id for delivery in ledger.deliveries(engine, edition, None, reader.name)]
    for letter in letters.letters_of(engine, ids).values():
        themed = [entry for section in letter.sections for entry in section.entries]
        entries = [*letter.top, *themed, *letter.trending, *letter.explore]
        known = archive.papers(engine, [entry.pick.paper.id for entry in entries])
        return [known.get(entry.pick.paper.id, entry.pick.paper) for entry in entries]
    raise HTTPException(404)


def _feedback(desk: Desk, reader: Subscriber) -> Sequence[Feedback]:
    return store.feedback(desk.workspace.engine, [reader.name]).get(reader.name, ())


def _said(desk: Desk, reader: Subscriber) -> Mapping[str, frozenset[str]]:
    """What the reader has said, by paper."""
    said: dict[str, set[str]] = {}
    for one in _feedback(desk, reader):
        said.setdefault(one.paper, set()).add(one.kind)
    return {paper: frozenset(kinds) for paper, kinds in said.items()}


def _saved(desk: Desk, reader: Subscriber) -> list[tuple[Feedback, Paper]]:
    """What the reader saved, newest first; what the archive does not know is left out."""
    said = [one for one in reversed(_feedback(desk, reader)) if one.kind == "save"]
    found = archive.papers(desk.workspace.engine, [one.paper for one in said])
    return [(one, found[one.paper]) for one in said if one.paper in found]


def _rated(paper: Paper, said: frozenset[str]) -> Rated:
    title = readable(paper.title) or paper.id
    return Rated(paper.id, paper_ref(paper.id), title, paper_link(paper), people(paper.authors, "en", 4), said)


def _file(text: str, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)
