"""RSS and Atom feeds: arXiv's own, journals', and the many that are not papers."""

from __future__ import annotations

from datetime import date

import pytest

from newsletter.errors import DigestError
from newsletter.sources import read_path, xml_document

OTHER = [
    "reader_empty.atom",
    "reader_full.rss",
    "reader_relative.atom",
    "reader_relative.rss",
    "rss2email_disqus_feed.rss",
    "rss2email_fastmailstatus_feed.rss",
    "rss2email_gmane_feed.rss",
    "rss2email_nodejs_feed1.xml",
    "rss2email_nodejs_feed3.xml",
    "rss2email_quiltville_feed.atom",
]


def rss(items: str, head: str = "") -> str:
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
    return f'<?xml version="1.0"?><rss version="2.0" {spaces}><channel><title>c</title>{head}{items}</channel></rss>'


def test_arxivs_rdf_feed_gives_clean_titles_texts_authors_and_categories(shared, today):
    (digest,) = read_path(shared / "payloads/arxiv_rss/hep-ex_2018-05-23.rss10_rdf.xml", day=None, today=today)
    assert (digest.source, digest.day, digest.refused) == ("feed", date(2018, 5, 23), ())
    assert [p.id for p in digest.papers] == ["arxiv:1805.08875", "arxiv:1805.09166", "arxiv:1805.06430"]
    first, _, last = digest.papers
    assert first.title == "Measurement of Transverse Single Spin Asymmetries"
    assert first.authors == ("Christopher Dilks",)
    assert r"$2.6<\eta<4$" in first.abstract
    assert not first.abstract.startswith("<p>")
    assert last.authors == ("Shu-Sheng Xu", "Zhu-Fang Cui")
    assert last.categories == ("nucl-th",)


def test_arxivs_present_feed_loses_its_mark_and_keeps_its_mathematics():
    item = """<item><title>On $x&lt;y$ &amp; more</title><link>https://arxiv.org/abs/2503.01234</link>
      <description>arXiv:2503.01234v1 Announce Type: new
Abstract: We show $a&lt;b$ and $c&gt;d$ for all i&lt;j.</description>
      <guid isPermaLink="false">oai:arXiv.org:2503.01234v1</guid>
      <category>cs.CL</category><category>cs.IR</category>
      <dc:creator>Ada Lovelace, Alan Turing (King's)</dc:creator></item>"""
    reading = xml_document.read(rss(item, "<pubDate>Mon, 03 Mar 2025 00:00:00 -0500</pubDate>"))
    (paper,) = reading.papers
    assert reading.day == date(2025, 3, 3)
    assert (paper.title, paper.abstract) == ("On $x<y$ & more", "We show $a<b$ and $c>d$ for all i<j.")
    assert paper.authors == ("Ada Lovelace", "Alan Turing")
    assert paper.categories == ("cs.CL", "cs.IR")
    assert paper.pdf == "https://arxiv.org/pdf/2503.01234"


def test_new_versions_of_older_papers_can_be_refused(shared):
    item = """<item><title>T</title><link>https://arxiv.org/abs/2503.01234</link>
      <description>arXiv:2503.01234v2 Announce Type: replace-cross Abstract: We show it.</description></item>"""
    assert len(xml_document.read(rss(item)).papers) == 1
    refused = xml_document.read(rss(item), replacements=False).refused
    assert refused[0].why == "it is a new version of an older paper"
    old = (shared / "payloads/arxiv_rss/hep-ex_2018-05-23.rss10_rdf.xml").read_text()
    assert [p.id for p in xml_document.read(old, replacements=False).papers] == ["arxiv:1805.08875", "arxiv:1805.09166"]


@pytest.mark.parametrize(
    "mark",
    [
        "<link>https://doi.org/10.1038/S41586-024-1</link>",
        "<link>https://journal.example/x</link><dc:identifier>doi:10.1038/s41586-024-1</dc:identifier>",
        "<link>https://journal.example/x</link><prism:doi>10.1038/s41586-024-1</prism:doi>",
        "<link>https://www.biorxiv.org/content/10.1038/s41586-024-1v2?rss=1</link>",
    ],
)
def test_a_doi_in_link_or_identifier_makes_an_item_a_paper(mark):
    told = "<description>We measured it.</description><dc:creator>A B; C D</dc:creator>"
    item = f"<item><title>T</title>{mark}{told}</item>"
    (paper,) = xml_document.read(rss(item)).papers
    assert (paper.id, paper.doi) == ("doi:10.1038/s41586-024-1", "10.1038/s41586-024-1")
    assert paper.authors == ("A B", "C D")


@pytest.mark.parametrize("name", OTHER)
def test_feeds_that_are_not_papers_are_refused_with_a_reason(shared, today, name):
    with pytest.raises(DigestError, match="nothing says that it is a paper"):
        read_path(shared / "payloads/feeds_other" / name, day=None, today=today)


def test_of_a_mixed_feed_only_the_papers_are_taken_even_where_its_declared_encoding_lies(shared, today):
    """It declares ISO-8859-1 and is written in UTF-8."""
    (digest,) = read_path(shared / "payloads/feeds_other/edge_ai_daily.xml", day=None, today=today)
    assert digest.day == date(2026, 8, 22)
    assert all(paper.id.startswith("arxiv:") for paper in digest.papers)
    assert len(digest.papers) + len(digest.refused) == 10
    assert not any("Ã" in paper.title or "â€" in paper.abstract for paper in digest.papers)


def test_accept_all_takes_every_item_with_title_and_text():
    told = "<title>A proceedings paper</title><description>We did.</description>"
    item = f"<item>{told}<link>https://conf.example/1</link></item>"
    assert xml_document.read(rss(item)).papers == ()
    assert xml_document.read(rss(item), accept="all").papers[0].url == "https://conf.example/1"


def test_an_atom_entry_is_read_with_its_persons_and_xhtml():
    entry = """<feed xmlns="http://www.w3.org/2005/Atom"><updated>2025-03-13T00:00:00Z</updated><entry>
      <title type="html">A &amp;lt;b&gt; title</title><id>https://doi.org/10.1000/x</id><link href="https://j.example/x"/>
      <author><name>Ada</name></author><author><name>Bo</name></author><published>2025-03-12T10:00:00Z</published>
      <summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One</p><p>two.</p></div></summary></entry></feed>"""
    reading = xml_document.read(entry)
    (paper,) = reading.papers
    assert (paper.title, paper.authors, paper.published) == ("A <b> title", ("Ada", "Bo"), date(2025, 3, 12))
    assert reading.day == date(2025, 3, 13)


def test_other_xml_is_refused_by_name():
    assert (
        xml_document.read("<svg xmlns='http://www.w3.org/2000/svg'/>")
        == "its XML is neither Atom nor RSS (its root element: svg)"
    )


def test_a_paper_on_arxiv_keeps_its_doi_as_well():
    item = """<item><title>T</title><link>https://arxiv.org/abs/2503.01234</link><dc:identifier>doi:10.1000/x</dc:identifier>
      <description>We did.</description></item>"""
    (paper,) = xml_document.read(rss(item)).papers
    assert (paper.id, paper.doi) == ("arxiv:2503.01234", "10.1000/x")
