"""What every page needs: the workspace as it is now, the clock, the keys of links."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, HTTPException, Request

from newsletter import pipeline
from newsletter.errors import ConfigError, NewsletterError
from newsletter.pipeline import Workspace
from newsletter.pipeline.links import link_keys, short_hash
from newsletter.settings.web import WebSettings
from newsletter.tokens import Purpose, TokenError, read, sign

__all__ = ["At", "Desk", "day_of", "desk_of"]

log = structlog.get_logger()
_FRESH = 5.0  # seconds for which settings and profiles are taken to be as they were


@dataclass(slots=True)
class Desk:
    """One for each process. `clock` gives aware times; settings and profiles are read again when they change."""

    _workspace: Workspace
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    _read: float = field(default_factory=time.monotonic)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def workspace(self) -> Workspace:
        """The workspace, its settings and profiles at most a few seconds old."""
        if time.monotonic() - self._read > _FRESH and self._turn.acquire(blocking=False):
            try:
                self._workspace = pipeline.reloaded(self._workspace, self.environ)
            except NewsletterError as error:
                log.warning("settings and profiles not reloaded", why=str(error))
            finally:
                self._read = time.monotonic()
                self._turn.release()
        return self._workspace

    @property
    def standing(self) -> Workspace:
        """The workspace as it was last read: for what must not wait for profiles."""
        return self._workspace

    @property
    def web(self) -> WebSettings:
        """The web side's settings."""
        web = self.workspace.settings.web
        if web is None:
            raise ConfigError("There is no web side", do="Add the key `web` to newsletter.yaml")
        return web

    @property
    def prefix(self) -> str:
        """The path of base_url, without a slash at its end: every address of ours begins with it."""
        return urlsplit(self.standing.settings.base_url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether readers come by https."""
        return self.workspace.settings.base_url.startswith("https:")

    def absolute(self, path: str) -> str:
        """The address of `path` (``/feed.atom``) for mails and feeds."""
        return self.workspace.settings.base_url + path

    def sign(self, purpose: Purpose, *parts: str) -> str:
        """A token made now."""
        return sign(link_keys(self.standing.settings, self.standing.key), purpose, *parts, at=self.clock())

    def read(self, purpose: Purpose, token: str, *, valid: timedelta | None = None) -> tuple[str, ...]:
        """The parts of a token; raises TokenError."""
        keys = link_keys(self.standing.settings, self.standing.key)
        return read(keys, purpose, token, now=self.clock(), valid=valid)

    def open(self, purpose: Purpose, token: str, *, valid: timedelta | None = None) -> tuple[str, ...]:
        """The parts of a token; where it opens nothing, the answer is 404, or 410 for one that has expired."""
        try:
            return self.read(purpose, token, valid=valid)
        except TokenError as error:
            raise HTTPException(410 if error.expired else 404) from error

    def hash(self, email: str) -> str:
        """What a link holds of an address."""
        return short_hash(email, self.standing.key)


def desk_of(request: Request) -> Desk:
    """The application's desk."""
    desk: Desk = request.app.state.desk
    return desk


def day_of(text: str) -> date:
    """The day in an address, written in one way (``2025-05-27``); 404 for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(404) from error
    if day.isoformat() != text:
        raise HTTPException(404)
    return day


async def _desk(request: Request) -> Desk:  # async: FastAPI would give a plain function a thread of its own
    return desk_of(request)


At = Annotated[Desk, Depends(_desk)]
