"""What the service leaves in the data folder: when it last ticked, whether it was stopped, what the operator knows, and
where it serves the pages."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

_MOST = 500  # notices to remember


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`told` are the notices that the operator has had, oldest first, so that a restart does not send them again.

    `web` is the address at which it serves the web side, empty where it does not.
    """

    ticked: datetime | None = None
    stopped: bool = False
    told: tuple[str, ...] = ()
    web: str = ""

    def telling(self, notice: str) -> Heartbeat:
        """The same with one more notice."""
        return replace(self, told=(*self.told, notice)[-_MOST:])


def read_heartbeat(data: Path) -> Heartbeat:
    """What the last service left; nothing where none ever ran, or where the file is not readable."""
    try:
        found = json.loads(_file(data).read_text(encoding="utf-8"))
        ticked = datetime.fromisoformat(found["ticked"])
        return Heartbeat(ticked, bool(found["stopped"]), tuple(found["told"]), str(found.get("web", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return Heartbeat()


def write_heartbeat(data: Path, beat: Heartbeat) -> None:
    """Replace the file at once or not at all. A full disk does not stop the service: the health check shows it."""
    if beat.ticked is None:
        return
    part = data / f".service.{os.getpid()}.part"
    text = json.dumps({"ticked": beat.ticked.isoformat(), "stopped": beat.stopped, "told": beat.told, "web": beat.web})
    with suppress(OSError):
        part.write_text(text, encoding="utf-8")
        part.replace(_file(data))


def _file(data: Path) -> Path:
    return data / "service.json"
