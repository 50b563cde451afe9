"""A program that changes a document leaves everything else as the person wrote it, and the file whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.settings import Append, Remove, edited
from newsletter.settings.reading import read_tree

EXAMPLES = sorted((Path(__file__).parents[2] / "config").rglob("*.yaml"))
DOCUMENT = """\
# who
email: ada@example.org   # work
send_at: "07:30"

interests:
  # the old love
  - hashing
  - {text: data selection, weight: 2}  # new
  - 'vector search'
likes: [arxiv:2405.19504]
# the end
"""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_change_changes_no_byte(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert edited(text, {}) == text


def test_one_value_changes_one_line() -> None:
    assert edited(DOCUMENT, {"send_at": "06:45"}) == DOCUMENT.replace("07:30", "06:45")


def test_a_new_key_goes_to_the_end_and_a_removed_one_leaves() -> None:
    text = edited(DOCUMENT, {"papers": 5, "likes": None})
    assert "papers: 5" in text
    assert "likes" not in text
    assert "# the old love" in text


def test_appending_skips_what_is_there_and_makes_the_list_where_there_is_none() -> None:
    text = edited(
        DOCUMENT,
        {"likes": Append(("arxiv:2405.19504", "arxiv:2405.10500")), ("follow", "authors"): Append(("Jimmy Lin",))},
    )
    data = read_tree(text.encode(), "f", text_keys=frozenset({"likes"})).data
    assert data["likes"] == ["arxiv:2405.19504", "arxiv:2405.10500"]
    assert data["follow"] == {"authors": ["Jimmy Lin"]}
    assert edited(text, {"likes": Append(("arxiv:2405.10500",))}) == text


def test_a_list_keeps_the_comments_of_the_items_that_stay() -> None:
    text = edited(DOCUMENT, {"interests": ["hashing", {"text": "data selection", "weight": 2}, "graphs"]})
    assert "  # the old love\n  - hashing\n  - {text: data selection, weight: 2}  # new\n" in text
    assert "vector search" not in text
    assert "  - graphs\n" in text
    assert edited(DOCUMENT, {"interests": Remove(("vector search",))}).count("- ") == 2


def test_line_ends_and_indentation_stay() -> None:
    text = "email: a@example.org\r\nlikes:\r\n- arxiv:2405.19504\r\n"
    assert edited(text, {"likes": Append(("arxiv:2405.10500",))}) == text + "- arxiv:2405.10500\r\n"


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
)
def test_whatever_is_written_is_read_back(items: list[str], name: str) -> None:
    text = edited(DOCUMENT, {"avoid": items, "name": name, "language": "no"})
    data = read_tree(text.encode(), "f").data
    assert (data["avoid"], data["name"], data["language"]) == (items, name, "no")
    assert data["email"] == "ada@example.org"


def test_appended_items_may_have_notes_behind_them():
    text = "email: a@example.org\nlikes:\n  - a  # mine\n  - b\n\n# what everyone reads\ntrending: 0.3\n"
    assert edited(text, {"likes": Append(("c", "a", "d"), {"c": "See", "a": "Known"})}) == (
        "email: a@example.org\nlikes:\n  - a  # mine\n  - b\n  - c  # See\n  - d\n\n# what everyone reads\n"
        "trending: 0.3\n"
    )
    assert edited("likes: []\n", {"likes": Append(("c",), {"c": "See: 1"})}) == "likes:\n  - c  # See: 1\n"


def test_a_list_in_brackets_that_grows_long_goes_on_as_one_item_a_line():
    """Its own comment stays at the key, and the lines below it stay with what they stand above."""
    text = "likes: [a, b]  # mine\n\n# what everyone reads\ntrending: 0.3\n"
    assert edited(text, {"likes": Append(("c",))}) == text.replace("b]", "b, c]")
    grown = edited(text, {"likes": Append(tuple("cdefg"), {"g": "The last"})})
    assert [line.split("#")[0].strip() for line in grown.splitlines()] == [
        "likes:", *(f"- {letter}" for letter in "abcdefg"), "", "", "trending: 0.3",
    ]  # fmt: skip
    assert grown.startswith("likes:  # mine\n  - a\n")
    assert grown.endswith("  - g  # The last\n\n# what everyone reads\ntrending: 0.3\n")
