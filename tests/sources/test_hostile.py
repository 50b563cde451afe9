"""Hostile input: every file that a stranger could send gives papers, refusals or one clear error, and ends soon."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from datetime import date
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import DigestError
from newsletter.model import Paper
from newsletter.sources import content, read_path, xml_document
from newsletter.sources.reading import Reading, Unreadable, link, paper

ATTACKS = [
    "<script>alert(1)</script>",
    "<mj-text>{{ config }}</mj-text>",
    "{% for x in y %}{{ x }}{% endfor %}",
    "R&D &amp; <b>",
    r"$\alpha<\beta$ \textbf{x}",
    "שלום עולם",
    "مرحبا",
    "🚀🧪👩‍🔬",
    "A\u202eB",
]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><rss><channel><item><title>&j;</title></item></channel></rss>"
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>'


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_titles_survive_as_text_in_json(write, today, attack):
    document = json.dumps([{"id": "2503.01234", "title": f"On {attack}", "abstract": f"We {attack} it."}])
    (found,) = read_path(write("d.json", document), day=None, today=today)[0].papers
    assert (found.title, found.abstract) == (f"On {attack}", f"We {attack} it.")


@pytest.mark.parametrize("attack", ATTACKS[:5])
def test_hostile_titles_survive_as_text_in_a_feed(attack):
    escaped = attack.replace("&", "&amp;").replace("<", "&lt;")
    answer = xml_document.read(
        f"<rss><channel><item><title>On {escaped}</title><link>https://arxiv.org/abs/2503.01234</link>"
        "<description>We did.</description></item></channel></rss>"
    )
    assert answer.papers[0].title == f"On {attack}".replace("&amp;", "&")


def test_line_breaks_nul_and_lone_surrogates_leave_one_readable_line(write, today):
    document = json.dumps([{"title": "A\r\nBcc: x@y\x00 \ud800b\u2028c", "abstract": "x\ty\nz."}])
    (found,) = read_path(write("d.json", document), day=None, today=today)[0].papers
    assert (found.title, found.abstract) == ("A Bcc: x@y b c", "x y z.")
    found.title.encode()


def test_three_hundred_authors_are_all_kept(write, today):
    names = [f"Author {n}" for n in range(300)]
    document = json.dumps([{"title": "T", "abstract": "A.", "authors": names}])
    assert read_path(write("d.json", document), day=None, today=today)[0].papers[0].authors == tuple(names)


PACKED_FOUR_TIMES = reduce(lambda data, _: gzip.compress(data, mtime=0), range(4), b"[]")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b" \n\n ", "it is empty"),
        (gzip.compress(b"", mtime=0), "it is empty"),
        (b"[]", "it holds no papers"),
        (PNG, "it is a binary file, not text in UTF-8"),
        (b"Caf\xe9 au lait\n\n" * 20, "it is a binary file, not text in UTF-8"),
        (b"\x00" * 5000, "it is neither a page dump nor JSON, JSON Lines, Atom or RSS"),
        (b"https://example.org/feed", "it is neither a page dump nor JSON, JSON Lines, Atom or RSS"),
        (
            b"Mar 13\n\nOnly a title",
            "none of its 1 items is a paper that can be read; item 1 (Only a title): it has a title and no abstract",
        ),
        (b'[{"title": "a", "abstract": "b', "its JSON is broken or cut off"),
        (b"<rss><channel><item><title>a", "its XML is broken or cut off"),
        (b"<?xml version='1.0' encoding='no-such'?><rss>\xff</rss>", "its XML is broken or cut off"),
        (BOMB.encode(), "its XML declares entities, which is refused"),
        (EXTERNAL.encode(), "its XML declares entities, which is refused"),
        (gzip.compress(b"[1, 2, 3]" * 1000, mtime=0)[:-20], "its gzip data is cut off"),
        (gzip.compress(b"[]", mtime=0)[:-8] + b"12345678", "its gzip data is damaged"),
        (b"\x1f\x8b", "its gzip data is cut off"),
        (PACKED_FOUR_TIMES, "it is packed more than 2 times"),
    ],
)
def test_a_file_that_cannot_be_read_gives_one_clear_error(write, today, data, why):
    path = write("digest", data)
    with pytest.raises(DigestError) as caught:
        read_path(path, day=None, today=today)
    assert caught.value.why.startswith(why)
    assert caught.value.which == str(path)
    assert caught.value.status == 1
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == data  # the input is left as it was


def test_a_gzip_bomb_stops_at_the_limit():
    assert content.unpack(gzip.compress(b"\0" * 3_000_000, mtime=0), limit=2**20) == "it unpacks to more than 1 MiB"


def test_a_gzip_bomb_costs_no_more_memory_than_the_limit():
    """200 MB of zeros in 200 kB: what is unpacked stays near the limit of 1 MiB."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([*(packer.compress(b"\0" * 10**6) for _ in range(200)), packer.flush()])
    tracemalloc.start()
    assert content.unpack(bomb, limit=2**20) == "it unpacks to more than 1 MiB"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_the_limit_counts_all_members_of_a_gzip_file():
    assert content.unpack(gzip.compress(b"\0" * 600_000, mtime=0) * 2, limit=2**20) == "it unpacks to more than 1 MiB"
    assert content.unpack(gzip.compress(b"ab", mtime=0) + gzip.compress(b"c", mtime=0), limit=2**20) == b"abc"


def test_a_gzip_bomb_in_a_gzip_file_stops_too(write, today):
    bomb = gzip.compress(gzip.compress(b" " * (content.BYTES_MAX + 1), 9), 9)
    assert len(bomb) < 10_000
    with pytest.raises(DigestError, match="it unpacks to more than 32 MiB"):
        read_path(write("2025-03-13.json", bomb), day=None, today=today)


def test_an_over_long_file_is_refused_without_reading_it_whole(tmp_path, today):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # sparse
    with pytest.raises(DigestError, match="larger than 32 MiB"):
        read_path(path, day=None, today=today)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://x.org/a",
        "//x.org/a",
        "/a",
        "x.org",
        "http://",
        "https://[::1",
        "http://x.org:99999/",
        "http://x.org/a b",
        "http://x.org/\r\nBcc: y",
        "https://x.org/" + "a" * 2000,
        7,
        None,
        ["https://x.org"],
    ],
)
def test_only_whole_http_addresses_are_links(address):
    assert link(address) == ""


@pytest.mark.parametrize(
    "address", ["https://arxiv.org/abs/2503.01234", "http://x.org:8080/a?b=c#d", " https://x.org/ä \n"]
)
def test_http_addresses_are_links(address):
    assert link(address) == address.strip()


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "paper",
                        "title",
                        "abstract",
                        "summary",
                        "id",
                        "authors",
                        "name",
                        "data",
                        "upvotes",
                        "paperId",
                        "externalIds",
                        "citingPaper",
                        "url",
                    ]
                ),
                x,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_no_json_value_breaks_the_reader(value):
    outcome = content.read(json.dumps(value).encode(), today=date(2026, 1, 1))
    assert isinstance(outcome, str | Reading)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    assert isinstance(content.read(data, today=date(2026, 1, 1)), str | Reading)


@given(title=st.text(max_size=50), abstract=st.text(max_size=50))
def test_a_paper_is_one_line_of_title_and_abstract_or_a_reason(title, abstract):
    made = paper(ids=(title,), title=title, abstract=abstract)
    if isinstance(made, Paper):
        assert made.title
        assert made.abstract
        assert len((made.title + made.abstract).splitlines()) == 1
    else:
        assert isinstance(made, Unreadable)
