"""Bibliographies of reference managers become papers: BibTeX, RIS, CSL JSON, Zotero RDF, told apart by the content.

bytes -> text -> one module per format -> Entry* -> Paper | Refusal -> Reading
"""

from __future__ import annotations

import re
from pathlib import Path

from newsletter.errors import DigestError
from newsletter.sources import content
from newsletter.sources.bibliography.entry import gather
from newsletter.sources.reading import Reading

__all__ = ["read_bibliography"]

_RIS = re.compile(r"^TY {1,2}- ", re.MULTILINE)
_BIBTEX = re.compile(r"^\s*@\s*[A-Za-z]+\s*[{(]", re.MULTILINE)
_KNOWN = "BibTeX, RIS, CSL JSON and Zotero RDF are read"


def read_bibliography(path: Path) -> Reading:
    """The papers of a reference manager's export, and what could not be read, item by item; raises DigestError."""
    try:
        with path.open("rb") as file:
            data = file.read(content.BYTES_MAX + 1)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error), "Check the path") from error
    read = _read(data)
    if isinstance(read, str):
        raise _unusable(path, read, f"Export it once more; {_KNOWN}")
    if not read.papers and not read.refused:
        raise _unusable(path, "it has no entries", f"Export it once more; {_KNOWN}")
    return read


def _unusable(path: Path, why: str, do: str) -> DigestError:
    return DigestError("Cannot read the bibliography", which=str(path), why=why, do=do)


def _read(data: bytes) -> Reading | str:
    opened = content.unpack(data)
    if isinstance(opened, str):
        return opened
    text = content.decode(opened)
    if text is None or "\0" in text:
        if b"\0" in opened:
            return "it is a binary file, not text"
        text = opened.decode("cp1252", "replace")  # what reference managers wrote before UTF-8
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return _read_text(text) if text else "it is empty"


def _read_text(text: str) -> Reading | str:
    from newsletter.sources.bibliography import bibtex, csl_json, ris, zotero_rdf

    if text[0] in "[{":
        found, name = csl_json.read(text), csl_json.FORMAT
    elif text[0] == "<":
        found, name = zotero_rdf.read(text), zotero_rdf.FORMAT
    elif _RIS.search(text):
        found, name = ris.read(text), ris.FORMAT
    elif _BIBTEX.search(text):
        found, name = bibtex.read(text), bibtex.FORMAT
    else:
        return "it is no bibliography"
    return found if isinstance(found, str) else gather(name, found)
