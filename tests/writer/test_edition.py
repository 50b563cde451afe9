"""An edition with a language model: written when it is prepared, frozen with the letter, and never needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from newsletter import pipeline
from newsletter.model import Digest, Letter, Paper
from newsletter.pipeline.writing import accepted
from newsletter.store import archive, editions

DAY = date(2025, 3, 13)
TOPICS = ("graph retrieval", "video diffusion", "protein folding")
Open = Callable[..., AbstractContextManager[pipeline.Workspace]]


def papers(day: date = DAY, count: int = 12) -> tuple[Paper, ...]:
    return tuple(
        Paper(
            f"arxiv:{day:%y%m}.{day.day:02}{n:03}", f"Study {n}: {TOPICS[n % 3]} in practice",
            f"We study {TOPICS[n % 3]} by method {n} of the day. It improves {TOPICS[n % 3]} by {n + 3} percent.",
            upvotes=n, published=day,
        )
        for n in range(count)
    )  # fmt: skip


def answers(data):
    """A summary for each paper, and a name for each theme, from the data alone."""
    if "themes" in data:
        adjectives = ("Spoken", "Sparse", "Visual", "Causal", "Quantum", "Medical", "Musical", "Written")
        nouns = ("Graphs", "Proteins", "Videos", "Robots", "Letters", "Grids", "Codes", "Waves")
        return {"names": {k: f"{adjectives[int(k) % 8]} {nouns[int(k) % 8]}" for k in data["themes"]}}
    return {"did": f"The model says: a study of {data['title'].split(': ')[1]}.", "found": ""}


@pytest.fixture
def open_with(model, tmp_path: Path) -> Open:
    """A workspace with one reader whose language model is the test's server."""
    config = tmp_path / "config"
    (config / "subscribers").mkdir(parents=True)
    (config / "subscribers" / "ada.yaml").write_text("email: ada@example.org\ninterests: [graph retrieval]\n")

    def _open(more: str = "") -> AbstractContextManager[pipeline.Workspace]:
        (config / "newsletter.yaml").write_text(
            "from: Papers <papers@example.org>\n"
            f"language_model: {{url: '{model.url}', model: llama, timeout: 2{more}}}\n"
        )
        return pipeline.open_workspace(config, {})

    return _open


def letter_of(workspace: pipeline.Workspace, day: date = DAY) -> Letter:
    (letter,) = pipeline.write(workspace, pipeline.prepare(workspace, day), pipeline.readers(workspace))
    return letter


def summaries_of(letter: Letter) -> list[str]:
    sections = [entry for section in letter.sections for entry in section.entries]
    return [entry.summary for entry in (*letter.top, *sections, *letter.trending, *letter.explore)]


def test_summaries_and_names_are_written_when_the_edition_is_prepared_and_never_again(open_with, model):
    model.answer = answers
    with open_with() as workspace:
        archive.add_digest(workspace.engine, Digest("page", DAY, papers()))
        letter = letter_of(workspace)
        assert all(summary.startswith("The model says: ") for summary in summaries_of(letter))
        asked = len(model.questions)
        assert asked == len(papers()) + 1
        edition = pipeline.prepare(workspace, DAY)
        labels = [theme.label for theme in edition.themes if theme.id != "more"]
        assert labels
        assert set(labels) <= {"Sparse Proteins", "Visual Videos", "Causal Robots"}
        pipeline.plan(workspace, edition, pipeline.readers(workspace), at=datetime(2025, 3, 13, 7, tzinfo=UTC))
        frozen = pipeline.frozen_letters(workspace, DAY)["ada"]
        assert summaries_of(frozen) == summaries_of(letter)
        assert len(model.questions) == asked


def test_a_theme_that_is_named_keeps_its_id_and_its_name_the_next_day(open_with, model):
    model.answer = answers
    with open_with(", summaries: false") as workspace:
        archive.add_digest(workspace.engine, Digest("page", DAY, papers(count=30)))
        pipeline.prepare(workspace, DAY)
        asked, next_day = len(model.questions), DAY + timedelta(days=1)
        archive.add_digest(workspace.engine, Digest("page", next_day, papers(next_day, 30)))
        pipeline.prepare(workspace, next_day)
        first = {t.id: t for t in editions.known_themes(workspace.engine, next_day)}
        second = {t.id: t for t in editions.known_themes(workspace.engine, next_day + timedelta(days=1))}
        both = first.keys() & second.keys()
        assert both
        assert {first[i].label for i in both} == {second[i].label for i in both}
        assert len(model.questions) <= asked + 1, "only of themes that are new that day"


def _misbehaving(misbehave) -> dict[str, Callable[[object], object]]:
    return {
        "away": lambda _: misbehave(status=503),
        "garbage": lambda _: misbehave(body=b"<html>"),
        "markup": lambda _: {
            "did": "<script>We study graph retrieval by method.</script>",
            "names": {"1": "<b>A</b> B"},
        },
    }


@pytest.mark.parametrize("how", ["away", "garbage", "markup"])
def test_a_model_that_misbehaves_changes_nothing_but_the_log(open_with, model, misbehave, how):
    model.answer = _misbehaving(misbehave)[how]
    with open_with() as workspace:
        archive.add_digest(workspace.engine, Digest("page", DAY, papers()))
        with structlog.testing.capture_logs() as lines:
            letter = letter_of(workspace)
        labels = {theme.id: theme.label for theme in pipeline.prepare(workspace, DAY).themes}
        assert any("papers' own words" in line["event"] for line in lines)
    assert any(summary.startswith("We study ") for summary in summaries_of(letter))
    assert "script" not in " ".join((*summaries_of(letter), *labels.values()))


def test_off_by_default_and_each_half_can_be_left_out(open_with, model):
    model.answer = answers
    with open_with(", summaries: false, theme_names: false") as workspace:
        archive.add_digest(workspace.engine, Digest("page", DAY, papers()))
        assert any(summary.startswith("We study ") for summary in summaries_of(letter_of(workspace)))
        without = replace(workspace, settings=workspace.settings.model_copy(update={"language_model": None}))
        letter_of(without)
    assert model.questions == []


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("kv-cache compression", "Kv-Cache Compression"),
        ("Video Diffusion", "Old Label"),  # another theme's
        ("Video Diffusion Models", "Old Label"),  # not told apart from it
        ("Novel Framework", "Old Label"),
        ("Large Approach", "Old Label"),
    ],
)
def test_a_name_must_be_able_to_name_a_theme_and_be_unlike_the_others(given, label):
    labels = accepted({"a": "Old Label", "b": "Video Diffusion"}, {"a": given, "gone": "Some Name"})
    assert labels == {"a": label, "b": "Video Diffusion"}
