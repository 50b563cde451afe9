"""Words that carry no subject in papers, from the lists beside this file."""

from __future__ import annotations

from importlib.resources import files


def _listed(name: str) -> frozenset[str]:
    text = (files("newsletter.themes") / "lists" / f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


FUNCTION = _listed("function")
DETERMINERS = _listed("determiners")
ACADEMIC = _listed("academic")
STOP_WORDS = frozenset(word for word in FUNCTION | ACADEMIC if word.isalpha() and len(word) > 1)


def nameable(words: tuple[str, ...]) -> bool:
    """Whether a phrase neither begins nor ends with a word of every abstract, and ends with a word of letters."""
    first, last = words[0].lower(), words[-1].lower()
    return first not in ACADEMIC and last not in ACADEMIC and last[-1].isalpha() and len(last) > 1
