"""Trains a static model on papers: the packaged one from scratch, or one of a laboratory's own on its archive.

    python -m newsletter.embedding.training --corpus FOLDER [--unseen FOLDER] --teacher minilm --out MODELS

`train` reads like the recipe: papers -> vocabulary -> what the teacher says -> fit -> a folder, switched to at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.embedding.corpus import Pair, corpus_hash, files_of, halves, paper_keys, prepare, read_pairs
from newsletter.embedding.fit import Parts, Recipe, fit
from newsletter.embedding.folder import fingerprint, publish, read, serialise, write
from newsletter.embedding.static import weighed
from newsletter.embedding.teacher import StaticTeacher, Teacher, TransformerTeacher, minilm_folder
from newsletter.embedding.tokens import Tokenizer
from newsletter.embedding.vocabulary import count, grow
from newsletter.errors import ConfigError, NewsletterError

__all__ = ["FEWEST", "Recipe", "train"]

FEWEST = 200  # papers; with fewer a batch holds too little to tell apart, and the packaged model is the better one
_PACKAGED = Path(__file__).parent / "packaged"
PACKAGED_RECIPE = Recipe()
_FULL = 20_000  # papers from which the packaged recipe's number of steps is worth its time


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def train(
    pairs: Iterable[Pair],
    models: Path,
    *,
    unseen: Collection[str] = (),
    teacher: Teacher | None = None,
    taught: int | None = None,
    recipe: Recipe = PACKAGED_RECIPE,
    name: str = "trained",
    about: Mapping[str, Any] | None = None,
    report: Callable[[str], None] = _say,
) -> Path:
    """A new version under `models`, made the current one when it is complete; the folder of that version.

    pairs: (title, abstract); those without an abstract, doubles, and those with a key in `unseen` (`paper_keys`) are
    left out. teacher: the packaged model where None. taught: how many papers the teacher reads (all where None). The
    same papers, recipe and teacher give the same version. Raises ConfigError below FEWEST papers.
    """
    papers = prepare(pairs, unseen=unseen, seed=recipe.seed)
    if len(papers) < FEWEST:
        raise ConfigError(
            "cannot train an embedding model", which=f"on {len(papers)} papers with an abstract",
            why=f"it takes {FEWEST}, and some thousands to gain anything",
            do="Add corpus files, or keep `embedding: {model: packaged}`",
        )  # fmt: skip
    teacher = teacher or StaticTeacher(read(_PACKAGED))
    recipe = replace(recipe, steps=_steps(recipe, len(papers)))
    report(f"{len(papers):,} papers; growing the vocabulary")
    vocabulary = grow(
        count(text for pair in papers for text in pair), teacher.general,
        size=recipe.tokens, pair_share=recipe.pair_share, piece_share=recipe.piece_share,
    )  # fmt: skip
    parts = Parts(_rows(papers, vocabulary), teacher.papers(papers[:taught]))
    start, fresh = teacher.start(vocabulary, recipe.dimensions)
    if fresh:
        start = start * _rarity(parts, recipe.frequent)[:, None]
    report(f"{len(vocabulary):,} tokens; {sum(runs for _, runs in recipe.views)} times {recipe.steps} steps")
    vectors = fit(
        parts, start, recipe, lambda step, near, like: report(f"step {step}: contrast {near:.3f}, likeness {like:.5f}")
    )
    card = _card(name, papers, len(papers[:taught]), teacher=teacher, recipe=recipe, about=about or {})
    return _publish(models, vocabulary, vectors, card)


def _steps(recipe: Recipe, papers: int) -> int:
    return max(60, recipe.steps * min(papers, _FULL) // _FULL)


def _rows(papers: Sequence[Pair], vocabulary: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    tokenizer = Tokenizer(vocabulary)
    found = [weighed(tokenizer.ids(part)) for pair in papers for part in halves(pair)]
    ends = np.cumsum([0, *(len(numbers) for numbers, _ in found)])
    numbers = np.concatenate([numbers for numbers, _ in found]).astype(np.int32)
    weights = np.concatenate([weights for _, weights in found])
    return csr_matrix((weights, numbers, ends), shape=(len(found), len(vocabulary)))


def _rarity(parts: Parts, frequent: float) -> Any:
    met = np.bincount(parts.rows.indices, minlength=parts.rows.shape[1])
    return (frequent / (frequent + met / met.sum())).astype(np.float32)


def _card(
    name: str, papers: Sequence[Pair], taught: int, *, teacher: Teacher, recipe: Recipe, about: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "teacher": dict(teacher.about),
        "corpus": {"papers": len(papers), "taught": taught, "sha256": corpus_hash(papers)},
        "recipe": asdict(recipe),
        "made_with": {package: version(package) for package in ("numpy", "scipy")},
        **about,
    }


def _publish(models: Path, vocabulary: Sequence[str], vectors: NDArray[np.float32], card: Mapping[str, Any]) -> Path:
    """The version's name is a hash of its contents: training again what is already there changes nothing."""
    raw = serialise(vocabulary, vectors)
    folder = models / f"{card['name']}-{fingerprint(raw)[:12]}"
    if not folder.exists():
        write(folder, raw, {**card, "dimensions": int(vectors.shape[1]), "tokens": len(vocabulary)})
    publish(models, folder.name)
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the module's head. Returns the exit status."""
    options = _parser().parse_args(arguments)
    given = {key: vars(options)[key] for key in ("seed", "steps") if vars(options)[key] is not None}
    try:
        unseen = {key for path in options.unseen for pair in read_pairs(_papers_of(path)) for key in paper_keys(pair)}
        folder = train(
            (pair for path in options.corpus for pair in read_pairs(files_of(path))),
            options.out,
            unseen=unseen,
            teacher=TransformerTeacher(minilm_folder(), cache=options.cache) if options.teacher == "minilm" else None,
            taught=options.taught,
            name=options.name,
            recipe=replace(PACKAGED_RECIPE, **given),
            about={"command": " ".join(["python -m newsletter.embedding.training", *(arguments or sys.argv[1:])])},
        )
    except NewsletterError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    sys.stdout.write(f"{folder}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m newsletter.embedding.training", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--corpus", type=Path, action="append", required=True, help="JSON Lines of papers, file or folder"
    )
    parser.add_argument("--unseen", type=Path, action="append", default=[], help="papers that must not be learned from")
    parser.add_argument("--out", type=Path, required=True, help="the folder of models")
    parser.add_argument("--teacher", choices=("packaged", "minilm"), default="packaged")
    parser.add_argument("--taught", type=int, help="papers that the teacher reads (default: all)")
    parser.add_argument("--cache", type=Path, help="keep the teacher's vectors here, for another run")
    parser.add_argument("--name", default="trained")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--steps", type=int)
    return parser


def _papers_of(path: Path) -> list[Path]:
    """An evaluation suite's folder holds other lines than papers too."""
    return sorted(path.rglob("papers.jsonl.gz")) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
