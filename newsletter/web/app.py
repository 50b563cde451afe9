"""The application: routes, what stands before them, and what is said when something is not there or goes wrong."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import newsletter
from newsletter import pipeline
from newsletter.errors import NewsletterError
from newsletter.pipeline.clock import clock
from newsletter.pipeline.withdrawal import Exits
from newsletter.web import (
    admin,
    api,
    archive,
    assets,
    data,
    feedback,
    feeds,
    health,
    letters,
    preferences,
    search,
    subscribe,
    unsubscribe,
)
from newsletter.web.arrival import Caught, Headed, Logged, Peered, Rooted, route_of
from newsletter.web.desk import Desk, desk_of
from newsletter.web.guard import Guard
from newsletter.web.meter import Meter
from newsletter.web.pages import page
from newsletter.web.reader import LinkExpiredError

__all__ = ["create_app", "from_environment", "one_core"]

log = structlog.get_logger()
_ROOMS = (
    assets, subscribe, preferences, unsubscribe, feedback, letters, data, archive, search, feeds, api, admin, health,
)  # fmt: skip
_SAYS = {
    404: ("There is nothing here", "The link may be cut off, or what it led to is gone."),
    405: ("This page does not do that", "Go back and try the page's own buttons."),
    410: ("This link has expired", "A newer letter has a link that works."),
    413: ("That is too much", "A page takes 256 kB at most."),
    422: ("Something is missing", "The form did not come whole. Go back and send it again."),
    429: ("A little slower, please", "Too many requests came from your network. Try again later."),
    500: ("Something went wrong on our side", "It has been written down. Try again in a minute."),
    503: ("Not at this moment", "The newsletter's store is busy or away. Try again in a minute."),
}


def create_app(desk: Desk) -> FastAPI:
    """The application on an open workspace."""
    app = FastAPI(
        title=desk.workspace.settings.title,
        version=newsletter.__version__,
        openapi_url=None,  # newsletter.web.api answers it, where the archive is public
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    app.state.exits = Exits(desk.standing.engine)
    app.state.health = health.Kept()
    app.state.links = Meter(1, window=timedelta(minutes=10))  # links that are mailed to one reader
    app.state.previews = Meter(40, window=timedelta(minutes=1))  # from one network; who types makes one or two
    _surround(app, desk)
    for room in _ROOMS:
        app.include_router(room.router, include_in_schema=room is api)
    app.add_exception_handler(LinkExpiredError, preferences.expired)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(NewsletterError, _expected)
    return app


def _surround(app: FastAPI, desk: Desk) -> None:
    """What a request passes on its way in; the last one added is the first that it meets."""
    proxies, admin = list(desk.web.proxies), desk.workspace.settings.admin
    app.add_middleware(Caught, answer=_unexpected)
    app.add_middleware(Guard, secure=desk.secure)
    app.add_middleware(Headed)
    app.add_middleware(Logged)
    app.add_middleware(Rooted, prefix=desk.prefix)
    if proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    app.add_middleware(Peered, proxies=proxies, login=(admin and admin.header) or "")


def from_environment() -> FastAPI:
    """For uvicorn's workers: the configuration that NEWSLETTER_CONFIG names, open as long as the application runs."""
    opened = pipeline.open_workspace(Path(os.environ["NEWSLETTER_CONFIG"]))
    desk = Desk(opened.__enter__(), os.environ, clock(os.environ))

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        opened.__exit__(None, None, None)

    one_core()
    app = create_app(desk)
    app.router.lifespan_context = life
    gc.freeze()  # profiles stay; to look through those of 15,000 readers for garbage stops every request for 0.3 s
    return app


def one_core() -> None:
    """Keeps BLAS to one core, for good: for a process that does nothing but serve pages.

    A preview's small matrices take many times longer where BLAS spreads them over cores that other requests use.
    """
    import numpy  # noqa: F401, ICN001  what is limited must be loaded
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


def _answer(request: Request, status: int, headers: dict[str, str] | None = None) -> Response:
    """The page of an error, or JSON under /api."""
    heading, text = _SAYS.get(status, (HTTPStatus(status).phrase, ""))
    if request.url.path.removeprefix(desk_of(request).prefix).startswith("/api/"):
        return JSONResponse({"error": heading, "detail": text}, status, headers)
    answer = page(request, "error", status=status, heading=heading, text=text)
    answer.headers.update(headers or {})
    return answer


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _answer(request, error.status_code, dict(error.headers or {}))


def _unreadable(request: Request, _error: Exception) -> Response:
    return _answer(request, 422)


def _expected(request: Request, error: Exception) -> Response:
    log.error("page failed", route=route_of(request.scope), why=str(error))
    return _answer(request, 503)


def _unexpected(request: Request, error: Exception) -> Response:
    log.error(
        "page failed for a reason that should not exist; please report it",
        route=route_of(request.scope),
        exc_info=error,
    )
    return _answer(request, 500)
