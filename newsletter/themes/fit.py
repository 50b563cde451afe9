"""BERTopic over the window: UMAP and HDBSCAN where there are enough papers, agglomerative clustering where not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from newsletter.themes.place import NOWHERE, Labels, Vectors, centre
from newsletter.themes.words import STOP_WORDS

COPIES = 2_000  # papers up to which copies of few texts are told apart pair by pair
SMALL = 200  # papers; below it agglomerative clustering found the categories of arXiv papers as well or better
LARGE = 1000  # papers; above it wider neighbourhoods and more dimensions did better
WORD = r"(?u)\b[^\W\d_][^\W_]+\b"


@dataclass(frozen=True, slots=True)
class Topics:
    """Groups of papers and what BERTopic's c-TF-IDF says of them.

    labels: (n,) group of each paper, -1 for none; groups are numbered without gaps. vocabulary: (w,) words.
    weights: (groups, w) c-TF-IDF.
    """

    labels: Labels
    vocabulary: tuple[str, ...]
    weights: NDArray[np.float64]


class ClusterModel(Protocol):
    """What scikit-learn's and hdbscan's clusterers have in common."""

    def fit_predict(self, rows: NDArray[np.floating]) -> NDArray[np.integer]: ...


class Settled:
    """BERTopic's cluster model: a clustering whose labels `settle` corrects before words are drawn from them."""

    labels_: list[int]

    def __init__(self, clusterer: ClusterModel, settle: Callable[[Labels], Labels]) -> None:
        self._clusterer, self._settle = clusterer, settle

    def fit(self, rows: NDArray[np.floating], y: object = None) -> Settled:
        del y
        self.labels_ = self._settle(np.asarray(self._clusterer.fit_predict(rows), dtype=np.int64)).tolist()
        return self


def least_size(papers: int) -> int:
    """Papers that make a theme: 2 of up to 30, 3 of up to 200, then 6 or a hundredth of the window."""
    return (2 if papers <= 30 else 3) if papers < SMALL else max(6, round(papers / 100))


def fit(texts: Sequence[str], vectors: Vectors, settle: Callable[[Labels], Labels], *, seed: int) -> Topics:
    """Learns groups on `vectors`, lets `settle` correct them, and draws words for them from `texts`.

    vectors: (n, d) unit rows, n at least 3; `settle` returns groups numbered without gaps. Deterministic.
    """
    bertopic = load_bertopic()
    kinds = distinct(vectors) if len(texts) <= COPIES else len(texts)
    clusters = Settled(_clusterer(len(texts), kinds), settle)
    model = bertopic.BERTopic(
        language="multilingual",  # keeps hyphens and other alphabets: BERTopic strips both for "english"
        umap_model=_reducer(len(texts), kinds, seed),
        hdbscan_model=clusters,
        vectorizer_model=_vectorizer(),
        ctfidf_model=bertopic.vectorizers.ClassTfidfTransformer(reduce_frequent_words=True),
    )
    with warnings.catch_warnings():
        # what umap says of a graph in pieces and of its seed: both are meant
        warnings.filterwarnings("ignore", module=r"umap\.", category=UserWarning)
        warnings.filterwarnings("ignore", module=r"sklearn\.manifold", category=UserWarning)
        numbers, _ = model.fit_transform(list(texts), embeddings=vectors)
    return _topics(np.asarray(clusters.labels_, dtype=np.int64), numbers, model)


def distinct(vectors: Vectors) -> int:
    """How many different rows there are: copies of a text give UMAP no neighbourhood, and it answers by chance."""
    return len({row.tobytes() for row in np.round(vectors, 5)})


def can_tell(texts: Sequence[str]) -> bool:
    """Whether the texts hold two different words that carry a subject: with fewer, c-TF-IDF has nothing to weigh."""
    words = _vectorizer().build_analyzer()
    found: set[str] = set()
    for text in texts:
        found.update(words(text))
        if len(found) > 1:
            return True
    return False


def load_bertopic() -> Any:
    """The bertopic package; umap announces at import that it found no TensorFlow, which nobody here asked for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ImportWarning)
        import bertopic
        import bertopic.vectorizers
    return bertopic


def _topics(labels: Labels, numbers: Sequence[int], model: Any) -> Topics:
    """BERTopic numbers its topics by size; the rows of c-TF-IDF go back to our order."""
    theirs = dict(zip(labels.tolist(), numbers, strict=True))
    order = sorted(set(numbers))
    rows = [order.index(theirs[label]) for label in range(int(labels.max(initial=NOWHERE)) + 1)]
    vocabulary = tuple(model.vectorizer_model.get_feature_names_out().tolist())
    return Topics(labels, vocabulary, np.asarray(model.c_tf_idf_[rows].todense(), dtype=np.float64))


class Agglomerative:
    """Average linkage on centred rows, about seven papers a group: in a small window their field drowns the rest."""

    def fit_predict(self, rows: NDArray[np.floating]) -> NDArray[np.integer]:
        from sklearn.cluster import AgglomerativeClustering

        model = AgglomerativeClustering(n_clusters=max(2, round(len(rows) / 7)), linkage="average")
        return np.asarray(model.fit_predict(centre(np.asarray(rows, dtype=np.float32))))


def _clusterer(papers: int, kinds: int) -> Any:
    if kinds < SMALL:
        return Agglomerative()
    from hdbscan import HDBSCAN

    return HDBSCAN(
        min_cluster_size=least_size(papers), min_samples=5, cluster_selection_method="leaf", core_dist_n_jobs=1
    )


def _reducer(papers: int, kinds: int, seed: int) -> Any:
    if kinds < SMALL:
        from bertopic.dimensionality import BaseDimensionalityReduction

        return BaseDimensionalityReduction()
    from umap import UMAP

    return UMAP(
        n_neighbors=30 if papers >= LARGE else 15, n_components=10 if papers >= LARGE else 5, min_dist=0.0,
        metric="cosine", random_state=seed, n_jobs=1,
    )  # fmt: skip


def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(stop_words=sorted(STOP_WORDS), token_pattern=WORD)
