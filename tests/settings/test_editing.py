"""A program that changes a document leaves everything else as the person wrote it, and the file whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.settings import Append, Remove, UneditableError, edited
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


EMAIL = "email: a@example.org\n"
ROWS = "likes: [\n a:1,  # one\n b:2"
SAID = Append(("c:3", "d:4"), {"c:3": "See"})
HARD = {
    "emptied": ("likes:\n  # of old\n  - a  # A\nfollow:\n", {"likes": []}, "likes: []\n  # of old\nfollow:\n"),
    "emptied brackets": ("avoid: [a]  # A\npapers: 6\n", {"avoid": Remove(("a",))}, "avoid: []  # A\npapers: 6\n"),
    "below what goes": ("likes:\n  - a\n  # of b\n  - b\n", {"likes": Remove(("a",))}, "likes:\n  # of b\n  - b\n"),
    "below the last": ("name: A\n\n# of papers\npapers: 6\n", {"name": None}, "\n# of papers\npapers: 6\n"),
    "block text": ("name: |  # c\n  A # no\n\npapers: 3\n", {"name": "X"}, "name: X  # c\n\npapers: 3\n"),
    "block text, no line end": ("name: |\n  Ada", {"papers": 3}, "name: |\n  Ada\npapers: 3"),
    "quotes over lines": ("name: 'x # no\n\n  y'  # c\n", {"name": "z"}, "name: z  # c\n"),
    "another kind": (
        "days:  # k\n - mon  # m\n # x\n - tue\n# y\n", {"days": "daily"}, "days: daily  # k\n # x\n# y\n"
    ),
    "keys in an item": (
        "interests:\n  - text: a  # why\n    weight: 2  # two\n  - text: b\n",
        {"interests": ["a", {"text": "b", "weight": 3}]},
        "interests:\n  - a  # why\n    # two\n  - text: b\n    weight: 3\n",
    ),
    "moved": ("likes:\n  - a  # A\n  - b\n  - c\n", {"likes": ["b", "c", "a"]}, "likes:\n  - b\n  - c\n  - a  # A\n"),
    "rows, closed": (f"{ROWS}\n]  # end\n", {"likes": SAID}, f"{ROWS},\n c:3,  # See\n d:4,\n]  # end\n"),
    "rows": (f"{ROWS} ]  # end\n", {"likes": SAID}, f"{ROWS},\n c:3,  # See\n d:4,\n  ]  # end\n"),
    "alias": ("name: &x a\nlanguage: *x  # c\n", {"language": "b"}, "name: &x a\nlanguage: b  # c\n"),
    "aliased item": (
        "likes: [&x a, b]\navoid:\n  - *x  # same\n  - c\n", {"avoid": Append(("d",))},
        "likes: [&x a, b]\navoid:\n  - *x  # same\n  - c\n  - d\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "changes", "wanted"), HARD.values(), ids=HARD)
def test_hard_cases(text: str, changes: dict[str, Any], wanted: str) -> None:
    assert edited(EMAIL + text, changes) == EMAIL + wanted


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("likes: &x [a]\navoid: *x\n", {"likes": Append(("b",))}),
        ("likes:\n  - &x a\navoid: [*x]\n", {"likes": Remove(("a",))}),
        ("name: &x a\nlanguage: *x\n", {"name": "b"}),
        ("name: &x a\nlanguage: *x\n", {"name": None}),
        ("follow: {authors: [x]}\n<<: {papers: 3}\n", {"papers": 4}),
        ("? likes\n: - a\n", {"likes": Append(("b",))}),
        ("interests: [{text: a,  # why\n  weight: 2}]\n", {"interests": ["a"]}),
        ("name: |\n  text\npapers: 1\n  # would be text\n", {"papers": None}),
        ("likes: [a\n", {"papers": 4}),
    ],
)
def test_what_would_do_harm_is_refused_with_what_to_do(text: str, changes: dict[str, Any]) -> None:
    """An anchor whose value is repeated, a comment without a place, what is not YAML."""
    with pytest.raises(UneditableError) as refused:
        edited(EMAIL + text, changes)
    assert ("anchors" in str(refused.value)) == ("&x" in text)
    assert "by hand" in refused.value.do
