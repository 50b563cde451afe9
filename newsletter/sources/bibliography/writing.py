"""Papers for reference managers: BibTeX and RIS, as `read_bibliography` reads them back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from newsletter.identity import arxiv_id
from newsletter.model import Paper
from newsletter.sources.bibliography.entry import address
from newsletter.text import function_words, readable, tidy

if TYPE_CHECKING:
    from pylatexenc.latexencode import UnicodeToLatexEncoder

__all__ = ["bibtex", "ris"]

_WORD = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"^\d+\.\n", re.MULTILINE)  # rispy counts the records, which is no RIS
_OLD = re.compile(r"[a-z-]+(?:\.[A-Z]{2})?/")
# the ten characters that mean something in LaTeX, and those by which BibTeX tells names and values apart
_SPECIAL = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde",
    "^": r"\textasciicircum", "\\": r"\textbackslash",
}  # fmt: skip


def bibtex(papers: Iterable[Paper]) -> str:
    """A BibTeX file in UTF-8: ``@misc`` with eprint for arXiv (https://info.arxiv.org/help/hypertex/bibstyles), else
    ``@article`` where there is a DOI. Keys are unique; titles keep their capitals."""
    from bibtexparser.entrypoint import write_string
    from bibtexparser.library import Library
    from bibtexparser.model import Entry, Field

    taken: set[str] = set()
    entries = [
        Entry(_kind(paper), _key(paper, taken), [Field(name, value) for name, value in _fields(paper)])
        for paper in papers
    ]
    return write_string(Library(list(entries)))


def ris(papers: Iterable[Paper]) -> str:
    """A RIS file: one record a paper, one line a field."""
    import rispy

    text = str(rispy.dumps([dict(_record(paper)) for paper in papers]))
    return _NUMBER.sub("", text)


def _kind(paper: Paper) -> str:
    return "article" if not paper.id.startswith("arxiv:") and _doi(paper) else "misc"


def _key(paper: Paper, taken: set[str]) -> str:
    """``lovelace2025letters``, and ``lovelace2025letters2`` for the next one."""
    surname = _plain(_names(paper)[0].split()[-1]) if _names(paper) else []
    words = [word for word in _plain(readable(paper.title)) if word not in function_words() and not word.isdigit()]
    year = str(paper.published.year) if paper.published else ""
    base = "".join(("".join(surname), year, *words[:1])) or "paper"
    key = next(made for n in count(1) if (made := base if n == 1 else f"{base}{n}") not in taken)
    taken.add(key)
    return key


def _plain(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(c for c in folded if not unicodedata.combining(c)))


def _fields(paper: Paper) -> Iterator[tuple[str, str]]:
    yield "title", f"{{{_escaped(readable(paper.title) or paper.id)}}}"
    if names := _names(paper):
        yield "author", " and ".join(_author(name) for name in names)
    if paper.published:
        yield "year", str(paper.published.year)
        yield "date", paper.published.isoformat()
    if paper.id.startswith("arxiv:"):
        yield "eprint", paper.id.removeprefix("arxiv:")
        yield "archiveprefix", "arXiv"
        if paper.categories and not _OLD.match(paper.id.removeprefix("arxiv:")):
            yield "primaryclass", _escaped(tidy(paper.categories[0]))
    if doi := _doi(paper):
        yield "doi", doi
    if url := _url(paper):
        yield "url", url


def _author(name: str) -> str:
    """A name in which BibTeX would see several, or its parts turned round, stands in braces and is one."""
    parted = "," in name or " and " in f" {name.lower()} " or name.lower() == "others"
    return f"{{{_escaped(name)}}}" if parted else _escaped(name)


def _record(paper: Paper) -> Iterator[tuple[str, Any]]:
    yield "type_of_reference", "JOUR" if _kind(paper) == "article" else "UNPB"
    yield "title", readable(paper.title) or paper.id
    yield "authors", [_last_first(name) for name in _names(paper)]
    if paper.published:
        yield "year", str(paper.published.year)
        yield "date", paper.published.strftime("%Y/%m/%d")
    if doi := _doi(paper):
        yield "doi", doi
    yield "urls", [url for url in dict.fromkeys((address(paper.id), _url(paper))) if url]


def _last_first(name: str) -> str:
    first, _, last = name.replace(",", " ").strip().rpartition(" ")
    return f"{last}, {first}" if first else last


def _names(paper: Paper) -> list[str]:
    return [name for name in (readable(author) for author in paper.authors) if name]


def _doi(paper: Paper) -> str:
    """The DOI of the paper itself; that of its arXiv id says nothing new."""
    doi = paper.doi or (paper.id.removeprefix("doi:") if paper.id.startswith("doi:") else "")
    return "" if not doi or arxiv_id(doi) else _verbatim(doi)


def _url(paper: Paper) -> str:
    return _verbatim(paper.url or address(paper.id))


def _verbatim(text: str) -> str:
    """An address or DOI without what would end a BibTeX value or a line."""
    return quote(tidy(text), safe="%/:=&?~#+!$,;'@()*[]<>|")


def _escaped(text: str) -> str:
    return str(_encoder().unicode_to_latex(text))


@cache
def _encoder() -> UnicodeToLatexEncoder:
    """Only what LaTeX would take for a command is escaped: every BibTeX of today reads UTF-8."""
    from pylatexenc.latexencode import RULE_DICT, UnicodeToLatexConversionRule, UnicodeToLatexEncoder

    rule = UnicodeToLatexConversionRule(RULE_DICT, {ord(char): made for char, made in _SPECIAL.items()})
    return UnicodeToLatexEncoder(
        conversion_rules=[rule],
        replacement_latex_protection="braces-after-macro",
        unknown_char_policy="keep",
        unknown_char_warning=False,
    )
