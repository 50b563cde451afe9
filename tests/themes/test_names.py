"""Names of themes: taken from the papers, none alike, none of them words that every paper says."""

from __future__ import annotations

import numpy as np
import pytest

from newsletter.model import Paper
from newsletter.themes.candidates import Candidate, candidates, survey
from newsletter.themes.fit import Topics
from newsletter.themes.names import choose, label, outdone
from newsletter.themes.phrases import key
from newsletter.themes.words import nameable

CACHE = [
    ("Fast KV-cache compression", "We study KV-cache compression for long prompts."),
    ("Pruning heads", "KV-cache compression saves memory."),
    ("Serving at scale", "A novel framework achieves KV-cache compression at no cost."),
]
VIDEO = [
    ("Video diffusion in one step", "Video diffusion is slow. We distil it."),
    ("Longer clips", "We extend video diffusion to minutes."),
    ("Camera control", "A novel framework gives video diffusion a camera."),
]
PAPERS = [Paper(f"title:{i}", title, abstract) for i, (title, abstract) in enumerate(CACHE + VIDEO)]
LABELS = np.repeat([0, 1], 3)
TOPICS = Topics(LABELS, ("cache", "video"), np.eye(2))
VECTORS = np.eye(2, dtype=np.float32)[LABELS]


def option(text: str, score: float) -> Candidate:
    return Candidate(key(text.split()), text, score)


def names(held=("", ""), fixed=(False, False), encode=None):
    words = [("cache", "memory"), ("video", "clips")]
    return label(PAPERS, VECTORS, TOPICS, encode, words=words, held=held, fixed=fixed)


def test_a_theme_is_named_as_its_papers_name_it():
    assert names() == ["KV-Cache Compression", "Video Diffusion"]


def test_the_name_of_a_whole_field_gives_way_to_what_its_papers_are_about():
    texts = [
        ("Protein folding by machine learning", "What machine learning does for protein folding."),
        ("Machine learning for protein folding", "In protein folding, the search is slow."),
        ("A machine learning benchmark", "What machine learning is in the lab."),
    ]
    papers = [Paper(f"title:{i}", *text) for i, text in enumerate(texts)]
    topics = Topics(np.zeros(3, np.int64), ("machine", "protein"), np.ones((1, 2)))
    words = [("machine", "protein")]
    found = label(papers, np.eye(3, dtype=np.float32), topics, None, words=words, held=("",), fixed=(False,))
    assert found == ["Protein Folding"]


def test_an_encoder_is_asked_for_the_phrases_and_may_decide():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return np.array([[float("Cache" in t), float("Video" in t)] for t in texts], dtype=np.float32)

    assert names(encode=encode) == ["KV-Cache Compression", "Video Diffusion"]
    assert "KV-Cache Compression" in asked


def test_a_fixed_label_stays_and_no_other_theme_gets_one_like_it():
    assert names(held=("Video Diffusion", ""), fixed=(True, False))[0] == "Video Diffusion"
    assert names(held=("Video Diffusion", ""), fixed=(True, False))[1] != "Video Diffusion"


def test_a_label_that_its_papers_no_longer_say_is_replaced_when_it_may_be():
    assert names(held=("Speech Synthesis", ""), fixed=(False, False)) == ["KV-Cache Compression", "Video Diffusion"]


def test_a_held_label_gives_way_only_to_a_far_better_one():
    options = [option("Video Diffusion", 2.0), option("Video Models", 1.85), option("Camera Control", 1.0)]
    assert not outdone("Video Models", options)
    assert outdone("Camera Control", options)
    assert outdone("Speech Synthesis", options)


PRUNING = [
    ("Which filters matter", "Human annotators rate filters. We prune networks by a criterion of their own."),
    ("Pruning by explaining", "Human annotators agree: dynamic pruning of a network works."),
    ("Network pruning for imbalanced images", "We remove what the network does not need."),
]


def of_two(papers, others=VIDEO):
    """The first group's candidates by score, of `papers` beside `others`, without vectors."""
    read = [Paper(f"title:{i}", title, abstract) for i, (title, abstract) in enumerate([*papers, *others])]
    ground = survey(read, VECTORS, LABELS, 2)
    return {c.text: c.score for c in candidates(ground, TOPICS, 0, None)}


def test_what_papers_put_into_titles_is_a_better_name_than_what_they_say_in_passing():
    found = of_two(PRUNING)
    assert found["Network Pruning"] > found["Human Annotators"]


SPARSE = [("Sparse attention", "We let sparse attention forget."), ("Reading far", "By sparse attention.")]


def test_papers_with_the_words_of_a_phrase_support_it_in_whatever_order_and_form():
    assert "Network Pruning" in of_two(PRUNING)  # said once, but two more prune networks
    assert "Network Pruning" not in of_two([PRUNING[2], *SPARSE])
    assert "Network Pruning" in of_two([PRUNING[2], ("Other things", "Of nothing."), ("More", "Of less.")])  # no other


def test_a_product_of_one_group_is_no_subject():
    found = of_two([("A report", "We do visual reasoning by Skywork R1V.")] * 3)
    assert found["Visual Reasoning"] > found["Skywork R1V"]


def test_the_phrase_whose_vector_finds_the_papers_wins():
    def encode(texts):
        return np.array([[float("Pruning" in t), float("Pruning" not in t)] for t in texts], dtype=np.float32)

    read = [Paper(f"title:{i}", title, abstract) for i, (title, abstract) in enumerate([*PRUNING, *VIDEO])]
    ground = survey(read, VECTORS, LABELS, 2)
    without = {c.text: c.score for c in candidates(ground, TOPICS, 0, None)}
    gained = {c.text: c.score - without[c.text] for c in candidates(ground, TOPICS, 0, encode)}
    assert gained["Network Pruning"] > 1 > gained["Human Annotators"]


def test_no_two_labels_are_alike():
    options = [
        [option("Video Diffusion", 2.0)],
        [option("Video Diffusion Models", 1.5), option("Diffusion", 1.4), option("Camera Control", 1.0)],
    ]
    assert choose(options, ["", ""], [(), ()], ["", ""]) == ["Video Diffusion", "Camera Control"]


def test_where_no_phrase_is_left_keywords_stand_in():
    assert choose([[]], [""], [("planets", "orbits")], [""]) == ["Planets Orbits"]


def test_a_held_label_that_its_papers_do_not_say_goes_to_those_that_do():
    options = [[], [option("Image Editing", 4.0)]]
    assert choose(options, ["", ""], [("knowledge", "graph"), ()], ["Image Editing", ""]) == [
        "Knowledge Graph",
        "Image Editing",
    ]
    assert choose([[], []], ["", ""], [("a", "b"), ("c", "d")], ["Image Editing", ""])[0] == "Image Editing"


def test_the_best_candidate_is_given_out_first_whichever_group_it_is_of():
    options = [[option("Diffusion", 3.0), option("Video", 1.0)], [option("Diffusion", 2.9), option("Video", 2.8)]]
    assert choose(options, ["", ""], [(), ()], ["", ""]) == ["Diffusion", "Video"]


def test_what_every_paper_says_names_nothing():
    assert all("Framework" not in c.text for c in candidates(survey(PAPERS, VECTORS, LABELS, 2), TOPICS, 0, None))


def test_of_many_papers_some_are_read_from_every_theme(monkeypatch):
    monkeypatch.setattr("newsletter.themes.candidates.PAPERS", 3)
    assert survey(PAPERS, VECTORS, LABELS, 2).sizes == (2, 1)


@pytest.mark.parametrize(
    "phrase",
    ["novel framework", "better results", "proposed method", "generated videos quality", "outperforms baselines",
     "large improvement", "model trained", "widely", "strong performance", "models know", "models struggle"],
)  # fmt: skip
def test_a_stop_phrase_is_no_name(phrase):
    assert not nameable(tuple(phrase.split()))


@pytest.mark.parametrize(
    "phrase",
    ["KV-cache compression", "retrieval-augmented generation", "video diffusion", "vision-language models",
     "anomaly detection", "speech embeddings", "LLM agents", "dark matter", "human pose"],
)  # fmt: skip
def test_a_noun_phrase_of_the_field_is_a_name(phrase):
    assert nameable(tuple(phrase.split()))
