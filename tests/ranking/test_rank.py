"""What a reader gets: the rules of a letter's picks."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model import Interest, Profile
from newsletter.ranking import Corpus, Options, rank


def field(pick, themes):
    return themes[pick.paper.id]


def test_picks_are_of_the_reader_s_fields(choose, reader, themes):
    """What the interests name is picked before anything else."""
    picks = choose(reader)
    assert {field(p, themes) for p in picks if p.kind == "pick"} == {"search", "robots"}


def test_separate_interests_stay_separate(choose, themes):
    """A paper scores by its best interest: two unlike interests both fill the letter, as well as each does alone."""
    search, robots = Interest("approximate nearest neighbour search"), Interest("robot manipulation and grasping")
    both = {p.paper.id for p in choose(Profile(interests=(search, robots), explore=0, trending=0))}
    for one in (search, robots):
        alone = choose(Profile(interests=(one,), explore=0, trending=0))
        assert {p.paper.id for p in alone[:2]} <= both


def test_parts_sum_to_score_and_best_comes_first(choose, reader, papers):
    profile = replace(
        reader, likes=(papers["video"][0].id,), follow_keywords=("benchmark",), follow_authors=("Ada Video",)
    )
    picks = choose(profile)
    assert picks
    for pick in picks:
        assert math.isclose(sum(pick.parts.values()), pick.score, abs_tol=1e-5)
    assert [p.score for p in picks] == sorted((p.score for p in picks), reverse=True)


def test_a_letter_holds_at_most_what_the_profile_says(choose, reader):
    for most in (0, 1, 2, 5):
        assert len(choose(replace(reader, papers=most))) <= most


def test_a_paper_that_was_sent_is_never_sent_again(choose, reader, papers):
    """Whatever the key under which it was sent: id or title."""
    from newsletter.identity import title_key

    first = choose(reader)[0].paper
    for key in (first.id, title_key(first.title)):
        assert first.id not in {p.paper.id for p in choose(reader, seen=frozenset({key}))}


def test_all_seen_gives_no_picks(choose, reader, day):
    assert choose(reader, seen=frozenset(p.id for p in day.papers)) == ()


def test_an_avoided_phrase_removes_the_papers_that_have_it(choose, themes):
    """Also when everything else speaks for them."""
    profile = Profile(interests=(Interest("tumour segmentation in radiology"),), avoid=("medical imaging",), explore=0)
    assert not [p for p in choose(profile) if "medical imaging" in p.paper.title.lower()]
    assert [p for p in choose(replace(profile, avoid=())) if "medical imaging" in p.paper.title.lower()]


def test_avoiding_an_interest_wins_over_it(choose):
    text = "robot manipulation and grasping of objects with dexterous hands"
    profile = Profile(interests=(Interest(text),), avoid=(text,), explore=0, trending=0)
    assert len(choose(profile)) < len(choose(replace(profile, avoid=())))


def test_identical_papers_come_once(choose, reader, day, corpus):
    twin = replace(day.papers[0], id="doi:10.1000/twin")
    titles = [p.paper.title for p in choose(reader, day=corpus([*day.papers, twin]))]
    assert titles.count(twin.title) == 1


def test_one_theme_does_not_fill_the_letter(choose, corpus, papers, themes):
    """Beyond its share a theme gives way to others that are nearly as good, but not to ones that are far off."""
    profile = Profile(interests=(Interest("approximate nearest neighbour search"),), papers=5, explore=0, trending=0)
    assert len(choose(profile, day=corpus(papers["search"]))) == 5
    both = replace(profile, interests=(*profile.interests, Interest("robot manipulation")))
    day = corpus([*papers["search"], *papers["robots"]])
    free, strict = (
        [field(p, themes) for p in choose(both, day=day, options=Options(theme_toll=toll))] for toll in (0.0, 100.0)
    )
    assert max(free.count(theme) for theme in free) > 2
    assert max(strict.count(theme) for theme in strict) == 3  # two, two, and one of what is left


def test_the_step_outside_is_one_labelled_and_optional(choose, reader, themes):
    picks = choose(reader)
    outside = [p for p in picks if p.kind == "explore"]
    assert len(outside) == 1
    assert outside[0].reasons[0].kind == "explore"
    assert field(outside[0], themes) not in {field(p, themes) for p in picks if p.kind == "pick"}
    assert not [p for p in choose(replace(reader, explore=0)) if p.kind == "explore"]


def test_popular_papers_beyond_the_interests_are_told_apart(choose, reader, day, corpus):
    """As many as the trending weight asks for, and none at weight 0."""
    loud = corpus([replace(p, upvotes=500) if "ideo" in p.title else p for p in day.papers])
    apart = [p for p in choose(replace(reader, trending=0.5), day=loud) if p.kind == "trending"]
    assert 1 <= len(apart) <= Options().trending_apart
    assert all("video" in f"{p.paper.title} {p.paper.abstract}".lower() for p in apart)
    assert not [p for p in choose(replace(reader, trending=0), day=loud) if p.kind == "trending"]


def test_no_wishes_at_all_gets_what_everyone_reads(choose):
    picks = choose(Profile(papers=4))
    votes = [p.paper.upvotes for p in picks]
    assert votes == sorted(votes, reverse=True)
    assert all(p.reasons and p.reasons[0].kind == "trending" for p in picks[:2])


def test_a_followed_author_is_always_read(choose):
    """Even outside every interest; the name may be written last name first."""
    profile = Profile(interests=(Interest("video generation"),), follow_authors=("robots, ada",), explore=0)
    followed = [p for p in choose(profile) if "Ada Robots" in p.paper.authors]
    assert followed
    assert all("author" in {r.kind for r in p.reasons} for p in followed)


def test_a_quiet_day_gives_a_short_letter(choose, corpus, papers):
    """Nothing of the interests today: no picks, whatever room there is."""
    quiet = corpus(papers["medical"][5:])
    profile = Profile(interests=(Interest("approximate nearest neighbour search"),), explore=0, trending=0)
    assert choose(profile, day=quiet) == ()


def test_the_same_input_gives_the_same_picks(choose, reader):
    assert choose(reader) == choose(reader)


def test_readers_do_not_touch_each_other(day, archive, setting, reader, papers):
    """Each of many readers gets what they would get alone: `--only` changes nobody's letter."""
    liked = tuple(p.id for p in papers["video"][:3])
    profiles = [reader, Profile(), Profile(likes=liked), replace(reader, likes=liked[:1]), Profile(avoid=("video",))]
    together = rank(profiles, day, archive, seen=[set()] * len(profiles), **setting)
    for profile, picks in zip(profiles, together, strict=True):
        alone = rank([profile], day, archive, seen=[set()], **setting)[0]
        assert [p.paper.id for p in alone] == [p.paper.id for p in picks]
        assert np.allclose([p.score for p in alone], [p.score for p in picks], atol=1e-4)


def test_a_day_of_one_paper_and_an_empty_archive(choose, reader, day, archive, corpus):
    one, none = corpus(day.papers[:1]), Corpus((), archive.vectors[:0])
    assert len(choose(reader, day=one, archive=none)) <= 1
    assert len(choose(replace(reader, likes=("arxiv:1",)), day=one)) <= 1


def test_a_day_of_no_papers(choose, reader, archive):
    assert choose(reader, day=Corpus((), archive.vectors[:0])) == ()


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e300, float("inf"), float("nan")])
def test_any_weight_is_survived(choose, weight):
    """0 and below drop the interest; huge counts as the bound."""
    profile = Profile(
        interests=(Interest("video generation", weight), Interest("robot manipulation")), explore=0, trending=0
    )
    picks = choose(profile)
    assert all(math.isfinite(p.score) for p in picks)
    named = {r.what for p in picks for r in p.reasons if r.kind == "interest"}
    assert ("video generation" in named) == (weight > 0)


@pytest.mark.parametrize("counts", [{"upvotes": None}, {"upvotes": float("nan")}, {"upvotes": -3}, {"stars": 10**12}])
def test_any_counts_are_survived(choose, reader, day, corpus, counts):
    picks = choose(reader, day=corpus([replace(p, **counts) for p in day.papers]))
    assert picks
    assert all(math.isfinite(p.score) for p in picks)


def test_an_interest_of_ten_thousand_characters(choose, themes):
    text = ("robot manipulation, grasping policy and imitation learning. " * 200)[:10_000]
    picks = choose(Profile(interests=(Interest(text),), explore=0, trending=0))
    assert picks
    assert {field(p, themes) for p in picks} == {"robots"}


def test_only_avoids(choose):
    """What everyone reads, less what is avoided."""
    picks = choose(Profile(avoid=("video generation", "robot manipulation")))
    assert picks
    assert not [p for p in picks if "video generation" in f"{p.paper.title} {p.paper.abstract}".lower()]


def test_likes_that_do_not_exist_change_nothing(choose, reader):
    ids = [p.paper.id for p in choose(reader)]
    assert [p.paper.id for p in choose(replace(reader, likes=("arxiv:9999.99999", "doi:10.1/none")))] == ids


def test_who_likes_only_what_nobody_knows_gets_what_everyone_reads(choose):
    wishless = Profile(papers=5)
    assert choose(replace(wishless, likes=("arxiv:9999.99999",))) == choose(wishless) != ()


@pytest.mark.slow
def test_five_thousand_likes(choose, corpus, papers, archive):
    many = [replace(p, id=f"title:{i}", title=f"{p.title} {i}") for i in range(1000) for p in papers["video"][:5]]
    profile = Profile(likes=tuple(p.id for p in many), explore=0, trending=0)
    picks = choose(profile, archive=corpus([*archive.papers, *many]))
    assert picks
    assert "ideo" in f"{picks[0].paper.title} {picks[0].paper.abstract}"


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", " ", "video", "HNSW", "a. b; c", "x, y, z, w", "\x00", "ﷺ", "<script>"]
)


PROFILES = st.builds(
    Profile,
    interests=st.lists(st.builds(Interest, TEXTS, st.floats(allow_nan=True)), max_size=4).map(tuple),
    avoid=st.lists(TEXTS, max_size=3).map(tuple),
    follow_authors=st.lists(TEXTS, max_size=3).map(tuple),
    follow_keywords=st.lists(TEXTS, max_size=3).map(tuple),
    trending=st.floats(allow_nan=True),
    papers=st.integers(-1, 20),
    explore=st.integers(-1, 5),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(profile=PROFILES)
def test_any_profile_gives_sound_picks(choose, profile):
    """Finite, sorted, within bounds, no paper twice, parts that sum: for any profile at all."""
    picks = choose(profile)
    assert len(picks) <= max(profile.papers, 0)
    assert len({p.paper.id for p in picks}) == len(picks)
    assert all(math.isclose(sum(p.parts.values()), p.score, rel_tol=1e-5, abs_tol=1e-5) for p in picks)
    assert [p.score for p in picks] == sorted((p.score for p in picks), reverse=True)


def test_importing_the_room_is_cheap():
    """No numpy, no scikit-learn before the first call."""
    code = "import sys, newsletter.ranking; print([m for m in ('numpy', 'scipy', 'sklearn') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
