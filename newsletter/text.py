"""Text as people write it, made safe and readable. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files

from newsletter.model import Paper

_SPACE = re.compile(r"\s+")
_BLANK = ("Cc", "Zl", "Zp")


def _lone(c: str) -> bool:
    return unicodedata.category(c) == "Cs"


def tidy(text: str) -> str:
    """One line of NFC text: control characters, lone surrogates and U+2028/2029 gone, white space folded."""
    kept = "".join(" " if c.isspace() or unicodedata.category(c) in _BLANK else c for c in text if not _lone(c))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", kept)).strip()


_ADDRESS = re.compile(r"[^\s<>@\"',;:(]{1,64}@[^\s<>@\"',;)]{1,255}")


def without_addresses(text: str) -> str:
    """The text with ``(address)`` in the place of every e-mail address: for logs and lists that others look at."""
    return _ADDRESS.sub("(address)", text) if "@" in text else text


@cache
def function_words() -> frozenset[str]:
    """English words that carry no subject, in lower case: articles, pronouns, prepositions and their like."""
    lines = (files("newsletter") / "function_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def paper_text(paper: Paper) -> str:
    """What the embedding reads of a paper: title and abstract."""
    return f"{paper.title}. {paper.abstract}" if paper.abstract else paper.title


# ------------------------------------------------------------------ LaTeX and Markdown to readable text

_LONGEST = 20_000  # characters of one text; the longest abstract of arXiv is a tenth of it
# directional overrides and marks, which could reverse the text after them; the byte order mark
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF])
_MARKED = re.compile(r"[\\${}^`~_]|\*\*|''|--|\dtimes\b")
_MATH = re.compile(r"\$\$?(?P<math>[^$]{1,400})\$\$?")
_FORMULA = re.compile(r"[\\^_={}<>|]|^\s*[A-Za-z0-9'()\[\],.+*/-]{1,24}\s*$")
_PRICE = re.compile(r"^\s*\d[\d,.]*\s*(?:[kKMB]\b|[a-z]{3,}|$)")
_SCRIPT = re.compile(
    r"(?<![_^])(?P<sign>[\^_])(?:\{(?P<braced>[^{}\s]{1,12})\}|(?P<bare>[+−-]?[0-9]+|[a-z](?![a-zA-Z])))"
)
_SUPER = str.maketrans("0123456789+-−=()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
_SUB = str.maketrans("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_COMMAND = re.compile(r"\\[a-zA-Z]+\*?\s?|\\")
_LINK = re.compile(r"\\(?:url|href)\s*\{([^{}]*)\}(?:\s*\{([^{}]*)\})?")
_SILENT = re.compile(
    r"~?\\(?:color|cite[a-z]*|label|ref|eqref|vspace|hspace|footnote)\s*\*?(?:\[[^\]]*\])?\s*\{[^{}]*\}"
)
_NAMED = re.compile(r"\\([a-zA-Z]+)")
# sources that strip backslashes leave these behind
_STRIPPED_STYLE = re.compile(
    r"(?<!\\)\b(?:texttt|textbf|textit|textsc|text|emph|math(?:bf|cal|bb|rm|sf|it))\{([^{}]*)\}"
)
_STRIPPED_LINK = re.compile(r"\{?(https?://[^\s{}]+)(?:\}|\{[^{}]*\})")
_DEGREE = re.compile(r"\^\{?\\?circ\}?")
_TIMES = re.compile(r"(?<=\d)times\b")
_SIMILAR = re.compile(r"\{\\?sim\}")
_SHORTHAND = {"eg": "e.g.", "ie": "i.e.", "etal": "et al.", "etc": "etc.", "wrt": "w.r.t.", "cf": "cf."}


@lru_cache(maxsize=8192)
def readable(text: str) -> str:
    """One tidy line that a person can read: LaTeX and Markdown marks become the characters that they stand for.

    Never fails: what cannot be understood loses its backslashes and keeps its words. Other markup (``<script>``,
    ``{{ x }}``) is only text here and stays; escaping is the template's business. Directional overrides are dropped.
    """
    line = tidy(text[:_LONGEST].translate(_BIDI))
    if not _MARKED.search(line):
        return line
    line = line.replace("``", "“").replace("''", "”").replace("**", "")
    line = _STRIPPED_LINK.sub(r"\1", _STRIPPED_STYLE.sub(r"\1", _LINK.sub(lambda m: m[2] or m[1], line)))
    line = _TIMES.sub("×", _SIMILAR.sub("∼", _DEGREE.sub("°", _MATH.sub(_formula, line))))
    if "\\" in line:
        line = _from_latex(line)
    line = _SCRIPT.sub(_raised, line).replace("---", "—").replace(" -- ", " – ")
    return tidy(line)


def _formula(match: re.Match[str]) -> str:
    """The inside of ``$...$`` as a formula, if it is one; the text unchanged when the signs are money."""
    inside = match["math"]
    if _PRICE.match(inside) or not _FORMULA.search(inside):
        return match[0]
    return rf"\({inside}\)" if "\\" in inside else inside.strip()


def _from_latex(line: str) -> str:
    """What pylatexenc makes of it; when it stumbles, the words alone."""
    known = _converter()
    line = _NAMED.sub(
        lambda m: m[0] if known.is_known(m[1]) else f"{{{_SHORTHAND.get(m[1], m[1])}}}", _SILENT.sub("", line)
    )
    # a percent sign would start a comment, a tilde would become a blank, a dollar would open a formula
    guarded = re.sub(r"(?<!\\)([%&#$])", r"\\\1", line.replace("~", "\\textasciitilde{}"))
    try:
        plain = known.to_text(guarded)
    except Exception:  # noqa: BLE001  text of strangers: whatever the parser meets, the letter goes out
        plain = line
    return _COMMAND.sub(" ", plain) if "\\" in plain else plain


class _Converter:
    """pylatexenc with its tables loaded once."""

    def __init__(self) -> None:
        from pylatexenc.latex2text import LatexNodes2Text, get_default_latex_context_db

        tables = get_default_latex_context_db()
        self._unknown = tables.get_macro_spec("surely no such command")
        self._tables = tables
        self.to_text: Callable[[str], str] = LatexNodes2Text(latex_context=tables, math_mode="text").latex_to_text

    def is_known(self, command: str) -> bool:
        return command in ("begin", "end") or self._tables.get_macro_spec(command) is not self._unknown


@cache
def _converter() -> _Converter:
    return _Converter()


def _raised(match: re.Match[str]) -> str:
    """``^{2}`` as ², ``x_i`` as xᵢ where Unicode has every character; else as it was, without the braces."""
    sign, body = match["sign"], match["braced"] or match["bare"]
    before = match.string[max(0, match.start() - 2) : match.start()]
    if sign == "_" and not re.search(r"(?:^|[^A-Za-z0-9_/])[^\W_]$|[)\]\u0370-\u03ff]$", before):
        return match[0]  # a file name, a variable of a program
    raised = body.translate(_SUPER if sign == "^" else _SUB)
    return raised if all(a != b for a, b in zip(raised, body, strict=True)) else f"{sign}{body}"
