"""The HTML of a letter, as a real parser reads it."""

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib
import pytest

from newsletter.letter import compose, render

# MJML writes `<!doctype html>` and conditional comments for Outlook; a parser finds nothing else to say
KNOWN_ERRORS: set[str] = set()


def parsed(html: str) -> Element:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(html)
    assert {code for _, code, _ in parser.errors} <= KNOWN_ERRORS
    return tree


def visible(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.fixture(scope="module")
def full(build, templates):
    papers = [
        build.paper(n, thumbnail="https://example.org/1.png", code=f"https://github.com/a/b{n}") for n in range(1, 13)
    ]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers), total=70)
    return letter, render(templates, letter, build.LINKS, build.IMPRINT)


@pytest.fixture(scope="module")
def tree(full):
    return parsed(full[1].html)


def test_language_direction_and_title_are_said(tree):
    wrapper = tree.find("body/div[@role='main']")
    assert (tree.get("lang"), tree.get("dir")) == (wrapper.get("lang"), wrapper.get("dir")) == ("en", "ltr")
    assert visible(tree.find("head/title")) == "Trending papers · Thursday, 13 March 2025"
    assert tree.find("head/meta[@name='color-scheme']").get("content") == "light dark"


def test_there_is_one_h1_and_no_level_is_skipped(tree):
    levels = [int(e.tag[1]) for e in tree.iter() if isinstance(e.tag, str) and re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_table_is_layout_and_says_so(full, tree):
    assert {table.get("role") for table in tree.iter("table")} == {"presentation"}
    outlook = re.findall(r"<table[^>]*>", full[1].html)
    assert all('role="presentation"' in table for table in outlook)


def test_link_texts_are_unique_and_links_are_safe_and_plain(tree):
    links = [(visible(a), a) for a in tree.iter("a")]
    assert len({text for text, _ in links}) == len(links)
    for text, a in links:
        assert text
        assert a.get("href").startswith(("https://", "http://", "mailto:"))
        assert "text-decoration:none" not in (a.get("style") or "")


def test_links_with_the_same_text_are_told_apart(build, templates):
    papers = [
        build.paper(n, title="The same title", id=f"title:{n}", pdf=f"https://x.org/{n}.pdf") for n in range(1, 9)
    ]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    texts = [visible(a) for a in parsed(render(templates, letter, build.LINKS, build.IMPRINT).html).iter("a")]
    assert len(set(texts)) == len(texts)


def test_pictures_are_small_named_and_absent_for_text_only(full, tree, build, templates):
    pictures = list(tree.iter("img"))
    assert len(pictures) == 3
    assert all(img.get("alt") and img.get("width") and img.get("height") for img in pictures)
    plain = render(templates, replace(full[0], text_only=True), build.LINKS, build.IMPRINT)
    assert "<img" not in plain.html


def test_the_preheader_comes_first_and_is_hidden(full, tree):
    first = tree.find("body/div")
    assert "display:none" in first.get("style")
    assert visible(first).startswith(full[0].preheader)


def test_the_style_sheet_is_small(full):
    assert sum(len(css.encode()) for css in re.findall(r"<style.*?</style>", full[1].html, re.DOTALL)) < 8_000


def test_nothing_tracks(tree):
    for element in tree.iter():
        assert element.tag not in ("script", "iframe", "form", "object", "embed", "video")
        assert not [name for name in element.attrib if name.startswith("on")]
    assert all("open" not in img.get("src") for img in tree.iter("img"))


def test_without_web_addresses_the_letter_leaves_the_links_out(build, templates, full):
    from newsletter.letter import Imprint, Links

    rendered = render(templates, full[0], Links(), Imprint(contact="papers@example.org"))
    texts = [visible(a) for a in parsed(rendered.html).iter("a")]
    assert not any("nsubscribe" in text or "browser" in text for text in texts)
    assert "write to papers@example.org" in rendered.html
    assert "write to papers@example.org" in rendered.text


def test_a_mailto_unsubscribes_where_there_is_no_web_page(build, templates, full):
    from newsletter.letter import Links

    rendered = render(templates, full[0], Links(unsubscribe="mailto:leave@example.org?subject=x"), build.IMPRINT)
    assert 'href="mailto:leave@example.org?subject=x"' in rendered.html


ALLOWED = {
    "html",
    "head",
    "title",
    "meta",
    "style",
    "body",
    "div",
    "table",
    "tbody",
    "tr",
    "td",
    "h1",
    "h2",
    "h3",
    "p",
    "a",
    "br",
} | {"span", "img"}


@pytest.mark.slow
def test_every_real_paper_is_shown_without_error_or_raw_markup(real_papers, build, templates):
    for start in range(0, len(real_papers), 12):
        papers = [
            build.paper(start + n, title=t, abstract=a) for n, (t, a) in enumerate(real_papers[start : start + 12])
        ]
        letter = compose(build.reader(), build.edition(papers), build.picks(papers))
        rendered = render(templates, letter, build.LINKS, build.IMPRINT)
        tree = parsed(rendered.html)
        assert {e.tag for e in tree.iter() if isinstance(e.tag, str)} <= ALLOWED
        assert not re.search(r"\\[a-zA-Z]|\$[^$\d][^$]*\$|&amp;(?:amp|lt|gt|#)|\{\{|\{%", visible(tree.find("body")))
        assert 40 <= len(letter.subject) <= 60
        assert all(len(line) <= 72 or "://" in line for line in rendered.text.splitlines())
