from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from newsletter.embedding import load
from newsletter.embedding.folder import (
    CARD,
    VOCABULARY,
    WEIGHTS,
    current,
    fingerprint,
    publish,
    quantise,
    read,
    serialise,
    write,
)
from newsletter.errors import ConfigError

Make = Callable[..., Path]


def test_what_was_written_is_read() -> None:
    rows = np.array([[1.0, -0.5], [0.0, 0.0], [1e-6, 2e-6]], np.float32)
    integers, scales = quantise(rows)
    assert np.abs(integers * scales[:, None] - rows).max(axis=1) == pytest.approx([0, 0, 0], abs=1 / 254)
    assert integers.dtype == np.int8
    assert np.abs(integers).max() <= 127


def test_a_truncated_weights_file_is_named(make_model: Make) -> None:
    folder = make_model()
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-20])
    with pytest.raises(ConfigError, match=r"model\.safetensors is damaged .* Install newsletter again, or train"):
        load(str(folder))


def test_a_changed_vocabulary_is_named(make_model: Make) -> None:
    folder = make_model()
    (folder / VOCABULARY).write_text("halo\n")
    with pytest.raises(ConfigError, match=r"vocabulary\.txt is damaged"):
        read(folder)


@pytest.mark.parametrize("name", [VOCABULARY, WEIGHTS])
def test_an_absent_file_is_named(make_model: Make, name: str) -> None:
    folder = make_model()
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=f"{name}: No such file"):
        read(folder)


def test_a_model_of_another_format_says_which(make_model: Make) -> None:
    with pytest.raises(ConfigError, match="it has format 2 and this version of newsletter reads 1"):
        read(make_model(format=2))


def test_a_card_that_is_no_json_is_refused(make_model: Make) -> None:
    folder = make_model()
    (folder / CARD).write_text("{")
    with pytest.raises(ConfigError, match=r"card\.json is no JSON"):
        read(folder)


@pytest.mark.parametrize("card", ["[]", '{"sha256": 3}'])
def test_a_card_of_another_shape_is_refused(make_model: Make, card: str) -> None:
    folder = make_model()
    (folder / CARD).write_text(card)
    with pytest.raises(ConfigError, match="not a model card"):
        read(folder)


def test_weights_that_do_not_fit_the_vocabulary_are_refused(make_model: Make) -> None:
    with pytest.raises(ConfigError, match="7 tokens and 9 dimensions against weights of"):
        read(make_model(dimensions=9))


def _replaced(folder: Path, weights: bytes) -> Path:
    """The folder with other weights and a card that vouches for them: what a broken training would leave."""
    import hashlib

    (folder / WEIGHTS).write_bytes(weights)
    card = json.loads((folder / CARD).read_text())
    card["sha256"][WEIGHTS] = hashlib.sha256(weights).hexdigest()
    (folder / CARD).write_text(json.dumps(card))
    return folder


def test_weights_that_are_no_numbers_are_refused_when_read(make_model: Make) -> None:
    integers, scales = np.ones((7, 8), np.int8), np.full(7, np.nan, np.float32)
    with pytest.raises(ConfigError, match="values that are not numbers"):
        read(_replaced(make_model(), save({"embeddings": integers, "scales": scales})))


@pytest.mark.parametrize("weights", [b"", b"junk", save({"other": np.ones(3, np.float32)})])
def test_weights_that_cannot_be_read_are_refused(make_model: Make, weights: bytes) -> None:
    with pytest.raises(ConfigError, match=r"model\.safetensors cannot be read"):
        read(_replaced(make_model(), weights))


def test_weights_that_are_no_numbers_are_never_written() -> None:
    with pytest.raises(ConfigError, match="not numbers"):
        serialise(["halo"], np.array([[np.inf]], np.float32))


def test_a_folder_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    raw = serialise(["halo"], np.ones((1, 2), np.float32))
    with pytest.raises(TypeError):
        write(tmp_path / "model", raw, {"unserialisable": object()})
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_changes_with_the_weights() -> None:
    one, other = (serialise(["halo"], np.full((1, 2), value, np.float32)) for value in (1, 2))
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(dict(reversed(one.items())))


def test_the_version_in_use_is_switched_by_name(tmp_path: Path) -> None:
    for version in ("a", "b"):
        publish(tmp_path, version)
        assert current(tmp_path) == tmp_path / version
