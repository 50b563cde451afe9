"""The wheel holds everything that the program needs, and works where only the wheel is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.slow
def test_the_wheel_holds_templates_sample_starter_and_model(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        r"newsletter/templates/letter\.mjml",
        r"newsletter/templates/letter\.txt",
        r"newsletter/templates/preview/page\.html",
        r"newsletter/templates/preview/preview\.js",
        r"newsletter/sample/\d{4}-\d\d-\d\d\.jsonl",
        r"newsletter/starter/newsletter\.yaml",
        r"newsletter/starter/subscribers/ada\.yaml",
        r"newsletter/store/migrations/versions/\w+\.py",
        r"newsletter/embedding/packaged/model\.safetensors",
        r".*dist-info/licenses/LICENSE",
        r".*dist-info/licenses/NOTICE",
    ):
        assert any(re.fullmatch(wanted, name) for name in names), wanted
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.slow
def test_the_program_runs_from_the_wheel_alone(wheel, tmp_path):
    """No file of the checkout is in reach: the starter is written, checked, and the demo's letters are rendered."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def run(*command: str) -> str:
        ran = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert run("-c", "import newsletter; print(newsletter.__file__)").startswith(str(site))
    run("-m", "newsletter", "init", "config")
    run("-m", "newsletter", "check")
    run("-m", "newsletter", "demo", "--out", "letters")
    assert (tmp_path / "letters" / "ada.html").stat().st_size > 5000


def test_the_lock_files_name_no_address_and_pin_every_hash():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index-url" not in text
        pins = re.findall(r"^[a-zA-Z0-9_.-]+==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(pins) > 60
        assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_default_installation_has_no_torch():
    names = re.findall(r"^([a-zA-Z0-9_.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert not {"torch", "sentence-transformers", "transformers"} & set(names)
