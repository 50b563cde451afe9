"""The text part: the same content in the same order, in 72 columns."""

import re

import html5lib
import pytest

from newsletter.letter import compose, render
from newsletter.letter.plain import columns, filled, underlined


@pytest.fixture(scope="module", params=["en", "ja", "ar"])
def rendered(request, build, templates):
    papers = [build.paper(n, code=f"https://github.com/a/b{n}") for n in range(1, 41)]
    letter = compose(build.reader(language=request.param), build.edition(papers), build.picks(papers), total=70)
    return render(templates, letter, build.RATED, build.IMPRINT)


def test_no_line_is_wider_than_72_columns_but_for_links(rendered):
    for line in rendered.text.splitlines():
        assert columns(line) <= 72 or "https://" in line


def test_links_are_those_of_the_html_in_the_same_order_but_papers_are_rated_on_one_page(rendered, build):
    tree = html5lib.parse(rendered.html, namespaceHTMLElements=False)
    links = [a.get("href") for a in tree.iter("a")]
    rating = [link for link in links if link.startswith(build.RATED.feedback + "/")]
    assert len(rating) == 9
    assert re.findall(r"https?://\S+", rendered.text) == [link for link in links if link not in rating]
    assert build.RATED.feedback in links


def test_titles_are_those_of_the_html_in_the_same_order(rendered):
    tree = html5lib.parse(rendered.html, namespaceHTMLElements=False)
    titles = [" ".join("".join(h.itertext()).split()) for h in tree.iter("h3")]
    text = " ".join(rendered.text.split())
    places = [text.find(title) for title in titles]
    assert places == sorted(places)
    assert -1 not in places


def test_no_line_ends_in_blanks_and_no_gap_is_wider_than_two_lines(rendered):
    assert not re.search(r"[ \t]\n", rendered.text)
    assert "\n\n\n\n" not in rendered.text


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("論文", 4), ("e\u0301", 1), ("a\u2068b\u2069", 2), ("ﾊﾛｰ", 3)]
)
def test_columns_are_counted_as_a_terminal_does(text, width):
    assert columns(text) == width


def test_wide_text_without_blanks_is_broken_and_links_are_not():
    assert max(map(columns, filled("論" * 200, 4).splitlines())) <= 72
    assert filled("https://example.org/" + "x" * 200).count("\n") == 0
    assert underlined("論文", "-") == "論文\n----"
