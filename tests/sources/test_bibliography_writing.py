"""What is written for reference managers reads back as the same papers."""

from __future__ import annotations

from datetime import date

import pytest
from bibtexparser.entrypoint import parse_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model import Paper
from newsletter.sources.bibliography import read_bibliography
from newsletter.sources.bibliography.writing import bibtex, ris
from newsletter.text import readable

PAPERS = (
    Paper(
        "arxiv:2503.00001", r"50% of {Graphs} & $k$-NN_x ~ \emph{x}: a^2 #1 \\ “ü” 論文", "",
        ("Ada Lovelace", "Smith, Jr.", "Foo and Bar", "Guido van Rossum", "Émile Zola", "others"),
        "https://arxiv.org/abs/2503.00001", date(2025, 3, 1), categories=("cs.CL",),
    ),
    Paper("arxiv:2503.00002", "50% Graphs", "", ("Ada Lovelace",), "", date(2025, 3, 1)),
    Paper("arxiv:cs/0112017", "An Old One", "", ("Ada Lovelace",), "", date(2001, 12, 1), categories=("cs.LG",)),
    Paper("doi:10.1000/a_b(c)<d>", "A", "", ("Ada Lovelace",), "https://x.org/{a}\nER  - ", doi="10.1000/a_b(c)<d>"),
    Paper("title:0123456789abcdef", "}, title = {Not mine}}\n@misc{x,", "", ()),
)  # fmt: skip


@pytest.mark.parametrize(("write", "suffix"), [(bibtex, "bib"), (ris, "ris")])
def test_a_file_of_ours_reads_back(write, suffix, tmp_path):
    file = tmp_path / f"saved.{suffix}"
    file.write_text(write(PAPERS), "utf-8")
    read = read_bibliography(file)
    assert read.refused == ()
    assert [paper.id for paper in read.papers[:4]] == [paper.id for paper in PAPERS[:4]]
    assert [paper.title for paper in read.papers[:4]] == [readable(paper.title) for paper in PAPERS[:4]]
    assert [paper.published for paper in read.papers] == [paper.published for paper in PAPERS]
    assert "Guido van Rossum" in read.papers[0].authors
    assert len(read.papers) == len(PAPERS)


def test_keys_are_unique_and_tell_who_when_and_what():
    blocks = parse_string(bibtex([*PAPERS, *PAPERS])).entries
    keys = [entry.key for entry in blocks]
    assert len(set(keys)) == len(keys) == 2 * len(PAPERS)
    assert keys[:2] == ["lovelace2025graphs", "lovelace2025graphs2"]


def test_arxiv_papers_carry_their_eprint_and_their_class():
    entries = parse_string(bibtex(PAPERS)).entries
    first = {field.key: field.value for field in entries[0].fields}
    assert (first["eprint"], first["archiveprefix"], first["primaryclass"]) == ("2503.00001", "arXiv", "cs.CL")
    assert "primaryclass" not in {field.key for field in entries[2].fields}
    assert (entries[0].entry_type, entries[3].entry_type) == ("misc", "article")


def test_every_record_of_ris_begins_and_ends_and_nothing_stands_between():
    lines = [line for line in ris(PAPERS).splitlines() if line.strip()]
    assert [line[:6] for line in lines].count("TY  - ") == [line[:5] for line in lines].count("ER  -") == len(PAPERS)
    assert all(line[2:6] == "  - " for line in lines)


def test_nothing_saved_is_an_empty_file():
    assert bibtex([]).strip() == ris([]).strip() == ""


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=st.text(max_size=60),
    author=st.text(max_size=30),
    doi=st.text(alphabet=st.characters(blacklist_categories=["Zs", "Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20),
)
def test_whatever_a_paper_holds_the_others_still_read_back(title, author, doi, tmp_path):
    odd = Paper(f"doi:10.1000/{doi}", title, "", (author,), f"https://x.org/{doi}", doi=f"10.1000/{doi}")
    for write in (bibtex, ris):
        file = tmp_path / "x"
        file.write_text(write([PAPERS[1], odd, PAPERS[2]]), "utf-8", errors="ignore")
        read = {paper.id for paper in read_bibliography(file).papers}
        assert {PAPERS[1].id, PAPERS[2].id} <= read
