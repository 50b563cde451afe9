"""What is kept about a reader: given to them, or erased.

Letters are forwarded, and a letter's link opens the preferences. So this asks for more: a link that is mailed to the
reader's own address, works for a day, and for nothing else.
"""

from __future__ import annotations

import json
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from newsletter.model import Subscriber
from newsletter.pipeline import own_data
from newsletter.pipeline.mails import send_mail
from newsletter.web.desk import At, Desk
from newsletter.web.pages import page
from newsletter.web.reader import Posted, reader_at, reader_of_parts

__all__ = ["router"]

router = APIRouter()
_VALID = timedelta(hours=24)


@router.get("/p/{token}/data")
def about(request: Request, desk: At, token: str, sent: str = "") -> HTMLResponse:
    """What is kept, and a button that mails the link to it."""
    reader = reader_at(desk, token)
    return page(
        request, "data", token=token, reader=reader, here="data", sent=bool(sent),
        kept=own_data.kept(desk.workspace, reader),
    )  # fmt: skip


@router.post("/p/{token}/data")
def mail_link(request: Request, desk: At, token: str) -> Response:
    """Mails the link, not twice within minutes; the answer does not wait for the mail server."""
    reader = reader_at(desk, token)
    answer = RedirectResponse(f"{desk.prefix}/p/{token}/data?sent=yes", 303)
    if not request.app.state.links.takes(f"data {reader.name}", desk.clock()):
        return answer
    link = desk.absolute("/data/" + desk.sign("data", reader.name, desk.hash(reader.email)))
    values = {"link": link, "until": f"{desk.clock() + _VALID:%Y-%m-%d %H:%M} UTC"}
    answer.background = BackgroundTask(send_mail, desk.workspace, reader.email, "data", values, at=desk.clock())
    return answer


@router.get("/data/{token}")
def own(request: Request, desk: At, token: str) -> HTMLResponse:
    """Download and erase; after that, that it is done."""
    reader = _reader(desk, token)
    if reader is None:
        return page(request, "data_erased")
    return page(request, "data_own", token=token, reader=reader, wrong="")


@router.get("/data/{token}/export.json")
def export(desk: At, token: str) -> Response:
    """All of it as one file."""
    reader = _reader(desk, token)
    if reader is None:
        return RedirectResponse(f"{desk.prefix}/data/{token}", 303)
    text = json.dumps(own_data.export(desk.workspace, reader, at=desk.clock()), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="my-newsletter-data.json"'}
    return Response(text.encode("utf-8", "replace"), media_type="application/json", headers=headers)


@router.post("/data/{token}/erase")
def erase(request: Request, desk: At, token: str, form: Posted) -> Response:
    """Erases everything, once it is clear that it is meant. Again, it changes nothing."""
    reader = _reader(desk, token)
    if reader is not None:
        if form.get("sure") != "yes":
            wrong = "Tick the box first: erased is erased"
            return page(request, "data_own", status=422, token=token, reader=reader, wrong=wrong)
        own_data.erase(desk.workspace, reader, source="my data", at=desk.clock())
    return RedirectResponse(f"{desk.prefix}/data/{token}", 303)


def _reader(desk: Desk, token: str) -> Subscriber | None:
    """Whose data it is; None where they have been erased; else 404, or 410 after a day."""
    parts = desk.open("data", token, valid=_VALID)
    if own_data.is_erased(desk.workspace, parts[1]):
        return None
    return reader_of_parts(desk, parts)
