"""A subscriber's file is changed whole or not at all, and stays what it was: its mode, its link, its place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter import pipeline
from newsletter.errors import ConfigError
from newsletter.pipeline import roster
from newsletter.pipeline.workspace import Workspace, readers, reloaded
from newsletter.settings import Append, Problem

NOW = datetime(2025, 5, 27, 9, tzinfo=UTC)
DOCUMENT = """\
# who
email: ada@example.org   # work
interests:
  # the old love
  - hashing
likes: [arxiv:2405.19504]
# the end
"""


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "subscribers" / "ada.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.fixture
def workspace(ada: Path) -> Iterator[Workspace]:
    config = ada.parent.parent
    (config / "newsletter.yaml").write_text("from: Papers <papers@example.org>\n", encoding="utf-8")
    with pipeline.open_workspace(config, {}) as workspace:
        yield workspace


def change(workspace: Workspace, changes: dict[str, Any]) -> tuple[Problem, ...]:
    document = roster.read_document(workspace, "ada")
    assert document is not None
    return roster.change_document(workspace, document, changes, now=NOW)


def test_a_file_is_replaced_whole_with_its_mode(workspace, ada):
    ada.chmod(0o640)
    before = ada.stat().st_ino
    assert change(workspace, {"papers": 3}) == ()
    assert stat.S_IMODE(ada.stat().st_mode) == 0o640
    assert ada.stat().st_ino != before
    assert [path.name for path in ada.parent.iterdir()] == ["ada.yaml"], "no temporary file is left"
    reader = roster.reader_of(workspace, "ada")
    assert reader is not None
    assert reader.profile.papers == 3


def test_a_change_that_would_break_the_document_leaves_it_as_it_was(workspace, ada):
    with pytest.raises(ConfigError, match=r"ada\.yaml:\d+:\d+: papers must be at least 1"):
        change(workspace, {"papers": 0})
    assert ada.read_text(encoding="utf-8") == DOCUMENT
    ada.write_text("email: [", encoding="utf-8")
    with pytest.raises(ConfigError, match="Correct the document first"):
        change(workspace, {"papers": 1})
    assert ada.read_text(encoding="utf-8") == "email: ["


def test_what_only_a_person_can_change_is_refused_with_what_to_do(workspace, ada):
    text = "email: ada@example.org\nlikes: &both ['2405.19504']\ndislikes: *both\n"
    ada.write_text(text, encoding="utf-8")
    with pytest.raises(roster.DocumentError, match=r"anchors .* Write the values out") as refused:
        change(workspace, {"likes": Append(("arxiv:2405.10500",))})
    assert not refused.value.stale
    assert "Write the values out" in refused.value.problems[0].message
    assert ada.read_text(encoding="utf-8") == text


def test_a_link_stays_a_link(workspace, ada, tmp_path):
    target = ada.rename(tmp_path / "real.yaml")
    ada.symlink_to(target)
    change(workspace, {"papers": 3})
    assert ada.is_symlink()
    assert "papers: 3" in target.read_text(encoding="utf-8")


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(workspace, ada, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        change(workspace, {"papers": 3})
    assert ada.read_text(encoding="utf-8") == DOCUMENT
    assert [path.name for path in ada.parent.iterdir()] == ["ada.yaml"]


def test_a_change_is_seen_by_the_next_reading(workspace):
    change(workspace, {"papers": 3})
    assert readers(reloaded(workspace, {}))[0].profile.papers == 3


def test_a_like_may_be_known_by_its_title_alone(workspace, ada):
    """What `likes import` writes for a paper without arXiv id and DOI is read back."""
    key = "title:0123456789abcdef"
    assert change(workspace, {"likes": Append((key,), {key: "A book"})}) == ()
    assert ada.read_text(encoding="utf-8").endswith(
        f"  - hashing\nlikes:\n  - arxiv:2405.19504\n  - {key}  # A book\n# the end\n"
    )
    reader = roster.reader_of(workspace, "ada")
    assert reader is not None
    assert reader.profile.likes[-1] == key
    with pytest.raises(ConfigError, match="not a paper id"):
        change(workspace, {"likes": Append(("title:A book",))})
