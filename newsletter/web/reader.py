"""Whose page a link opens: the reader whose name and address it was signed for, as they are now; and their forms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import FormData

from newsletter.model import Subscriber
from newsletter.pipeline import roster
from newsletter.tokens import TokenError
from newsletter.web.desk import Desk

__all__ = ["LinkExpiredError", "Posted", "expired_reader", "mark_of", "masked", "reader_at", "reader_of_parts"]

_FIELDS = 2_000  # of a form: three for each interest and some for likes


class LinkExpiredError(HTTPException):
    """A link to the preferences that was right and is too old; its page offers to mail a fresh one."""

    def __init__(self, token: str) -> None:
        super().__init__(410)
        self.token = token


def reader_at(desk: Desk, token: str) -> Subscriber:
    """Whose preferences the token opens; else 404, or LinkExpiredError where the link was theirs and is too old."""
    valid = timedelta(days=desk.web.link_days)
    try:
        return reader_of_parts(desk, desk.read("preferences", token, valid=valid))
    except TokenError as error:
        if not error.expired:
            raise HTTPException(404) from error
    expired_reader(desk, token)
    raise LinkExpiredError(token)


def expired_reader(desk: Desk, token: str) -> Subscriber:
    """Whose link to the preferences it was, however old; else 404."""
    return reader_of_parts(desk, desk.open("preferences", token))


def reader_of_parts(desk: Desk, parts: tuple[str, ...]) -> Subscriber:
    """The reader whom a token's first part names, if its last is their address's hash now; else 404."""
    reader = roster.reader_of(desk.workspace, parts[0])
    if reader is None or desk.hash(reader.email) != parts[-1]:
        raise HTTPException(404)
    return reader


def masked(email: str) -> str:
    """Enough of the address for who has several, too little for a stranger: ``a…@example.org``."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


async def _posted(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=_FIELDS)


Posted = Annotated[FormData, Depends(_posted)]


def mark_of(form: FormData) -> str:
    """The mark of the document that the reader began with."""
    return str(form.get("mark", ""))
