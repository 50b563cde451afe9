"""Summaries hold whole sentences of the abstract, those that say what was done and found."""

import pytest

from newsletter.letter.summary import analysed, remember, sentences, summarise
from newsletter.model import Paper

ABSTRACT = (
    "Search in many dimensions is slow. However, memory is scarce on small machines. In this paper, we propose "
    "LeanGraph, an index that fits in 10 MB (cf. Fig. 2), e.g. for telephones. It keeps one edge in ten. Experiments "
    "show that LeanGraph outperforms HNSW by 12.5 % vs. the best of Smith et al. on three data sets. Our code is "
    "available at https://x.org."
)


def test_two_sentences_say_what_was_done_and_what_was_found():
    assert summarise("LeanGraph: Search in Little Memory", ABSTRACT) == (
        "We propose LeanGraph, an index that fits in 10 MB (cf. Fig. 2), e.g. for telephones. Experiments show that "
        "LeanGraph outperforms HNSW by 12.5 % vs. the best of Smith et al. on three data sets."
    )


def test_one_sentence_where_one_is_wanted():
    assert summarise("LeanGraph", ABSTRACT, count=1).startswith("We propose LeanGraph")


def test_the_words_that_matched_the_reader_draw_their_sentence():
    given = "We propose a way to sort. We propose a way to search for neighbours in graphs. We propose a way to count."
    assert summarise("Three", given, matched=["graphs", "Neighbours"], count=1) == (
        "We propose a way to search for neighbours in graphs."
    )


@pytest.mark.parametrize("abstract", ["", " ", "\n", "No full stop", "Too short.", "x" * 50_000, "(" * 4000 + "."])
def test_an_abstract_with_nothing_to_quote_gives_no_summary(abstract):
    assert summarise("Title", abstract) == ""


def test_sentences_that_only_advertise_are_not_chosen():
    given = "Letters are long in most offices today. We will publicly release our code and data."
    assert summarise("Title", given, count=1) == "Letters are long in most offices today."


def test_what_another_process_has_analysed_is_not_analysed_again():
    """Told apart from an analysis of its own, which would find nothing in so short an abstract."""
    paper = Paper("arxiv:2503.00001", "LeanGraph elsewhere", ABSTRACT)
    found = analysed([paper])[paper.title, paper.abstract]
    remember({("LeanGraph, told", "Short."): found})
    assert found
    assert sentences("LeanGraph, told", "Short.") == found


@pytest.mark.slow
def test_every_real_summary_is_made_of_whole_sentences_of_its_abstract(real_papers):
    shown = 0
    for title, abstract in real_papers:
        summary = summarise(title, abstract)
        shown += bool(summary)
        texts = [s.text for s in sentences(title, abstract)]
        while summary:
            text = next(t for t in texts if summary.startswith(t))
            summary = summary.removeprefix(text).strip()
            assert text[-1] in ".!?…", text
    assert shown >= 0.99 * len(real_papers)
