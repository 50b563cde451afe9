"""The public pages: complete, safe whatever papers bring, kept by caches, gone where the archive is not public."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from urllib.parse import urljoin

import html5lib
import pytest

from newsletter.model import Digest, Edition, KnownTheme, Momentum, Paper, Theme, ThemeEvent
from newsletter.store import archive, editions, maps, shelf
from newsletter.text import readable
from newsletter.web.catalogue import alive_themes

DAY = date(2025, 5, 27)
NEXT = DAY + timedelta(days=1)
HOSTILE = '<script>alert(1)</script> "quoted" \u202eevil\x07 {{ 7*7 }} &amp; $x_i^{2}$ \\textbf{bold'


def add_edition(engine, papers, themes=(), day: date = NEXT, *, mapped: bool = False) -> None:
    """An edition without BERTopic: what the pages read, as the pipeline leaves it."""
    archive.add_digest(engine, Digest("page", day, tuple(papers)))
    editions.save_edition(engine, Edition(f"daily/{day}", day, tuple(papers), tuple(themes)))
    known = [KnownTheme(t.id, t.label, t.keywords, t.papers, (0.6, 0.8), "m", day, day, day) for t in themes]
    editions.save_themes(engine, day, known, [ThemeEvent(day, "born", t.id) for t in themes])
    if mapped:
        theme_of = {paper: theme.id for theme in themes for paper in theme.papers}
        points = tuple(
            maps.Point(p.id, readable(p.title), theme_of.get(p.id, ""), day, n % 31, n % 17)
            for n, p in enumerate(papers)
        )
        maps.save_map(engine, maps.ThemeMap(f"daily/{day}", day, len(papers), points, tuple(themes)))


def paper(number: int, **values) -> Paper:
    return Paper(
        **({"id": f"arxiv:2505.{number:05d}", "title": f"On the number {number}", "abstract": "We count."} | values)
    )


def theme(key: str, label: str, papers) -> Theme:
    return Theme(
        key, label, ("count",), tuple(p.id for p in papers), Momentum("rising", 1.5, 1.1, 2.0, tuple(range(30)))
    )


@pytest.fixture
def empty(make_site):
    """A newsletter without a paper."""
    from newsletter.store.tables import METADATA

    site = make_site()
    with site.workspace.engine.begin() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    return site


def public_addresses(site) -> list[str]:
    """Every page of the archive by its own links, the first page's of each kind."""
    found = alive_themes(site.workspace)[1]
    days = shelf.edition_days(site.workspace.engine)
    one = found[0]
    return [
        "/editions", f"/editions?month={days[-1]:%Y-%m}", f"/editions/{days[-1]}", "/themes", f"/themes/{one.id}",
        f"/themes/{one.id}/feed.atom", f"/papers/{one.papers[0]}", "/search", "/search?q=language+model", "/feed.atom",
        "/sitemap.xml", "/api/openapi.json", "/api/v1/editions", f"/api/v1/editions/{days[-1]}", "/api/v1/themes",
        f"/api/v1/themes/{one.id}", "/api/v1/papers?q=model", f"/api/v1/papers/{one.papers[0]}",
    ]  # fmt: skip


def parsed(answer):
    """The page's tree; html5lib, strict, says what is no HTML."""
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    tree = parser.parse(answer.text)
    known = ("unexpected-end-tag-implies-table-voodoo",)
    assert [error for error in parser.errors if error[1] not in known] == []
    return tree


def test_an_edition_shows_every_paper_once_under_its_theme(site):
    answer = site.client.get(f"/editions/{DAY}")
    edition = editions.load_edition(site.workspace.engine, f"daily/{DAY}")
    tree = parsed(answer)
    titles = [link.get("href") for link in tree.findall(".//h3/a")]
    assert sorted(titles) == sorted(f"/papers/{one.id}" for one in edition.papers)
    assert len(tree.findall(".//section")) == len(edition.themes)
    assert f'href="/editions/{DAY - timedelta(days=1)}" rel="prev"' in answer.text
    assert 'rel="next"' not in answer.text


def test_the_chart_leads_to_the_themes_and_is_a_table_too(site):
    tree = parsed(site.client.get(f"/editions/{DAY}"))
    ids = {element.get("id") for element in tree.iter() if element.get("id")}
    bars = [link for link in tree.iter() if (link.get("href") or "").startswith("#theme-")]
    assert bars
    assert {link.get("href")[1:] for link in bars} <= ids
    assert len(tree.findall(".//details//tbody/tr")) == len(bars)


def test_the_map_holds_the_window_and_links_to_every_paper(site):
    """Made when the edition was prepared: a page does not wait for UMAP, and works without a script."""
    drawn = maps.load_map(site.workspace.engine, f"daily/{DAY}")
    text = site.client.get(f"/editions/{DAY}").text
    assert len(drawn.points) == drawn.total > 20
    assert text.count('tabindex="-1"') == drawn.total
    today = {p.id for p in editions.load_edition(site.workspace.engine, f"daily/{DAY}").papers}
    assert text.count(" today") == len(today)
    assert "style=" not in text


def test_pages_load_neither_bertopic_nor_umap():
    import subprocess
    import sys

    heavy = ("bertopic", "umap", "sklearn", "scipy")
    code = f"import sys, newsletter.web.app; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_theme_tells_its_papers_weeks_and_neighbours(site):
    one = alive_themes(site.workspace)[1][0]
    tree = parsed(site.client.get(f"/themes/{one.id}"))
    assert len(tree.findall(".//h4/a")) == len(one.papers)
    assert tree.find(".//h1").text == one.label
    near = [link.get("href") for link in tree.findall(".//ul[@class='plain']/li/a")]
    assert near
    assert f"/themes/{one.id}" not in near


def test_a_paper_tells_its_theme_edition_and_similar_ones(site):
    one = editions.load_edition(site.workspace.engine, f"daily/{DAY}").papers[0]
    answer = site.client.get(f"/papers/{one.id}")
    tree = parsed(answer)
    data = json.loads(tree.find(".//script[@type='application/ld+json']").text)
    assert (data["@type"], data["identifier"]) == ("ScholarlyArticle", one.id)
    assert [author["name"] for author in data["author"]] == list(one.authors)
    assert f"/editions/{DAY}" in answer.text
    assert len(tree.findall(".//ul[@class='papers']/li")) == 6


def test_another_name_of_a_paper_leads_to_its_page(site):
    one = editions.load_edition(site.workspace.engine, f"daily/{DAY}").papers[0]
    for name in (one.id.removeprefix("arxiv:") + "v2", f"https://arxiv.org/abs/{one.id.removeprefix('arxiv:')}"):
        answer = site.client.get(f"/papers/{name}")
        assert (answer.status_code, answer.headers["location"]) == (301, f"/papers/{one.id}")


def test_what_only_a_reader_likes_has_no_page(site):
    archive.add_unlisted(site.workspace.engine, [paper(1, title="A private liking")])
    assert site.client.get("/papers/arxiv:2505.00001").status_code == 404
    assert "private" not in site.client.get("/search?q=liking").text.replace("liking", "")
    assert "2505.00001" not in site.client.get("/sitemap.xml").text


def test_hostile_papers_are_only_text(site):
    papers = [
        paper(n, title=HOSTILE, abstract=HOSTILE, authors=(HOSTILE,), url="javascript:alert(1)") for n in (1, 2, 3)
    ]
    add_edition(site.workspace.engine, papers, [theme("t<1>", HOSTILE, papers)], mapped=True)
    pages = (
        f"/editions/{NEXT}",
        "/editions",
        "/themes",
        "/themes/t%3C1%3E",
        "/papers/arxiv:2505.00001",
        "/search?q=alert",
    )
    for address in pages:
        answer = site.client.get(address)
        assert answer.status_code == 200, address
        assert "<script>alert" not in answer.text
        assert "javascript:" not in answer.text
        assert "49" not in re.findall(r"\{\{.*?\}\}|49", answer.text.replace("149", ""))
        assert "\u202e" not in answer.text


def test_nothing_yet_says_so(empty):
    for address, words in (
        ("/editions", "No edition has come out yet"), ("/themes", "There are no themes yet"),
        ("/search?q=x", "Nothing was found"),
    ):  # fmt: skip
        answer = empty.client.get(address)
        assert answer.status_code == 200
        assert words in answer.text
    for address in ("/feed.atom", "/sitemap.xml", "/api/v1/editions", "/api/v1/themes", "/api/v1/papers?q=a"):
        assert empty.client.get(address).status_code == 200


@pytest.mark.parametrize("count", [1, 2])
def test_an_edition_of_a_paper_or_two_without_themes_is_whole(empty, count):
    papers = [paper(n) for n in range(1, count + 1)]
    add_edition(empty.workspace.engine, papers)
    answer = empty.client.get(f"/editions/{NEXT}")
    assert len(parsed(answer).findall(".//h3/a")) == count
    assert "Papers by theme" not in answer.text
    assert "data-map" not in answer.text


@pytest.mark.parametrize(
    "odd", ["doi:10.1000/a/../b", "doi:10.1000//x", "doi:10.1000/a?b#c&d", "doi:10.1/" + "x" * 400]
)
def test_a_paper_is_reached_by_its_link_whatever_its_id(empty, odd):
    """No browser may take a part of the id for a folder, a query or an end."""
    add_edition(empty.workspace.engine, [paper(1, id=odd, title="An odd one")])
    (link,) = parsed(empty.client.get(f"/editions/{NEXT}")).findall(".//h3/a")
    where = link.get("href")
    assert urljoin("https://papers.example.org/editions/x", where) == "https://papers.example.org" + where
    assert parsed(empty.client.get(where)).find(".//h1").text.strip() == "An odd one"


def test_an_edition_of_700_papers_is_a_page_of_sane_size(empty):
    papers = [paper(n, abstract=f"We present the number {n}. It outperforms {n - 1} by 3%.") for n in range(700)]
    themes = [theme(f"t{n}", f"Numbers {n}", papers[n::20]) for n in range(20)]
    add_edition(empty.workspace.engine, papers, themes, mapped=True)
    answer = empty.client.get(f"/editions/{NEXT}")
    assert len(parsed(answer).findall(".//h3/a")) == 700
    assert len(answer.content) < 1_000_000


def test_pages_that_are_not_there(site):
    for address in (
        "/editions/2025-05-28", "/editions/2025-02-30", "/editions/20250527", "/editions/x", "/editions?month=x",
        "/themes/x", "/papers/x", "/papers/%00", "/themes/%00", "/editions/%00", "/sitemap.xml?page=9",
        "/sitemap.xml?page=x", "/sitemap.xml?page=0", "/sitemap.xml?page=00000000100", "/sitemap.xml?page=²",
    ):  # fmt: skip
        assert site.client.get(address).status_code == 404, address


def test_public_pages_may_be_kept_and_are_not_sent_twice(site):
    for address in public_addresses(site):
        first = site.client.get(address)
        assert first.status_code == 200, address
        assert first.headers["cache-control"] == "public, max-age=300", address
        again = site.client.get(address, headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b""), address
        assert again.headers["etag"] == first.headers["etag"]
        assert site.client.get(address, headers={"If-None-Match": '"x"'}).status_code == 200
        assert "set-cookie" not in first.headers


def test_an_old_edition_may_be_kept_longer(site):
    site.clock.later(days=3)
    assert site.client.get(f"/editions/{DAY}").headers["cache-control"] == "public, max-age=86400"
    assert site.client.get("/editions").headers["cache-control"] == "public, max-age=300"


def test_pages_answer_to_head(site):
    for address in (f"/editions/{DAY}", "/feed.atom", "/robots.txt"):
        answer = site.client.head(address)
        assert answer.status_code == 200
        assert answer.headers["etag"]


def test_an_archive_that_is_not_public_is_not_there(site, make_site):
    addresses = public_addresses(site)
    private = make_site(replace={"web: {}": "web: {archive: false}"})
    for address in addresses:
        assert private.client.get(address).status_code == 404, address
    assert private.client.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_getting_pages_changes_nothing(site):
    def everything():
        from newsletter.store.tables import METADATA

        with site.workspace.engine.connect() as connection:
            return {t.name: connection.execute(t.select()).all() for t in METADATA.sorted_tables}

    before = everything()
    for address in public_addresses(site):
        site.client.get(address)
    assert everything() == before


def test_addresses_begin_with_the_prefix(make_site):
    site = make_site(base="https://example.org/papers")
    for address in public_addresses(site):
        if address.startswith("/api"):
            continue
        text = site.client.get(address).text
        for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', text):
            assert link.startswith("/papers/"), (address, link)


@pytest.mark.slow
def test_every_page_is_accessible_and_fits(served, browser, violations):
    base, site = served
    addresses = [a for a in public_addresses(site) if "/api/" not in a and ".atom" not in a and ".xml" not in a]
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        for address in addresses:
            page.goto(base + address)
            assert violations(page) == [], (address, width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        assert said == []
        page.close()


@pytest.mark.slow
def test_the_map_is_explored_by_keys_wheel_and_pointer(served, browser):
    base, _ = served
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{base}/editions/{DAY}")
    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    told = page.locator("[data-told]")
    stage.focus()
    page.keyboard.press("ArrowRight")
    first = told.inner_text()
    page.keyboard.press("ArrowDown")
    assert first
    assert told.inner_text() not in ("", first)
    plane = page.locator("[data-plane]")
    page.keyboard.press("+")
    assert "scale(1.5)" in plane.get_attribute("transform")
    page.keyboard.press("0")
    assert "scale(1)" in plane.get_attribute("transform")
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.wheel(0, -400)
    page.wait_for_function("!document.querySelector('[data-plane]').getAttribute('transform').includes('scale(1)')")
    before = plane.get_attribute("transform")
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 150, steps=5)
    page.mouse.up()
    assert plane.get_attribute("transform") != before
    assert page.url.endswith(f"/editions/{DAY}"), "a drag opens no paper"
    page.locator("[data-by=all]").click()
    page.locator(".legend .pick").first.click()
    shown = page.locator(".mark.shown").count()
    assert 0 < shown < page.locator(".mark").count()
    stage.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/papers/"))
    page.close()


@pytest.mark.slow
def test_the_map_is_a_picture_with_links_without_a_script(served, browser):
    base, _ = served
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/editions/{DAY}")
    assert page.locator(".mark").count() > 20
    assert page.locator(".legend button").first.is_hidden()
    page.locator(".mark.today").last.click(force=True)
    assert "/papers/" in page.url
    context.close()
