"""The pure parts: words, texts, follows, likes, trend."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from newsletter.model import Momentum, Paper
from newsletter.ranking import Corpus, Options, signals, trending
from newsletter.ranking.features import index, rarity, stem, terms, weigh
from newsletter.ranking.ground import lay
from newsletter.ranking.interests import fullness, match, pieces, sentences
from newsletter.ranking.likes import Examples, learn, trust

TODAY = date(2025, 3, 13)


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [
        ("agents", "agent"),
        ("studies", "study"),
        ("loss", "loss"),
        ("bias", "bia"),
        ("corpus", "corpus"),
        ("gas", "gas"),
    ],
)
def test_plural_endings_go(word, stemmed):
    """The S stemmer as Harman (1991) has it: it errs on "bias", the same way everywhere."""
    assert stem(word) == stemmed


def test_terms_are_words_and_pairs_without_stop_words():
    assert terms("The search of large Graphs") == ["search", "large", "graph", "search large", "large graph"]


def test_rare_words_weigh_more_and_rows_have_length_one(corpus, papers):
    known = index(corpus(papers["search"]))
    idf = rarity(known.counts)
    column = known.vocabulary.columns
    assert idf[column["billion"]] > idf[column["search"]]
    assert np.allclose(weigh(known.counts, idf).multiply(weigh(known.counts, idf)).sum(axis=1), 1, atol=1e-5)


def test_a_paper_in_two_corpora_is_indexed_once(corpus, papers):
    known = index(corpus(papers["search"]), corpus(papers["search"][:2]))
    assert len(known.papers) == 8


def test_papers_without_words_or_vectors_are_survived():
    odd = Corpus((Paper("title:a", "", ""), Paper("title:b", "…", "—")), np.full((2, 4), np.nan, np.float32))
    assert np.isfinite(index(odd).vectors).all()


def test_sentences_that_say_what_matters_less_are_left_out():
    text = "Stellar models. New tracks; bolometric tables.\nWork on planets should be weighted lower."
    assert sentences(text) == ("Stellar models.", "New tracks;", "bolometric tables.")
    assert sentences("planets are not relevant") == ("planets are not relevant",)


def test_a_list_of_avoided_things_is_read_as_a_list():
    assert pieces("bars, AGN, planet formation") == ("bars", "AGN", "planet formation")
    assert (
        len(pieces("papers on massive spirals, ellipticals, and all that stands in them for long enough to matter"))
        == 1
    )


def test_what_is_told_at_length_counts_more_within_bounds():
    short, middle, long = "vector search", "vector search on graphs and disks", " ".join(["hubness"] * 5000)
    assert (fullness([]), fullness([short])) == ([], [1.0])
    assert fullness([short, short]) == [1.0, 1.0]
    low, one, high = fullness([short, middle, long])
    assert 0.62 < low < one == 1.0 < high < 1.6
    assert fullness(["", "the of"]) == [1.0, 1.0]
    assert fullness([short, f"{short}. Surveys of recommender systems are not relevant."]) == [1.0, 1.0]


def test_a_text_that_nothing_matches_stays_low(corpus, papers, archive, encode):
    """One scale for all texts: an absent interest does not rise to the top of its own little spread."""
    day = corpus([p for some in papers.values() for p in some[5:]])
    known = index(day, archive)
    ground = lay(known, known.rows(day.papers), known.rows(archive.papers), Options())
    present, absent = match(["robot manipulation", "medieval Italian poetry"], ground, encode, whole=0.5)
    assert absent.max() < 1 < present.max() / 2


def test_the_shared_background_gives_the_full_gaussian_process(corpus, papers, archive):
    """Solving the background once equals solving background and likes together, (K + noise)^-1 y."""
    day = corpus([p for some in papers.values() for p in some[5:]])
    known = index(day, archive)
    ground = lay(known, known.rows(day.papers), known.rows(archive.papers), Options())
    liked = np.sort(known.rows([papers["video"][0], papers["video"][1], papers["robots"][0]]))
    labels = np.array([1, 1, -1], np.float32)
    learned = learn([Examples(liked, labels, liked)], ground)
    at = learned.anchors.place(liked)
    ours = learned.anchors.kernel[: len(day.papers), at] @ learned.coefficients[0]
    rows = np.concatenate([ground.background, liked])
    noise = np.r_[np.full(len(ground.background), 10.0), np.full(3, Options().noise_like)]
    y = np.r_[np.zeros(len(ground.background)), labels]
    full = ground.kernel(ground.day, rows) @ np.linalg.solve(ground.kernel(rows, rows) + np.diag(noise), y)
    assert np.allclose(ours, full, atol=2e-3)


def test_dislikes_pull_down(corpus, papers, archive):
    day = corpus([papers["video"][6], papers["robots"][6]])
    known = index(day, archive)
    ground = lay(known, known.rows(day.papers), known.rows(archive.papers), Options())
    rows = np.sort(known.rows(papers["video"][:5] + papers["robots"][:5]))
    video = np.isin(rows, known.rows(papers["video"][:5]))
    labels = np.where(video, 1, -1).astype(np.float32)
    match_ = learn([Examples(rows, labels, rows)], ground).match[0]
    assert match_[0] > match_[1]


def test_the_papers_nearest_to_a_like_say_more_of_its_subject():
    """A paper that shares no word with the like, but some with its neighbours, is nearer than one that shares none."""
    texts = ["alpha beta", *["alpha beta gamma delta"] * 5, *["kappa lambda"] * 20, "gamma delta", "epsilon zeta"]
    papers = tuple(Paper(f"title:{i}", text, text) for i, text in enumerate(texts))
    known = index(Corpus(papers, np.zeros((len(papers), 4), np.float32)))
    liked = np.array([0])
    near, alone = (
        learn(
            [Examples(liked, np.ones(1, np.float32), liked), Examples(liked, -np.ones(1, np.float32), liked)],
            lay(known, np.arange(26, 28), np.arange(26), replace(Options(), feedback=feedback)),
        ).match
        for feedback in (1.0, 0.0)
    )
    assert alone[0, 0] == pytest.approx(alone[0, 1], abs=0.01)
    assert near[0, 0] > near[0, 1] + 0.5
    assert np.allclose(near[1], alone[1])  # who only dislikes says nothing of what is near to a subject


def test_a_large_archive_gives_the_same_matches_as_a_small_one(corpus, papers, archive, monkeypatch):
    """What is kept for all readers of a small archive is reckoned anew for each in a large one."""
    day = corpus([p for some in papers.values() for p in some[5:]])
    known = index(day, archive)
    rows = np.sort(known.rows(papers["video"][:3] + papers["robots"][:2]))
    example = Examples(rows, np.array([1, 1, -1, 1, 1], np.float32), rows)

    def match_of() -> np.ndarray:
        return learn([example], lay(known, known.rows(day.papers), known.rows(archive.papers), Options())).match

    small = match_of()
    monkeypatch.setattr("newsletter.ranking.ground._FEW", 1)
    monkeypatch.setattr("newsletter.ranking.ground._SOME", 2)
    assert np.allclose(match_of(), small, atol=1e-4)


def test_the_learned_model_is_trusted_by_the_number_of_examples():
    rows = [np.arange(n) for n in (1, 5, 10, 100)]
    shares = [trust(Examples(r, r.astype(np.float32), r)) for r in rows]
    assert shares == sorted(shares)
    assert shares[1] == pytest.approx(1 / 9)
    assert shares[2] == pytest.approx(0.5)


def test_names_are_the_same_whatever_the_order_and_the_accents():
    assert signals.author_key("Müller, Jörg") == signals.author_key("Jorg  MULLER") == "jorg muller"
    assert signals.author_key("Jimmy Lin") != signals.author_key("Jimmy Linn")


def test_phrases_are_found_word_for_word():
    texts = signals.folded([Paper("a", "An HNSW-like graph", "for C++"), Paper("b", "hnswlib", "C")])
    words = signals.places([frozenset(text.split()) for text in texts])
    for phrase, places in {
        "hnsw": (0,),
        "c++": (0,),
        "like graph": (0,),
        "graph for": (),
        "…": (),
        "graph hnsw": (),
    }.items():
        assert signals.mentioned(phrase, texts, words) == places, phrase


def test_freshness_halves_every_week_and_never_exceeds_one():
    days = [0, 7, 14, -3]
    papers = [Paper("a", "t", "", published=TODAY - timedelta(days=d)) for d in days] + [Paper("a", "t", "")]
    assert signals.freshness(papers, TODAY).tolist() == [1, 0.5, 0.25, 1, 0]


def test_a_penalty_never_exceeds_what_removes():
    matches = np.array([0.5, 2.0, 2.9, 3.5, 99.0], np.float32)
    best = np.array([5, 1, 2, 9, 200], np.float32)
    literal = np.array([0, 0, 0, 1, 0], np.float32)
    taken = signals.penalty(matches, literal, best, weight=1, start=1, out=3, most=6)
    assert taken.tolist() == pytest.approx([0, 1, 0.9, 6, 0])
    assert signals.penalty(matches, literal, best * 0, weight=100, start=1, out=1000, most=6).max() == 6


def voted(*counts, **more):
    return [Paper(f"id:{i}", "t", "", upvotes=c, **more) for i, c in enumerate(counts)]


def test_more_votes_rank_higher_and_the_scale_is_the_day_s():
    trend = trending.trend(voted(0, 5, 50), np.zeros(3, np.float32), [None] * 3)
    assert trend.argsort().tolist() == [0, 1, 2]
    assert trend.mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("counts", [(None, None), (0, 0), (float("nan"), None)])
def test_before_there_are_votes_the_guess_decides(counts):
    trend = trending.trend(voted(*counts), np.array([1.0, 2.0], np.float32), [None, None])
    assert trend[1] > trend[0]


def test_once_there_are_votes_the_guess_only_fills_gaps():
    trend = trending.trend(voted(9, 1, None), np.array([0, 9, np.log1p(3)], np.float32), [None] * 3)
    assert trend.argsort().tolist() == [1, 2, 0]


def test_a_theme_that_surely_rises_lifts_its_papers():
    rising, noise = Momentum("rising", 3, 2, 4), Momentum("steady", 3, 0.5, 9)
    trend = trending.trend(voted(5, 5, 5), np.zeros(3, np.float32), [rising, noise, None])
    assert trend[0] > trend[1] == trend[2]


def test_the_archive_s_own_votes_teach_the_guess(papers, encode):
    """Where robots are what everybody votes for, a robot paper may expect votes."""
    before = [replace(p, id=f"{p.id}{k}", upvotes=100 if f == "robots" else 1)
              for f, some in papers.items() for p in some[:5] for k in range(3)]  # fmt: skip
    day = [papers["robots"][6], papers["video"][6]]
    read = lambda some: encode([f"{p.title}. {p.abstract}" for p in some])  # noqa: E731  used twice, here only
    taught = trending.expected(day, read(day), before, read(before), TODAY)
    untaught = trending.expected(day, read(day), [], read([]), TODAY)
    assert taught[0] - taught[1] > untaught[0] - untaught[1]


def test_who_was_voted_for_may_expect_votes_again(papers, encode):
    """Of two papers with the same words, the one whose authors drew votes before; no author is known by name."""
    some = [p for family in papers.values() for p in family]
    before = [replace(p, id=f"{p.id}{k}", authors=("Ada", "Bo") if k else ("Cy",), upvotes=90 if k else 1)
              for p in some for k in range(2)]  # fmt: skip
    day = [replace(some[0], id="a", authors=("Ada", "Dee")), replace(some[0], id="b", authors=("Eve", "Fay"))]
    read = lambda many: encode([f"{p.title}. {p.abstract}" for p in many])  # noqa: E731  used twice, here only
    taught = trending.expected(day, read(day), before, read(before), TODAY)
    assert taught[0] > taught[1] + 0.1


def test_an_archive_without_a_single_vote_teaches_nothing(papers, encode):
    some = [replace(p, upvotes=0) for family in papers.values() for p in family]
    read = encode([f"{p.title}. {p.abstract}" for p in some])
    taught = trending.expected(some[:3], read[:3], some[3:], read[3:], TODAY)
    assert taught.tolist() == trending.expected(some[:3], read[:3], [], read[:0], TODAY).tolist()
