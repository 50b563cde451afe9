"""The commands and keys that scripts outside rely on, exercised by the contract's own checker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_contract_is_kept(root, shared):
    """`contract.py` runs every command on two real digests and an evaluation suite."""
    newsletter = Path(sys.executable).parent / "newsletter"
    run = subprocess.run(
        [sys.executable, shared / "contract.py", newsletter, root / "config", shared],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.stdout.strip() == "the contract is kept", run.stdout + run.stderr
