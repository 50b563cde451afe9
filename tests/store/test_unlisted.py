"""A liked paper is in the archive and in no edition until a digest lists it; absent ones are kept in mind."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from newsletter.model import Digest
from newsletter.store import archive
from newsletter.store.absent import absent, record_absent

MONDAY = date(2025, 3, 10)
TUESDAY = MONDAY + timedelta(days=1)
LATER = date(2099, 1, 1)


def test_an_unlisted_paper_is_found_and_is_in_no_day_and_no_window(store, make_paper):
    liked = make_paper(1, published=MONDAY)
    assert archive.add_unlisted(store, [liked]) == archive.Added((liked.id,), ())
    assert archive.papers(store, ["2503.00001v2"]) == {"2503.00001v2": liked}
    assert archive.papers_of_day(store, MONDAY) == []
    assert archive.window(store, LATER, 100_000) == []
    assert archive.days(store) == {}


def test_an_unlisted_paper_that_a_digest_lists_is_new_on_that_day(store, make_paper):
    archive.add_unlisted(store, [make_paper(1, upvotes=7), make_paper(2)])
    listed = make_paper(1, upvotes=3, url="https://arxiv.org/abs/2503.00001")
    assert archive.add_digest(store, Digest("page", TUESDAY, (listed,))) == archive.Added((listed.id,), ())
    assert archive.papers_of_day(store, TUESDAY) == [listed]
    assert archive.add_digest(store, Digest("page", MONDAY, (listed,))) == archive.Added((), (listed.id,))
    assert archive.days(store) == {MONDAY: 1}


def test_a_listed_paper_that_a_reader_likes_keeps_its_day_and_its_counts(store, make_paper):
    archive.add_digest(store, Digest("page", MONDAY, (make_paper(1, upvotes=9, abstract=""),)))
    added = archive.add_unlisted(store, [make_paper(1, upvotes=1, abstract="We count.")])
    assert added == archive.Added((), ("arxiv:2503.00001",))
    assert archive.papers_of_day(store, MONDAY) == [make_paper(1, upvotes=9, abstract="We count.")]


def test_a_like_known_by_its_title_alone_becomes_the_digests_paper(store, make_paper):
    """The digest's id, title and text count; the name under which the reader likes it still leads there."""
    liked = make_paper(1, id="title:1234567890abcdef", title="COUNTING, a Survey", abstract="")
    archive.add_unlisted(store, [liked])
    archive.put_vectors(store, "model", [liked.id], np.ones((1, 2), np.float32))
    listed = make_paper(1, title="Counting: a survey")
    archive.add_digest(store, Digest("page", MONDAY, (listed,)))
    assert archive.papers_of_day(store, MONDAY) == [listed]
    assert archive.papers(store, [liked.id]) == {liked.id: listed}
    assert archive.get_vectors(store, "model", [liked.id]) == {}


def test_two_likes_that_a_digest_shows_to_be_one_are_that_one(store, make_paper):
    archive.add_unlisted(store, [make_paper(1, id="doi:10.1000/x", title="A"), make_paper(1, title="B")])
    archive.add_digest(store, Digest("page", MONDAY, (make_paper(1, doi="10.1000/x"),)))
    assert archive.days(store) == {MONDAY: 1}
    assert {p.id for p in archive.papers(store, ["doi:10.1000/x", "arxiv:2503.00001"]).values()} == {"arxiv:2503.00001"}


def test_papers_that_arxiv_did_not_know_are_remembered_from_the_last_time_it_was_asked(store):
    record_absent(store, ["arxiv:2503.00001", "arxiv:2503.00002"], MONDAY)
    record_absent(store, ["arxiv:2503.00002"], TUESDAY)
    record_absent(store, [], TUESDAY)
    asked = ["arxiv:2503.00001", "arxiv:2503.00002", "arxiv:2503.00003"]
    assert absent(store, asked, MONDAY) == {"arxiv:2503.00001", "arxiv:2503.00002"}
    assert absent(store, asked, TUESDAY) == {"arxiv:2503.00002"}
    assert absent(store, asked, LATER) == frozenset()
