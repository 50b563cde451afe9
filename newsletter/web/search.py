"""Search over the archive's papers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from newsletter.identity import arxiv_id, doi_id
from newsletter.store import shelf
from newsletter.store.query import LONGEST
from newsletter.store.search import CLOSE, OPEN, Found, Hit, Piece, pieces, search
from newsletter.text import readable, tidy
from newsletter.web import catalogue
from newsletter.web.desk import At
from newsletter.web.pages import page
from newsletter.web.public import PUBLIC, kept

__all__ = ["PAGE", "named_paper", "read_pieces", "router"]

router = APIRouter(dependencies=PUBLIC)
PAGE = 20


@router.get("/search")
def find(request: Request, desk: At, q: str = "") -> Response:
    """What is typed finds papers; an arXiv id, a DOI or the address of one leads to the paper."""
    typed = tidy(q[:LONGEST])
    if path := named_paper(desk, typed):
        return RedirectResponse(desk.prefix + path, 303)
    asked = request.query_params.get("page", "")
    number = max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 1
    engine = desk.workspace.engine
    found = search(engine, typed, limit=PAGE, offset=PAGE * (number - 1)) if typed else Found(0)
    answer = page(
        request, "search", typed=typed, found=found, hits=[_shown(hit) for hit in found.hits], number=number,
        pages=-(-found.total // PAGE), first=PAGE * (number - 1) + 1,
    )  # fmt: skip
    return kept(request, answer)


def named_paper(desk: At, typed: str) -> str:
    """The page of the paper that the text names by id or address; empty where it is no name or of no paper here."""
    if not (arxiv_id(typed) or doi_id(typed)):
        return ""
    known = shelf.public_paper(desk.workspace.engine, typed)
    return catalogue.paper_path(known.paper.id) if known else ""


def read_pieces(given: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces as a person reads them: LaTeX and Markdown gone, the highlights where they were."""
    return pieces(readable("".join(f"{OPEN}{text}{CLOSE}" if found else text for text, found in given)))


def _shown(hit: Hit) -> tuple[catalogue.Card, tuple[Piece, ...], tuple[Piece, ...], object]:
    made = catalogue.card(hit.found.paper)
    return made, read_pieces(hit.title) or ((made.title, False),), read_pieces(hit.snippet), hit.found.day
