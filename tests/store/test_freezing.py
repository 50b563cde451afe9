"""Letters come back from bytes as they were, those of older programs too."""

from __future__ import annotations

import json
from dataclasses import replace

from newsletter.store.freezing import Freezer, parse_letter, parts_of, thaw_letter, thaw_part


def test_a_letter_comes_back_as_it_was(make_letter, make_paper) -> None:
    papers = [make_paper(n) for n in range(3)]
    written = make_letter("ada", papers, subject="Zählen – und mehr", text_only=True, more=4)
    written = replace(written, explore=(replace(written.top[0], summary="", compact=True),))
    freezer = Freezer()
    tree = parse_letter(freezer.freeze(written))
    parts = {key: thaw_part(key, body) for key, body in freezer.parts.items()}
    assert parts_of(tree) == set(parts)
    assert thaw_letter(tree, parts) == written


def test_the_same_words_of_a_paper_are_one_part(make_letter, make_paper) -> None:
    papers = [make_paper(n) for n in range(3)]
    freezer = Freezer()
    bodies = [freezer.freeze(make_letter(name, papers)) for name in ("ada", "bob")]
    assert sum(key.startswith("words:") for key in freezer.parts) == 3
    assert not any(paper.title.encode() in body for paper in papers for body in bodies)


def test_a_letter_of_an_older_program_is_read(make_letter, make_paper) -> None:
    """It held the words of each paper itself, and knew nothing of fields that came later."""
    written = make_letter("ada", [make_paper(n) for n in range(3)], total=0)
    freezer = Freezer()
    tree = json.loads(freezer.freeze(written))
    parts = {key: thaw_part(key, body) for key, body in freezer.parts.items()}
    for branch in (*tree["top"], *(entry for section in tree["sections"] for entry in section["entries"])):
        words = parts[branch.pop("words")]
        branch |= {"title": words.title, "summary": words.summary}
    del tree["total"]
    old = parse_letter(json.dumps(tree).encode())
    assert not [key for key in parts_of(old) if key.startswith("words:")]
    assert thaw_letter(old, parts) == written
