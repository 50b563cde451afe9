"""The house of DESIGN: a room imports only from the layers below it, and heavy packages stay out until needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("bertopic", "umap", "hdbscan", "numba", "sklearn", "pandas", "scipy", "torch", "plotly")


def test_no_room_imports_a_neighbour_or_a_layer_above():
    """import-linter reads every import; the contract stands in pyproject.toml."""
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


ROOMS = ("cli", "pipeline", "schedule", "settings", "sources", "store", "letter", "mail", "ranking", "themes")
ROOMS += ("embedding", "evaluation")
HELP = "from typer.testing import CliRunner; from newsletter.cli import app, register; register(); "
HELP += "assert CliRunner().invoke(app, ['--help']).exit_code == 0"


def heavy_modules_after(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running `code`."""
    probe = f"{code}\nimport sys; print(','.join(m for m in {HEAVY!r} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in run.stdout.strip().split(",") if name}


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_nothing_heavy(room):
    assert heavy_modules_after(f"import newsletter.{room}") == set()


def test_help_loads_nothing_heavy():
    assert heavy_modules_after(HELP) == set()


def test_the_probe_sees_what_is_loaded():
    assert heavy_modules_after("import scipy") == {"scipy"}
