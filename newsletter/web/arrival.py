"""What happens to every request around the pages: whom it comes from, its address below base_url, a line of the log,
and the page for what nobody expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Caught", "Headed", "Logged", "Peered", "Rooted", "route_of"]

log = structlog.get_logger()


class Peered:
    """ASGI middleware, before the client's address is taken from a proxy's header: ``scope["direct"]`` tells whether
    the request comes straight from loopback or one of `proxies`; a header `login` that no proxy has set is removed."""

    def __init__(self, app: ASGIApp, *, proxies: Sequence[str], login: str = "") -> None:
        self._app = app
        self._proxies = [ip_network(one) for one in proxies]
        self._login = login.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = _ip(scope)
            trusted = peer is not None and any(peer in one for one in self._proxies)
            forwarded = any(name in _FORWARDED for name, _ in scope["headers"])
            near = trusted or (peer is not None and peer.is_loopback)
            scope = {**scope, "direct": near and not forwarded}
            if self._login and not trusted:
                scope["headers"] = [pair for pair in scope["headers"] if pair[0] != self._login]
        await self._app(scope, receive, send)


_FORWARDED = (b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"via")


def _ip(scope: Scope) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(scope["client"][0])
    except (TypeError, ValueError):
        return None
    return getattr(found, "ipv4_mapped", None) or found


class Headed:
    """ASGI middleware: HEAD is answered as GET (RFC 9110, 9.3.2); the server leaves the body away."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send)
        finally:
            scope["route"] = asked.get("route")  # for the log


class Rooted:
    """ASGI middleware: every path begins with base_url's, whether a proxy strips it on the way or not."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._prefix and scope["type"] == "http":
            scope = {**scope, "path": _below(scope["path"], self._prefix), "root_path": self._prefix}
        await self._app(scope, receive, send)


def _below(path: str, prefix: str) -> str:
    if path == prefix:
        return prefix + "/"
    return path if path.startswith(prefix + "/") else prefix + path


class Logged:
    """ASGI middleware: method, route, status and time of each request; not the address, which may hold a token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            spent = round((time.perf_counter() - began) * 1000, 1)
            log.info("request", method=scope["method"], route=route_of(scope), status=status, ms=spent)


def route_of(scope: Scope) -> str:
    """The template of the route that answers, such as ``/u/{token}``."""
    return str(getattr(scope.get("route"), "path", "(no route)"))


class Caught:
    """ASGI middleware: what `answer` says where a page fails; inside the guard, so that its headers are there."""

    def __init__(self, app: ASGIApp, *, answer: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if started:
                raise
            await self._answer(Request(scope, receive), error)(scope, receive, send)
