"""What a language model wrote of papers: kept by model and version, for papers that the archive knows."""

from __future__ import annotations

from datetime import date

from newsletter.model import Digest
from newsletter.store import archive
from newsletter.store.summaries import get_summaries, put_summaries


def test_summaries_are_kept_by_writer_and_found_under_any_name(store, make_paper):
    papers = (make_paper(1, doi="10.1000/one"), make_paper(2))
    archive.add_digest(store, Digest("page", date(2025, 3, 13), papers))
    assert put_summaries(store, "m 1", {papers[0].id: ("They count.", "It is one."), "arxiv:0000.00000": ("x",)}) == 1
    assert get_summaries(store, "m 1", ["doi:10.1000/one", papers[1].id]) == {
        "doi:10.1000/one": ("They count.", "It is one.")
    }
    assert get_summaries(store, "m 2", [papers[0].id]) == {}
    put_summaries(store, "m 1", {papers[0].id: ("Again.",)})
    assert get_summaries(store, "m 1", [papers[0].id]) == {papers[0].id: ("Again.",)}
    assert put_summaries(store, "m 1", {}) == 0
