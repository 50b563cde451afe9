"""Whole letters as they were last looked at, byte for byte.

After a meant change of templates or wording: ``NEWSLETTER_GOLDEN=write pytest tests/letter/test_golden.py``, then read
the difference and look at the letters.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.identity import title_key
from newsletter.letter import Imprint, Links, compose, load_templates, render
from newsletter.letter.lint import lint
from newsletter.mail.message import build, sender
from newsletter.model import Profile, Reason

FOLDER = Path(__file__).resolve().parents[1] / "golden"
HOSTILE = "<script>alert('x')</script></td></table>{{ 7 * 7 }}{% raw %}<mj-text>&amp;\x00\r\nBcc: a@b.c\u2028\u202e"


def _papers(build, count, **fields):
    return [build.paper(n, **fields) for n in range(1, count + 1)]


def _hostile(build):
    bad = {
        "title": HOSTILE,
        "abstract": f"We propose {HOSTILE} here. The results show {HOSTILE} there.",
        "authors": (HOSTILE,) * 3,
    }
    links = {
        "url": "javascript:alert(1)",
        "pdf": 'https://x.org/"onclick="a',
        "code": "data:text/html,x",
        "project": "https://x.org/a b",
    }
    return [build.paper(n, **bad, **links, thumbnail='http://x.org/"><script>') for n in range(1, 6)]


def _without_address(build):
    """Papers of a page dump: title and abstract alone."""
    made = _papers(build, 6, url="", pdf="", upvotes=None, authors=())
    return [replace(paper, id=title_key(paper.title)) for paper in made]


PICTURE = {"thumbnail": "https://example.org/1.png"}
LATEX = {
    "title": r"An $\mathcal{O}(n \log n)$ Bound for $k$-Letter Problems",
    "abstract": r"We prove that $x^2 \leq 10^{-3}$ holds for 50\% of \emph{all} letters~\cite{x}.",
}
ARABIC = {"title": "رسائل قصيرة: كم تكفي الكتابة القليلة للقارئ (RNN)؟"}
MANY = {"authors": tuple(f"Author Number{n}" for n in range(300))}

# papers, and what is special about their reader
CASES = {
    "full": (lambda build: _papers(build, 12, code="https://github.com/example/letters", **PICTURE), {}),
    "one-paper": (lambda build: _papers(build, 1), {}),
    "no-summary": (lambda build: _papers(build, 6, abstract=""), {}),
    "300-authors": (lambda build: _papers(build, 6, **MANY), {}),
    "arabic-titles": (lambda build: _papers(build, 6, **ARABIC), {}),
    "no-address": (_without_address, {}),
    "latex": (lambda build: _papers(build, 6, **LATEX), {}),
    "hostile": (_hostile, {"display_name": HOSTILE}),
    "200-papers": (lambda build: _papers(build, 200), {}),
    "german": (lambda build: _papers(build, 12), {"language": "de"}),
    "arabic": (lambda build: _papers(build, 12), {"language": "ar"}),
    "text-only": (lambda build: _papers(build, 6, **PICTURE), {"text_only": True}),
    "no-interests": (lambda build: _papers(build, 6), {"profile": Profile()}),
}


RATED = ("full", "arabic")  # cases whose letters let their reader rate papers


def letter_of(makers, case):
    make, fields = CASES[case]
    papers = make(makers)
    picks = makers.picks(papers)
    if case == "no-interests":
        picks = [replace(pick, kind="trending", reasons=(Reason("trending", "", 1.0),)) for pick in picks]
    return compose(makers.reader(**fields), makers.edition(papers), picks, total=max(70, len(papers)))


def links_of(makers, case) -> Links:
    return {"no-links": Links()}.get(case, makers.RATED if case in RATED else makers.LINKS)


def message_of(letter, rendered, leave) -> bytes:
    """The letter as the mail room sends it, but for the signature."""
    origin = sender("Papers <papers@example.org>", title="Trending papers")
    moment = datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
    return build(
        letter, rendered, origin, unsubscribe=leave, unsubscribe_mail="leave@example.org", date=moment, key=bytes(32)
    ).data


@pytest.fixture(params=[*CASES, "no-links"])
def golden(request, build, templates):
    """(case, letter, rendered); the case `no-links` is the full letter where no web address is configured."""
    case = request.param
    if case == "no-links":
        letter = letter_of(build, "full")
        return case, letter, render(templates, letter, links_of(build, case), Imprint(contact="papers@example.org"))
    letter = letter_of(build, case)
    return case, letter, render(templates, letter, links_of(build, case), build.IMPRINT)


def test_the_letter_is_the_golden_one(golden, build):
    case, letter, rendered = golden
    message = message_of(letter, rendered, links_of(build, case).unsubscribe)
    headers = message.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n", "\n")
    parts = {".html": rendered.html, ".txt": rendered.text, ".headers": f"{headers}\n"}
    for suffix, text in parts.items():
        file = FOLDER / f"{case}{suffix}"
        if os.environ.get("NEWSLETTER_GOLDEN") == "write":
            file.write_text(text, "utf-8", newline="\n")
        assert file.read_text("utf-8") == text, f"{file.name} differs: see this file's docstring"


def test_the_message_lacks_nothing_but_a_signature(golden, build):
    case, letter, rendered = golden
    message = message_of(letter, rendered, links_of(build, case).unsubscribe)
    assert {finding.rule for finding in lint(message)} == {"dkim"}


def test_the_same_letter_gives_the_same_bytes(golden, build):
    case, letter, rendered = golden
    if case != "no-links":
        again = render(load_templates(), replace(letter), links_of(build, case), build.IMPRINT)
        assert (again.html, again.text) == (rendered.html, rendered.text)


def test_every_golden_letter_is_small_enough(golden):
    _, _, rendered = golden
    assert len(rendered.html.encode()) < 90_000


def test_nothing_of_a_hostile_digest_is_markup(build, templates):
    rendered = render(templates, letter_of(build, "hostile"), build.LINKS, build.IMPRINT)
    for part in ("<script", "<mj-", "javascript:", "data:text", '"onclick', "\x00", "\r", "\u2028", "\u202e"):
        assert part not in rendered.html, part
    assert "&lt;script&gt;" in rendered.html
    assert "{{ 7 * 7 }}" in rendered.html
    assert not any(line.startswith("Bcc:") for line in rendered.text.splitlines())
    assert "javascript:" not in rendered.text
