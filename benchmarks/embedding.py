"""What the embedding model does alone: plain cosines on the evaluation suites, and its speed.

    python benchmarks/embedding.py [--model packaged] [--eval ../shared/eval] [--json]

Ranking suites: a candidate's score is its mean cosine with the reader's liked papers (or with the interest texts; or
with the three closest, or the closest), without TF-IDF, feedback or ranker; scored by the suites' own score.py.
themes-arxiv17: k-means with 17 clusters, mean v-measure of five seeds. `centred`: the mean vector of the suite's papers
is taken off papers and interests first. `--record` writes the figures onto the model's card.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from newsletter.embedding import Embedder, load

ROOT = Path(__file__).parent.parent
Encode = Callable[[list[str]], np.ndarray]
RANKING = {
    "gold-reviewer": "loss",
    "silver-vlm": "ndcg@10",
    "silver-astro": "ndcg@10",
    "citeulike-cold": "recall@100",
    "reviews": "average_precision",
}


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file]


def text(paper: dict[str, Any]) -> str:
    return f"{paper['title']}. {paper['abstract']}" if paper.get("abstract") else str(paper["title"])


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def ranked(folder: Path, vectors: dict[str, np.ndarray], encode: Encode, way: str) -> Iterator[dict[str, Any]]:
    papers = lines(folder / "papers.jsonl.gz")
    wanted = {}
    for profile in lines(folder / "profiles.jsonl"):
        if profile.get("likes"):
            wanted[profile["id"]] = np.stack([vectors[one] for one in profile["likes"]])
        else:
            wanted[profile["id"]] = encode(profile["interests"])
    for group in lines(folder / "groups.jsonl.gz"):
        candidates = group["candidates"]
        if isinstance(candidates, str):
            candidates = [paper["id"] for paper in papers if paper.get("pool") == candidates.split(":")[1]]
        cosines = np.stack([vectors[one] for one in candidates]) @ wanted[group["profile"]].T
        closest = np.sort(cosines, axis=1)[
            :, {"mean": slice(None), "three": slice(-3, None), "max": slice(-1, None)}[way]
        ]
        scores = closest.mean(axis=1)
        order = np.argsort(-scores, kind="stable")
        yield {
            "profile": group["profile"],
            "group": group["group"],
            "ranked": [candidates[k] for k in order],
            "scores": [float(scores[k]) for k in order],
        }


def ranking_figures(suite: Path, model: Embedder) -> dict[str, float]:
    papers = lines(suite / "papers.jsonl.gz")
    rows = model.encode([text(paper) for paper in papers])
    found = {}
    for centring, mean in (("", np.float32(0)), (", centred", rows.mean(axis=0))):
        moved = unit(rows - mean)

        def encode(texts: list[str], mean: Any = mean) -> np.ndarray:
            return unit(model.encode(texts) - mean)

        vectors = {paper["id"]: row for paper, row in zip(papers, moved, strict=True)}
        for way in (
            ("mean", "three") if suite.name in {"gold-reviewer", "citeulike-cold", "reviews"} else ("mean", "max")
        ):
            with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
                file.writelines(json.dumps(line) + "\n" for line in ranked(suite, vectors, encode, way))
                file.flush()
                command = [sys.executable, str(suite.parent / "score.py"), str(suite), file.name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[f"{suite.name} {RANKING[suite.name]}, {way}{centring}"] = json.loads(done.stdout)[RANKING[suite.name]]
    return found


def theme_figures(suite: Path, model: Embedder) -> dict[str, float]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import v_measure_score

    papers = lines(suite / "papers.jsonl.gz")
    labels = {line["id"]: line["label"] for line in lines(suite / "labels.jsonl.gz")}
    true = [labels[paper["id"]] for paper in papers]
    rows = model.encode([text(paper) for paper in papers])
    found = {}
    for centring in ("", ", centred"):
        moved = unit(rows - rows.mean(axis=0)) if centring else rows
        runs = [v_measure_score(true, KMeans(17, n_init=4, random_state=seed).fit_predict(moved)) for seed in range(5)]
        found[f"{suite.name} v-measure, 17-means{centring}"] = round(float(np.mean(runs)), 4)
    return found


def speed(name: str, suite: Path) -> dict[str, float]:
    texts = [text(paper) for paper in lines(suite / "papers.jsonl.gz")]
    begin = time.process_time()
    model = load(name)
    loaded = time.process_time()
    model.encode(texts)
    first = time.process_time()
    model.encode(texts)
    return {
        "load, s of processor time": round(loaded - begin, 3),
        "abstracts per s of processor time, first": round(len(texts) / (first - loaded)),
        "abstracts per s of processor time, again": round(len(texts) / (time.process_time() - first)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="packaged")
    parser.add_argument("--eval", type=Path, default=ROOT.parent / "shared" / "eval")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", type=Path, help="the model's folder")
    options = parser.parse_args()
    figures = speed(options.model, options.eval / "themes-arxiv17")
    model = load(options.model)
    figures |= theme_figures(options.eval / "themes-arxiv17", model)
    for name in RANKING:
        figures |= ranking_figures(options.eval / name, model)
    if options.record:
        card = json.loads((options.record / "card.json").read_text())
        card["figures"] = {"command": "python benchmarks/embedding.py", **figures}
        (options.record / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    if options.json:
        print(json.dumps({"model": model.name, **figures}, indent=1))
    else:
        print(model.name, *(f"{value:>10.4f}  {what}" for what, value in figures.items()), sep="\n")


if __name__ == "__main__":
    main()
