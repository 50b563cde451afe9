"""The style sheet, the script and the picture in the browser's tab: ours, none from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Response

from newsletter.web.pages import asset, version

router = APIRouter(include_in_schema=False)
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # the address changes with the content


@router.get("/static/{asked}/style.css")
def style(asked: str) -> Response:
    """The one style sheet."""
    return _versioned("style.css", "text/css", asked)


@router.get("/static/{asked}/page.js")
def script(asked: str) -> Response:
    """What pages do better with a script; all work without."""
    return _versioned("page.js", "text/javascript", asked)


def _versioned(name: str, kind: str, asked: str) -> Response:
    """The file; not to be kept where another version was asked for, as while one process after the other is renewed."""
    return Response(asset(name), media_type=kind, headers=_KEEP if asked == version() else None)


@router.get("/favicon.ico")
def icon() -> Response:
    """A small sheet with three lines."""
    return Response(asset("icon.svg"), media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
