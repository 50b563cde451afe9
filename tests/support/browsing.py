"""Debian's Chromium, and axe-core from npm (`npm ci --prefix tests/node`) or in the folder NEWSLETTER_NODE_MODULES."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NODE = Path(os.environ.get("NEWSLETTER_NODE_MODULES", Path(__file__).resolve().parents[1] / "node" / "node_modules"))
AXE = NODE / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")
_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


@contextmanager
def chromium() -> Iterator[Any]:
    """An open browser; for whoever has seen that CHROMIUM is there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS.split())
        yield opened
        opened.close()
