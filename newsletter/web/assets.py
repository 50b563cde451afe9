"""The style sheet, the script and the picture in the browser's tab: ours, none from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, Response

from newsletter.web.pages import asset

router = APIRouter(include_in_schema=False)
_KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # the address changes with the content


@router.get("/static/{version}/style.css")
def style(version: str) -> Response:  # noqa: ARG001  only tells versions apart
    """The one style sheet."""
    return Response(asset("style.css"), media_type="text/css", headers=_KEEP)


@router.get("/static/{version}/page.js")
def script(version: str) -> Response:  # noqa: ARG001  the same
    """What pages do better with a script; all work without."""
    return Response(asset("page.js"), media_type="text/javascript", headers=_KEEP)


@router.get("/favicon.ico")
def icon() -> Response:
    """A small sheet with three lines."""
    return Response(asset("icon.svg"), media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
