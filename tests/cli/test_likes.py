"""`newsletter likes`: what it prints, in which form, and with which exit status."""

from __future__ import annotations

import json

BIBTEX = "@article{a, title={On {K}nots}, eprint={2405.19504}}\n@article{b, author={Nobody}}\n"


def test_an_import_counts_what_was_added_known_and_refused(newsletter, tmp_path):
    export = tmp_path / "export.bib"
    export.write_text(BIBTEX, encoding="utf-8")
    status, out, err = newsletter("likes", "import", export, "--for", "ada")
    assert (status, out) == (0, "1 added to the likes of ada, 0 known already, 1 refused.\n")
    assert err == "item 2: it has no title\n"
    status, out, _ = newsletter("likes", "import", export, "--for", "ada", "--json")
    assert json.loads(out) == {
        "subscriber": "ada", "added": [], "known": ["arxiv:2405.19504"],
        "refused": [{"where": "item 2", "why": "it has no title"}], "waiting": [], "new_in_archive": 0,
    }  # fmt: skip


def test_an_import_that_gives_nothing_is_a_failure(newsletter, tmp_path):
    export = tmp_path / "export.bib"
    export.write_text("@article{b, author={Nobody}}\n", encoding="utf-8")
    assert newsletter("likes", "import", export, "--for", "ada")[0] == 1


def test_wrong_names_are_explained(newsletter, tmp_path):
    status, _, err = newsletter("likes", "import", tmp_path / "none.bib", "--for", "adda")
    assert status == 2
    assert "There is no subscriber 'adda'" in err
    assert "Did you mean 'ada'?" in err
    status, _, err = newsletter("likes", "import", tmp_path / "none.bib", "--for", "ada")
    assert status == 1
    assert "Cannot read the bibliography" in err


def test_likes_are_listed_with_their_titles_and_what_is_missing(newsletter, tmp_path):
    assert "ada has no likes yet" in newsletter("likes", "list", "ada")[1]
    export = tmp_path / "export.bib"
    export.write_text(BIBTEX, encoding="utf-8")
    newsletter("likes", "import", export, "--for", "ada")
    _, out, _ = newsletter("likes", "list", "ada")
    assert "On Knots" in out
    assert "title alone" in out
    (listed,) = json.loads(newsletter("likes", "list", "ada", "--json")[1])
    assert listed == {"id": "arxiv:2405.19504", "title": "On Knots", "state": "bare", "from": "profile"}


def test_papers_of_the_archive_are_added_by_id_address_and_title(newsletter, digest):
    assert newsletter("fetch", "--from", digest)[0] == 0
    named = ("https://arxiv.org/abs/2503.00001v2", "Study 2: protein folding in practice")
    status, out, _ = newsletter("likes", "add", "ada", *named)
    assert (status, out) == (0, "2 added to the likes of ada, 0 known already, 0 refused.\n")
    status, _, err = newsletter("likes", "add", "ada", "nonsense")
    assert status == 1
    assert err.startswith("nonsense: it is neither an arXiv id")
