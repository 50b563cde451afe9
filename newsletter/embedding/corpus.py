"""The papers that a model is trained on: read, freed of doubles and of what must stay unseen, and shuffled."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from newsletter.errors import DigestError
from newsletter.identity import title_key

__all__ = ["Pair", "corpus_hash", "files_of", "halves", "paper_keys", "prepare", "read_pairs"]

Pair = tuple[str, str]  # title, abstract
_ABSTRACT_START = 200  # characters, letters and digits alone, that make two abstracts the same


def files_of(path: Path) -> list[Path]:
    """A file itself; of a folder every ``*.jsonl`` and ``*.jsonl.gz`` in it, at any depth, by name."""
    if path.is_dir():
        return sorted([*path.rglob("*.jsonl"), *path.rglob("*.jsonl.gz")])
    return [path]


def read_pairs(paths: Iterable[Path]) -> Iterator[Pair]:
    """Title and abstract of every line of JSON Lines files, gzip or plain; lines without a title are left out."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        try:
            with opener(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    paper = json.loads(line)
                    if isinstance(paper, dict) and isinstance(paper.get("title"), str) and paper["title"].strip():
                        yield paper["title"], str(paper.get("abstract") or "")
        except (OSError, EOFError, ValueError) as error:
            raise DigestError(
                "cannot read the corpus",
                which=str(path),
                why=str(error),
                do="It must be JSON Lines with title and abstract",
            ) from error


def paper_keys(pair: Pair) -> tuple[str, ...]:
    """Keys under which the paper is the same as another: its title's, and its abstract's beginning's."""
    title, abstract = pair
    folded = unicodedata.normalize("NFKD", abstract).casefold()
    start = "".join(c for c in folded if c.isalnum())[:_ABSTRACT_START]
    return (title_key(title), f"abstract:{start}") if start else (title_key(title),)


def prepare(pairs: Iterable[Pair], *, unseen: Collection[str] = (), seed: int = 0) -> list[Pair]:
    """Papers with an abstract, each once, without those that have a key in `unseen`, in an order drawn from `seed`."""
    known = set(unseen)
    kept = []
    for pair in pairs:
        keys = paper_keys(pair)
        if len(keys) == 2 and not known.intersection(keys):
            known.add(keys[0])
            kept.append(pair)
    random.Random(seed).shuffle(kept)
    return kept


def halves(pair: Pair) -> tuple[str, str, str]:
    """The title and the two halves of the abstract, cut between words."""
    title, abstract = pair
    words = abstract.split()
    middle = len(words) // 2
    return f"{title}.", " ".join(words[:middle]), " ".join(words[middle:])


def corpus_hash(pairs: Iterable[Pair]) -> str:
    """sha256 of the papers in their order."""
    digest = hashlib.sha256()
    for title, abstract in pairs:
        digest.update(f"{title}\n{abstract}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
