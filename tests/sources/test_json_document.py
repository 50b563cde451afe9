"""JSON answers and JSON Lines: what wraps the papers, and what is wrong with an item."""

from __future__ import annotations

import json
from datetime import date

import pytest

from newsletter.errors import DigestError
from newsletter.sources import json_document, read_path

PAPER = {
    "id": "2503.01234v2",
    "title": "A title",
    "abstract": "An abstract.",
    "authors": ["Ada", "Bo"],
    "url": "https://arxiv.org/abs/2503.01234",
    "published": "2025-03-01",
    "upvotes": 3,
    "stars": 0,
    "categories": ["cs.CL"],
    "code": "https://github.com/a/b",
}


def test_json_lines_carry_every_key_of_the_format(write, today):
    other = {**PAPER, "id": "doi:10.1/x", "title": "Other", "url": "", "doi": "10.1000/XYZ"}
    (digest,) = read_path(write("2025-03-13.jsonl", "\n".join(map(json.dumps, [PAPER, other]))), day=None, today=today)
    first, second = digest.papers
    assert (digest.source, digest.day) == ("jsonl", date(2025, 3, 13))
    assert (first.id, first.authors, first.published) == ("arxiv:2503.01234", ("Ada", "Bo"), date(2025, 3, 1))
    assert (first.upvotes, first.stars, first.comments, first.code) == (3, 0, None, "https://github.com/a/b")
    assert (second.id, second.doi) == ("doi:10.1000/xyz", "10.1000/xyz")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: {"data": items, "status": "success"},
        lambda items: {"papers": items},
        lambda items: [json.dumps(i) for i in items],
        lambda items: [repr(i) for i in items],
    ],
)
def test_the_list_is_found_whatever_wraps_it(wrap):
    assert [p.title for p in json_document.read(json.dumps(wrap([PAPER]))).papers] == ["A title"]


def test_one_object_is_a_digest_of_one():
    assert len(json_document.read(json.dumps(PAPER)).papers) == 1


def test_a_broken_line_is_refused_and_the_others_go_on():
    reading = json_document.read(
        json.dumps(PAPER) + '\n{"title": "cut of\n\n' + json.dumps({**PAPER, "id": "2503.00001", "title": "B"})
    )
    assert [p.title for p in reading.papers] == ["A title", "B"]
    assert [(r.where, r.why) for r in reading.refused] == [("item 2", "line 2 is broken or cut off JSON")]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (None, "it is null"),
        (7, "it is not an object"),
        ({"name": "x"}, "it is not a paper (its keys: name)"),
        ({"title": "T"}, "it has a title and no abstract"),
        ({"title": "T", "abstract": " \n "}, "it has a title and no abstract"),
        ({"title": "", "abstract": "x"}, "it has no title"),
        ({"title": ["T"], "abstract": "x"}, "it has no title"),
        ({"title": "T" * 1001, "abstract": "x"}, "its title has 1,001 characters, more than 1,000"),
        ({"title": "T", "abstract": "x" * 20_001}, "its abstract has 20,001 characters, more than 20,000"),
        ("__import__('os').system('true')", "it is a string that is neither JSON nor a Python literal"),
        ("(" * 5000, "it is a string that is neither JSON nor a Python literal"),
        ("'" + "x" * 1_000_001, "it is a string of 1,000,002 characters, more than 1,000,000"),
        ("{'paper': '\\d'}", "it is not a paper (its keys: paper)"),
    ],
)
def test_what_is_wrong_with_an_item_is_said_and_the_rest_goes_on(item, why):
    reading = json_document.read(json.dumps([item, PAPER]))
    assert [r.why for r in reading.refused] == [why]
    assert [p.title for p in reading.papers] == ["A title"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ('[{"title": "a"', "its JSON is broken or cut off"),
        ("[" * 100_000, "its JSON is nested too deeply"),
        ('{"error": "no such day"}', "its JSON object holds no list of papers (its keys: error)"),
    ],
)
def test_json_without_papers_says_why(document, why):
    assert json_document.read(document).startswith(why)


def test_semantic_scholar_batches_give_papers_and_null_is_refused(shared, today):
    path = shared / "payloads/semantic_scholar/get_papers_return_not_found_0.http200.json"
    (digest,) = read_path(path, day=None, today=today)
    assert (digest.source, digest.day, len(digest.papers)) == ("semantic-scholar", today, 3)
    assert [r.why for r in digest.refused] == ["it is null"]
    assert digest.papers[0].id == "doi:10.2139/ssrn.288970"
    assert all(p.authors and p.abstract for p in digest.papers)


@pytest.mark.parametrize(
    "name", ["search_paper_0", "get_paper_citations_1", "get_paper_references_1", "get_recommended_papers_0"]
)
def test_semantic_scholar_answers_without_abstracts_say_so(shared, today, name):
    with pytest.raises(DigestError, match="it has a title and no abstract"):
        read_path(shared / f"payloads/semantic_scholar/{name}.http200.json", day=None, today=today)


def test_a_citation_holds_its_paper_one_level_down():
    inner = {
        "paperId": "1",
        "title": "T",
        "abstract": "A.",
        "externalIds": {"ArXiv": "2503.01234"},
        "openAccessPdf": {"url": "https://x.org/p"},
    }
    (paper,) = json_document.read(json.dumps({"data": [{"citingPaper": inner}]})).papers
    assert (paper.id, paper.pdf, paper.url) == (
        "arxiv:2503.01234",
        "https://x.org/p",
        "https://arxiv.org/abs/2503.01234",
    )


def test_a_cut_off_list_is_not_taken_for_json_lines():
    assert "broken or cut off" in json_document.read("[\n" + json.dumps(PAPER) + "\n," + json.dumps(PAPER)[:20])
