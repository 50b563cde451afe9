"""Papers and interests as unit vectors: the packaged static model, a model of one's own, or a sentence transformer.

    load("packaged")                    the model in the wheel: numpy alone, no download
    load("trained", data=DIR)           the model that `newsletter train-embedding` left under DIR/models
    load("path/to/folder")              any folder of either kind
    load("sentence-transformers/NAME")  a sentence transformer already on this machine (extra `transformers`)

Nothing here ever opens a network connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from newsletter.embedding.folder import CARD, current
from newsletter.errors import ConfigError

__all__ = ["PACKAGED", "Embedder", "load"]

PACKAGED = Path(__file__).parent / "packaged"


class Embedder(Protocol):
    """Turns texts into vectors. `name` changes whenever the vectors do, so that stored ones are never mixed."""

    @property
    def name(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Rows of shape (len(texts), dimensions), each of length 1; all zeros where a text holds no known word."""
        ...


def load(model: str = "packaged", *, data: Path | None = None) -> Embedder:
    """The embedding model of that name (see above). Raises ConfigError: absent, damaged, of another format."""
    if model == "packaged":
        return _static(PACKAGED)
    if model == "trained":
        return _static(current(_models(data)))
    folder = Path(model).expanduser()
    if (folder / CARD).is_file():
        return _static(folder)
    from newsletter.embedding.transformer import load_transformer

    return load_transformer(model)


def _static(folder: Path) -> Embedder:
    from newsletter.embedding.static import load_static

    return load_static(folder)


def _models(data: Path | None) -> Path:
    if data is None:
        raise ConfigError(
            "cannot find the embedding model",
            which="trained",
            why="no data folder given",
            do="Set `data` in newsletter.yaml",
        )
    return data / "models"
