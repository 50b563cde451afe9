"""BibTeX, and BibLaTeX as far as it is written the same way: LaTeX, braces, @string, broken entries and all."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.sources.bibliography.entry import Entry, full_day

if TYPE_CHECKING:
    from bibtexparser.model import Block

FORMAT = "bibtex"
_TIE = re.compile(r"(?<!\\)~")


def read(text: str) -> list[Entry]:
    """Every entry in its order; one that bibtexparser cannot read is `broken`, and the rest go on."""
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())  # it tells of every undefined @string
    return list(_entries(parse_string(text).blocks))


def _entries(blocks: list[Block]) -> Iterator[Entry]:
    from bibtexparser.model import DuplicateBlockKeyBlock, ParsingFailedBlock
    from bibtexparser.model import Entry as Parsed

    for block in blocks:
        # two entries under one key are two papers, or the same twice, which its id tells; bibtexparser leaves the
        # second as it is written
        again = isinstance(block, DuplicateBlockKeyBlock)
        found = block.ignore_error_block if isinstance(block, DuplicateBlockKeyBlock) else block
        if isinstance(found, Parsed):
            values = {field.key.lower(): str(field.value) for field in found.fields}
            yield _entry({key: _bare(value) for key, value in values.items()} if again else values)
        elif isinstance(found, ParsingFailedBlock):
            line = (found.start_line or 0) + 1
            yield Entry(broken=f"its BibTeX is broken (line {line}: {_first_line(found.raw or '')})")


def _entry(fields: dict[str, str]) -> Entry:
    def field(name: str) -> str:
        return _TIE.sub(" ", fields.get(name, ""))

    kind = (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").strip().lower()
    return Entry(
        title=" ".join(part for part in (field("title"), field("subtitle")) if part),
        abstract=field("abstract"),
        authors=tuple(_authors(field("author"))),
        doi=fields.get("doi", ""),
        url=_unescaped(fields.get("url", "")),
        ids=(fields.get("eprint", ""),) if kind == "arxiv" else (),
        notes=tuple(field(name) for name in ("journal", "journaltitle", "number", "note", "howpublished", "publisher")),
        day=full_day(fields.get("date", "").split("-")),
    )


def _authors(names: str) -> Iterator[str]:
    """``Lovelace, Ada and {Noether}, Emmy and others`` as ``Ada Lovelace``, ``Emmy Noether``."""
    from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names

    for name in split_multiple_persons_names(names):
        if name.strip().lower() not in ("others", "et al", "et al."):
            parts = parse_single_name_into_parts(name, strict=False)
            yield " ".join((*parts.first, *parts.von, *parts.last, *parts.jr))


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] + value[-1] in ('""', "{}") else value


def _unescaped(url: str) -> str:
    return re.sub(r"\\([_%#&~])", r"\1", url).removeprefix("\\url{").strip("{}")


def _first_line(raw: str) -> str:
    return raw.strip().partition("\n")[0][:60]
