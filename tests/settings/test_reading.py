"""YAML as strangers write it: nothing hangs, nothing is built but plain data, every refusal has its place."""

from __future__ import annotations

import pytest

from newsletter.settings.reading import MAX_BYTES, MAX_VALUES, read_tree


def first(data: bytes) -> str:
    tree = read_tree(data, "f.yaml")
    assert tree.data is None
    return str(tree.problems[0])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f.yaml:1:1: the file is empty"),
        (b"# a comment alone\n", "f.yaml:1:1: the file is empty"),
        (b"ok: 1\nname: J\xfcrgen\n", "f.yaml:2:8: not UTF-8 text; save the file in the encoding UTF-8"),
        ("email: x".encode("utf-16"), "f.yaml:1:1: not UTF-8 text; save the file in the encoding UTF-8"),
        (b"a: 1\nb: x\x00y\n", "f.yaml:2:5: a control character (U+0000); remove it"),
        (b"a: 1\n\tb: 2\n", "f.yaml:2:1: not YAML: a tab; YAML indents with spaces"),
        (b"a: 'open\n", "f.yaml:2:1: not YAML: the file ends inside a quoted text; the closing quote is missing"),
        (b"a: [1, 2\nb: 3\n", "f.yaml:2:2: not YAML: a list in [ ] is not closed, or a comma is missing"),
        (b"a: @me\n", "f.yaml:1:4: not YAML: a value cannot start with @; put it in quotes"),
        (
            b"a: *b\n",
            "f.yaml:1:4: not YAML: an alias (*name) without its anchor (&name); put text that starts with * in quotes",
        ),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2:1: not YAML: '---' starts a second document; a file holds one"),
        (b"a: &a [*a]\n", "f.yaml:1:4: a value that holds itself through an alias"),
        (b"[" * 500_000, "f.yaml:1:25: not YAML: nested more than 24 levels deep"),
        (b"a: {" * 100_000, "f.yaml:1:93: not YAML: nested more than 24 levels deep"),
        (b"a" * (MAX_BYTES + 1), "f.yaml: 1,000,001 bytes; a configuration file holds at most 1,000,000"),
    ],
)
def test_what_is_no_document_is_refused_with_its_place(data: bytes, message: str) -> None:
    assert first(data) == message


def test_an_alias_bomb_is_refused_before_it_is_followed() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert f"more than {MAX_VALUES:,} values once aliases are followed" in first("\n".join(lines).encode())


def test_an_honest_alias_is_followed() -> None:
    assert read_tree(b"a: &a [x, y]\nb: *a\n", "f").data == {"a": ["x", "y"], "b": ["x", "y"]}


def test_scalars_are_those_of_yaml_1_2_and_dates_stay_text() -> None:
    tree = read_tree(b"[07:30, no, on, 0o17, 1e3, 2025-03-13, ~, true, '1', 2405.10500]", "f")
    assert tree.data == ["07:30", "no", "on", 15, 1000.0, "2025-03-13", None, True, "1", 2405.105]


def test_below_text_keys_every_scalar_stays_as_written() -> None:
    tree = read_tree(b"likes: [2405.10500, 1706.03762, yes, 007]\nother: 1\n", "f", text_keys=frozenset({"likes"}))
    assert tree.data == {"likes": ["2405.10500", "1706.03762", "yes", "007"], "other": 1}


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read_tree(b"\xef\xbb\xbfemail: x\n", "f").data == {"email": "x"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a': it is already in line 1"),
        ("x:\n  b: 2\n  b: 3\n", "f:3:3: duplicate key 'b': it is already in line 2"),
        (
            "a: !!python/object:os.system ls\n",
            "f:1:4: the tag !!python/object:os.system is not allowed here; write plain text, numbers, lists and maps",
        ),
        ("a: !mine x\n", "f:1:4: the tag !mine is not allowed here; write plain text, numbers, lists and maps"),
        ("? [a, b]\n: 1\n", "f:1:3: a key must be a word, not a list or a map"),
        ("base: &b {c: 1}\n<<: *b\n", "f:2:1: merge keys (<<) are not part of YAML 1.2; write the keys out"),
    ],
)
def test_what_yaml_allows_and_a_document_does_not(text: str, problem: str) -> None:
    assert [str(one) for one in read_tree(text.encode(), "f").problems] == [problem]


def test_a_number_too_long_to_be_one_does_not_break_anything() -> None:
    assert isinstance(read_tree(b"a: " + b"9" * 6000, "f").data["a"], str)


def test_places_are_those_of_the_file_and_fall_back_to_what_is_above() -> None:
    tree = read_tree(b"a:\n  - x\n  - {t: 1, u: 2}\n", "f")
    assert tree.place(("a", 1, "u")) == (3, 15)
    assert tree.place(("a", 1, "u"), key=True) == (3, 12)
    assert tree.place(("a", 1, "missing")) == (3, 5)
    assert tree.place(("nothing",)) == (1, 1)
