"""The letter's languages: messages from gettext catalogues, dates and numbers by locale, direction of writing.

The catalogues are the `.po` files beside this module. They are read with Babel when a language is first asked for
(a few milliseconds) and kept, so that a fresh clone needs no compiling step. A missing message is shown in English.
"""

from __future__ import annotations

import gettext
import io
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

__all__ = ["LANGUAGES", "direction", "long_date", "messages", "number", "short_date", "supported"]

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ar")
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


def supported(language: str) -> str:
    """The shipped language nearest to a BCP 47 tag (``de-AT`` is ``de``); English where none is."""
    primary = language.replace("_", "-").split("-")[0].casefold()
    return primary if primary in LANGUAGES else "en"


def direction(language: str) -> str:
    """``rtl`` or ``ltr``, as the `dir` attribute wants it."""
    return "rtl" if supported(language) in _RIGHT_TO_LEFT else "ltr"


def messages(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; its ``gettext`` and ``ngettext`` fall back to English."""
    return _catalogue(supported(language))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = files("newsletter.letter").joinpath("locale", f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=512)
def long_date(day: date, language: str) -> str:
    """``Thursday, 13 March 2025`` as the language writes it."""
    from babel.dates import format_date

    return str(format_date(day, "full", locale=_locale(language)))


@lru_cache(maxsize=512)
def short_date(day: date, language: str) -> str:
    """``13 March`` as the language writes it."""
    from babel.dates import format_skeleton

    return str(format_skeleton("MMMMd", day, locale=_locale(language)))


@lru_cache(maxsize=4096)
def number(value: float, language: str) -> str:
    """A number with the language's separators, one decimal at most."""
    from babel.numbers import format_decimal

    return str(format_decimal(round(value, 1), locale=_locale(language)))


def _locale(language: str) -> str:
    name = supported(language)
    return "en_GB" if name == "en" else name
