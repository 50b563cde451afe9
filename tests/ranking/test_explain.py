"""The whole sum for one paper, and why it was not chosen."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from newsletter.model import Interest, Profile
from newsletter.ranking import Options, explain, rank


@pytest.fixture
def told(day, archive, setting):
    def run(profile, paper, *, seen=frozenset(), on=day, options=None, themes=None):
        given = {**setting, "options": options or Options()}
        if themes is not None:
            given["themes"] = themes
        return explain(profile, paper.id, on, archive, seen=seen, **given)

    return run


def test_the_sum_is_the_same_as_the_pick_s(told, choose, reader):
    for pick in choose(reader):
        said = told(reader, pick.paper)
        assert said.pick == pick
        assert said.why_not == ()
        assert math.isclose(sum(said.parts.values()), said.score, abs_tol=1e-5)
        assert math.isclose(said.score, pick.score, abs_tol=1e-5)


def test_every_interest_has_its_figure(told, reader, day):
    said = told(replace(reader, likes=(day.papers[0].id,)), day.papers[1])
    assert set(said.queries) == {i.text for i in reader.interests} | {"papers like those you liked"}


def test_a_paper_of_another_day_has_no_explanation(told, reader, archive):
    assert told(reader, archive.papers[0]) is None


def test_why_not_seen(told, choose, reader):
    paper = choose(reader)[0].paper
    assert told(reader, paper, seen=frozenset({paper.id})).why_not == ("you were sent it before",)


def test_why_not_avoided(told, reader, papers):
    said = told(replace(reader, explore=0), papers["medical"][6])
    assert said.why_not == ("it matches what you avoid",)
    assert said.parts["avoid"] < 0


def test_why_not_below_the_cut_off_and_by_how_much(told, reader, papers):
    said = told(replace(reader, explore=0), papers["reasoning"][7])
    assert said.pick is None
    assert f"below the cut-off of {Options().cut:.2f}" in said.why_not[0]


def test_why_not_the_same_paper(told, reader, day, corpus):
    twin = replace(day.papers[0], id="doi:10.1000/twin")
    said = told(reader, twin, on=corpus([*day.papers, twin]))
    assert said.why_not == (f"it is the same as {day.papers[0].id}",)


def test_why_not_the_theme_is_full(told, corpus, papers):
    wanted = (Interest("approximate nearest neighbour search", weight=1.2), Interest("robot manipulation"))
    profile = Profile(interests=wanted, papers=5, explore=0, trending=0)
    on, options = corpus([*papers["search"], *papers["robots"]]), Options(theme_toll=100)
    reasons = [told(profile, p, on=on, options=options).why_not for p in papers["search"]]
    assert any(why and why[0].startswith("its theme already has ") for why in reasons)


def test_why_not_others_score_higher(told, corpus, papers):
    profile = Profile(interests=(Interest("approximate nearest neighbour search"),), papers=2, explore=0, trending=0)
    on = corpus(papers["search"])
    reasons = [told(profile, p, on=on, themes={}, options=Options(diversity=0)).why_not for p in papers["search"]]
    assert ("2 papers score higher, and the letter holds at most 2",) in reasons


def test_why_not_too_much_alike(day, archive, setting, corpus, papers):
    """With much diversity a near copy loses to a lower score."""
    first = papers["search"][5]
    copy = replace(first, id="title:copy", title=f"{first.title} again")
    on = corpus([*papers["search"], copy])
    profile = Profile(interests=(Interest(first.title),), papers=2, explore=0, trending=0)
    given = {**setting, "themes": {}, "options": Options(diversity=50)}
    chosen = {p.paper.id for p in rank([profile], on, archive, seen=[set()], **given)[0]}
    left = copy if first.id in chosen else first
    said = explain(profile, left.id, on, archive, seen=frozenset(), **given)
    assert "too much like" in said.why_not[0]
