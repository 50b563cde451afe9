"""What the operator's pages share: their frame, pages of long lists, the log of what is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.store import audit
from newsletter.web.desk import Desk
from newsletter.web.entry import Operator, form_token
from newsletter.web.pages import page

__all__ = ["ROWS", "Leaf", "Number", "Short", "noted", "show", "to"]

ROWS = 50  # of a page
Number = Annotated[int, Query(alias="page", ge=1, le=10**6)]  # of a page of a list
Short = Annotated[str, Form(max_length=320)]
_TABS = (
    ("overview", "", "Overview"),
    ("editions", "/editions", "Editions"),
    ("subscribers", "/subscribers", "Subscribers"),
    ("returns", "/returns", "Bounces"),
    ("themes", "/themes", "Themes"),
    ("test", "/test", "Test letter"),
    ("log", "/log", "Log"),
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a list: its number from 1, and how many rows there are in all."""

    number: int
    rows: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * ROWS

    @property
    def last(self) -> int:
        """The last page's number."""
        return max(1, -(-self.rows // ROWS))


def show(
    request: Request, desk: Desk, who: Operator, name: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The operator's page `name`; `here` among the values is the open tab."""
    answer = page(
        request, name, status=status, who=who, tabs=_TABS, form_token=form_token(desk, who.session), **values
    )  # fmt: skip
    answer.headers["Referrer-Policy"] = "same-origin"  # or browsers send `Origin: null` with our own forms
    return answer


def to(desk: Desk, path: str) -> RedirectResponse:
    """See the page below /admin."""
    return RedirectResponse(f"{desk.prefix}/admin{path}", 303)


def noted(desk: Desk, who: Operator, action: str, object: str, detail: str = "") -> None:  # noqa: A002  as the column
    """Write down what the operator does, before it is done."""
    audit.record(desk.workspace.engine, audit.Entry(desk.clock(), who.name, action, object, detail))
