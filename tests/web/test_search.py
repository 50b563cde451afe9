"""The search page: whatever is typed, a page; what names a paper leads to it."""

from __future__ import annotations

import re

import pytest

from newsletter.model import Digest, Paper
from newsletter.store import archive, editions

TYPED = [
    '"', "(", "a OR", "NEAR(", "*", "-", "author:", "<script>alert(1)</script>", "\x00", "%", "'", "{{ 7*7 }}",
    "a" * 10_000,    "\ud83d\ude42", "\u202e", "title:x", "doi:10.1/x", "arxiv:9999.99999", "https://example.org/",
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TYPED)))
def test_whatever_is_typed_is_a_page(site, number):
    answer = site.client.get("/search", params={"q": TYPED[number].encode("utf-8", "replace").decode()})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert '<input id="q"' in answer.text


@pytest.mark.parametrize(
    "raw", ["q=%00", "q=%ff%fe", "q=a&q=b", "q=a&page=-1", "q=a&page=x", "q=model&page=99999", "page=%00", "q"]
)
def test_whatever_is_in_the_address_is_a_page(site, raw):
    assert site.client.get(f"/search?{raw}").status_code == 200


def test_what_names_a_paper_leads_to_it(site):
    one = editions.load_edition(site.workspace.engine, "daily/2025-05-27").papers[0]
    number = one.id.removeprefix("arxiv:")
    for typed in (
        number,
        f"{number}v3",
        f"arXiv:{number}",
        f"https://arxiv.org/pdf/{number}.pdf",
        f"https://huggingface.co/papers/{number}",
    ):
        answer = site.client.get("/search", params={"q": typed})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/papers/{one.id}"), typed


def test_found_words_are_marked_and_everything_else_is_escaped(site):
    title = "<b>Wombats</b> & $x_i^{2}$ \ue000 burrowing"
    paper = Paper("title:w", title, "A wombat <i>burrows</i> by night.", ("<u>Ann</u>",))
    archive.add_digest(
        site.workspace.engine,
        Digest("page", editions.load_edition(site.workspace.engine, "daily/2025-05-27").day, (paper,)),
    )
    text = site.client.get("/search?q=wombat").text
    assert "&lt;b&gt;<mark>Wombats</mark>&lt;/b&gt; &amp; xᵢ²" in text
    assert "A <mark>wombat</mark> &lt;i&gt;burrows&lt;/i&gt;" in text
    assert "&lt;u&gt;Ann" in text


def test_results_come_in_pages(site):
    papers = tuple(Paper(f"title:w{n}", f"Wombat number {n}", "") for n in range(45))
    day = editions.load_edition(site.workspace.engine, "daily/2025-05-27").day
    archive.add_digest(site.workspace.engine, Digest("page", day, papers))
    texts = [site.client.get(f"/search?q=wombat&page={page}").text for page in (1, 2, 3)]
    assert "45 papers, page 1 of 3" in texts[0]
    assert [len(re.findall(r'<h2 class="title">', text)) for text in texts] == [20, 20, 5]
    assert 'href="/search?q=wombat&amp;page=2" rel="next"' in texts[0]
    assert 'rel="next"' not in texts[2]
    assert '<ol class="papers" start="41">' in texts[2]


def test_nothing_found_says_what_to_do(site):
    assert "Nothing was found. Fewer words" in site.client.get("/search?q=zzzzqqqq").text
