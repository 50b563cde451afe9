"""What every room's tests share: where the real data lies, and a configuration of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real digests, payloads and suites beside the checkout; the test skips where they are not."""
    folder = ROOT.parent / "shared"
    if not (folder / "digests").is_dir():
        pytest.skip(f"no real data: {folder} is not there")
    return folder
