"""The loader, with the model that ships in the package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from newsletter.embedding import PACKAGED, load
from newsletter.embedding.folder import publish
from newsletter.errors import ConfigError

Make = Callable[..., Path]


def test_rows_have_length_one_and_are_float32() -> None:
    model = load()
    rows = model.encode(["Dwarf galaxies around the Milky Way", "KV-cache compression for long contexts"])
    assert rows.shape == (2, model.dimensions)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_near_in_meaning_is_near_in_vectors() -> None:
    query, near, far = load().encode(
        ["speeding up LLM inference", "faster decoding of large language models", "quasar spectra"]
    )
    assert query @ near > query @ far + 0.3


@pytest.mark.parametrize("text", ["", "   ", "…—!?", "光光光", "\ud800"])
def test_a_text_without_a_known_word_is_the_zero_vector(text: str) -> None:
    assert not load().encode([text]).any()


def test_no_texts_give_no_rows() -> None:
    model = load()
    assert model.encode([]).shape == (0, model.dimensions)


def test_a_text_is_encoded_the_same_alone_and_among_others() -> None:
    model = load()
    texts = ["dark matter haloes", "graph neural networks", "protein folding"]
    assert np.array_equal(model.encode(texts)[1], model.encode([texts[1]])[0])


def test_an_abstract_of_a_hundred_thousand_characters_is_encoded_by_its_start() -> None:
    one, long = load().encode(["dark matter halo " * 1_000, "dark matter halo " * 6_000])
    assert one @ long > 0.999


def test_the_name_holds_the_hash_of_the_weights(make_model: Make) -> None:
    assert load(str(make_model())).name.startswith("tiny-")
    assert load(str(make_model("other"))).name == load(str(make_model("third"))).name
    assert load().name != load(str(make_model("fourth"))).name


def test_the_trained_model_is_the_version_in_use(make_model: Make, tmp_path: Path) -> None:
    make_model("models/v1")
    publish(tmp_path / "models", "v1")
    assert load("trained", data=tmp_path).dimensions == 8


def test_without_a_trained_model_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="newsletter train-embedding"):
        load("trained", data=tmp_path)


def test_the_trained_model_needs_the_data_folder() -> None:
    with pytest.raises(ConfigError, match="Set `data`"):
        load("trained")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        load(str(tmp_path / "absent"))


def test_loading_imports_neither_torch_nor_a_hub_client_and_opens_no_connection() -> None:
    """The whole of it in a fresh interpreter, in which a socket cannot be made."""
    code = """
import socket, sys
def refuse(*a, **k): raise AssertionError("a connection was opened")
socket.socket.__init__ = refuse
from newsletter.embedding import load
load().encode(["dark matter"])
print(sorted({"torch", "transformers", "huggingface_hub", "tokenizers", "scipy", "sklearn"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_packaged_model_fits_the_wheel() -> None:
    sizes = {file.name: file.stat().st_size for file in PACKAGED.iterdir()}
    assert sizes["model.safetensors"] <= 8_000_000
    assert sum(sizes.values()) <= 9_000_000
