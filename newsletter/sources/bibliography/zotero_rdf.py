"""Zotero RDF: the export that Zotero itself reads again."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from newsletter.sources import xml_document
from newsletter.sources.bibliography.entry import Entry, full_day

FORMAT = "zotero-rdf"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_BIB = "{http://purl.org/net/biblio#}"
_FOAF = "{http://xmlns.com/foaf/0.1/}"
_PRISM = "{http://prismstandard.org/namespaces/1.2/basic/}"
_ZOTERO = "{http://www.zotero.org/namespaces/export#}"
_BESIDES = {"attachment", "note", "annotation"}  # what hangs on an item


def read(text: str) -> list[Entry] | str:
    """Every item in its order; a string says why the XML is no Zotero RDF."""
    root = xml_document.parse(text)
    if isinstance(root, str):
        return root
    if root.tag != f"{_RDF}RDF":
        return "its XML is not Zotero RDF"
    return [_entry(item) for item in root if _is_item(item)]


def _is_item(item: Element) -> bool:
    kind = item.findtext(f"{_ZOTERO}itemType")
    return kind is not None and kind not in _BESIDES


def _entry(item: Element) -> Entry:
    identifiers = [e.text or "" for e in item.iterfind(f"{_DC}identifier")]
    urls = [e.text or "" for e in item.iterfind(f"{_DC}identifier/{_DCTERMS}URI/{_RDF}value")]
    # a journal's article has its DOI beside the journal's own fields
    nested = [e.text or "" for e in item.iterfind(f".//{_BIB}Journal/{_DC}identifier")]
    dois = [text.removeprefix("DOI ") for text in (*identifiers, *nested) if text.startswith("DOI ")]
    return Entry(
        title=item.findtext(f"{_DC}title") or "",
        abstract=item.findtext(f"{_DCTERMS}abstract") or "",
        authors=tuple(_name(person) for person in item.iterfind(f"{_BIB}authors/{_RDF}Seq/{_RDF}li/{_FOAF}Person")),
        doi=next(iter(dois), ""),
        url=next(iter(urls), ""),
        ids=tuple(urls),
        notes=(item.findtext(f"{_PRISM}number") or "", item.findtext(f"{_DC}description") or "", *identifiers),
        day=full_day((item.findtext(f"{_DC}date") or "").split("-")),
    )


def _name(person: Element) -> str:
    parts = (person.findtext(f"{_FOAF}{part}") for part in ("givenName", "surname"))
    return " ".join(part for part in parts if part)
