"""Exports of reference managers: every entry is a paper or a refusal with its reason, whatever the format."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from newsletter.errors import DigestError
from newsletter.identity import title_key
from newsletter.sources import read_bibliography

BIBTEX = r"""
% a comment, and text between entries is ignored
@string{neurips = "Advances in NeurIPS"}
@article{muvera, title = {{MUVERA}: {M}ulti-Vector Retrieval in $O(n^2)$ by B{\"u}chi \emph{et al.}},
  author = {Dhulipala, Laxman and {van der Berg}, Jos{\'e} and others}, journal = {arXiv preprint arXiv:2405.19504v2},
  abstract = {Vectors \& 50\% of them.}, year = 2024, month = may}
@misc{both, title = {Two~names}, eprint = {hep-th/9901001}, archivePrefix = {arXiv}, doi = {10.1145/ABC},
  booktitle = neurips}
@inproceedings{muvera, title = "The same key again", author = "Emmy Noether", date = {2024-05-30}}
@article{cut, title = {Never closed, author = {X}
@article{untitled, author = {Nobody}}
@article{other, title = {An eprint elsewhere}, eprint = {2405.00001}, eprinttype = {hal}}
"""

RIS = """TY  - JOUR
TI  - A <i>title</i> of &amp; more
AU  - Lovelace, Ada
AB  - The first line
and the second.
DO  - https://doi.org/10.1000/XYZ
DA  - 2024/05/30/
ER  -

TY  - GEN
T1  - Without its end
UR  - http://arxiv.org/abs/2405.00002v3
TY  - GEN
TI  - The last
M1  - arXiv:2405.00003
TY  - GEN
AU  - Untitled, Una
ER  -
"""

CSL = [
    {"type": "article", "title": 'From <span class="nocase">Zotero</span>', "number": "arXiv:2405.00004",
     "author": [{"given": "Ada", "family": "Lovelace"}, {"literal": "The Team"}],
     "issued": {"date-parts": [[2024, 5, 30]]}, "URL": "http://arxiv.org/abs/2405.00004", "abstract": "We do."},
    {"type": "book", "title": "A book", "issued": {"date-parts": [[2020]]}},
    {"type": "article-journal", "title": "A journal's", "DOI": "10.1000/J", "note": "see arXiv: 2405.00005 [cs]."},
    "no item",
    {"type": "article", "title": "From Zotero again", "DOI": "10.48550/arXiv.2405.00004"},
]  # fmt: skip

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:prism="http://prismstandard.org/namespaces/1.2/basic/">
 <rdf:Description rdf:about="x"><z:itemType>preprint</z:itemType>
  <bib:authors><rdf:Seq><rdf:li><foaf:Person><foaf:surname>Noether</foaf:surname><foaf:givenName>Emmy</foaf:givenName>
  </foaf:Person></rdf:li></rdf:Seq></bib:authors>
  <dc:title>Invariants</dc:title><dcterms:abstract>All of them.</dcterms:abstract><dc:date>2024-05-30</dc:date>
  <dc:identifier><dcterms:URI><rdf:value>http://arxiv.org/abs/2405.00006</rdf:value></dcterms:URI></dc:identifier>
  <dc:identifier>DOI 10.1000/INV</dc:identifier></rdf:Description>
 <z:Attachment rdf:about="y"><z:itemType>attachment</z:itemType><dc:title>PDF</dc:title></z:Attachment>
</rdf:RDF>"""


@pytest.fixture
def read(write):
    return lambda data, name="export": read_bibliography(write(name, data))


def test_bibtex_gives_every_entry_that_can_be_read(read):
    found = read(BIBTEX)
    muvera, both, again, other = found.papers
    assert muvera.id == "arxiv:2405.19504"
    assert muvera.title == "MUVERA: Multi-Vector Retrieval in O(n²) by Büchi et al."
    assert muvera.authors == ("Laxman Dhulipala", "José van der Berg")
    assert muvera.abstract == "Vectors & 50% of them."
    assert (both.id, both.doi, both.title) == ("arxiv:hep-th/9901001", "10.1145/abc", "Two names")
    assert (again.title, again.authors, again.published) == ("The same key again", ("Emmy Noether",), date(2024, 5, 30))
    assert again.id == title_key("The same key again")
    assert other.id == title_key("An eprint elsewhere")
    assert [refusal.why.partition(" (")[0] for refusal in found.refused] == ["its BibTeX is broken", "it has no title"]
    assert "@article{cut" in found.refused[0].why


def test_ris_gives_every_record_also_where_an_end_is_missing(read):
    found = read(RIS)
    first, second, third = found.papers
    assert (first.id, first.title, first.authors) == ("doi:10.1000/xyz", "A title of & more", ("Ada Lovelace",))
    assert (first.abstract, first.published) == ("The first line and the second.", date(2024, 5, 30))
    assert (second.id, third.id) == ("arxiv:2405.00002", "arxiv:2405.00003")
    assert [refusal.where for refusal in found.refused] == ["item 4"]


def test_csl_json_gives_every_item_and_one_paper_once(read):
    found = read(json.dumps(CSL))
    zotero, book, journal = found.papers
    assert (zotero.id, zotero.title, zotero.authors) == (
        "arxiv:2405.00004", "From Zotero", ("Ada Lovelace", "The Team")
    )  # fmt: skip
    assert (zotero.published, book.published) == (date(2024, 5, 30), None)
    assert book.id == title_key("A book")
    assert (journal.id, journal.doi) == ("arxiv:2405.00005", "10.1000/j")
    assert [refusal.why for refusal in found.refused] == ["it is no map of fields", "it is the same paper as item 1"]


def test_zotero_rdf_gives_items_without_their_attachments(read):
    (paper,) = read(RDF).papers
    assert (paper.id, paper.doi, paper.title) == ("arxiv:2405.00006", "10.1000/inv", "Invariants")
    assert (paper.authors, paper.abstract, paper.published) == (("Emmy Noether",), "All of them.", date(2024, 5, 30))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_old_encodings_and_line_ends_are_read(read, encoding):
    text = "@article{a,\r\n title = {Über Größe},\r\n author = {Noether, Emmy}\r\n}\r\n"
    assert read(text.encode(encoding)).papers[0].title == "Über Größe"
    assert read(gzip.compress(text.encode(encoding)), "export.bib.gz").papers[0].title == "Über Größe"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "it is empty"),
        ("  \n ", "it is empty"),
        ("[]", "it is empty"),
        ("# a README\n\nwith some text", "it is no bibliography"),
        (b"\x7fELF\x00\x00\xff", "it is a binary file"),
        ('{"id": "2405.00001", "title": "A digest"}', "its JSON is not CSL JSON"),
        ('[{"title": "cut', "its JSON is broken"),
        ("[" * 100_000, "its JSON is nested too deeply"),
        ("<html><body>Sign in</body></html>", "its XML is not Zotero RDF"),
        ("<rdf", "its XML is broken"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "declares entities"),
        ("@comment{only this}", "it has no entries"),
        (b"\x1f\x8b\x08\x00", "gzip data is cut off"),
    ],
)
def test_what_is_no_bibliography_is_an_error_that_says_so(read, data, why):
    with pytest.raises(DigestError, match=why):
        read(data)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DigestError, match="No such file"):
        read_bibliography(tmp_path / "none.bib")
    with pytest.raises(DigestError, match="directory"):
        read_bibliography(tmp_path)


def test_overlong_fields_are_cut_or_refused(read):
    found = read(
        json.dumps([{"type": "book", "title": "t" * 1001}, {"type": "book", "title": "b", "abstract": "a " * 20_000}])
    )
    assert "1,001 characters" in found.refused[0].why
    assert 19_990 < len(found.papers[0].abstract) <= 20_000


def test_a_bare_number_in_a_note_is_no_arxiv_id(read):
    found = read(json.dumps([{"type": "book", "title": "T", "note": "2405.00001 pages, see arxiv.org for more"}]))
    assert found.papers[0].id == title_key("T")


def test_five_thousand_entries_are_read(read):
    entries = "".join(
        f"@article{{k{n}, title={{Paper {n} on {{K}}nots}}, eprint={{2405.{n:05}}}}}\n" for n in range(5000)
    )
    found = read(entries)
    assert (len(found.papers), found.refused) == (5000, ())
