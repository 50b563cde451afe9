"""A made-up archive of five fields and a day's papers from them, in the packaged embedding's space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from newsletter.embedding import load
from newsletter.model import Interest, Momentum, Paper, Pick, Profile
from newsletter.ranking import Corpus, Options, rank
from newsletter.text import paper_text

TODAY = date(2025, 3, 13)
FIELDS = {
    "search": (
        "approximate nearest neighbour search",
        "graph index",
        "vector database",
        "HNSW recall",
        "billion-scale",
    ),
    "video": (
        "video generation",
        "diffusion transformer",
        "temporal consistency",
        "text-to-video",
        "frame interpolation",
    ),
    "medical": ("medical imaging", "tumour segmentation", "radiology reports", "CT scans", "patient outcomes"),
    "reasoning": ("mathematical reasoning", "chain of thought", "language models", "verifier", "proof search"),
    "robots": (
        "robot manipulation",
        "grasping policy",
        "imitation learning",
        "sim-to-real transfer",
        "dexterous hands",
    ),
}
_SHAPES = (
    "{0} with {1}",
    "Rethinking {0}: a study of {2}",
    "{1} for faster {0}",
    "Scaling {0} through {3}",
    "A benchmark of {4} in {0}",
    "Towards robust {2} by {0}",
    "{3} and {4}: lessons from {0}",
    "Efficient {0} using {4}",
)


def make(field: str, shape: int, number: int) -> Paper:
    words = FIELDS[field]
    title = _SHAPES[shape].format(*words)
    abstract = f"We present a method for {words[shape % 5]} that improves {words[(shape + 2) % 5]} on public data."
    return Paper(
        id=f"arxiv:2503.{number:05d}",
        title=title[0].upper() + title[1:],
        abstract=abstract,
        authors=(f"Ada {field.title()}", f"Bo Number{number}"),
        published=TODAY,
        upvotes=number % 17,
    )


@pytest.fixture(scope="session")
def encode():
    return load().encode


@pytest.fixture(scope="session")
def corpus(encode) -> Callable[[Sequence[Paper]], Corpus]:
    return lambda papers: Corpus(tuple(papers), encode([paper_text(p) for p in papers]))


@pytest.fixture(scope="session")
def papers() -> dict[str, list[Paper]]:
    """Field -> eight papers: the first five are the archive's, the last three today's."""
    return {f: [make(f, s, 100 * k + s) for s in range(8)] for k, f in enumerate(FIELDS)}


@pytest.fixture(scope="session")
def archive(papers, corpus) -> Corpus:
    return corpus([p for field in papers.values() for p in field[:5]])


@pytest.fixture(scope="session")
def day(papers, corpus) -> Corpus:
    return corpus([p for field in papers.values() for p in field[5:]])


@pytest.fixture(scope="session")
def themes(papers) -> dict[str, str]:
    return {p.id: field for field, some in papers.items() for p in some}


@pytest.fixture(scope="session")
def setting(day, archive, encode, themes) -> dict:
    """The arguments of `rank` but for the profiles, the history and the papers."""
    steady = Momentum("steady", 1.0, 0.8, 1.2)
    return {"encode": encode, "themes": themes, "momentum": dict.fromkeys(FIELDS, steady), "today": TODAY}


@pytest.fixture
def choose(day, archive, setting) -> Callable[..., tuple[Pick, ...]]:
    """Rank one profile on the made-up day; keyword arguments replace parts of the setting."""

    def run(profile: Profile, *, seen: frozenset[str] = frozenset(), options: Options | None = None, **changed):
        on, before = changed.pop("day", day), changed.pop("archive", archive)
        given = {**setting, **changed, "options": options or Options()}
        return rank([profile], on, before, seen=[seen], **given)[0]

    return run


@pytest.fixture
def reader() -> Profile:
    """A reader of two fields who avoids a third."""
    return Profile(
        interests=(Interest("approximate nearest neighbour search"), Interest("robot manipulation and grasping")),
        avoid=("medical imaging",),
        trending=0.2,
    )


@pytest.fixture
def changed():
    """`dataclasses.replace`, at hand."""
    return replace
