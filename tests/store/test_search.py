"""Search: the same papers on both databases, whatever is typed, in step with the archive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.model import Digest
from newsletter.store import archive, open_store
from newsletter.store.query import LONGEST, MOST, parse
from newsletter.store.search import Found, pieces, search

DAY = date(2025, 3, 13)
PAPERS = {
    1: (
        "Dense retrieval with diffusion models",
        "We retrieve passages. Rerankers help.",
        ("Jimmy Lin", "Ada Lovelace"),
    ),
    2: ("A survey of state-of-the-art segmentation", "Medical images, and no retrieval at all.", ("Zoë Müller",)),
    3: ("Quantized KV-cache compression", "Quantization to 4 bits keeps quality.", ("Lin Wang", "Jimmy Chen")),
    4: ("扩散模型 for video", "The diffusion process, run backwards, retrieves video.", ("王芳",)),
    5: (
        "GPT-4o's <script>alert(1)</script>",
        "AT&T's café: 'quoted' \"text\" (parens) * ^ : - + NEAR OR NOT",
        ("O'Neil",),
    ),
}


@pytest.fixture
def filled(store, make_paper):
    papers = [make_paper(n, title=t, abstract=a, authors=who) for n, (t, a, who) in PAPERS.items()]
    archive.add_digest(store, Digest("page", DAY, tuple(papers)))
    return store


def found(engine, text: str, **window: int) -> list[int]:
    return [int(hit.found.paper.id[-5:]) for hit in search(engine, text, **window).hits]


ASKED = [
    ("diffusion", {1, 4}),
    ("Diffusion MODEL", {1}),  # stems: model, models
    ("retrieval", {1, 2, 4}),  # retrieve, retrieves
    ('"diffusion models"', {1}),
    ('"models diffusion"', set()),
    ("retrieval -medical", {1, 4}),
    ('retrieval -"medical images"', {1, 4}),
    ("quanti*", {3}),
    ("author:lin", {1, 3}),
    ('author:"Jimmy Lin"', {1}),
    ("author:jim*", {1, 3}),
    ("retrieval author:lin", {1}),
    ("retrieval -author:lin", {2, 4}),
    ("lin", {1, 3}),  # authors are found without saying so
    ("author:diffusion", set()),
    ("state-of-the-art", {2}),
    ("kv-cache", {3}),
    ("muller", {2}),
    ("Müller", {2}),
    ("cafe", {5}),
    ("扩散模型", {4}),
    ("gpt-4o", {5}),
    ("retrieval AND diffusion", {1, 4}),
    ("the of no", {2}),  # small words are words
    ("-retrieval", set()),  # nothing that is wanted
    ("", set()),
    ("...", set()),
    ("“diffusion models”", {1}),
]


def test_what_is_typed_finds_the_same_on_both_databases(filled):
    assert {text: set(found(filled, text)) for text, _ in ASKED} == dict(ASKED)


TYPED = [
    '"', '""', '"a', "a*b", "*", "a**", "- -", "--a", "(", ")", "a OR", "NOT", "AND", "NEAR(a b, 2)", "title:x",
    "{x}:y", "a AND (b", "^a", "a + b", "'", "a'b", "a & b", "a | !b", "<->", ":*", "a:*", "a:B", "\\", "%", "_",
    "\x00a\x00", "author:", "author:*", 'author:"', "author: lin", "-author:", "http://x.y/z?a=b&c", "x" * 10_000,
    "a " * 5_000, "\ud800", "\ue000a\ue001", "1e5", "2503.00001", "٣", "²", "a\u0301", "🙂", "' OR 1=1 --",
    "e-mail@example.org",
]  # fmt: skip


def test_nothing_that_is_typed_is_an_error(filled):
    for text in TYPED:
        assert isinstance(search(filled, text), Found), text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80) | st.text(alphabet="ab\"*-:()^+&|!<>'\\ author", max_size=40))
@example('author:"-*')
def test_no_text_at_all_is_an_error(filled, text):
    result = search(filled, text)
    assert result.total >= len(result.hits)


def test_signs_of_the_query_languages_are_only_text(filled):
    for text in ("gpt-4o", "script", "parens", "near or not"):
        assert found(filled, text) == [5], text


def test_a_title_ranks_above_an_abstract_and_the_newest_first_among_equals(store, make_paper):
    papers = [
        make_paper(1, title="Counting", abstract="sheep at night"),
        make_paper(2, title="Sheep", abstract="counted at night"),
        make_paper(3, title="Counting", abstract="sheep at night", authors=("Somebody Else",)),
    ]
    archive.add_digest(store, Digest("page", DAY, tuple(papers)))
    assert found(store, "sheep") == [2, 3, 1]


def test_pages_follow_one_another_without_gap_or_repetition(store, make_paper):
    papers = [make_paper(n, title=f"Sheep number {n}") for n in range(1, 48)]
    archive.add_digest(store, Digest("page", DAY, tuple(papers)))
    pages = [search(store, "sheep", limit=20, offset=offset) for offset in (0, 20, 40, 60)]
    assert [page.total for page in pages] == [47] * 4
    assert [len(page.hits) for page in pages] == [20, 20, 7, 0]
    assert len({hit.found.paper.id for page in pages for hit in page.hits}) == 47
    assert search(store, "sheep", offset=10**12).hits == ()


def test_what_was_looked_for_is_marked_in_title_and_abstract(filled):
    (hit,) = search(filled, "quantization").hits
    assert ("Quantized", True) in hit.title
    assert ("Quantization", True) in hit.snippet
    assert "".join(text for text, _ in hit.title) == PAPERS[3][0]


def test_marks_of_a_stranger_only_move_a_highlight():
    assert pieces("\ue000a\ue000b\ue001c\ue001d") == (("a", True), ("b", True), ("c", False), ("d", False))


def test_the_index_follows_the_archive(store, make_paper):
    """Taken in, reworded, merged into another, taken out."""
    archive.add_digest(store, Digest("page", DAY, (make_paper(1, title="Sheep", abstract=""),)))
    assert found(store, "sheep") == [1]
    archive.add_digest(store, Digest("page", DAY, (make_paper(1, title="Sheep", abstract="Of goats."),)))
    assert found(store, "goats") == [1]
    with store.begin() as connection:
        connection.execute(sa.text("UPDATE papers SET title = 'Cows', upvotes = 3"))
    assert (found(store, "sheep"), found(store, "cows")) == ([], [1])
    with store.begin() as connection:
        connection.execute(sa.text("DELETE FROM papers"))
    assert found(store, "cows") == []
    if store.dialect.name == "sqlite":
        with store.begin() as connection:  # no word is left behind
            connection.execute(
                sa.text("CREATE VIRTUAL TABLE temp.left_behind USING fts5vocab(main, paper_search, row)")
            )
            assert connection.execute(sa.text("SELECT count(*) FROM temp.left_behind")).scalar() == 0


def test_what_only_a_reader_likes_is_not_found_until_a_digest_lists_it(store, make_paper):
    archive.add_unlisted(store, [make_paper(1, title="A private liking")])
    assert found(store, "liking") == []
    archive.add_digest(store, Digest("page", DAY, (make_paper(1, title="A private liking"),)))
    assert found(store, "liking") == [1]


def test_a_paper_of_an_absurd_size_goes_in(store, make_paper):
    """A tsvector ends at 1 MB: the archive takes the paper all the same."""
    words = " ".join(f"w{n:x}ö" for n in range(60_000))
    paper = make_paper(1, title="Sheep " * 3_000, abstract=f"goats {words} {'x' * 5_000}", authors=("A" * 3_000,) * 50)
    archive.add_digest(store, Digest("page", DAY, (paper,)))
    assert found(store, "goats") == [1]


def test_an_archive_from_before_search_is_filled(url, make_paper):
    from alembic import command
    from alembic.config import Config

    from newsletter.store import migration

    engine = open_store(url)
    config = Config()
    config.set_main_option("script_location", str(migration._SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    archive.add_digest(engine, Digest("page", DAY, (make_paper(1, title="Sheep"), make_paper(2, title="Goats"))))
    archive.add_unlisted(engine, [make_paper(3, title="Private sheep")])
    engine.dispose()
    engine = open_store(url)
    assert found(engine, "sheep") == [1]
    archive.add_digest(engine, Digest("page", DAY, (make_paper(4, title="More sheep"),)))
    assert set(found(engine, "sheep")) == {1, 4}
    engine.dispose()


def test_a_query_is_cut_at_a_sane_length():
    assert len(parse("a " * LONGEST).wanted) == MOST
    assert parse("x" * 10_000).wanted[0].text == "x" * LONGEST


def test_fts5_is_here():
    """Where it is not, opening the store says so (migration 0005)."""
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone() == (1,)
