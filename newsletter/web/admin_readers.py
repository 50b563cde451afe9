"""The operator's pages about people: subscribers with their documents, addresses that get no letter.

Addresses are half hidden until the operator asks for one, and asking is written down.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response

from newsletter import pipeline
from newsletter.due import next_due
from newsletter.errors import ConfigError
from newsletter.model import Subscriber
from newsletter.pipeline import bounces, roster
from newsletter.store import consents, oversight
from newsletter.text import without_addresses
from newsletter.web.admin_shell import ROWS, Leaf, Number, Short, noted, show, to
from newsletter.web.desk import At, Desk
from newsletter.web.entry import Acting, Operator, Visitor
from newsletter.web.reader import masked

router = APIRouter()
_RETURNS = 25  # bounces on the page


@router.get("/admin/subscribers")
def show_subscribers(
    request: Request, desk: At, who: Visitor, q: Annotated[str, Query(max_length=100)] = "", number: Number = 1
) -> Response:
    """Who reads: all, or those whose name holds `q`."""
    found = [reader for reader in pipeline.readers(desk.workspace) if _holds(reader, q.strip().casefold())]
    leaf = Leaf(number, len(found))
    now = desk.clock()
    rows = [(reader, next_due(reader, now)) for reader in found[leaf.offset : leaf.offset + ROWS]]
    wrong = (problem for problem in desk.workspace.found.problems if problem.severity == "error")
    broken = sorted({PurePath(problem.path).name for problem in wrong})
    query = f"q={quote(q, safe='')}&" if q else ""
    return show(
        request, desk, who, "admin_subscribers", here="subscribers", rows=rows, leaf=leaf, q=q, query=query,
        masked=masked, broken=broken, today=now.date(),
    )  # fmt: skip


def _holds(reader: Subscriber, wanted: str) -> bool:
    return wanted in reader.name.casefold() or wanted in reader.display_name.casefold()


@router.get("/admin/subscribers/{name}")
def show_subscriber(request: Request, desk: At, who: Visitor, name: str) -> Response:
    """One subscriber's document, not to be changed here; the address half hidden."""
    return _subscriber(request, desk, who, name, address=False)


@router.post("/admin/subscribers/{name}/address")
def show_address(request: Request, desk: At, who: Acting, name: str) -> Response:
    """The same with the address. A POST, and no page to come back to: each look is written down."""
    if roster.reader_of(desk.workspace, name) is None:
        raise HTTPException(404)
    noted(desk, who, "look at an address", name)
    return _subscriber(request, desk, who, name, address=True)


def _subscriber(request: Request, desk: Desk, who: Operator, name: str, *, address: bool) -> Response:
    reader, document = roster.reader_of(desk.workspace, name), roster.read_document(desk.workspace, name)
    if reader is None or document is None:
        raise HTTPException(404)
    text = document.text
    if not address:
        text = without_addresses(re.sub(re.escape(reader.email), "(address)", text, flags=re.IGNORECASE))
    return show(
        request, desk, who, "admin_subscriber", here="subscribers", reader=reader, document=text, unmasked=address,
        address=reader.email if address else masked(reader.email), next_letter=next_due(reader, desk.clock()),
        agreed=consents.consents(desk.workspace.engine, subscriber=name), today=desk.clock().date(),
    )  # fmt: skip


@router.get("/admin/returns")
def show_returns(request: Request, desk: At, who: Visitor, number: Number = 1) -> Response:
    """Letters that came back, and addresses that get none."""
    return _returns(request, desk, who, number=number)


@router.post("/admin/returns/suppress")
def suppress(
    request: Request, desk: At, who: Acting, address: Short = "", reason: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """No letter to the address any more."""
    why = reason.strip() or "the operator's decision"
    return _decide(request, desk, who, "suppress", address=address, why=why)


@router.post("/admin/returns/allow")
def allow(request: Request, desk: At, who: Acting, address: Short = "") -> Response:
    """Letters to the address again."""
    return _decide(request, desk, who, "allow", address=address)


def _decide(request: Request, desk: Desk, who: Operator, what: str, *, address: str, why: str = "") -> Response:
    try:
        hashed = desk.hash(bounces.checked(address))
    except ConfigError:
        wrong = {what: "This is not an e-mail address."}
        return _returns(request, desk, who, status=422, address=address, wrong=wrong)
    noted(desk, who, what, f"address {hashed}", why)
    if what == "suppress":
        bounces.suppress(desk.workspace, address, why, at=desk.clock())
        return to(desk, "/returns?done=suppressed")
    was = bounces.allow(desk.workspace, address)
    return to(desk, f"/returns?done={'allowed' if was else 'unknown'}")


def _returns(
    request: Request, desk: Desk, who: Operator, *, status: int = 200, number: int = 1, **said: Any
) -> Response:
    listed = list(reversed(bounces.suppressions(desk.workspace)))
    leaf = Leaf(number, len(listed))
    values = {"address": "", "wrong": {}} | said
    return show(
        request, desk, who, "admin_returns", status=status, here="returns", leaf=leaf, query="",
        listed=listed[leaf.offset : leaf.offset + ROWS], done=request.query_params.get("done", ""),
        back=oversight.came_back(desk.workspace.engine, _RETURNS), without_addresses=without_addresses, **values,
    )  # fmt: skip
