"""Subjects of 40 to 60 and preheaders of 40 to 130 characters, whatever the papers are called."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.letter.headline import preheader, subject
from newsletter.letter.language import LANGUAGES

TITLE = st.one_of(
    st.text(min_size=1, max_size=200).map(lambda t: " ".join(t.split()) or "x"),
    st.lists(
        st.sampled_from(["A", "Very", "Long:", "Title", "of", "Paper-Naming", "für", "論文", "ورقة"]),
        min_size=1,
        max_size=30,
    ).map(" ".join),
)
DAY = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@settings(deadline=None)
@given(
    titles=st.lists(TITLE, min_size=1, max_size=15),
    filler=st.text(max_size=30),
    day=DAY,
    language=st.sampled_from(LANGUAGES),
)
def test_lengths_hold_for_any_titles_in_any_language(titles, filler, day, language):
    line = subject(titles, [filler.strip()], day, language)
    assert 40 <= len(line) <= 60, line
    preview = preheader(titles, "", [filler.strip()], day, language)
    assert 40 <= len(preview) <= 130, preview
    assert line != preview


@settings(deadline=None)
@given(titles=st.lists(TITLE, min_size=1, max_size=15), day=DAY, language=st.sampled_from(LANGUAGES))
def test_the_same_papers_never_give_the_same_subject_two_days_running(titles, day, language):
    assert subject(titles, [], day, language) != subject(titles, [], day + timedelta(days=1), language)


@settings(deadline=None)
@given(titles=st.lists(TITLE, min_size=1, max_size=15), day=DAY, language=st.sampled_from(LANGUAGES))
def test_the_subject_of_the_last_letter_is_never_repeated_whenever_that_was(titles, day, language):
    last = subject(titles, [], day, language)
    again = subject(titles, [], day, language, previous=last)
    assert again != last
    assert 40 <= len(again) <= 60


@pytest.mark.parametrize("day", [date(2025, 3, 13), date(2025, 3, 14)])
def test_the_subject_names_the_best_paper_and_how_many_more(day):
    titles = ["Block Diffusion: Between Two Kinds of Models", "LeanGraph: Search in Little Memory", "C", "D", "E"]
    line = subject(titles, [], day, "en")
    assert line.startswith("Block Diffusion")
    assert line.endswith(("and 4 more", "and 3 more"))


def test_a_title_is_cut_between_words_and_not_after_a_preposition():
    line = subject(
        ["On the Long and Winding Road to a General Theory of Letters for Everyone", "B"], [], date(2025, 3, 14), "en"
    )
    assert line == "On the Long and Winding Road to a General Theory… and 1 more"
