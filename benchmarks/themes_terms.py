"""Writes newsletter/themes/lists/terms.txt: the noun phrases of arXiv papers and how many papers say them.

usage: python benchmarks/themes_terms.py CORPUS_DIR     (JSON Lines, gzip: title, abstract; every second is read)
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from newsletter.themes.phrases import Key, key, noun_end, runs
from newsletter.themes.words import FUNCTION

STEP = 2
LEAST = 0.0003  # share of the papers that say a listed phrase
OUT = Path(__file__).parents[1] / "newsletter" / "themes" / "lists" / "terms.txt"
HEAD = "# Noun phrases of arXiv papers (singular, lower case) after the number of papers in 100,000 that say them.\n"


def papers(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % STEP == 0:
                    yield json.loads(line)


def ends(text: str) -> Iterator[Key]:
    """The last two to four words of every run that a noun ends."""
    for run, follower in runs(text):
        if noun_end(follower):
            for length in range(2, min(4, len(run)) + 1):
                yield key(run[-length:])


def main() -> None:
    said, count = Counter[Key](), 0
    for paper in papers(Path(sys.argv[1])):
        count += 1
        said.update({*ends(paper["title"]), *ends(paper["abstract"])})
    listed = sorted(
        (-papers, phrase)
        for phrase, papers in said.items()
        if papers >= round(count * LEAST)
        and 2 <= len(phrase) <= 5
        and phrase[-1].isalpha()
        and not {phrase[0], phrase[-1]} & FUNCTION
    )
    rows = (f"{round(-papers * 100_000 / count)} {' '.join(phrase)}\n" for papers, phrase in listed)
    OUT.write_text(HEAD + "".join(rows), encoding="utf-8")
    print(f"{count} papers, {len(listed)} phrases -> {OUT}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
