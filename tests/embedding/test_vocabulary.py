from __future__ import annotations

from newsletter.embedding.tokens import Tokenizer
from newsletter.embedding.vocabulary import count, grow

TEXTS = [f"the dark matter halo of galaxy number {i} and the mass" for i in range(40)] + ["rare reionisation"] * 2


def test_counts_are_of_texts_not_of_occurrences() -> None:
    words, pairs, texts = count(["halo halo halo", "halo"])
    assert (words["halo"], pairs["halo", "halo"], texts) == (2, 1, 2)


def test_pairs_that_belong_together_are_tokens_and_those_with_a_common_word_are_not() -> None:
    texts = [f"dark matter w{i % 7}" if i % 5 == 0 else f"the star w{i % 7} x{i % 11}" for i in range(200)]
    vocabulary = grow(count(texts), [], size=200, pair_share=0.3, piece_share=0)
    assert "dark matter" in vocabulary
    assert "the star" not in vocabulary


def test_the_size_is_kept() -> None:
    assert len(grow(count(TEXTS), ["##ion"], size=80, pair_share=0.3, piece_share=0.1)) <= 80


def test_any_word_can_be_spelled() -> None:
    vocabulary = grow(count(TEXTS), [], size=100, pair_share=0.3, piece_share=0.1)
    assert Tokenizer(vocabulary).ids("zyzzyva42")


def test_general_pieces_come_in_where_they_spell_the_corpus_s_other_words() -> None:
    vocabulary = grow(count(TEXTS), ["re", "##ion", "##isation", "##unused"], size=84, pair_share=0, piece_share=0.1)
    assert "##isation" in vocabulary
    assert "##unused" not in vocabulary


def test_the_same_texts_give_the_same_vocabulary_whatever_their_order() -> None:
    one, other = (grow(count(texts), [], size=90, pair_share=0.3, piece_share=0) for texts in (TEXTS, TEXTS[::-1]))
    assert one == other
