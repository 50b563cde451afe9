"""Importing the room is cheap: what only a letter needs is loaded with the first letter."""

import subprocess
import sys

HEAVY = ("babel", "mjml", "numpy", "pylatexenc", "pysbd", "sklearn")


def test_importing_the_room_loads_nothing_heavy():
    code = f"import sys, newsletter.letter, newsletter.letter.lint; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
