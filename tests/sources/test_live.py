"""Live sources, on recorded answers replayed through httpx's mock transport."""

from __future__ import annotations

import gzip
import re
from datetime import date

import httpx
import pytest

from newsletter.errors import ConfigError, DigestError
from newsletter.sources import SourceSpec, fetch, fetch_papers

DAY = date(2025, 3, 13)
EMPTY = '<feed xmlns="http://www.w3.org/2005/Atom"><id>https://arxiv.org/api/x</id></feed>'


@pytest.fixture
def atom(shared):
    """A recorded arXiv answer, its total set to what the test needs."""

    def _atom(name: str, total: int) -> str:
        (path,) = (shared / "payloads/arxiv_api_atom").glob(f"{name}_*.http200.xml")
        return re.sub(r"(totalResults>)\d+", rf"\g<1>{total}", path.read_text())

    return _atom


def test_hugging_face_is_asked_for_the_day_and_answers_it(client_for, shared):
    asked = []
    body = gzip.decompress((shared / "digests/huggingface/2025-03-13.json.gz").read_bytes())
    client = client_for(lambda request: asked.append(request.url) or httpx.Response(200, content=body))
    digest = fetch(SourceSpec("daily", "huggingface"), DAY, client=client)
    assert (digest.source, digest.day, len(digest.papers)) == ("daily", DAY, 10)
    assert {paper.source for paper in digest.papers} == {"daily"}
    assert asked[0].host == "huggingface.co"
    assert asked[0].path == "/api/daily_papers"
    assert asked[0].params["date"] == "2025-03-13"


@pytest.mark.parametrize("name", ["2024-12-11", "2025-01-10"])
def test_the_drift_is_understood_live_too(client_for, shared, name):
    body = gzip.decompress((shared / f"digests/huggingface/{name}.json.gz").read_bytes())
    digest = fetch(
        SourceSpec("daily", "huggingface"),
        date.fromisoformat(name),
        client=client_for(lambda _: httpx.Response(200, content=body)),
    )
    assert len(digest.papers) >= 9


def test_a_day_without_papers_is_an_empty_digest(client_for):
    digest = fetch(SourceSpec("daily", "huggingface"), DAY, client=client_for(lambda _: httpx.Response(200, text="[]")))
    assert digest.papers == digest.refused == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"error": "Invalid date"}', "its JSON object holds no list of papers"),
        ("<html><body>Maintenance</body></html>", "its JSON is broken or cut off"),
        ('[{"paper": {"id": "2503', "its JSON is broken or cut off"),
        (b"\x89PNG\xff", "the answer is not text in UTF-8"),
        ("", "its JSON is broken or cut off"),
    ],
)
def test_an_answer_that_is_no_digest_is_a_clear_error(client_for, body, why):
    client = client_for(lambda _: httpx.Response(200, content=body))
    with pytest.raises(DigestError) as caught:
        fetch(SourceSpec("daily", "huggingface"), DAY, client=client)
    assert caught.value.why.startswith(why)


def test_arxiv_is_asked_page_by_page_for_the_announced_batch(client_for, atom):
    """250 papers in three pages, the second of them at first empty, as arXiv does at times."""
    asked = []
    pages = {
        "0": [atom("q_testing_s0_m10", 250)],
        "100": [EMPTY, atom("q_testing_s10_m10", 250)],
        "200": [atom("q_testing_s20_m10", 250)],
    }

    def answer(request):
        asked.append(dict(request.url.params))
        return httpx.Response(200, text=pages[request.url.params["start"]].pop(0))

    digest = fetch(SourceSpec("arxiv", "arxiv", categories=("cs.SE", "stat.ML")), DAY, client=client_for(answer))
    assert [a["start"] for a in asked] == ["0", "100", "100", "200"]
    assert asked[0]["search_query"] == "(cat:cs.SE OR cat:stat.ML) AND submittedDate:[202503111800 TO 202503121759]"
    assert asked[0]["max_results"] == "100"
    assert len(digest.papers) == 30
    assert len({paper.id for paper in digest.papers}) == 30


def test_arxiv_is_not_asked_on_weekends(client_for):
    client = client_for(lambda _: pytest.fail("no request expected"))
    assert fetch(SourceSpec("arxiv", "arxiv", categories=("cs.CL",)), date(2025, 3, 15), client=client).papers == ()


def test_a_batch_without_papers_of_the_category_is_empty(client_for):
    client = client_for(lambda _: httpx.Response(200, text=EMPTY))
    assert fetch(SourceSpec("arxiv", "arxiv", categories=("cs.CL",)), DAY, client=client).papers == ()


@pytest.mark.parametrize(
    ("body", "tries", "why"),
    [
        ("<html><body>Rate exceeded.</body></html>", 1, "the answer is not arXiv's"),
        ("<feed xmlns=", 4, "its XML is broken or cut off"),
        (
            EMPTY.replace("<id>", "<totalResults xmlns='http://a9.com/-/spec/opensearch/1.1/'>9</totalResults><id>"),
            4,
            "arXiv",
        ),
    ],
)
def test_an_answer_that_is_not_arxivs_is_a_clear_error_after_the_tries_that_can_help(client_for, body, tries, why):
    asked = []
    client = client_for(lambda request: asked.append(request) or httpx.Response(200, text=body))
    with pytest.raises(DigestError) as caught:
        fetch(SourceSpec("arxiv", "arxiv", categories=("cs.CL",)), DAY, client=client)
    assert caught.value.why.startswith(why)
    assert len(asked) == tries


def test_a_feed_is_read_without_what_is_only_a_new_version(client_for, shared):
    body = (shared / "payloads/arxiv_rss/hep-ex_2018-05-23.rss10_rdf.xml").read_bytes()
    client = client_for(lambda _: httpx.Response(200, content=body))
    spec = SourceSpec("hep", "rss", url="https://rss.arxiv.org/rss/hep-ex")
    digest = fetch(spec, DAY, client=client)
    assert (digest.day, [p.id for p in digest.papers]) == (DAY, ["arxiv:1805.08875", "arxiv:1805.09166"])
    assert [r.why for r in digest.refused] == ["it is a new version of an older paper"]
    everything = SourceSpec("hep", "rss", url=spec.url, replacements=True)
    assert len(fetch(everything, DAY, client=client).papers) == 3


def test_a_feed_that_is_packed_as_a_file_is_read(client_for, shared):
    body = gzip.compress((shared / "payloads/arxiv_rss/hep-ex_2018-05-23.rss10_rdf.xml").read_bytes())
    digest = fetch(
        SourceSpec("hep", "rss", url="https://x.org/feed.xml.gz"),
        DAY,
        client=client_for(lambda _: httpx.Response(200, content=body)),
    )
    assert len(digest.papers) == 2


def test_a_folder_source_gives_the_files_of_the_day(client_for, shared):
    client = client_for(lambda _: pytest.fail("no request expected"))
    spec = SourceSpec("page", "folder", path=str(shared / "digests/text"))
    digest = fetch(spec, DAY, client=client)
    assert (digest.source, digest.day, len(digest.papers)) == ("page", DAY, 70)
    assert fetch(spec, date(2025, 3, 12), client=client).papers == ()


def test_a_folder_that_is_not_there_is_an_error(client_for, tmp_path):
    with pytest.raises(DigestError, match="is no folder"):
        fetch(SourceSpec("page", "folder", path=str(tmp_path / "none")), DAY, client=client_for(None))


def test_liked_papers_come_by_id_and_what_arxiv_does_not_know_is_named(client_for, atom):
    """The recorded request asked for two ids, of which arXiv knew one."""
    asked = []
    answer = atom("id_0808.05394_1707.08567_s0_m100", 1)
    client = client_for(lambda request: asked.append(dict(request.url.params)) or httpx.Response(200, text=answer))
    found = fetch_papers(
        ["https://arxiv.org/abs/0808.05394v2", "arxiv:1707.08567", "1707.08567v1", "doi:10.1000/x"], client
    )
    assert asked == [{"id_list": "0808.05394,1707.08567", "start": "0", "max_results": "100"}]
    assert [paper.id for paper in found.papers] == ["arxiv:1707.08567"]
    assert [(r.where, r.why) for r in found.refused] == [
        ("doi:10.1000/x", "it is no arXiv id"),
        ("arxiv:0808.05394", "arXiv does not know it"),
    ]


def test_many_likes_are_asked_for_a_hundred_at_a_time(client_for):
    asked = []
    client = client_for(
        lambda request: asked.append(request.url.params["id_list"].count(",") + 1) or httpx.Response(200, text=EMPTY)
    )
    found = fetch_papers([f"2503.{n:05}" for n in range(250)], client)
    assert asked == [100, 100, 50]
    assert len(found.refused) == 250


def test_no_likes_ask_nothing(client_for):
    assert fetch_papers([], client_for(lambda _: pytest.fail("no request expected"))).papers == ()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"name": "", "kind": "huggingface"}, "it has no name"),
        ({"name": "x", "kind": "twitter"}, "kind 'twitter' is not known"),
        ({"name": "x", "kind": "rss"}, "kind rss needs a url"),
        ({"name": "x", "kind": "rss", "url": "file:///etc/passwd"}, "'file:///etc/passwd' is no http address"),
        ({"name": "x", "kind": "folder"}, "kind folder needs a path"),
        ({"name": "x", "kind": "arxiv"}, "kind arxiv needs categories"),
        ({"name": "x", "kind": "arxiv", "categories": ("cs.CL) OR all:x",)}, "'cs.CL) OR all:x' is no arXiv category"),
        ({"name": "x", "kind": "rss", "url": "https://x.org", "accept": "some"}, "accept 'some' is not known"),
    ],
)
def test_a_source_is_validated(spec, why):
    with pytest.raises(ConfigError) as caught:
        SourceSpec(**spec)
    assert caught.value.why == why


@pytest.mark.parametrize(
    "category", ["cs.CL", "astro-ph.GA", "hep-ex", "cond-mat.mes-hall", "quant-ph", "cs.*", "q-bio.NC", "physics.ao-ph"]
)
def test_real_arxiv_categories_pass(category):
    assert SourceSpec("x", "arxiv", categories=(category,)).categories == (category,)
