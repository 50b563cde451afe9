"""A small sound model folder, and papers to train on that nobody has to download."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from newsletter.embedding.folder import serialise, write

VOCABULARY = ("galaxy", "language", "model", "language model", "##s", "g", "##x")


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model folder of VOCABULARY; keywords go onto its card."""

    def make(name: str = "model", **card: object) -> Path:
        vectors = np.random.default_rng(0).normal(size=(len(VOCABULARY), 8)).astype(np.float32)
        folder = tmp_path / name
        write(folder, serialise(VOCABULARY, vectors), {"name": "tiny", "dimensions": 8, **card})
        return folder

    return make


@pytest.fixture(scope="session")
def papers() -> list[tuple[str, str]]:
    """300 papers of three fields, each field with words of its own: the structure that training must find."""
    rng = random.Random(5)
    fields = [
        ["galaxy", "halo", "dwarf", "star", "redshift", "spectra", "quasar", "luminosity"],
        ["token", "prompt", "decoder", "language", "corpus", "translation", "reasoning", "dialogue"],
        ["protein", "cell", "enzyme", "genome", "mutation", "tissue", "receptor", "antibody"],
    ]
    common = ["we", "show", "that", "the", "of", "a", "results", "method", "new", "with"]

    def text(field: list[str], length: int) -> str:
        return " ".join(rng.choice(field if rng.random() < 0.5 else common) for _ in range(length))

    return [(f"{text(fields[i % 3], 7)} {i}", text(fields[i % 3], 60)) for i in range(300)]
