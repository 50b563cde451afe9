"""What a form changes is cut out of the document's text: all else stays as the person wrote it, to the byte."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.settings import edited
from newsletter.settings.reading import read_tree

DOCUMENT = """\
# who
email: ada@example.org   # work
send_at: "07:30"
pause_until: 2025-06-01  # away
# what I want
interests:
  # the old love
  - hashing
  # about data
  - {text: data selection, weight: 2}  # new
  - 'vector search'  # vs
# not this
avoid: [medical imaging]  # never
follow:
  authors: [A B]
  # words
  keywords:
    - HNSW  # graph
    - IVF
# last
"""
DATA = {"text": "data selection", "weight": 2}
INTERESTS = ("interests",)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
ITEMS = st.one_of(
    TEXTS, st.builds(lambda text, weight: {"text": text, "weight": weight}, TEXTS, st.integers(0, 9)),
    st.sampled_from(["hashing", "data selection", "vector search", DATA]),
)  # fmt: skip


def changed(text: str, changes: dict[tuple[str, ...], Any]) -> set[str]:
    """The lines that went (``-``) and came (``+``)."""
    before, after = text.splitlines(), edited(text, changes).splitlines()
    return {f"-{line}" for line in before if line not in after} | {f"+{line}" for line in after if line not in before}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({INTERESTS: ["hashing", DATA, "vector search"]}, set()),
        (
            {INTERESTS: ["hashing", {**DATA, "weight": 3}, "vector search"]},
            {"-  - {text: data selection, weight: 2}  # new", "+  - {text: data selection, weight: 3}  # new"},
        ),
        ({INTERESTS: ["hashing", "vector search"]}, {"-  - {text: data selection, weight: 2}  # new"}),
        ({INTERESTS: ["hashing", DATA]}, {"-  - 'vector search'  # vs"}),
        ({INTERESTS: ["hashing", DATA, "vector search", "new: one"]}, {"+  - 'new: one'"}),
        (
            {INTERESTS: [{"text": "hashing", "weight": 2}, DATA, "vector search"]},
            {"-  - hashing", "+  - {text: hashing, weight: 2}"},
        ),
        ({("pause_until",): None}, {"-pause_until: 2025-06-01  # away"}),
        (
            {("pause_until",): date(2026, 1, 2)},
            {"-pause_until: 2025-06-01  # away", "+pause_until: 2026-01-02  # away"},
        ),
        ({("send_at",): "08:15"}, {'-send_at: "07:30"', '+send_at: "08:15"'}),
        ({("avoid",): ["a", "b, c"]}, {"-avoid: [medical imaging]  # never", "+avoid: [a, 'b, c']  # never"}),
        ({("follow", "keywords"): ["HNSW"]}, {"-    - IVF"}),
        (
            {("avoid",): {"weekly": "friday"}},
            {"-avoid: [medical imaging]  # never", "+avoid: {weekly: friday}  # never"},
        ),
        ({("papers",): 5, ("likes",): ["arxiv:2405.10500"]}, {"+papers: 5", "+likes:", "+  - arxiv:2405.10500"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_only_the_lines_of_what_changed_change(changes: dict[tuple[str, ...], Any], lines: set[str]) -> None:
    assert changed(DOCUMENT, changes) == lines


def test_a_list_that_loses_everything_keeps_the_comments_around() -> None:
    text = edited(DOCUMENT, {INTERESTS: []})
    assert "interests: []\n  # the old love\n  # about data\n# not this\navoid:" in text


def test_what_is_removed_takes_no_equal_of_others_along() -> None:
    text = "avoid:\n- one # mine\n- two\n- one\n- one\n"
    assert edited(text, {("avoid",): ["one", "one", "one"]}) == "avoid:\n- one # mine\n- one\n- one\n"


def test_an_item_that_moves_into_another_ones_place_takes_its_comment_along() -> None:
    text = "interests: [\n  say,\n  alpha,\n  naive, # mine\n  beta\n]\n"
    made = edited(text, {("interests",): ["naive", "no", "alpha"]})
    assert [line for line in made.splitlines() if "# mine" in line] == ["  naive,  # mine"]
    assert read_tree(made.encode(), "p.yaml").data == {"interests": ["naive", "no", "alpha"]}


@pytest.mark.parametrize("path", [("interests", "Work"), ("interests", "v2.0: odd")])
def test_a_group_is_changed_alone(path: tuple[str, ...]) -> None:
    text = "email: a@example.org\ninterests:\n  Work:  # paid\n    - one  # 1\n  'v2.0: odd':\n    - two\n"
    new = edited(text, {path: ["one", "two"]})
    data = read_tree(new.encode(), "f").data
    assert data["interests"][path[1]] == ["one", "two"]
    assert "Work:  # paid" in new
    assert "- one  # 1" in new


@pytest.mark.parametrize(
    "text",
    [
        "email: a@example.org\r\nlikes:\r\n- arxiv:2405.19504  # L\r\n",
        "\ufeffemail: a@example.org\nlikes: [2405.19504]  # L",
        "{email: a@example.org, likes: [arxiv:2405.19504]}\n# L",
        "email: a@example.org\nlikes:  # L\n",
        "email: &me a@example.org\nname: *me  # L\nlikes: &l [arxiv:2405.19504]\n",
        "email: a@example.org\ndislikes: &l [arxiv:2405.19504]\nlikes: *l  # L\n",
        "---\nemail: a@example.org\nname: >\n  Ada\n  Lovelace\nlikes: []\n...\n",
    ],
)
def test_odd_documents_hold_what_was_asked_for(text: str) -> None:
    new = edited(text, {("likes",): ["arxiv:2405.10500"], ("name",): "X: y"})
    data = read_tree(new.encode(), "f", text_keys=frozenset({"likes"})).data
    assert (data["likes"], data["name"], data["email"]) == (["arxiv:2405.10500"], "X: y", "a@example.org")
    assert ("\r\n" in text) == ("\r\n" in new)
    assert text.startswith("\ufeff") == new.startswith("\ufeff")
    assert ("# L" in text) == ("# L" in new)


def test_no_change_changes_no_byte() -> None:
    for text in (DOCUMENT, DOCUMENT.rstrip(), DOCUMENT.replace("\n", "\r\n")):
        assert edited(text, {("email",): "ada@example.org", INTERESTS: ["hashing", DATA, "vector search"]}) == text


@given(st.lists(ITEMS, max_size=6), st.lists(TEXTS, max_size=4), TEXTS)
def test_whatever_is_written_is_read_back_and_comments_elsewhere_stay(
    interests: list[Any], avoid: list[str], name: str
) -> None:
    text = edited(DOCUMENT, {INTERESTS: interests, ("avoid",): avoid, ("name",): name, ("follow", "authors"): avoid})
    data = read_tree(text.encode(), "f", text_keys=frozenset({"name", "avoid", "authors"})).data
    assert (data["interests"], data["avoid"], data["name"]) == (interests, avoid, name)
    assert (data["follow"]["authors"], data["follow"]["keywords"]) == (avoid, ["HNSW", "IVF"])
    for comment in ("# who", "# work", "# away", "# what I want", "# the old love", "# about data", "# not this"):
        assert comment in text
    for comment in ("# never", "# words", "# graph", "# last"):
        assert comment in text
