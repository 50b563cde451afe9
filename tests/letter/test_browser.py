"""Letters in a real Chromium: axe-core finds nothing in light and dark, targets are large, nothing overflows.

Debian's ``chromium``, and ``axe-core`` from npm (`npm ci --prefix tests/node`) or in the folder named by
NEWSLETTER_NODE_MODULES; where either is missing these tests skip and say so.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import AXE, CHROMIUM, chromium

from newsletter.letter import compose, render

ROOT = Path(__file__).resolve().parents[2]
LETTERS = ["full", "no-address", "arabic", "hostile", "no-links", "200-papers", "300-authors"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="LETTERS NOT LOOKED AT: no chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser, request):
    """A page without network, 600 px wide and light unless the test says otherwise."""
    asked = getattr(request, "param", {})
    context = browser.new_context(
        viewport={"width": asked.get("width", 700), "height": 900}, **asked.get("context", {})
    )
    opened = context.new_page()
    opened.route("http**/*", lambda route: route.abort())
    yield opened
    context.close()


def golden(case: str) -> str:
    return (ROOT / "tests" / "golden" / f"{case}.html").read_text("utf-8")


@pytest.mark.skipif(not AXE.is_file(), reason="ACCESSIBILITY NOT CHECKED: no axe-core (npm ci --prefix tests/node)")
@pytest.mark.parametrize(
    "page", [{"context": {"color_scheme": c}} for c in ("light", "dark")], indirect=True, ids=["light", "dark"]
)
@pytest.mark.parametrize("case", LETTERS)
def test_axe_finds_no_violation(page, case):
    page.set_content(golden(case))
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found["violations"]] == []
    assert len(found["passes"]) > 10


CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const low = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.getBoundingClientRect().height === 0 || !e.checkVisibility()) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([walker.currentNode.data.trim().slice(0, 40), ratio]);
  }
  return low;
}"""


@pytest.mark.parametrize(
    "page", [{"context": {"color_scheme": c}} for c in ("light", "dark")], indirect=True, ids=["light", "dark"]
)
def test_every_text_has_a_contrast_of_at_least_4_5(page):
    page.set_content(golden("full"))
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("page", [{"width": 360}, {"width": 700}], indirect=True, ids=["360", "700"])
@pytest.mark.parametrize("case", LETTERS)
def test_links_are_44_px_high_and_nothing_is_wider_than_the_screen(page, case):
    page.set_content(golden(case))
    small = page.evaluate(
        """() => [...document.querySelectorAll('a')].map(a => [a.textContent, a.getBoundingClientRect()])
                 .filter(([, box]) => box.height < 44 || box.width < 24)
                 .map(([text, box]) => [text, box.width, box.height])"""
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


SIZES = """() => {
  const sizes = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), e = walker.currentNode.parentElement;
    if (text && e.checkVisibility()) sizes.push([text, parseFloat(getComputedStyle(e).fontSize)]);
  }
  return sizes;
}"""


def test_summaries_are_16_px_and_nothing_readable_is_below_14(page):
    page.set_content(golden("full"))
    sizes = [(text, size) for text, size in page.evaluate(SIZES) if size]
    assert {size for text, size in sizes if "The results show" in text} == {16}
    assert min(size for _, size in sizes) >= 14


def test_underlines_stay_on_every_link(page):
    page.set_content(golden("full"))
    plain = (
        "[...document.querySelectorAll('a')].filter(a => getComputedStyle(a).textDecorationLine != 'underline').length"
    )
    assert page.evaluate(plain) == 0


@pytest.mark.parametrize("page", [{"width": 360}], indirect=True, ids=["360"])
def test_an_arabic_title_runs_from_the_right_in_an_english_letter(page):
    page.set_content(golden("arabic-titles"))
    assert page.evaluate("getComputedStyle(document.querySelector('h3')).direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.querySelector('h2')).direction") == "ltr"


def test_without_its_style_sheet_the_letter_still_stands(page):
    html = golden("full")
    start, end = html.index("<style"), html.rindex("</style>") + len("</style>")
    page.set_content(html[:start] + html[end:])
    assert page.evaluate("document.querySelector('h3 a').getBoundingClientRect().height") >= 44
    assert page.evaluate("getComputedStyle(document.querySelector('h3 a')).color") == "rgb(29, 27, 24)"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_letter_asks_for_nothing_but_its_pictures(browser, build, templates):
    papers = [build.paper(n, thumbnail=f"https://example.org/{n}.png") for n in range(1, 13)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    asked, context = list[str](), browser.new_context()
    opened = context.new_page()
    opened.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    opened.set_content(render(templates, letter, build.LINKS, build.IMPRINT).html, wait_until="load")
    context.close()
    assert set(asked) <= {p.thumbnail for p in papers[:3]}
