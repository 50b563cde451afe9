"""The HTML stays below 90,000 bytes for any letter, and gives up the least important first."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.letter import Imprint, Links, compose, render
from newsletter.letter.budget import LIMIT, first_step, next_step, shrunk, steps


def ids(letter):
    return [
        e.pick.paper.id
        for e in (*letter.top, *(e for s in letter.sections for e in s.entries), *letter.trending, *letter.explore)
    ]


def test_summaries_of_the_last_cards_go_first_then_the_cards(build):
    papers = [build.paper(n) for n in range(1, 13)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    assert shrunk(letter, 0) == letter
    first = shrunk(letter, 1)
    assert first.sections[-1].entries[-1].summary == ""
    assert ids(first) == ids(letter)
    bare = shrunk(letter, steps(letter) // 2)
    assert not any(e.summary for s in bare.sections for e in s.entries)
    assert ids(bare) == ids(letter)
    assert bare.top == letter.top
    one_less = shrunk(letter, steps(letter) // 2 + 1)
    assert (len(ids(one_less)), one_less.more) == (11, 1)
    assert one_less.explore
    least = shrunk(letter, steps(letter))
    assert (ids(least), least.more, least.sections) == ([p.id for p in papers[:3]], 9, ())


def test_steps_end(build):
    papers = [build.paper(n) for n in range(1, 13)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    assert next_step(letter, 0, 1) == 1
    assert next_step(letter, 0, 10**9) == steps(letter)


def test_what_does_not_fit_is_counted_and_led_to(build, templates):
    papers = [build.paper(n) for n in range(1, 201)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    with_web = render(templates, letter, build.LINKS, build.IMPRINT)
    assert 80_000 < len(with_web.html.encode()) < LIMIT
    shown = with_web.html.count("<h3")
    assert shown + with_web.more == 200
    assert f">{with_web.more} more papers in your browser</a>" in with_web.html
    assert f"{with_web.more} more papers in your browser:\n{build.LINKS.view}\n" in with_web.text
    without = render(templates, letter, Links(), Imprint())
    assert f"{without.more} more papers, not shown here" in without.html
    assert f"{without.more} more papers, not shown here" in without.text


LONG = st.sampled_from(['"' * 400, "論" * 300, "&<>" * 200, "word " * 200, "x"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 250), words=st.tuples(LONG, LONG, LONG), language=st.sampled_from(["en", "ar", "ja"]))
def test_no_letter_is_too_large_whatever_its_papers_hold(build, templates, count, words, language):
    title, sentence, author = words
    abstract = f"We propose {sentence}. The results show {sentence}."
    papers = [
        build.paper(
            n, title=f"{title} {n}", abstract=abstract, authors=(author,) * 50, url=f"https://x.org/{'a' * 1500}/{n}"
        )
        for n in range(count)
    ]
    letter = compose(build.reader(language=language), build.edition(papers), build.picks(papers))
    longest = replace(build.RATED, feedback=build.RATED.feedback + "x" * 900)  # a token has at most 1,024 characters
    for links in (build.LINKS, build.RATED, longest):
        assert len(render(templates, letter, links, build.IMPRINT).html.encode()) < LIMIT


def test_rating_links_are_counted_before_the_first_rendering(build, templates):
    """Else a letter that just fits without them would be rendered twice."""
    papers = [build.paper(n) for n in range(1, 201)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    assert first_step(letter, build.RATED.feedback) > first_step(letter)
    rated = len(render(templates, letter, build.RATED, build.IMPRINT).html.encode())
    assert 80_000 < rated < LIMIT
