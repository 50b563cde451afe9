"""Importing the room is cheap: what only live sources need loads when they are used."""

from __future__ import annotations

import subprocess
import sys


def test_importing_sources_loads_neither_httpx_nor_stamina():
    late = ("httpx", "stamina", "defusedxml", "numpy")
    code = f"import newsletter.sources, sys; print([m for m in {late} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
