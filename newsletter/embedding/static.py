"""The static model: a text is the weighted sum of its tokens' vectors, brought to length 1.

A token met c times weighs 1 + ln c (sublinear term frequency, Manning et al. 2008, section 6.4.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsletter.embedding.folder import Contents, read
from newsletter.embedding.tokens import Tokenizer

__all__ = ["StaticEmbedder", "load_static", "weighed"]


def load_static(folder: Path) -> StaticEmbedder:
    """The model of a folder. Raises ConfigError where the folder is not a whole, sound model."""
    return StaticEmbedder(read(folder))


class StaticEmbedder:
    """An Embedder over a model folder's contents. Not for several threads at once: the tokenizer remembers words."""

    def __init__(self, contents: Contents) -> None:
        self.name = f"{contents.card.get('name', 'static')}-{contents.fingerprint[:12]}"
        self.dimensions = int(contents.vectors.shape[1])
        self._tokenizer = Tokenizer(contents.vocabulary)
        self._vectors = contents.vectors

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows, float32 (len(texts), dimensions); all zeros where a text holds no known word."""
        rows = self.sums(texts)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def sums(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The rows before they are brought to length 1."""
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            numbers, weights = weighed(self._tokenizer.ids(text))
            np.matmul(weights, self._vectors[numbers], out=row)
        return rows


def weighed(ids: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The distinct tokens of a text and their weights, 1 + ln of how often each stands there."""
    counts = Counter(ids)
    numbers = np.fromiter(counts, np.intp, len(counts))
    return numbers, 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
