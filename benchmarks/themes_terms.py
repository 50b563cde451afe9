"""Writes newsletter/themes/lists/terms.txt: noun phrases of arXiv, how many papers say them, how many titles.

usage: python benchmarks/themes_terms.py ../shared/corpus ../shared/eval
       (JSON Lines, gzip: title, abstract; the papers of the evaluation suites in the second folder are left out)
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from newsletter.embedding.corpus import files_of, paper_keys, prepare, read_pairs
from newsletter.themes.phrases import Key, key, noun_end, runs
from newsletter.themes.words import FUNCTION

LEAST = 0.0002  # share of the papers that say a listed phrase
ALONE = 0.05  # share of those in which it is no end of a longer phrase ("model agents" of "foundation model agents")
OUT = Path(__file__).parents[1] / "newsletter" / "themes" / "lists" / "terms.txt"
HEAD = "# Noun phrases of arXiv (singular, lower case): of 100,000 papers how many say it, how many in the title.\n"


def ends(text: str) -> Iterator[tuple[Key, bool]]:
    """The last two to four words of every run that a noun ends, and whether they are all of it."""
    for run, follower in runs(text):
        if noun_end(follower):
            for length in range(2, min(4, len(run)) + 1):
                yield key(run[-length:]), length == len(run)


def main() -> None:
    corpus, suites = map(Path, sys.argv[1:])
    unseen = {k for pair in read_pairs(sorted(suites.rglob("papers.jsonl.gz"))) for k in paper_keys(pair)}
    papers = prepare(read_pairs(files_of(corpus)), unseen=unseen)
    said, titled, alone = Counter[Key](), Counter[Key](), Counter[Key]()
    for title, abstract in papers:
        in_title = set(ends(title))
        found = in_title.union(ends(abstract))
        said.update({phrase for phrase, _ in found})
        alone.update({phrase for phrase, whole in found if whole})
        titled.update({phrase for phrase, _ in in_title})
    listed = sorted(
        (-count, phrase)
        for phrase, count in said.items()
        if count >= len(papers) * LEAST
        and alone[phrase] >= ALONE * count
        and 2 <= len(phrase) <= 5
        and phrase[-1].isalpha()
        and not {phrase[0], phrase[-1]} & FUNCTION
    )
    scale = 100_000 / len(papers)
    rows = (f"{round(-count * scale)} {round(titled[phrase] * scale)} {' '.join(phrase)}\n" for count, phrase in listed)
    OUT.write_text(HEAD + "".join(rows), encoding="utf-8")
    print(f"{len(papers)} papers, {len(listed)} phrases -> {OUT}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
