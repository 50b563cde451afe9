"""The archive as JSON, described by OpenAPI."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from newsletter.letter.view import paper_link, safe_url
from newsletter.letter.wording import label
from newsletter.model import ArchivedPaper, Momentum, Paper
from newsletter.store import shelf
from newsletter.store.query import LONGEST
from newsletter.store.search import RANKED, search
from newsletter.text import readable
from newsletter.web import api_models as answers
from newsletter.web import catalogue
from newsletter.web.desk import At, Desk
from newsletter.web.public import PUBLIC, frozen_age, kept

__all__ = ["router"]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"model": answers.Problem, "description": "There is no such thing here, or the archive is not public."},
    422: {"model": answers.Problem, "description": "A parameter is not what it should be."},
}
_PAPERS = 300  # of a theme
_PAGE = 50

router = APIRouter(prefix="/api", dependencies=PUBLIC, tags=["archive"])
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Day = Annotated[date, Path(description="The edition's day.", examples=["2025-05-27"])]
ThemeId = Annotated[str, Path(description="A theme's id, as a list of themes has it.", min_length=1, max_length=100)]
PaperId = Annotated[
    str,
    Path(description="A paper's id; arXiv ids, DOIs and addresses lead to it too.", min_length=1, max_length=500),
]


@router.get("/openapi.json", include_in_schema=False)
def schema(request: Request) -> Response:
    """This API, described."""
    text = json.dumps(request.app.openapi(), ensure_ascii=False)
    return kept(request, Response(text, media_type="application/json"))


@router.get("/v1/editions", responses=_PROBLEMS, response_model=answers.EditionList)
def editions(
    request: Request, desk: At, limit: Limit = 30, offset: Annotated[int, Query(ge=0, le=100_000)] = 0
) -> Response:
    """The editions, newest first."""
    days = shelf.edition_days(desk.workspace.engine)[::-1]
    wanted = days[offset : offset + limit]
    found = shelf.editions_between(desk.workspace.engine, wanted[-1], wanted[0]) if wanted else []
    made = (catalogue.brief(edition) for edition in found)
    entries = tuple(
        answers.EditionEntry(
            day=one.day, url=_edition_url(desk, one.day), papers=one.papers, themes=one.themes, top=one.top
        )
        for one in made
    )
    return _json(request, answers.EditionList(total=len(days), editions=entries))


@router.get("/v1/editions/{day}", responses=_PROBLEMS, response_model=answers.EditionDetail)
def edition(request: Request, desk: At, day: Day) -> Response:
    """One edition: its papers, its themes, the map of its window."""
    issue = catalogue.issue(desk.workspace, day)
    if issue is None:
        raise HTTPException(404)
    themes = tuple(
        answers.EditionTheme(
            id=theme.id, label=label(theme, "en"), keywords=tuple(map(readable, theme.keywords)),
            momentum=_movement(theme.momentum), papers=theme.papers,
        )
        for theme in issue.edition.themes
    )  # fmt: skip
    points = issue.drawn.points if issue.drawn else ()
    made = answers.EditionDetail(
        day=day, url=_edition_url(desk, day), themes=themes,
        papers=tuple(answers.PaperEntry(**_paper(desk, paper, None)) for paper in issue.edition.papers),
        map=tuple(answers.MapPoint(paper=p.paper, theme=p.theme, x=p.x, y=p.y) for p in points),
    )  # fmt: skip
    return _json(request, made, frozen_age(desk, day))


@router.get("/v1/themes", responses=_PROBLEMS, response_model=answers.ThemeList)
def themes(request: Request, desk: At) -> Response:
    """Every theme of the newest window, largest first."""
    day, alive = catalogue.alive_themes(desk.workspace)
    entries = tuple(
        answers.ThemeEntry(
            id=one.id, label=one.label, keywords=one.keywords, url=desk.absolute(f"/themes/{one.id}"),
            papers=len(one.papers), week=one.week, momentum=_movement(one.momentum) if one.momentum else None,
        )
        for one in alive
    )  # fmt: skip
    return _json(request, answers.ThemeList(day=day, themes=entries))


@router.get("/v1/themes/{theme}", responses=_PROBLEMS, response_model=answers.ThemeDetail)
def theme(request: Request, desk: At, theme: ThemeId) -> Response:
    """One theme: its papers and what happened to it."""
    life = shelf.theme_life(desk.workspace.engine, theme)
    if life is None:
        raise HTTPException(404)
    found = list(shelf.listed(desk.workspace.engine, life.papers).values())
    happened = shelf.events_of(desk.workspace.engine, theme)
    known = life.theme
    made = answers.ThemeDetail(
        id=known.id, label=readable(known.label), keywords=tuple(map(readable, known.keywords)),
        url=desk.absolute(f"/themes/{known.id}"), first_day=known.first_day, last_day=known.last_day,
        papers=tuple(_entry(desk, one) for one in found[:_PAPERS]), total=len(found),
        events=tuple(answers.ThemeHappening(day=e.day, kind=e.kind, id=e.id, other=e.other) for e in happened),
    )  # fmt: skip
    return _json(request, made)


@router.get("/v1/papers", responses=_PROBLEMS, response_model=answers.Found)
def papers(
    request: Request, desk: At,
    q: Annotated[str, Query(description="As in the search box: words, phrases, -not, begin*, author:Name.")] = "",
    limit: Limit = _PAGE, offset: Annotated[int, Query(ge=0, le=RANKED)] = 0,
) -> Response:  # fmt: skip
    """Searches the archive's papers; nothing that is asked for finds nothing."""
    found = search(desk.workspace.engine, q[:LONGEST], limit=limit, offset=offset)
    entries = tuple(_entry(desk, hit.found) for hit in found.hits)
    return _json(request, answers.Found(total=found.total, more=found.more, papers=entries))


@router.get("/v1/papers/{paper:path}", responses=_PROBLEMS, response_model=answers.PaperDetail)
def paper(request: Request, desk: At, paper: PaperId) -> Response:
    """One paper."""
    archived = shelf.public_paper(desk.workspace.engine, paper)
    if archived is None:
        raise HTTPException(404)
    held, theme = shelf.themes_of_paper(desk.workspace.engine, archived)
    known = archived.paper
    made = answers.PaperDetail(
        **_paper(desk, known, archived.day), abstract=readable(known.abstract), published=known.published,
        pdf=safe_url(known.pdf), code=safe_url(known.code), project=safe_url(known.project),
        categories=known.categories, theme=theme.id if theme else None, editions=tuple(one.day for one in held),
    )  # fmt: skip
    return _json(request, made)


def _json(request: Request, made: BaseModel, age: int | None = None) -> Response:
    response = Response(made.model_dump_json(), media_type="application/json")
    return kept(request, response) if age is None else kept(request, response, age)


def _edition_url(desk: Desk, day: date) -> str:
    return desk.absolute(f"/editions/{day.isoformat()}")


def _movement(moves: Momentum) -> answers.Movement:
    return answers.Movement(trend=moves.trend, rate=moves.rate, low=moves.low, high=moves.high, history=moves.history)


def _entry(desk: Desk, one: ArchivedPaper) -> answers.PaperEntry:
    return answers.PaperEntry(**_paper(desk, one.paper, one.day))


def _paper(desk: Desk, paper: Paper, day: date | None) -> dict[str, Any]:
    return {
        "id": paper.id, "title": readable(paper.title), "authors": tuple(map(readable, paper.authors)),
        "url": desk.absolute(catalogue.paper_path(paper.id)), "source": paper_link(paper), "day": day,
        "upvotes": paper.upvotes, "comments": paper.comments, "stars": paper.stars,
    }  # fmt: skip
