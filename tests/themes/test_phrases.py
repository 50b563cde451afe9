"""Phrases of raw text: what is read, what counts as the same, how it is written."""

from __future__ import annotations

from collections import Counter

import pytest

from newsletter.themes.phrases import alike, key, plain, runs, singular, spelling, stem, title_case


def said(text: str) -> list[str]:
    return [" ".join(run) for run, _ in runs(text)]


def test_hyphens_and_acronyms_stay_whole():
    assert said("KV-cache compression for 3D LoRA") == ["KV-cache compression", "3D LoRA"]


def test_no_phrase_crosses_punctuation_or_a_function_word():
    assert said("Video diffusion: fast, and with agents") == ["Video diffusion", "fast", "agents"]


def test_formulas_commands_and_links_break_a_phrase_or_vanish():
    assert said(r"a $\mathcal{O}(n)$ bound \emph{tight} at https://example.org/x") == ["bound tight"]


def test_a_possessive_ends_a_phrase():
    assert said("Newton's method") == ["Newton", "method"]


def test_what_follows_a_run_tells_a_noun_from_a_verb():
    assert [follower for _, follower in runs("it improves the model of choice")] == ["the", "of", "."]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("models", "model"), ("studies", "study"), ("boxes", "box"), ("bias", "bias"), ("glass", "glass")],
)
def test_a_rough_singular(word, expected):
    assert singular(word) == expected


def test_spellings_of_one_phrase_have_one_key():
    assert key(["KV-Cache"]) == key(["KV", "cache"]) == key(["kv", "caches"])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("retrieval-augmented", "Retrieval-Augmented"),
        ("text-to-image", "Text-to-Image"),
        ("mRNA", "mRNA"),
        ("3D", "3D"),
        ("LoRA", "LoRA"),
    ],
)
def test_title_case_leaves_other_capitals_alone(word, expected):
    assert title_case(word) == expected


def test_the_commonest_spelling_is_shown():
    assert spelling(Counter({("KV", "cache"): 1, ("KV-cache",): 3})) == "KV-Cache"


def test_the_plural_is_shown_where_it_is_not_rare():
    assert spelling(Counter({("LLM", "agent"): 3, ("LLM", "agents"): 2})) == "LLM Agents"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Video Diffusion", "Video Diffusion Models", True),
        ("Diffusion Models", "Diffusion Model", True),
        ("Video Generation", "Image Generation", False),
    ],
)
def test_variants_of_a_phrase_are_alike(one, other, expected):
    assert alike(key(one.split()), key(other.split())) is expected


def test_a_link_of_any_length_is_no_word():
    assert "example" not in plain("see www.example.org/" + "x" * 1000)


@pytest.mark.parametrize(
    ("words", "common"),
    [
        ("pruning pruned", "prun"),
        ("caption captioning", "capt"),
        ("retriever retrieval", "retriev"),
        ("video", "video"),
    ],
)
def test_the_forms_of_a_word_have_one_stem(words, common):
    assert {stem(word) for word in words.split()} == {common}
