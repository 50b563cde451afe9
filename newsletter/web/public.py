"""What every public page has: a switch that turns them all off, and headers that let others keep a copy."""

from __future__ import annotations

import hashlib
from datetime import date

from fastapi import Depends, HTTPException, Request, Response

from newsletter.web.desk import At

__all__ = ["AGE", "PUBLIC", "frozen_age", "kept"]

AGE = 300  # seconds that a public page may be kept: an edition that comes out is seen within five minutes
_LONG = 86400  # of an edition to which nothing is added any more


def _is_public(desk: At) -> None:
    if not desk.web.archive:
        raise HTTPException(404)


PUBLIC = [Depends(_is_public)]


def frozen_age(desk: At, day: date) -> int:
    """How long a page of the edition of `day` may be kept: papers join it on its own day, and rarely on the next."""
    return _LONG if (desk.clock().date() - day).days > 1 else AGE


def kept(request: Request, response: Response, age: int = AGE) -> Response:
    """The response with its entity tag; 304 where the asker has this very content (RFC 9110, section 13.1.2).

    No Last-Modified: what a page shows changes with the settings and the program too, of which no row tells when.
    """
    tag = f'W/"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={age}"}
    asked = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if tag in asked or tag.removeprefix("W/") in asked or "*" in asked:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
