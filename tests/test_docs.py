"""Documents are tested: every `console` block runs, every command is described, every linked file is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


def commands(text: str) -> list[str]:
    """The lines after `$ ` in the text's console blocks, in order."""
    return [line[2:] for block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.slow
@pytest.mark.parametrize("path", [p for p in DOCUMENTS if BLOCK.search(p.read_text())], ids=lambda p: p.name)
def test_every_console_block_runs(path, tmp_path):
    """The commands of a document, one after the other in an empty folder, as a newcomer types them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    environment = {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    lines = commands(path.read_text())
    assert lines
    for line in lines:
        ran = subprocess.run(
            shlex.split(line), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_linked_file_is_there(path):
    missing = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert missing == []


def test_every_command_is_described():
    """Each command of the program stands in the README or in docs/."""
    from typer.main import get_command

    from newsletter.cli import app, register

    register()
    said = "\n".join(path.read_text() for path in DOCUMENTS)
    names = set(get_command(app).commands)
    assert names
    assert {name for name in names if f"newsletter {name}" not in said} == set()


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
