"""Results of a theme suite through the product's own code, for the suite's score.py.

usage: python benchmarks/themes_suite.py ../shared/eval/themes-arxiv17 results.jsonl [SEED]
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from newsletter.embedding import load
from newsletter.model import Paper
from newsletter.text import paper_text
from newsletter.themes import evaluate_papers


def main() -> None:
    folder, out, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with gzip.open(folder / "papers.jsonl.gz", "rt", encoding="utf-8") as lines:
        papers = [Paper(row["id"], row["title"], row["abstract"]) for row in map(json.loads, lines)]
    model = load("packaged")
    vectors = model.encode([paper_text(paper) for paper in papers])
    results = evaluate_papers(papers, vectors, model=model.name, seed=seed, encode=model.encode)
    out.write_text("".join(f"{json.dumps(row)}\n" for row in results), encoding="utf-8")


if __name__ == "__main__":
    main()
