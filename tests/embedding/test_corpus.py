from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from newsletter.embedding.corpus import corpus_hash, files_of, halves, paper_keys, prepare, read_pairs
from newsletter.errors import DigestError


def test_plain_and_gzipped_lines_are_read_and_lines_without_a_title_left_out(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(p) for p in [{"title": "A", "abstract": "x"}, {"abstract": "y"}, {"title": "B"}, 3])
    (tmp_path / "b.jsonl").write_text(lines)
    (tmp_path / "sub").mkdir()
    with gzip.open(tmp_path / "sub" / "a.jsonl.gz", "wt") as file:
        file.write(lines)
    assert list(read_pairs(files_of(tmp_path))) == [("A", "x"), ("B", "")] * 2


@pytest.mark.parametrize("content", [b"{", b"\x1f\x8b\x08\x00broken", b"\xff\xfe"])
def test_a_corpus_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    for name in ("c.jsonl", "c.jsonl.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DigestError, match=name):
            list(read_pairs([tmp_path / name]))


def test_a_truncated_gzip_file_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps({"title": "A"}).encode() * 500)
    (tmp_path / "c.jsonl.gz").write_bytes(whole[:-12])
    with pytest.raises(DigestError, match="cannot read the corpus"):
        list(read_pairs([tmp_path / "c.jsonl.gz"]))


def test_a_paper_is_held_back_by_its_title_or_by_its_abstract() -> None:
    unseen = set(paper_keys(("Dark Matter", "About haloes, in detail")))
    pairs = [("Dark  matter!", "another text"), ("Renamed", "about haloes in DETAIL"), ("Kept", "about stars")]
    assert prepare(pairs, unseen=unseen) == [("Kept", "about stars")]


def test_doubles_and_papers_without_an_abstract_are_left_out() -> None:
    assert prepare([("A", "x y"), ("a", "z"), ("B", "")]) == [("A", "x y")]


def test_the_order_comes_from_the_seed_and_the_hash_from_the_order() -> None:
    pairs = [(f"Title {i}", f"abstract {i}") for i in range(50)]
    one, again, other = prepare(pairs, seed=1), prepare(pairs, seed=1), prepare(pairs, seed=2)
    assert one == again != other
    assert corpus_hash(one) == corpus_hash(again) != corpus_hash(other)


def test_halves_hold_every_word_once() -> None:
    assert halves(("T", "a b c d e")) == ("T.", "a b", "c d e")
