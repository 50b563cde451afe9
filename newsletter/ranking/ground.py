"""The ground that every reader's scores stand on: the day's papers, and archive papers that stand for "any paper"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from newsletter.ranking.features import Floats, Index, Rows, rarity, weigh
from newsletter.ranking.values import Options

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Encode = Callable[[Sequence[str]], Floats]
_PAIRS, _FEWEST = 400, 20
_FEW, _SOME = 4_000, 8_000  # papers: 64 MB for a square of the few, 64 MB from the usual field to some
_USUAL = 0.2, 0.15  # what the packaged embedding gives on a mixed archive, for when there are too few papers to tell


@dataclass(frozen=True, slots=True)
class Anchors:
    """Papers that readers may have rated, `rows` of the index; to the field's papers their `dense` and `shared` (word)
    cosine, and their `kernel` once the background is known, (field, rows) each.

    For that kernel among themselves: it to the background (m, rows) before, and what that `explains`.
    """

    rows: Rows
    dense: Floats
    shared: Floats
    kernel: Floats
    background: Floats
    explains: Floats

    def place(self, rows: Rows) -> Rows:
        """Where the index `rows` stand among the anchors."""
        return np.searchsorted(self.rows, rows)


@dataclass(frozen=True)
class Ground:
    """Arrays shared by all readers of one edition.

    Rows of `index`: `day` (n); `background` (m), archive papers that stand for "any paper"; `field`, both together,
    the population by which matches are standardised. `sparse` are all rows' TF-IDF; the rarity `idf` of a
    word is the day's and the archive's.
    """

    index: Index
    day: Rows
    background: Rows
    field: Rows
    idf: Floats
    sparse: csr_matrix
    options: Options

    def similar(self, a: Rows, b: Rows) -> tuple[Floats, Floats]:
        """Dense and word cosine of papers `a` to papers `b`, (len(a), len(b)) each."""
        dense = self.index.vectors[a] @ self.index.vectors[b].T
        return dense, (self.sparse[a] @ self.sparse[b].T).toarray()

    def field_to(self, columns: slice) -> tuple[Floats, Floats]:
        """Dense and word cosine of the field's papers to those of its `columns`; reckoned once where they are few."""
        if len(self.field) > _FEW:
            return self.similar(self.field, self.field[columns])
        dense, shared = self._field_alike
        return dense[:, columns], shared[:, columns]

    @cached_property
    def _field_alike(self) -> tuple[Floats, Floats]:
        return self.similar(self.field, self.field)

    def kernel(self, a: Rows, b: Rows) -> Floats:
        """Both features side by side, and their pairs, (len(a), len(b)): see `together`."""
        return together(*self.similar(a, b), self.options)

    @cached_property
    def to_background(self) -> Floats:
        """The kernel of the field's papers to the background's, (field, m)."""
        return together(*self.field_to(slice(len(self.day), None)), self.options)

    @cached_property
    def factor(self) -> Floats:
        """Cholesky factor of the background's kernel with its noise, (m, m), lower."""
        own = self.to_background[len(self.day) :].copy()
        own[np.diag_indices(len(own))] += self.options.noise_background
        return np.asarray(np.linalg.cholesky(own), dtype=np.float32)

    def anchors(self, rows: Rows) -> Anchors:
        """Anchors that hold at least `rows` (ascending); up to some papers all of them, once for everybody."""
        return self._everything if len(self.index.papers) <= _SOME else self._anchors(rows)

    def among(self, anchors: Anchors, places: Rows) -> Floats:
        """The kernel among the anchors at `places`, once the background is known, (places, places)."""
        rows = anchors.rows[places]
        own = self._squares[np.ix_(rows, rows)] if len(self.index.papers) <= _FEW else self.kernel(rows, rows)
        return np.asarray(own - anchors.background[:, places].T @ anchors.explains[:, places], dtype=np.float32)

    @cached_property
    def _squares(self) -> Floats:
        everything = np.arange(len(self.index.papers))
        return self.kernel(everything, everything)

    @cached_property
    def _everything(self) -> Anchors:
        return self._anchors(np.arange(len(self.index.papers)))

    def _anchors(self, rows: Rows) -> Anchors:
        from scipy.linalg import cho_solve

        dense, shared = self.similar(self.field, rows)
        kernel = together(dense, shared, self.options)
        background = kernel[len(self.day) :]
        explains = background
        if background.size:
            explains = np.asarray(cho_solve((self.factor, True), background, check_finite=False), dtype=np.float32)
            kernel = kernel - self.to_background @ explains
        return Anchors(rows, dense, shared, kernel, background, explains)

    @cached_property
    def usual(self) -> tuple[float, float]:
        """Middle and deviation of a text's match with a paper, taken from papers matched with each other.

        By quantiles, so that an archive with many papers of one kind does not take their likeness for the usual.
        One scale for all texts: standardised for itself, a text that nothing matches well would look as good as any.
        """
        some = self.field[:: max(1, len(self.field) // _PAIRS)]
        if len(some) < _FEWEST:
            return _USUAL
        dense, shared = self.similar(some, some)
        among = (dense + self.options.sparse_texts * shared)[~np.eye(len(some), dtype=bool)]
        low, middle, high = np.quantile(among, (0.16, 0.5, 0.84))
        return float(middle), float(np.clip((high - low) / 2, 0.05, 0.3))


def together(dense: Floats, shared: Floats, options: Options) -> Floats:
    """The polynomial kernel (1 + dense cosine + `sparse_papers` times word cosine) squared."""
    return np.asarray((1 + dense + options.sparse_papers * shared) ** 2, dtype=np.float32)


def lay(index: Index, day: Rows, archive: Rows, options: Options) -> Ground:
    """Prepare what does not depend on readers. `archive` may hold `day`'s papers: each counts once."""
    rest = np.setdiff1d(archive, day)
    rng = np.random.default_rng(options.seed)
    background = np.sort(rng.choice(rest, min(len(rest), options.background), replace=False))
    idf = rarity(index.counts[np.concatenate([day, rest])])
    field = np.concatenate([day, background])
    return Ground(index, day, background, field, idf, weigh(index.counts, idf), options)


def standardise(values: Floats, among: NDArray[np.bool_]) -> Floats:
    """Rows of `values` (rows, field) in standard deviations from their mean over the papers `among` (rows, field)."""
    some = np.where(among.any(axis=1, keepdims=True), among, True)
    count = some.sum(axis=1, keepdims=True, dtype=np.float32)
    values = values - np.sum(values, axis=1, where=some, keepdims=True) / count
    deviation = np.sqrt(np.sum(values * values, axis=1, where=some, keepdims=True) / count)
    return np.asarray(values / np.maximum(deviation, 1e-6), dtype=np.float32)
