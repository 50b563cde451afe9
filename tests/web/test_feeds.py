"""Feeds by RFC 4287, the sitemap by its protocol, robots.txt by RFC 9309."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import html5lib
import pytest
from defusedxml import ElementTree

from newsletter.model import Digest, Edition, Paper
from newsletter.store import archive, editions
from newsletter.web import feeds
from newsletter.web.catalogue import alive_themes

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
DAY = date(2025, 5, 27)


def check(text: bytes) -> list:
    """The entries of a feed that keeps the rules of RFC 4287, sections 4.1.1 and 4.1.2."""
    feed = ElementTree.fromstring(text)
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert set(links) == {"self", "alternate"}
    for one in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1, name
            assert one.findtext(f"{ATOM}{name}").strip(), name
        assert one.findtext(f"{ATOM}id").startswith("tag:papers.example.org,")
        assert datetime.fromisoformat(one.findtext(f"{ATOM}updated")).tzinfo is not None
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    for entry in entries:
        content = entry.find(f"{ATOM}content")
        assert content.get("type") == "html"
        html5lib.parseFragment(content.text)
        (link,) = entry.findall(f"{ATOM}link")
        assert link.get("rel") == "alternate"
        assert urlsplit(link.get("href")).scheme == "https"
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    return entries


def test_the_feed_of_editions_holds_their_themes_and_papers(site):
    answer = site.client.get("/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml"
    entries = check(answer.content)
    assert [entry.findtext(f"{ATOM}id")[-16:] for entry in entries] == ["daily/2025-05-27", "daily/2025-05-26"]
    edition = editions.load_edition(site.workspace.engine, f"daily/{DAY}")
    links = html5lib.parseFragment(entries[0].findtext(f"{ATOM}content"), namespaceHTMLElements=False).findall(".//a")
    wanted = {f"https://papers.example.org/papers/{paper.id}" for paper in edition.papers}
    assert {link.get("href") for link in links} == wanted


def test_the_feed_of_a_theme_holds_its_papers_newest_first(site):
    one = alive_themes(site.workspace)[1][0]
    entries = check(site.client.get(f"/themes/{one.id}/feed.atom").content)
    assert len(entries) == len(one.papers)
    days = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert days == sorted(days, reverse=True)
    assert site.client.get("/themes/never/feed.atom").status_code == 404


def test_an_entry_keeps_its_id_when_the_pages_move(site, make_site):
    moved = make_site(base="https://papers.example.org/archive")
    first, second = (check(one.client.get("/feed.atom").content) for one in (site, moved))
    assert [e.findtext(f"{ATOM}id") for e in first] == [e.findtext(f"{ATOM}id") for e in second]


def test_what_papers_bring_is_escaped_and_what_xml_forbids_is_gone(site):
    title = "<script>alert(1)</script> & \x0b\ufffe ]]> \U0001f642 “x”"
    papers = tuple(Paper(f"title:{n}", title, title, (title,), url="javascript:1") for n in range(2))
    day = DAY + timedelta(days=1)
    archive.add_digest(site.workspace.engine, Digest("page", day, papers))
    editions.save_edition(site.workspace.engine, Edition(f"daily/{day}", day, papers, ()))
    answer = site.client.get("/feed.atom")
    entries = check(answer.content)
    shown = html5lib.parseFragment(entries[0].findtext(f"{ATOM}content"), namespaceHTMLElements=False)
    assert shown.findall(".//script") == []
    assert "<script>" in "".join(shown.itertext())
    assert b"javascript" not in answer.content


def test_the_sitemap_names_every_public_page_and_each_is_there(site):
    answer = site.client.get("/sitemap.xml")
    places = [one.text for one in ElementTree.fromstring(answer.content).iter(f"{MAP}loc")]
    assert len(places) == len(set(places)) > 50
    assert {"https://papers.example.org/editions/2025-05-27", "https://papers.example.org/themes"} <= set(places)
    for place in places[1:60]:
        assert site.client.get(urlsplit(place).path).status_code == 200, place


def test_a_large_sitemap_is_split(site, monkeypatch):
    monkeypatch.setattr(feeds, "SITEMAP", 40)
    index = ElementTree.fromstring(site.client.get("/sitemap.xml").content)
    assert index.tag == f"{MAP}sitemapindex"
    parts = [one.text.removeprefix("https://papers.example.org") for one in index.iter(f"{MAP}loc")]
    sizes = [len(ElementTree.fromstring(site.client.get(part).content)) for part in parts]
    assert sizes[:-1] == [40] * (len(parts) - 1)
    assert 0 < sizes[-1] <= 40


@pytest.mark.parametrize("path", ["/p/x", "/u/x", "/l/x", "/f/x/more/y", "/confirm/x", "/admin", "/search?q=a"])
def test_robots_keep_away_from_what_a_token_opens(site, path):
    from urllib.robotparser import RobotFileParser

    robots = RobotFileParser()
    robots.parse(site.client.get("/robots.txt").text.splitlines())
    assert not robots.can_fetch("anybody", f"https://papers.example.org{path}")
    assert robots.can_fetch("anybody", "https://papers.example.org/editions/2025-05-27")
    assert robots.can_fetch("anybody", "https://papers.example.org/papers/arxiv:1")
    assert robots.site_maps() == ["https://papers.example.org/sitemap.xml"]
