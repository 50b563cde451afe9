"""Whether it is well, and its numbers, for machines.

GET /health/live   this process answers and reaches its store: 200, else 503; for a load balancer
GET /health        what `newsletter health` says, without names: 200, or 503 where something needs a person
GET /metrics       Prometheus' text format; for a direct request from loopback or the networks of web.proxies, and
                   with the operator's name and password (HTTP Basic); nobody else learns that it is there
"""

from __future__ import annotations

import base64
import binascii
import hmac
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from newsletter.errors import NewsletterError
from newsletter.pipeline.health import Health, health, metrics
from newsletter.web import entry
from newsletter.web.desk import At, Desk

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)
_FRESH = 5.0  # seconds for which an answer is given again: anyone may ask
_WAITING = ("planned", "deferred")


@dataclass(slots=True)
class Kept:
    """What one application has learned: its last answer, and whose password was right."""

    at: float = float("-inf")
    found: Health | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)
    _admitted: bytes = b""

    def knows(self, digest: bytes) -> bool:
        """Whether these were right before: whoever asks every few seconds is not written down each time."""
        return hmac.compare_digest(self._admitted, digest)

    def learn(self, digest: bytes) -> None:
        """They are right: `knows` them from now on, and no others."""
        self._admitted = digest


@router.get("/health/live")
def show_live(desk: At) -> Response:
    """The process answers, and its store does."""
    try:
        with desk.workspace.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except Exception as error:  # noqa: BLE001  drivers have errors of their own; whatever it is, the store is away
        log.error("store not reachable", why=str(error))  # noqa: TRY400
        return JSONResponse({"store": False}, 503)
    return JSONResponse({"store": True})


@router.get("/health")
def show_health(request: Request, desk: At) -> Response:
    """Whether something needs a person."""
    try:
        found = _health(request, desk)
    except NewsletterError as error:
        log.error("store not reachable", why=str(error))  # noqa: TRY400
        return JSONResponse({"healthy": False, "store": False}, 503)
    said: dict[str, Any] = {
        "healthy": found.healthy,
        "store": True,
        "last_tick": found.last_tick.isoformat() if found.last_tick else None,
        "letters_waiting": sum(found.letters[state] for state in _WAITING),
        "oldest_waiting_seconds": round(found.oldest_waiting),
    }
    return JSONResponse(said, 200 if found.healthy else 503)


@router.get("/metrics")
def show_metrics(request: Request, desk: At) -> Response:
    """The numbers of `newsletter health --metrics`."""
    if not request.scope.get("direct") and not _has_password(request, desk):
        raise HTTPException(404)
    return Response(metrics(_health(request, desk)), media_type="text/plain; version=0.0.4; charset=utf-8")


def _health(request: Request, desk: Desk) -> Health:
    kept: Kept = request.app.state.health
    with kept.turn:
        if kept.found is None or time.monotonic() - kept.at > _FRESH:
            kept.found, kept.at = health(desk.workspace, at=desk.clock(), ask=False), time.monotonic()
        return kept.found


def _has_password(request: Request, desk: Desk) -> bool:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic" or not value:
        return False
    try:
        name, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return False
    kept: Kept = request.app.state.health
    digest = entry.credentials(desk, name, password)
    if not kept.knows(digest):
        if entry.admit(desk, entry.network_of(request), name, password) is not None:
            return False
        kept.learn(digest)
    return True
