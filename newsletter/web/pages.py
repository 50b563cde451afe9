"""HTML pages from templates/web: one shell, escaped, strict about unknown names."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.letter.language import long_date, number, short_date
from newsletter.letter.templates import shipped
from newsletter.letter.view import safe_url
from newsletter.web.desk import Desk, desk_of

__all__ = ["asset", "page", "render", "version"]


def page(request: Request, name: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `name` of templates/web (without ``.html``)."""
    return HTMLResponse(render(desk_of(request), name, path=request.url.path, **values), status_code=status)


def render(desk: Desk, name: str, /, **values: Any) -> str:
    """The same as text; a fragment, or a page outside a request."""
    settings, web = desk.workspace.settings, desk.web
    shell = {
        "title": settings.title, "base": settings.base_url, "prefix": desk.prefix, "archive": web.archive,
        "subscribing": web.subscribe, "postal": settings.postal_address, "contact": settings.reply_to or "",
        "path": "", "version": version(),
    }  # fmt: skip
    return _environment().get_template(f"{name}.html").render(shell | values)


def asset(name: str) -> bytes:
    """A file of templates/web that goes out as it is."""
    return (shipped() / "web" / name).read_bytes()


@cache
def version() -> str:
    """Changes with the style sheet and the script, so that browsers may keep them for a year."""
    return hashlib.sha256(asset("style.css") + asset("page.js")).hexdigest()[:12]


@cache
def _environment() -> Environment:
    jinja = Environment(
        loader=FileSystemLoader(shipped() / "web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    jinja.filters |= {
        "day": lambda value: long_date(value, "en"),
        "short_day": lambda value: short_date(value, "en"),
        "moment": _moment,
        "number": lambda value: number(value, "en"),
        "safe_url": safe_url,
    }
    return jinja


def _moment(value: datetime | date) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M ") + (value.tzname() or "")
    return value.isoformat()
