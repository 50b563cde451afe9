"""What no digest should hold but some day does: a clear error or a sane result."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from newsletter.errors import NewsletterError
from newsletter.model import ArchivedPaper, Paper
from newsletter.text import paper_text
from newsletter.themes import learn

DAY = date(2025, 3, 13)
LONG = 100_000  # characters


def themes_of(papers, embed, vectors=None):
    window = [ArchivedPaper(paper, DAY) for paper in papers]
    rows = embed([paper_text(paper) for paper in papers]) if vectors is None else vectors
    learned = learn(window, rows, DAY, (), model="words", seed=1, window_days=60, encode=embed)
    assert sorted(p for theme in learned.themes for p in theme.papers) == sorted(paper.id for paper in papers)
    assert all(theme.label for theme in learned.themes)
    return learned


def paper(number: int, title: str, abstract: str = "") -> Paper:
    return Paper(f"title:{number:05}", title, abstract)


@pytest.mark.parametrize("count", [3, 70])
def test_identical_texts_are_one_theme_or_none(embed, count):
    learned = themes_of([paper(i, "Sparse attention", "Sparse attention saves time.") for i in range(count)], embed)
    assert len(learned.themes) <= 2


@pytest.mark.slow
def test_a_large_window_of_identical_texts_is_one_theme_every_time(embed):
    papers = [paper(i, "Sparse attention", "Sparse attention saves time.") for i in range(230)]
    once, again = themes_of(papers, embed), themes_of(papers, embed)
    assert [len(theme.papers) for theme in once.themes] == [230]
    assert once.themes == again.themes


@pytest.mark.parametrize(
    ("title", "abstract"), [("The of", "It is that."), ("Result {}", "A result that helps."), ("{}", "{}")]
)
def test_texts_without_two_words_that_tell_anything_are_one_section(title, abstract):
    """The packaged model gives such texts vectors, but c-TF-IDF finds no word to weigh."""
    from newsletter.embedding import load

    papers = [paper(i, title.format(i), abstract.format(i)) for i in range(12)]
    assert [theme.id for theme in themes_of(papers, load().encode).themes] == ["more"]


def test_one_word_titles(embed):
    themes_of(
        [paper(i, word) for i, word in enumerate(["Attention", "Diffusion", "Robots", "Planets", "Speech", "Video"])],
        embed,
    )


def test_papers_in_other_languages(embed):
    texts = [
        "利用深度学习的视频生成",
        "Обучение с подкреплением для роботов",
        "التعلم العميق للصور",
        "Génération d'images",
    ]
    themes_of([paper(i, texts[i % 4], texts[i % 4] * 3) for i in range(24)], embed)


def test_papers_without_a_known_word_have_no_vector_and_go_to_the_rest(embed):
    papers = [paper(i, "Video diffusion models", "Video diffusion.") for i in range(6)] + [paper(9, "зщшгне")]
    learned = themes_of(papers, embed)
    assert learned.assignment["title:00009"] == "more"


def test_an_abstract_of_a_hundred_thousand_characters(embed, archive):
    papers = [a.paper for a in archive[:20]]
    themes_of([*papers, paper(99, "A long story", "video diffusion " * (LONG // 16))], embed)


def test_titles_of_markup_control_characters_and_lone_surrogates(embed):
    odd = [
        "<script>alert(1)</script> video",
        "{{ video }} {% raw %}",
        "video\x00\r\nvideo",
        "video \ud800 video",
        "$x$",
        "🎥" * 50,
        "",
        " ",
    ]
    themes_of([paper(i, title, "video diffusion") for i, title in enumerate(odd)], embed)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_named_as_the_models_fault(embed, bad):
    vectors = np.ones((4, 8), dtype=np.float32)
    vectors[2, 3] = bad
    with pytest.raises(NewsletterError, match="1 of 4 hold NaN or infinite"):
        themes_of([paper(i, "Video") for i in range(4)], embed, vectors)


def test_vectors_of_zeros_alone_give_no_theme(embed):
    learned = themes_of([paper(i, "Video") for i in range(9)], embed, np.zeros((9, 8), dtype=np.float32))
    assert [theme.id for theme in learned.themes] == ["more"]
