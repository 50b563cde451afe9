"""A sentence transformer from this machine's disk, for those who installed the extra `transformers`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.errors import ConfigError

__all__ = ["TransformerEmbedder", "load_transformer"]

_TEXTS_AT_A_TIME = 32


def load_transformer(model: str) -> TransformerEmbedder:
    """The model of a folder or, by name, of the local Hugging Face cache; never fetched. Raises ConfigError."""
    folder = Path(model).expanduser()
    if not folder.is_dir() and (model.startswith((".", "/", "~")) or model.count("/") != 1):
        raise ConfigError(
            "cannot load the embedding model",
            which=model,
            why="there is no such folder, and it is no name of the form sentence-transformers/NAME",
            do="Set `embedding: {model: packaged}`, or give a folder or a name that exists",
        )
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported: no look-up, no telemetry
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            "cannot load the embedding model",
            which=model,
            why=f"sentence-transformers is not installed ({error})",
            do="Run `pip install 'newsletter[transformers]'`, or set `embedding: {model: packaged}`",
        ) from error
    try:
        network = SentenceTransformer(str(folder) if folder.is_dir() else model, device="cpu", local_files_only=True)
    except Exception as error:  # whatever transformers, torch or the hub's client raise about a model on disk
        raise ConfigError(
            "cannot load the embedding model",
            which=model,
            why=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}",
            do=f"Put it on this machine first: `hf download {model}`, or give the path of its folder",
        ) from error
    return TransformerEmbedder(network, model)


class TransformerEmbedder:
    """An Embedder over a SentenceTransformer. Its name holds a hash of the weights, so a changed model is another."""

    def __init__(self, network: Any, model: str) -> None:
        self._network = network
        self.dimensions = len(self._rows(["length"])[0])
        self.name = f"{Path(model).name or model}-{_fingerprint(network)}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows, float32 (len(texts), dimensions); all zeros for a blank text, as the static model has it."""
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        said = [number for number, text in enumerate(texts) if text.strip()]
        if said:
            rows[said] = self._rows([texts[number] for number in said])
        return rows

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = self._network.encode(
            list(texts), batch_size=_TEXTS_AT_A_TIME, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(rows, dtype=np.float32)


def _fingerprint(network: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:12]
