"""One paper once, under every key, whatever the order in which digests come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.identity import title_key
from newsletter.model import Digest, Paper
from newsletter.store import archive, open_store
from newsletter.store.reconcile import Record, reconcile

MONDAY = date(2025, 3, 10)
TUESDAY = MONDAY + timedelta(days=1)


def _add(store, day: date, *papers: Paper, source: str = "page") -> archive.Added:
    return archive.add_digest(store, Digest(source, day, papers))


def _only(store) -> Paper:
    (archived,) = archive.window(store, MONDAY + timedelta(days=300), 900)
    return archived.paper


def test_a_digest_comes_back_as_it_went_in(store, make_paper):
    full = make_paper(
        1, abstract="α < β & <script>", authors=("Ada Lovelace", "Žofie Č"), url="https://x", published=MONDAY,
        source="page", doi="10.1000/X", upvotes=0, comments=2, stars=3, pdf="p", code="c", project="j",
        thumbnail="t", categories=("cs.CL", "cs.IR"),
    )  # fmt: skip
    bare = Paper("title:0123", "A title and nothing else", "")
    added = _add(store, MONDAY, full, bare)
    assert added == archive.Added(("arxiv:2503.00001", "title:0123"), ())
    assert archive.papers_of_day(store, MONDAY) == [full, bare]


def test_the_same_digest_again_changes_nothing(store, make_paper):
    papers = [make_paper(n) for n in range(5)]
    _add(store, MONDAY, *papers)
    assert _add(store, MONDAY, *papers) == archive.Added((), tuple(p.id for p in papers))
    assert archive.papers_of_day(store, MONDAY) == papers


def test_papers_that_two_days_share_are_new_on_the_first_only(store, make_paper):
    first, second = [make_paper(n) for n in range(70)], [make_paper(n) for n in range(40, 101)]
    assert len(_add(store, MONDAY, *first).new) == 70
    added = _add(store, TUESDAY, *second)
    assert (len(added.new), len(added.known)) == (31, 30)
    assert archive.papers_of_day(store, TUESDAY) == second[30:]
    assert archive.days(store) == {MONDAY: 70, TUESDAY: 31}
    assert archive.sighted(store, "page", TUESDAY) == {p.id for p in second}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"id": "arxiv:2503.00001"}, {"id": "arxiv:2503.00001", "title": "Another title"}),
        ({"id": "arxiv:2503.00001"}, {"id": "arxiv:2503.00001v4", "title": "Another title"}),
        (
            {"id": "arxiv:2503.00001"},
            {"id": "doi:10.1/x", "doi": "10.48550/arXiv.2503.00001", "title": "Another title"},
        ),
        ({"id": "doi:10.1000/abc"}, {"id": "title:1", "doi": "https://doi.org/10.1000/ABC", "title": "Another title"}),
        ({"id": "arxiv:2503.00001", "title": "Counting: a Survey"}, {"id": "title:9", "title": "COUNTING  a survéy"}),
        ({"id": "title:9", "title": "Counting: a Survey"}, {"id": "arxiv:2503.00001", "title": "Counting — a survey"}),
    ],
)
def test_a_paper_is_known_again_by_every_key(store, make_paper, first, again):
    old, new = make_paper(1, **first), make_paper(1, **again)
    _add(store, MONDAY, old)
    assert _add(store, TUESDAY, new) == archive.Added((), (old.id,))
    assert len(archive.window(store, TUESDAY, 7)) == 1
    assert archive.papers(store, [new.id])[new.id].id == old.id


def test_a_title_keyed_paper_keeps_its_id_and_gains_the_arxiv_id(store, make_paper):
    """Letters and editions already name it by the id that it came with."""
    old = make_paper(1, id=title_key("On the number 1"))
    _add(store, MONDAY, old)
    _add(store, TUESDAY, make_paper(1, id="arxiv:2503.00001", pdf="https://arxiv.org/pdf/2503.00001"))
    names = ["2503.00001v7", "https://arxiv.org/abs/2503.00001", "on the NUMBER 1", old.id]
    found = archive.papers(store, [*names, "arxiv:2503.99999"])
    assert list(found) == names or set(found) == set(names)
    assert {paper.id for paper in found.values()} == {old.id}
    assert _only(store).pdf


def test_one_digest_may_hold_a_paper_twice(store, make_paper):
    added = _add(store, MONDAY, make_paper(1), make_paper(1, id="arxiv:2503.00001v2"), make_paper(2))
    assert added == archive.Added(("arxiv:2503.00001", "arxiv:2503.00002"), ())


def test_what_a_paper_lacks_is_filled_and_what_it_has_stays(store, make_paper):
    _add(store, MONDAY, make_paper(1, abstract="", authors=(), url="https://first", upvotes=3, comments=5))
    late = make_paper(
        1, title="on the number 1", url="https://second", code="https://code", upvotes=9, published=TUESDAY
    )
    _add(store, TUESDAY, late)
    paper = _only(store)
    assert (paper.abstract, paper.authors, paper.code) == (late.abstract, late.authors, "https://code")
    assert (paper.title, paper.url, paper.published) == ("On the number 1", "https://first", TUESDAY)
    assert (paper.upvotes, paper.comments) == (9, 5), "the newest count, and None erases nothing"


def test_counts_may_fall(store, make_paper):
    """The newest known is the truth, not the highest: votes are taken back."""
    _add(store, MONDAY, make_paper(1, upvotes=9))
    _add(store, TUESDAY, make_paper(1, upvotes=0))
    assert _only(store).upvotes == 0


def test_an_older_digest_read_later_moves_the_first_day_and_not_the_counts(store, make_paper):
    _add(store, TUESDAY, make_paper(1, upvotes=9, stars=None))
    _add(store, MONDAY, make_paper(1, upvotes=2, stars=4))
    assert [a.day for a in archive.window(store, TUESDAY, 7)] == [MONDAY]
    assert (_only(store).upvotes, _only(store).stars) == (9, 4)


def test_two_records_that_turn_out_to_be_one_become_the_first(store, make_paper):
    """Seen as a title on Monday and as an arXiv id under another title on Tuesday; Wednesday names both."""
    first = Paper("title:abc", "Counting made easy", "")
    second = Paper("arxiv:2503.00001", "Counting, version two", "", upvotes=4)
    _add(store, MONDAY, first)
    _add(store, TUESDAY, second, source="other")
    both = make_paper(1, title="Counting made easy")
    added = _add(store, TUESDAY + timedelta(days=1), both)
    assert added == archive.Added((), ("title:abc",))
    assert (_only(store).id, _only(store).upvotes, _only(store).abstract) == ("title:abc", 4, both.abstract)
    assert archive.papers(store, ["arxiv:2503.00001", "Counting, version two"]).keys() == {
        "arxiv:2503.00001", "Counting, version two",
    }  # fmt: skip
    assert archive.sighted(store, "other", TUESDAY) == {"title:abc"}


def test_one_title_may_be_two_papers(store, make_paper):
    """Two arXiv ids and no author in common: dropping the second would keep it from every reader."""
    one, two = (make_paper(n, title="Editorial") for n in (1, 2))
    assert len(_add(store, MONDAY, one, two).new) == 2
    assert archive.papers_of_day(store, MONDAY) == [one, two]
    assert _add(store, TUESDAY, two, one).new == ()


def test_one_title_and_one_author_is_one_paper_under_two_ids(store, make_paper):
    one, two = (make_paper(n, title="Counting twice", authors=("Ada  Lovelace",)) for n in (1, 2))
    assert _add(store, MONDAY, one).new
    assert _add(store, TUESDAY, two) == archive.Added((), (one.id,))


def test_text_that_databases_refuse_is_stored_without_its_bad_characters(store, make_paper):
    bad = make_paper(
        1,
        title="NUL\x00 and \ud800 lone",
        abstract="a\x00b",
        authors=("A\x00da",),
        url="u\x00",
        categories=("c\udfff",),
    )
    assert len(_add(store, MONDAY, bad).new) == 1
    paper = _only(store)
    assert (paper.title, paper.abstract, paper.authors, paper.categories) == ("NUL and  lone", "ab", ("Ada",), ("c",))
    assert _add(store, TUESDAY, bad).new == ()


def test_the_window_takes_whole_days_oldest_first(store, make_paper):
    for offset in (3, 0, 1, 2):
        _add(store, MONDAY + timedelta(days=offset), make_paper(offset * 2 + 1), make_paper(offset * 2))
    found = archive.window(store, MONDAY + timedelta(days=2), 2)
    assert [(a.day, a.paper.id[-1]) for a in found] == [
        (TUESDAY, "3"), (TUESDAY, "2"), (MONDAY + timedelta(days=2), "5"), (MONDAY + timedelta(days=2), "4"),
    ]  # fmt: skip


def test_the_usual_size_is_the_median_of_a_month_before(store, make_paper):
    assert archive.usual_size(store, "page", MONDAY) is None
    for offset, size in ((40, 50), (3, 2), (2, 9), (1, 4), (0, 30)):
        papers = [make_paper(offset * 100 + n) for n in range(size)]
        _add(store, MONDAY - timedelta(days=offset), *papers)
    _add(store, MONDAY - timedelta(days=1), make_paper(9_999), source="other")
    assert archive.usual_size(store, "page", MONDAY) == 4.0
    assert archive.usual_size(store, "page", MONDAY + timedelta(days=1)) == 6.5


def test_source_states_are_kept_for_each_day(store):
    archive.record_source(store, "page", MONDAY, "failed", 0, "no answer")
    archive.record_source(store, "page", MONDAY, "fetched", 12)
    archive.record_source(store, "arxiv", TUESDAY, "stale", 9, "as yesterday")
    states = [
        archive.SourceState("arxiv", TUESDAY, "stale", 9, "as yesterday"),
        archive.SourceState("page", MONDAY, "fetched", 12),
    ]
    assert archive.source_states(store) == states
    assert archive.source_states(store, source="page") == states[1:]
    assert archive.source_states(store, since=TUESDAY) == states[:1]


def test_vectors_are_kept_for_each_model_and_found_by_any_key(store, make_paper):
    _add(store, MONDAY, make_paper(1), make_paper(2))
    matrix = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    assert archive.put_vectors(store, "a", ["arxiv:2503.00001", "arxiv:2503.00002", "arxiv:2503.99999"], matrix) == 2
    assert archive.put_vectors(store, "b", ["arxiv:2503.00001"], -matrix[:1]) == 1
    found = archive.get_vectors(store, "a", ["2503.00001v2", "arxiv:2503.00002", "On the number 2", "unknown"])
    assert found.keys() == {"2503.00001v2", "arxiv:2503.00002", "On the number 2"}
    np.testing.assert_array_equal(found["2503.00001v2"], matrix[0])
    np.testing.assert_array_equal(found["On the number 2"], matrix[1])
    assert found["On the number 2"].dtype == np.float32
    assert archive.put_vectors(store, "a", ["arxiv:2503.00001"], matrix[2:]) == 1
    np.testing.assert_array_equal(archive.get_vectors(store, "a", ["arxiv:2503.00001"])["arxiv:2503.00001"], matrix[2])
    with pytest.raises(ValueError, match="2 ids for 3 vectors"):
        archive.put_vectors(store, "a", ["x", "y"], matrix)


def test_a_paper_whose_text_changed_loses_its_vector(store, make_paper):
    _add(store, MONDAY, make_paper(1, abstract=""), make_paper(2))
    archive.put_vectors(store, "a", ["arxiv:2503.00001", "arxiv:2503.00002"], np.ones((2, 3), np.float32))
    _add(store, TUESDAY, make_paper(1), make_paper(2, upvotes=5))
    assert archive.get_vectors(store, "a", ["arxiv:2503.00001", "arxiv:2503.00002"]).keys() == {"arxiv:2503.00002"}


def test_many_papers_go_in_and_again_by_few_statements(sqlite_url, make_paper):
    """Months of arXiv listings must not keep an operator waiting: no statement is made for a single paper."""
    engine = open_store(sqlite_url)
    digest = Digest("page", MONDAY, tuple(make_paper(n, id=f"arxiv:2503.{n:05d}") for n in range(5_000)))
    said: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert len(archive.add_digest(engine, digest).new) == 5_000
    first = len(said)
    assert len(archive.add_digest(engine, digest).known) == 5_000
    engine.dispose()
    assert max(first, len(said) - first) < 50


_papers = st.builds(
    lambda arxiv, doi, title, author: Paper(
        f"arxiv:2503.0000{arxiv}" if arxiv else f"doi:10.1000/{doi}" if doi else title_key(f"Title {title}"),
        f"Title {title}", "", (f"Author {author}",) if author else (), doi=f"10.1000/{doi}" if doi else "",
    ),
    st.integers(0, 4), st.integers(0, 3), st.integers(1, 4), st.integers(0, 2),
)  # fmt: skip


@given(digests=st.lists(st.lists(_papers, max_size=6), max_size=5))
@settings(max_examples=300, deadline=None)
def test_reconciling_loses_no_paper_and_keeps_keys_apart(digests):
    """After any digests: every listed paper has exactly one record, no key leads to two, and a repeat is no change."""
    records: dict[int, Record] = {}
    for offset, papers in enumerate(digests):
        digest = Digest("page", MONDAY + timedelta(days=offset), tuple(papers))
        changes = reconcile(digest, list(records.values()), max(records, default=0) + 1)
        for loser in changes.merged:
            del records[loser]
        records.update({r.number: r for r in (*changes.inserted, *changes.updated)})
        keys = [key for record in records.values() for key in record.keys]
        assert len(keys) == len(set(keys))
        assert set(changes.sighted) <= set(records)
        assert {records[n].paper.id for n in changes.sighted} == {*changes.added.new, *changes.added.known}
        assert {p.id for p in papers} <= set(keys), "whatever a digest named is found by that name"
        again = reconcile(digest, list(records.values()), max(records, default=0) + 1)
        assert not again.inserted
        assert not again.added.new


def test_the_two_days_of_a_merge_are_the_first_and_the_last():
    one = Record(1, Paper("title:a", "A", ""), TUESDAY, TUESDAY, frozenset({"title:a", title_key("A")}))
    two = Record(2, Paper("arxiv:2503.00001", "B", ""), MONDAY, MONDAY, frozenset({"arxiv:2503.00001", title_key("B")}))
    day = TUESDAY + timedelta(days=1)
    changes = reconcile(Digest("page", day, (replace(two.paper, title="A"),)), [one, two], 3)
    assert changes.merged == {1: 2}
    (record,) = changes.updated
    assert (record.number, record.first_day, record.last_day) == (2, MONDAY, day)
