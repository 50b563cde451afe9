"""Evaluation suites -> results, through the product's own ranking and themes (format: the suites' own README).

A group is a day: its candidates are ranked as a letter's papers are, against the suite's other papers as the archive,
without cut-off, diversity and exploration, which are not what a suite asks about.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from newsletter.errors import DigestError
from newsletter.model import Interest, Paper, Profile
from newsletter.ranking import Corpus, Options
from newsletter.text import paper_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from newsletter.ranking.features import Index
    from newsletter.ranking.stage import Stage

_SEED = 0


class Embedder(Protocol):
    """What evaluation needs of an embedding model."""

    @property
    def name(self) -> str:
        """Which vectors these are."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows, (n, d)."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates that are ranked together for one profile."""

    profile: str
    name: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """A ranking suite as its files tell it."""

    name: str
    papers: Mapping[str, Paper]
    days: Mapping[str, date]
    profiles: Mapping[str, Profile]
    groups: tuple[Group, ...]


def evaluate(folder: Path, *, embedder: Embedder | None = None, options: Options | None = None) -> list[dict[str, Any]]:
    """The suite's result lines, in the order of its groups (ranking) or papers (themes). Raises DigestError.

    `embedder` is the packaged one unless another is given.
    """
    about = _about(folder)
    if embedder is None:
        from newsletter.embedding import load

        embedder = load()
    if about.get("task") == "themes":
        return _themes(folder, embedder)
    return list(ranked(read(folder, str(about.get("name", folder.name))), embedder, options))


def _about(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / "suite.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _broken(folder, error) from error
    if not isinstance(about, dict):
        raise _broken(folder, TypeError("suite.json is not an object"))
    return about


def _broken(folder: Path, error: Exception) -> DigestError:
    why = f"{type(error).__name__}: {error}"
    return DigestError("Cannot read the evaluation suite", which=str(folder), why=why, do="Check its files.")


def write(results: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write one JSON line per result; how many."""
    lines = [json.dumps(r, ensure_ascii=False) for r in results]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def read(folder: Path, name: str) -> Suite:
    """Read a ranking suite's papers, profiles and groups. Raises DigestError on a file that is missing or broken."""
    try:
        raw = list(_lines(folder / "papers.jsonl.gz"))
        pools: dict[str, list[str]] = defaultdict(list)
        for entry in raw:
            pools[entry.get("pool", "")].append(entry["id"])
        groups = tuple(_group(g, pools) for g in _lines(folder / "groups.jsonl.gz"))
        profiles = {p["id"]: _profile(p) for p in _lines(folder / "profiles.jsonl")}
        days = {p["id"]: day for p in raw if (day := _day(p.get("date")))}
        return Suite(name, {p["id"]: _paper(p) for p in raw}, days, profiles, groups)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder, error) from error


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def _group(entry: Mapping[str, Any], pools: Mapping[str, list[str]]) -> Group:
    asked = entry["candidates"]
    candidates = pools[asked.removeprefix("pool:")] if isinstance(asked, str) else asked
    return Group(entry["profile"], entry["group"], tuple(candidates))


def _profile(entry: Mapping[str, Any]) -> Profile:
    interests = (Interest(i) if isinstance(i, str) else Interest(**i) for i in entry.get("interests", ()))
    follow = entry.get("follow", {})
    return Profile(
        interests=tuple(interests),
        follow_authors=tuple(follow.get("authors", ())),
        follow_keywords=tuple(follow.get("keywords", ())),
        trending=float(entry.get("trending", Profile().trending)),
        avoid=tuple(entry.get("avoid", ())),
        likes=tuple(entry.get("likes", ())),
        dislikes=tuple(entry.get("dislikes", ())),
    )


def _paper(entry: Mapping[str, Any]) -> Paper:
    return Paper(
        id=entry["id"],
        title=entry["title"],
        abstract=entry.get("abstract") or "",
        authors=tuple(entry.get("authors") or ()),
        published=_day(entry.get("published_at") or entry.get("date")),
        upvotes=entry.get("upvotes"),
        comments=entry.get("num_comments", entry.get("comments")),
        stars=entry.get("stars"),
        code=entry.get("github_repo") or entry.get("code") or "",
    )


def _day(text: str | None) -> date | None:
    return datetime.fromisoformat(text).date() if text else None


def ranked(suite: Suite, embedder: Embedder, options: Options | None = None) -> Iterator[dict[str, Any]]:
    """Groups with the same candidates are one day with many readers; the results keep the order of the groups."""
    from newsletter.ranking.features import index

    papers = tuple(suite.papers.values())
    known = index(Corpus(papers, embedder.encode([paper_text(p) for p in papers])))
    days: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, group in enumerate(suite.groups):
        days[group.candidates].append(i)
    results: dict[int, dict[str, Any]] = {}
    for candidates, places in days.items():
        stage = _stage(suite, known, candidates, options or Options())
        for i, scores in zip(places, _scores(suite, [suite.groups[i] for i in places], stage, embedder), strict=True):
            results[i] = _line(suite.groups[i], scores)
    yield from (results[i] for i in range(len(suite.groups)))


def _stage(suite: Suite, known: Index, candidates: tuple[str, ...], options: Options) -> Stage:
    """The candidates as a day's papers, before the archive of that day.

    Papers that other groups ask about are of other days: the archive has them if their date is not later, and has not
    if they bear none.
    """
    import numpy as np

    from newsletter.ranking.stage import prepare

    day = known.rows([suite.papers[i] for i in candidates])
    today = max((suite.days[i] for i in candidates if i in suite.days), default=date.max)
    asked = {i for group in suite.groups for i in group.candidates} if today == date.max else set()
    before = [suite.days.get(p.id, date.min) <= today and p.id not in asked for p in known.papers]
    archive = np.flatnonzero(np.array(before, np.bool_))
    return prepare(known, day, archive, themes={}, momentum={}, today=today, options=options)


def _scores(suite: Suite, groups: Sequence[Group], stage: Stage, embedder: Embedder) -> Iterator[NDArray[np.float32]]:
    from newsletter.ranking.fuse import score

    for start in range(0, len(groups), 64):
        few = groups[start : start + 64]
        yield from score([suite.profiles[g.profile] for g in few], stage, embedder.encode).total


def _line(group: Group, scores: NDArray[np.float32]) -> dict[str, Any]:
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    return {
        "profile": group.profile,
        "group": group.name,
        "ranked": [group.candidates[i] for i in order],
        "scores": [round(float(scores[i]), 6) for i in order],
    }


def _themes(folder: Path, embedder: Embedder) -> list[dict[str, Any]]:
    from newsletter.themes import evaluate_papers

    try:
        papers = [_paper(entry) for entry in _lines(folder / "papers.jsonl.gz")]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder, error) from error
    vectors = embedder.encode([paper_text(p) for p in papers])
    return evaluate_papers(papers, vectors, model=embedder.name, seed=_SEED, encode=embedder.encode)
