"""arXiv's Atom answers, and which submissions a morning's letter carries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from newsletter.sources import arxiv, read_path, xml_document


@pytest.mark.parametrize(
    ("name", "papers"),
    [
        ("id_0808.05394_1707.08567_s0_m100_42e5aa0ec3af", 1),
        ("id_quant-ph_0201082v1_s0_m100_86989fe779ef", 1),
        ("q_testing_s0_m10_bc5a6c384fe9", 10),
        ("q_testing_s5_m15_bbcf6b23085b", 15),
    ],
)
def test_recorded_answers_are_read_whole(shared, today, name, papers):
    (digest,) = read_path(shared / f"payloads/arxiv_api_atom/{name}.http200.xml", day=None, today=today)
    assert (digest.source, digest.day, len(digest.papers), digest.refused) == ("arxiv", date(2026, 4, 12), papers, ())


def test_the_facts_of_an_entry_arrive_and_the_version_goes(shared, today):
    folder = shared / "payloads/arxiv_api_atom"
    (paper,) = read_path(folder / "id_quant-ph_0201082v1_s0_m100_86989fe779ef.http200.xml", day=None, today=today)[
        0
    ].papers
    assert paper.id == "arxiv:quant-ph/0201082"
    assert paper.url == "https://arxiv.org/abs/quant-ph/0201082v1"
    assert paper.pdf == "https://arxiv.org/pdf/quant-ph/0201082v1"
    assert paper.published == date(2002, 1, 18)
    assert paper.categories == ("quant-ph", "cs.PL")
    assert paper.authors
    assert not paper.abstract.startswith(" ")


def test_an_error_entry_is_refused_in_arxivs_words():
    answer = """<feed xmlns="http://www.w3.org/2005/Atom"><id>http://arxiv.org/api/x</id><entry>
      <id>http://arxiv.org/api/errors#incorrect_id_format_for_abc</id><title>Error</title>
      <summary>incorrect id format for abc</summary></entry></feed>"""
    reading = xml_document.read(answer)
    assert reading.papers == ()
    assert reading.refused[0].why == "arXiv answered with an error: incorrect id format for abc"


@pytest.mark.parametrize(
    ("mail_day", "start", "end"),
    [
        ("2025-03-17", "2025-03-13T18", "2025-03-14T18"),  # Monday: announced Sunday, submitted Thursday to Friday
        ("2025-03-18", "2025-03-14T18", "2025-03-17T18"),  # Tuesday: Friday to Monday
        ("2025-03-19", "2025-03-17T18", "2025-03-18T18"),
        ("2025-03-20", "2025-03-18T18", "2025-03-19T18"),
        ("2025-03-21", "2025-03-19T18", "2025-03-20T18"),
        ("2025-01-15", "2025-01-13T19", "2025-01-14T19"),  # Eastern standard time
        ("2025-03-11", "2025-03-07T19", "2025-03-10T18"),  # over the change of clocks
    ],
)
def test_a_morning_carries_what_was_announced_the_evening_before(mail_day, start, end):
    window = arxiv.submission_window(date.fromisoformat(mail_day))
    assert window == tuple(datetime.strptime(t, "%Y-%m-%dT%H").replace(tzinfo=UTC) for t in (start, end))


def test_the_windows_of_consecutive_days_neither_overlap_nor_leave_a_gap():
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(400)]
    windows = [w for day in days if (w := arxiv.submission_window(day))]
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    assert [day for day in days if arxiv.submission_window(day) is None] == [
        day for day in days if day.isoweekday() > 5
    ]


def test_the_query_names_categories_and_window():
    window = arxiv.submission_window(date(2025, 3, 19))
    assert (
        arxiv.query(("cs.CL", "cs.IR"), window)
        == "(cat:cs.CL OR cat:cs.IR) AND submittedDate:[202503171800 TO 202503181759]"
    )
