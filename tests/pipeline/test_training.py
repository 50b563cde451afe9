"""A model of one's own: trained on the archive and files, the archive embedded anew, the old one kept until then."""

from __future__ import annotations

import gzip
import json
import random
from datetime import date
from pathlib import Path

import pytest

from newsletter import embedding, pipeline
from newsletter.errors import ConfigError, DigestError
from newsletter.model import Digest, Paper
from newsletter.pipeline.training import archived
from newsletter.store import archive, vectors

DAY = date(2025, 3, 13)
WORDS = ("galaxy", "halo", "redshift", "quasar", "dwarf", "spectrum", "lensing", "survey", "cluster", "dust", "stellar")


def made(count: int, seed: int = 0) -> list[Paper]:
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=30)) for _ in range(count)]
    return [Paper(f"arxiv:2503.{n:05}", f"{text[:40]} {n}", f"We measure {text} {n}.") for n, text in enumerate(texts)]


@pytest.fixture
def workspace(tmp_path: Path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "newsletter.yaml").write_text("from: Papers <papers@example.org>\n")
    with pipeline.open_workspace(tmp_path / "config", {}) as opened:
        yield opened


def test_every_archived_paper_is_embedded_with_the_new_model(workspace):
    archive.add_digest(workspace.engine, Digest("page", DAY, tuple(made(240))))
    trained = pipeline.train_embedding(workspace, [], report=lambda _: None)
    model = embedding.load("trained", data=workspace.settings.data)
    assert trained.model == model.name
    assert trained.model != embedding.load("packaged").name
    assert (trained.embedded, trained.used) == (240, False)
    ids = [paper.id for paper in archived(workspace)]
    assert len(vectors.get_vectors(workspace.engine, model.name, ids)) == 240


def test_corpus_files_are_read_beside_the_archive(workspace, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    with gzip.open(corpus / "a.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps({"title": p.title, "abstract": p.abstract}) + "\n" for p in made(230, seed=1))
    assert pipeline.train_embedding(workspace, [corpus], report=lambda _: None).embedded == 0


def test_too_few_papers_are_refused_and_the_model_in_use_stays(workspace, tmp_path):
    archive.add_digest(workspace.engine, Digest("page", DAY, tuple(made(240))))
    before = pipeline.train_embedding(workspace, [], report=lambda _: None).model
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"title": "cut')
    with pytest.raises(DigestError, match=r"broken\.jsonl"):
        pipeline.train_embedding(workspace, [broken], report=lambda _: None)
    assert embedding.load("trained", data=workspace.settings.data).name == before


def test_an_empty_archive_says_how_many_papers_it_takes(workspace):
    with pytest.raises(ConfigError, match="200"):
        pipeline.train_embedding(workspace, [], report=lambda _: None)
