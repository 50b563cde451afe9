"""HTML in ASCII is the same document: whoever parses it sees what was written."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.mail.body import ascii_html, entity, octets

PIECES = (
    "<p>", "</p>", '<p title="é\r\n“">', '">', '"', "'", " ", "\n", "\r\n", "\t", "&", "&amp", "&#12", "&#150;", "&lt;",
    "é", "–", "\xa0", "👩‍🚀", "論文", "\x85", "\x96", "\ud83d", "\ude00", "\x00", "word ", "=", "]]>",
    "<style>", "</style>", "<STYLE>", "</STYLE >", "<script>", "</script>", "<title>", "</title>", "<textarea>",
    "</textarea>", "<td\nwidth=é>", "<br/>", "< ",
)  # fmt: skip
DOCUMENTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def document(raw: bytes) -> str:
    return html5lib.serialize(html5lib.parse(raw, transport_encoding="utf-8"), quote_attr_values="always")


@given(DOCUMENTS)
@example("<style>a::after { content: '–' }</style><p>é</p>")
@example("<p>é</p><xmp>é")
@example("<p>\x96</p>")
@example("\ud83d\ude00é")
def test_the_document_is_the_same(html: str) -> None:
    """A reference stands only where it is read as its character; else the part is encoded as it is."""
    raw = ascii_html(html)
    if raw is not None:
        assert raw.isascii()
        assert document(raw) == document(octets(html))


@pytest.mark.parametrize(
    "html",
    [
        "<style>a::after { content: '–' }</style>",
        "<STYLE>é</STYLE>",
        "<script>var a = 'é'</script>",
        "<plaintext>é",
        "<p>\x96</p>",
        "<p>\ud83d\ude00</p>",
        "論文" * 400,
    ],
)
def test_what_a_reference_would_change_is_encoded(html: str) -> None:
    """Style sheets know no references, browsers take C1 controls for windows-1252, and a line of text stays one."""
    head, _, _ = entity("html", html).partition(b"\r\n\r\n")
    assert ascii_html(html) is None
    assert b"quoted-printable" in head or b"base64" in head


def test_long_lines_are_broken_where_a_blank_means_nothing() -> None:
    """Compiled templates have lines of thousands of octets; SMTP allows 998."""
    row = '<td class="a" style="padding:0"><a href="https://example.org/?a=1&amp;b=2">“Two  blanks”</a></td>'
    html = "<table><tr>" + row * 60 + "</tr></table>"
    raw = ascii_html(html)
    assert raw is not None
    assert max(map(len, raw.split(b"\r\n"))) <= 998 < len(html)
    assert document(raw) == document(octets(html))
