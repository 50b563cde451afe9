"""What a letter says and in which order."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from newsletter.letter import compose
from newsletter.model import Letter, Profile, Skip


def test_three_best_in_full_then_themes_then_trending_then_the_step_outside(build):
    papers = [build.paper(n) for n in range(1, 13)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers), total=70)
    assert isinstance(letter, Letter)
    assert [e.pick.paper.id for e in letter.top] == [p.id for p in papers[:3]]
    assert not any(e.compact for e in letter.top)
    assert [s.theme.id for s in letter.sections] == ["video", "reason", "agents", "search"]
    assert all(e.compact for s in letter.sections for e in s.entries)
    assert [e.pick.paper.id for e in letter.trending] == [p.id for p in papers[9:11]]
    assert [e.pick.paper.id for e in letter.explore] == [papers[11].id]
    assert letter.total == 70


def test_every_pick_is_in_the_letter_once(build):
    papers = [build.paper(n) for n in range(1, 41)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    shown = [*letter.top, *(e for s in letter.sections for e in s.entries), *letter.trending, *letter.explore]
    assert sorted(e.pick.paper.id for e in shown) == sorted(p.id for p in papers)


def test_a_pick_of_an_unknown_theme_comes_last_under_more_papers(build):
    papers = [build.paper(n) for n in range(1, 7)]
    given = build.picks(papers)
    given[3] = replace(given[3], theme="gone")
    letter = compose(build.reader(), build.edition(papers), given)
    assert letter.sections[-1].theme.id == "more"
    assert [e.pick.paper.id for e in letter.sections[-1].entries] == [papers[3].id]


def test_nothing_to_say_is_a_skip_with_its_reason(build):
    skip = compose(build.reader(), build.edition([]), [])
    assert skip == Skip("daily/2025-03-13", "ada", "ada@example.org", "no new paper for this reader")


@pytest.mark.parametrize(("quiet_days", "kind"), [("send", Letter), ("skip", Skip)])
def test_a_quiet_day_gives_a_short_letter_or_none_as_the_profile_says(build, quiet_days, kind):
    papers = [build.paper(1)]
    reader = build.reader()
    reader = replace(reader, profile=replace(reader.profile, quiet_days=quiet_days))
    given = [replace(build.picks(papers)[0], kind="trending")]
    assert isinstance(compose(reader, build.edition(papers), given), kind)


def test_a_reader_who_told_us_nothing_gets_what_others_read_and_a_hint(build):
    papers = [build.paper(n) for n in range(1, 6)]
    given = [replace(pick, kind="trending") for pick in build.picks(papers)]
    letter = compose(build.reader(profile=Profile(quiet_days="skip")), build.edition(papers), given)
    assert letter.hint == "interests"
    assert [e.compact for e in letter.trending] == [False, False, False, True, True]


def test_subject_and_preheader_differ_from_each_other_and_from_yesterday(build):
    papers = [build.paper(n) for n in range(1, 13)]
    given, subjects, preheaders = build.picks(papers), [], []
    for later in range(10):
        letter = compose(build.reader(), build.edition(papers, build.DAY + timedelta(days=later)), given)
        subjects.append(letter.subject)
        preheaders.append(letter.preheader)
        assert letter.subject not in letter.preheader
    assert all(a != b for a, b in pairwise(subjects))
    assert len(set(preheaders)) == 10


def test_the_subject_of_the_last_letter_is_not_repeated(build):
    papers = [build.paper(n) for n in range(1, 3)]
    first = compose(build.reader(), build.edition(papers), build.picks(papers))
    again = compose(build.reader(), build.edition(papers), build.picks(papers), previous=first.subject)
    assert again.subject != first.subject
