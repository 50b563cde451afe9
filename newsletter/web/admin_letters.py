"""The operator's pages about letters: editions, deliveries with the servers' words, resend, test letters, themes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response

from newsletter import pipeline
from newsletter.delivery import STATES
from newsletter.errors import NewsletterError
from newsletter.model import State
from newsletter.pipeline.health import conversations
from newsletter.settings.fields import address as normal_address
from newsletter.store import audit, editions, ledger, oversight
from newsletter.text import without_addresses
from newsletter.web.admin_shell import ROWS, Leaf, Number, Short, noted, show, to
from newsletter.web.desk import At, Desk, day_of
from newsletter.web.entry import Acting, Operator, Visitor
from newsletter.web.reader import masked

router = APIRouter()
_RESENT: tuple[State, ...] = ("uncertain", "failed", "deferred")
_TEST = "test letter"
_TESTS = 5  # results on the page


@router.get("/admin/editions")
def show_editions(request: Request, desk: At, who: Visitor, number: Number = 1) -> Response:
    """Every edition with its letters by state."""
    engine = desk.workspace.engine
    leaf = Leaf(number, oversight.editions_kept(engine))
    lines = oversight.edition_lines(engine, ROWS, leaf.offset)
    return show(
        request, desk, who, "admin_editions", here="editions", states=STATES, editions=lines, leaf=leaf, query=""
    )


@router.get("/admin/editions/{text}")
def show_edition(
    request: Request, desk: At, who: Visitor, text: str, *, state: str = "",
    planned: Annotated[int | None, Query(ge=0, le=10**9)] = None, number: Number = 1,
) -> Response:  # fmt: skip
    """An edition's deliveries, all or those in one state, with every answer of the mail server."""
    day, workspace = day_of(text), desk.workspace
    wanted = _state(state) if state else None
    counts = ledger.counts(workspace.engine, pipeline.edition_id(day))
    leaf = Leaf(number, counts[wanted or "total"])
    rows = oversight.deliveries_page(
        workspace.engine, pipeline.edition_id(day), ROWS, leaf.offset, state=wanted
    )  # fmt: skip
    return show(
        request, desk, who, "admin_edition", here="editions", day=day, states=STATES, counts=counts, state=state,
        balanced=sum(counts[one] for one in STATES) == counts["total"], rows=rows, leaf=leaf, resent=_RESENT,
        said=conversations(workspace, rows), planned=planned, query=f"state={state}&" if state else "",
        without_addresses=without_addresses,
    )  # fmt: skip


@router.get("/admin/editions/{text}/resend")
def ask_resend(request: Request, desk: At, who: Visitor, text: str, *, state: str, reader: str = "") -> Response:
    """What a resend would do, in numbers, and one button."""
    return _ask(request, desk, who, day_of(text), state=_resent(state), reader=reader)


@router.post("/admin/editions/{text}/resend")
def resend(
    request: Request, desk: At, who: Acting, text: str, *, state: Short, expected: Annotated[int, Form()],
    reader: Short = "",
) -> Response:  # fmt: skip
    """Put the letters back into the plan: the ledger alone changes, `newsletter run` or `send` carries it out."""
    day, wanted = day_of(text), _resent(state)
    if (there := _count(desk, day, wanted, reader)) != expected:
        return _ask(request, desk, who, day, state=wanted, reader=reader, status=422, was=expected)
    detail = f"{there} letters that were {wanted}" + (f", of {reader}" if reader else "")
    noted(desk, who, "resend", pipeline.edition_id(day), detail)
    only = {reader} if reader else ()
    moved = pipeline.resend(desk.workspace, day, wanted, at=desk.clock(), only=only)
    return to(desk, f"/editions/{day}?planned={moved}")


def _ask(
    request: Request, desk: Desk, who: Operator, day: date, *, state: State, reader: str, status: int = 200,
    was: int | None = None,
) -> Response:  # fmt: skip
    count = _count(desk, day, state, reader)
    return show(
        request, desk, who, "admin_resend", status=status, here="editions", day=day, state=state, reader=reader,
        count=count, was=was,
    )  # fmt: skip


def _count(desk: Desk, day: date, state: State, reader: str) -> int:
    edition = pipeline.edition_id(day)
    if not reader:
        return ledger.counts(desk.workspace.engine, edition)[state]
    return len(oversight.deliveries_page(desk.workspace.engine, edition, 1, state=state, subscriber=reader))


def _state(name: str) -> State:
    if name not in get_args(State):
        raise HTTPException(404)
    return name  # type: ignore[return-value]  # one of its values


def _resent(name: str) -> State:
    if name not in _RESENT:
        raise HTTPException(404)
    return _state(name)


@router.get("/admin/themes")
def show_themes(request: Request, desk: At, who: Visitor, day: str = "") -> Response:
    """The themes of an edition, the newest by default."""
    engine = desk.workspace.engine
    if day:
        edition = editions.load_edition(engine, pipeline.edition_id(day_of(day)))
    else:
        edition = editions.newest_edition(engine, desk.clock().date())
    if day and edition is None:
        raise HTTPException(404)
    return show(request, desk, who, "admin_themes", here="themes", edition=edition)


# ------------------------------------------------------------------ a letter to try


@router.get("/admin/test")
def show_test(request: Request, desk: At, who: Visitor) -> Response:
    """The form for a test letter, and how the last ones went."""
    return _test(request, desk, who)


@router.post("/admin/test")
def ask_test(request: Request, desk: At, who: Acting, reader: Short = "", address: Short = "") -> Response:
    """What would be sent where, and one button."""
    day, wrong = _newest(desk), _wrong(desk, reader, address)
    if day is None:
        wrong["reader"] = "There is no edition yet."
    if wrong:
        return _test(request, desk, who, status=422, reader=reader, address=address, wrong=wrong)
    return show(
        request, desk, who, "admin_test_ask", here="test", reader=reader, address=normal_address(address), day=day
    )


@router.post("/admin/test/send")
def send_test(request: Request, desk: At, who: Acting, reader: Short = "", address: Short = "") -> Response:
    """One reader's letter of the newest edition to the address; the ledger is left alone."""
    day, wrong = _newest(desk), _wrong(desk, reader, address)
    if wrong or day is None:
        return _test(request, desk, who, status=422, reader=reader, address=address, wrong=wrong)
    noted(desk, who, "test letter asked for", reader, f"{day} to {masked(address)}")
    try:
        ((_, outcome),) = pipeline.send_test(
            desk.workspace, day, normal_address(address), only={reader}, at=desk.clock()
        )  # fmt: skip
        said = f"{outcome.kind} {outcome.code or ''} {without_addresses(outcome.text)}".strip()
    except NewsletterError as error:
        said = f"not sent: {without_addresses(str(error))}"
    noted(desk, who, _TEST, reader, said[:500])
    return to(desk, "/test")


def _test(request: Request, desk: Desk, who: Operator, *, status: int = 200, **said: Any) -> Response:
    values = {"reader": "", "address": "", "wrong": {}} | said
    last = audit.audit(desk.workspace.engine, _TESTS, action=_TEST)
    return show(request, desk, who, "admin_test", status=status, here="test", last=last, **values)


def _newest(desk: Desk) -> date | None:
    edition = editions.newest_edition(desk.workspace.engine, desk.clock().date())
    return edition.day if edition else None


def _wrong(desk: Desk, reader: str, address: str) -> dict[str, str]:
    """What is wrong with each field."""
    wrong = {}
    if reader not in {one.name for one in pipeline.readers(desk.workspace)}:
        wrong["reader"] = "There is no subscriber of this name."
    try:
        normal_address(address)
    except ValueError as error:
        wrong["address"] = str(error)
    return wrong
