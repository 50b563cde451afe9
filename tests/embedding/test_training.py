"""Training a model of one's own, on few papers and without a teacher beyond the packaged model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from newsletter.embedding import PACKAGED, load
from newsletter.embedding.corpus import Pair
from newsletter.embedding.folder import read
from newsletter.embedding.training import FEWEST, PACKAGED_RECIPE, train
from newsletter.errors import ConfigError

QUICK = replace(PACKAGED_RECIPE, steps=60, views=((1.0, 1),), tokens=2_000)


def silent(line: str) -> None: ...


@pytest.fixture(scope="module")
def trained(papers: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one trained model."""
    data = tmp_path_factory.mktemp("data")
    train(papers, data / "models", recipe=QUICK, report=silent, about={"note": "three fields"})
    return data


def test_the_trained_model_is_in_use_and_tells_the_fields_apart(trained: Path, papers: list[Pair]) -> None:
    rows = load("trained", data=trained).encode([abstract for _, abstract in papers])
    field = np.arange(len(papers)) % 3
    alike = rows @ rows.T
    same = field[:, None] == field
    assert alike[same].mean() > alike[~same].mean() + 0.3


def test_the_card_tells_where_the_model_comes_from(trained: Path) -> None:
    (folder,) = [path for path in (trained / "models").iterdir() if path.is_dir()]
    card = json.loads((folder / "card.json").read_text())
    assert card["corpus"]["papers"] == card["corpus"]["taught"] == 300
    assert card["teacher"]["name"] == load().name
    assert card["recipe"]["seed"] == 0
    assert card["note"] == "three fields"


def test_training_again_gives_the_same_version(trained: Path, papers: list[Pair]) -> None:
    before = sorted((trained / "models").iterdir())
    train(papers, trained / "models", recipe=QUICK, report=silent)
    assert sorted((trained / "models").iterdir()) == before


def test_another_seed_is_another_version_and_the_old_one_stays(papers: list[Pair], tmp_path: Path) -> None:
    models = tmp_path / "models"
    old = train(papers, models, recipe=QUICK, report=silent)
    new = train(papers, models, recipe=replace(QUICK, seed=1), report=silent)
    assert read(old).fingerprint != read(new).fingerprint
    assert load("trained", data=tmp_path).name == load(str(new)).name


def test_a_training_that_fails_leaves_the_old_model_in_use(trained: Path, papers: list[Pair]) -> None:
    before = load("trained", data=trained).name
    with pytest.raises(ConfigError):
        train(papers[: FEWEST - 1], trained / "models", report=silent)
    assert load("trained", data=trained).name == before


def test_words_the_packaged_model_does_not_know_are_learned(trained: Path, papers: list[Pair]) -> None:
    """Each field's abstracts hold a made-up word; it must come to lie near the field's own words."""
    invented = ["zorblatt", "quibnar", "flommet"]
    marked = [(title, f"{abstract} {invented[i % 3]} {invented[i % 3]}") for i, (title, abstract) in enumerate(papers)]
    train(marked, trained / "models", recipe=QUICK, name="marked", report=silent)
    rows = load("trained", data=trained).encode([*invented, "galaxy halo", "prompt decoder", "protein enzyme"])
    assert (rows[:3] @ rows[3:].T).argmax(axis=1).tolist() == [0, 1, 2]


def test_too_few_papers_are_refused_with_the_number_it_takes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"on 3 papers with an abstract: it takes {FEWEST}"):
        train([(f"T{i}", "a b c") for i in range(3)] + [("empty", "")], tmp_path, report=silent)
    assert not list(tmp_path.iterdir())


def test_the_command_trains_on_files_and_leaves_out_what_must_stay_unseen(papers: list[Pair], tmp_path: Path) -> None:
    corpus, suite = tmp_path / "corpus.jsonl", tmp_path / "suite.jsonl"
    for path, some in ((corpus, papers), (suite, papers[:50])):
        path.write_text("".join(json.dumps({"title": t, "abstract": a}) + "\n" for t, a in some))
    command = [sys.executable, "-m", "newsletter.embedding.training", "--corpus", corpus, "--unseen", suite]
    done = subprocess.run(
        [*command, "--out", tmp_path / "models", "--steps", "60"], capture_output=True, text=True, check=True
    )
    card = json.loads((Path(done.stdout.strip()) / "card.json").read_text())
    assert card["corpus"]["papers"] == 250
    assert card["command"].startswith("python -m newsletter.embedding.training --corpus")


def test_the_command_says_what_is_wrong_and_exits_with_two(tmp_path: Path) -> None:
    corpus = tmp_path / "few.jsonl"
    corpus.write_text(json.dumps({"title": "A", "abstract": "b"}))
    command = [sys.executable, "-m", "newsletter.embedding.training", "--corpus", corpus, "--out", tmp_path / "models"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot train an embedding model" in done.stderr


def test_the_packaged_card_tells_corpus_teacher_licence_command_and_figures() -> None:
    card = json.loads((PACKAGED / "card.json").read_text())
    assert card["teacher"]["licence"] == "Apache-2.0"
    assert card["corpus"]["sha256"]
    assert card["command"].startswith("python -m newsletter.embedding.training")
    assert card["figures"]
    assert card["recipe"]["seed"] == PACKAGED_RECIPE.seed
