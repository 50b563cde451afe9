"""Real digests with vectors from words alone, so that themes are tested without the packaged embedding."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from newsletter.model import ArchivedPaper, Paper
from newsletter.text import paper_text

DIGESTS = Path(__file__).parents[3] / "shared" / "digests" / "huggingface"


@pytest.fixture(scope="session")
def archive() -> list[ArchivedPaper]:
    """The papers of two months of Hugging Face digests, oldest first, each once."""
    if not DIGESTS.is_dir():
        pytest.skip(f"no recorded digests at {DIGESTS}")
    found: dict[str, ArchivedPaper] = {}
    for path in sorted(DIGESTS.glob("2025-0[23]-*.json.gz")):
        day = date.fromisoformat(path.name[:10])
        for item in json.loads(gzip.decompress(path.read_bytes())):
            paper = item["paper"]
            identity = f"arxiv:{paper['id']}"
            found.setdefault(identity, ArchivedPaper(Paper(identity, paper["title"], paper["summary"]), day))
    return list(found.values())


@pytest.fixture(scope="session")
def embed(archive: list[ArchivedPaper]) -> Callable[[Sequence[str]], np.ndarray]:
    """Texts to (n, 64) unit rows: TF-IDF and truncated SVD of the archive."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2)
    svd = TruncatedSVD(64, random_state=0).fit(words.fit_transform([paper_text(a.paper) for a in archive]))

    def encode(texts: Sequence[str]) -> np.ndarray:
        rows = svd.transform(words.transform(texts)) if len(texts) else np.zeros((0, 64))
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)

    return encode
