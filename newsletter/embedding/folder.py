"""A model as a folder: the card, the vocabulary, the weights. Written whole, checked when read, switched at once.

    card.json            format, dimensions, sha256 of the other two, and where the model comes from
    vocabulary.txt       one token a line; its number is its line
    model.safetensors    `embeddings` int8 (tokens, dimensions) and `scales` float32 (tokens): a row times its scale

A folder of models holds one of these per version and `current`, a file with the name of the one in use.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

import numpy as np
from numpy.typing import NDArray

from newsletter.errors import ConfigError

__all__ = ["CARD", "FORMAT", "Contents", "current", "fingerprint", "publish", "read", "serialise", "write"]

CARD, VOCABULARY, WEIGHTS, CURRENT = "card.json", "vocabulary.txt", "model.safetensors", "current"
FORMAT = 1


@dataclass(frozen=True)
class Contents:
    """What a model folder holds. `vectors`: float32 (tokens, dimensions); `fingerprint`: sha256 over both files."""

    card: Mapping[str, Any]
    vocabulary: tuple[str, ...]
    vectors: NDArray[np.float32]
    fingerprint: str


def read(folder: Path) -> Contents:
    """The contents, after every check. Raises ConfigError when a file is absent, damaged or of another format."""
    card = _card(folder)
    if card.get("format") != FORMAT:
        _refuse(folder, f"it has format {card.get('format')!r} and this version of newsletter reads {FORMAT}")
    raw = {name: _bytes(folder, name) for name in (VOCABULARY, WEIGHTS)}
    for name, data in raw.items():
        if hashlib.sha256(data).hexdigest() != card.get("sha256", {}).get(name):
            _refuse(folder, f"{name} is damaged ({len(data):,} bytes, its sha256 is not the one in {CARD})")
    vocabulary = tuple(raw[VOCABULARY].decode().splitlines())
    vectors = _vectors(folder, raw[WEIGHTS])
    if vectors.shape != (len(vocabulary), card.get("dimensions")):
        _refuse(
            folder,
            f"{len(vocabulary)} tokens and {card.get('dimensions')} dimensions against weights of {vectors.shape}",
        )
    if not np.isfinite(vectors).all():
        _refuse(folder, f"{WEIGHTS} holds values that are not numbers")
    return Contents(card, vocabulary, vectors, fingerprint(raw))


def serialise(vocabulary: Sequence[str], vectors: NDArray[np.float32]) -> dict[str, bytes]:
    """Vocabulary and weights as the bytes of their files. Raises ConfigError where a value is no number."""
    from safetensors.numpy import save

    if not np.isfinite(vectors).all():
        raise ConfigError(
            "cannot write the embedding model",
            why="training ended in values that are not numbers",
            do="Train again with another seed, or a lower rate",
        )
    integers, scales = quantise(vectors)
    return {
        VOCABULARY: "".join(f"{token}\n" for token in vocabulary).encode(),
        WEIGHTS: save({"embeddings": integers, "scales": scales}),
    }


def fingerprint(raw: Mapping[str, bytes]) -> str:
    """sha256 over both files: equal for equal vectors, and for nothing else."""
    return hashlib.sha256(b"".join(hashlib.sha256(raw[name]).digest() for name in (VOCABULARY, WEIGHTS))).hexdigest()


def write(folder: Path, raw: Mapping[str, bytes], card: Mapping[str, Any]) -> None:
    """A new model folder, `card` completed with format and hashes; `folder` exists only when it is whole."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in raw.items()}
    text = json.dumps({"format": FORMAT, "sha256": hashes, **card}, indent=2, ensure_ascii=False) + "\n"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as unfinished:
        whole = Path(unfinished) / "model"
        whole.mkdir()
        for name, data in {**raw, CARD: text.encode()}.items():
            (whole / name).write_bytes(data)
        whole.rename(folder)


def publish(models: Path, version: str) -> None:
    """Makes `version` the one in use, at once: a reader sees the old one or the new one."""
    unfinished = models / f".{CURRENT}"
    unfinished.write_text(f"{version}\n", encoding="utf-8")
    unfinished.replace(models / CURRENT)


def current(models: Path) -> Path:
    """The folder of the version in use. Raises ConfigError when there is none."""
    try:
        return models / (models / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        raise ConfigError(
            "there is no embedding model of your own",
            which=str(models),
            do="Train one with `newsletter train-embedding`, or set `embedding: {model: packaged}`",
        ) from None


def quantise(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows as int8 in -127..127 and one float32 scale each: ``integers * scales[:, None]`` is near `vectors`."""
    scales = np.abs(vectors).max(axis=1) / 127
    safe = np.where(scales > 0, scales, 1)[:, None]
    return np.rint(vectors / safe).astype(np.int8), scales.astype(np.float32)


def _card(folder: Path) -> Mapping[str, Any]:
    try:
        card = json.loads(_bytes(folder, CARD))
    except ValueError as error:
        _refuse(folder, f"{CARD} is no JSON ({error})")
    if not isinstance(card, dict) or not isinstance(card.get("sha256", {}), dict):
        _refuse(folder, f"{CARD} is not a model card")
    return card


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        _refuse(folder, f"{name}: {error.strerror or error}")


def _vectors(folder: Path, data: bytes) -> NDArray[np.float32]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
        integers, scales = tensors["embeddings"], tensors["scales"]
    except (SafetensorError, KeyError) as error:
        _refuse(folder, f"{WEIGHTS} cannot be read ({error})")
    return np.asarray(integers.astype(np.float32) * scales[:, None], np.float32)


def _refuse(folder: Path, why: str) -> Never:
    raise ConfigError(
        "cannot load the embedding model",
        which=str(folder),
        why=why,
        do="Install newsletter again, or train the model again with `newsletter train-embedding`",
    )
