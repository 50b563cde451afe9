from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.embedding.tokens import MAX_CHARACTERS, Tokenizer, words_of

TOKENIZER = Tokenizer(
    ["dark", "matter", "dark matter", "halo", "##s", "re", "##ion", "##ization", "r", "##e", "##i", "##o"]
)


def tokens(text: str) -> list[str]:
    return [TOKENIZER.vocabulary[number] for number in TOKENIZER.ids(text)]


def test_a_pair_counts_beside_its_words() -> None:
    assert tokens("Dark matter") == ["dark", "matter", "dark matter"]


def test_punctuation_separates_words_and_binds_them_as_a_space_does() -> None:
    assert tokens("dark-matter") == tokens("dark matter")


def test_an_unknown_word_is_spelled_by_the_longest_pieces_from_the_left() -> None:
    assert tokens("halos") == ["halo", "##s"]
    assert tokens("reionization") == ["re", "##ion", "##ization"]


def test_a_letter_outside_the_vocabulary_is_passed_over() -> None:
    assert tokens("halo光s") == ["halo", "##s"]


def test_a_number_is_not_the_sum_of_its_digits() -> None:
    assert tokens("20480") == []


def test_accents_and_case_make_no_difference() -> None:
    assert words_of("Schrödinger ÉTALE ﬁeld") == ["schrodinger", "etale", "field"]


def test_the_second_reading_of_a_word_gives_what_the_first_gave() -> None:
    assert tokens("halos") == tokens("halos")


def test_of_a_document_the_start_is_read() -> None:
    assert len(words_of("halo " * 100_000)) == MAX_CHARACTERS // 5


@given(st.text())
def test_any_text_has_tokens_of_the_vocabulary_alone(text: str) -> None:
    assert all(0 <= number < len(TOKENIZER.vocabulary) for number in TOKENIZER.ids(text))
