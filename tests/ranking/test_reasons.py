"""Reasons come from the arithmetic: nothing is claimed that did not count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.model import Interest, Profile, Reason
from newsletter.ranking import Options, describe, explain, notes
from newsletter.ranking.account import shared_words
from newsletter.ranking.features import index
from newsletter.ranking.stage import prepare


@pytest.fixture
def score_of(day, archive, setting):
    """The score of one paper for a profile, chosen or not."""

    def run(profile, paper_id):
        return explain(profile, paper_id, day, archive, seen=frozenset(), **setting).score

    return run


@pytest.fixture
def rich(reader, papers) -> Profile:
    """A reader of whom every signal speaks."""
    return replace(
        reader,
        likes=(papers["robots"][0].id, papers["search"][1].id),
        follow_authors=("Ada Robots",),
        follow_keywords=("benchmark", "HNSW"),
        trending=0.5,
    )


def without(profile: Profile, reason: Reason, titles: dict[str, str]) -> Profile | None:
    """The profile less what the reason names; None where the reason is not the profile's doing."""
    match reason.kind:
        case "interest":
            return replace(profile, interests=tuple(i for i in profile.interests if i.text != reason.what))
        case "like":
            return replace(profile, likes=tuple(i for i in profile.likes if i != titles[reason.what]))
        case "author":
            return replace(profile, follow_authors=tuple(a for a in profile.follow_authors if a != reason.what))
        case "keyword":
            return replace(profile, follow_keywords=tuple(k for k in profile.follow_keywords if k != reason.what))
        case _:
            return None


def test_without_the_claimed_signal_the_score_is_lower(choose, rich, score_of, archive):
    """For every reason of every pick that names something of the profile."""
    titles = {p.title: p.id for p in archive.papers}
    checked = set()
    for pick in choose(rich):
        for reason in pick.reasons:
            less = without(rich, reason, titles)
            if less is not None:
                assert score_of(less, pick.paper.id) < pick.score, (pick.paper.title, reason)
                checked.add(reason.kind)
    assert checked >= {"interest", "author", "keyword"}


def test_words_are_the_paper_s_own_and_in_the_interest(choose, reader):
    """As the paper writes them; nothing invented."""
    seen = 0
    for pick in choose(reader):
        text = f"{pick.paper.title}. {pick.paper.abstract}".lower()
        for reason in pick.reasons:
            for word in reason.words:
                seen += 1
                assert word.lower() in text
    assert seen


def test_words_come_from_the_rarest(day, archive, setting):
    """In the order of the paper's readings, which the ground's rarity sets."""
    known, several = index(day, archive), 0
    themes, momentum, today = (setting[name] for name in ("themes", "momentum", "today"))
    rows = known.rows(day.papers), known.rows(archive.papers)
    stage = prepare(known, *rows, themes=themes, momentum=momentum, today=today, options=Options())
    for place, paper in enumerate(day.papers):
        phrases = stage.readings[place].phrases
        for other in archive.papers:
            said = shared_words(f"{other.title} {paper.abstract}", place, stage)
            order = [phrases.index(phrase) for phrase in said]
            assert order == sorted(order)
            several += len(order) > 2
    assert several


def test_words_keep_the_paper_s_capitals(choose):
    picks = choose(Profile(interests=(Interest("hnsw recall of indexes"),), explore=0, trending=0))
    assert any("HNSW" in word for p in picks for r in p.reasons for word in r.words)


def test_shares_are_of_the_whole(choose, rich):
    for pick in choose(rich):
        shares = [r.share for r in pick.reasons]
        assert shares == sorted(shares[:1], reverse=True) + sorted(shares[1:], reverse=True)
        assert sum(shares) <= 1.0001
        assert all(0 <= s <= 1 for s in shares)


@pytest.mark.parametrize("field", ["video", "robots", "search"])
def test_a_like_is_named_by_the_nearest_liked_paper(choose, papers, field):
    """Of three liked papers of a field and one of another, one of the field's is named."""
    liked = [*papers[field][:3], papers["medical"][0]]
    best = choose(Profile(likes=tuple(p.id for p in liked), explore=0, trending=0))[0]
    assert best.paper in papers[field]
    assert next(r.what for r in best.reasons if r.kind == "like") in {p.title for p in liked[:3]}


def test_a_crowd_is_counted_in_words(choose, day, corpus):
    loud = corpus([replace(p, upvotes=1200, comments=1) for p in day.papers[:1]] + list(day.papers[1:]))
    first = choose(Profile(), day=loud)[0]
    assert first.reasons[0].what == "1,200 upvotes, 1 comment"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (
            Reason("interest", "graphs", 0.5, ("Graph",)),
            "matches your interest “graphs” through Graph (50% of the score)",
        ),
        (Reason("like", "A paper", 0.25), "is close to “A paper”, which you liked (25% of the score)"),
        (Reason("author", "Jimmy Lin", 0.1), "is by Jimmy Lin, whom you follow (10% of the score)"),
        (Reason("keyword", "HNSW", 0.1), "mentions HNSW, which you follow (10% of the score)"),
        (Reason("trending", "", 1.0), "is widely read today (100% of the score)"),
        (Reason("trending", "3 upvotes", 1.0), "is widely read today: 3 upvotes (100% of the score)"),
        (Reason("fresh", "", 0.06), "is new (6% of the score)"),
        (Reason("explore", "t1", 0.0), "is a step outside your interests"),
    ],
)
def test_every_kind_has_its_plain_words(reason, text):
    assert describe(reason) == text


def test_notes_say_what_ranking_cannot_use():
    profile = Profile(
        interests=(Interest("graphs", 0), Interest("maps", 99), Interest("ok")),
        likes=("arxiv:1", "arxiv:2"),
        avoid=("OK",),
    )
    said = " ".join(notes(profile, {"arxiv:1"}))
    for part in ("“graphs” has weight 0", "counts as 4", "does not hold arxiv:2", "avoiding wins"):
        assert part in said
    assert notes(Profile(interests=(Interest("ok"),)), set()) == ()
    assert "what everyone reads" in notes(Profile(), set())[0]
    assert "only what is followed" in notes(Profile(follow_authors=("A B",)), set())[0]
    assert "latest 500" in " ".join(notes(Profile(likes=tuple(map(str, range(600)))), set(map(str, range(600)))))
