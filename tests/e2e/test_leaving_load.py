"""Five hundred readers a second leave for half a minute: whoever was answered is in the database, nobody is lost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

READERS = 15_000


@pytest.mark.slow
def test_nobody_who_leaves_is_lost(root):
    """Seconds are the benchmark's to tell: a busy machine may answer later, never less."""
    ran = subprocess.run(
        [sys.executable, root / "benchmarks" / "web_unsubscribe.py", "--readers", str(READERS), "--rate", "500"],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["errors"] == 0, told["first_error"]
    assert told["answered"] == READERS
    assert told["rows"] == {"suppressions": READERS, "consents": READERS}
