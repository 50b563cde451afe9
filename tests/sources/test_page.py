"""The page dump: header, date without a year, title and abstract in turn."""

from __future__ import annotations

from datetime import date

import pytest

from newsletter.sources import page, read_path

HEAD = "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAK and the research community\n\n"
PROSE = "We study a thing at length and find that it holds. " * 8


@pytest.mark.parametrize(
    ("name", "papers", "first"),
    [
        ("2025-03-13.txt", 70, "Optimizing Memory Mapping Using Deep Reinforcement Learning"),
        ("2025-03-14.txt", 61, "A Mathematical Theory of Deep Convolutional Neural Networks for Feature Extraction"),
    ],
)
def test_the_real_dumps_are_read_whole(shared, today, name, papers, first):
    (digest,) = read_path(shared / "digests/text" / name, day=None, today=today)
    assert (digest.source, digest.day, len(digest.papers), digest.refused) == (
        "page",
        date.fromisoformat(name[:10]),
        papers,
        (),
    )
    assert digest.papers[0].title == first
    assert all(len(paper.abstract) > 1000 and paper.id.startswith("title:") for paper in digest.papers)


def test_the_two_real_dumps_share_papers_under_equal_ids(shared, today):
    days = [read_path(shared / "digests/text" / f"2025-03-{n}.txt", day=None, today=today)[0] for n in (13, 14)]
    one, other = ({paper.id for paper in digest.papers} for digest in days)
    assert len(one & other) >= 5


@pytest.mark.parametrize(
    ("line", "today", "day"),
    [
        ("Mar 13", date(2025, 3, 13), date(2025, 3, 13)),
        ("Mar 13", date(2025, 3, 12), date(2024, 3, 13)),
        ("Mar 13", date(2026, 1, 2), date(2025, 3, 13)),
        ("Dec 31", date(2025, 1, 1), date(2024, 12, 31)),
        ("Feb 29", date(2027, 3, 1), date(2024, 2, 29)),
        ("March 3", date(2025, 3, 13), date(2025, 3, 3)),
        ("Mar 13, 2023", date(2025, 3, 13), date(2023, 3, 13)),
        ("Mar 32", date(2025, 3, 13), None),
        ("May", date(2025, 3, 13), None),
    ],
)
def test_a_date_without_a_year_is_the_most_recent_past_one(line, today, day):
    assert page.read(f"{HEAD}{line}\n\nTitle\n\n{PROSE}", today).day == day


def test_the_file_name_gives_the_year_where_it_has_one(write, today):
    digest = read_path(write("2019-03-13.txt", f"{HEAD}Mar 13\n\nTitle\n\n{PROSE}"), day=None, today=today)[0]
    assert digest.day == date(2019, 3, 13)


def test_an_argument_wins_over_the_name(write, today):
    path = write("2019-03-13.txt", f"{HEAD}Mar 13\n\nTitle\n\n{PROSE}")
    assert read_path(path, day=date(2020, 1, 2), today=today)[0].day == date(2020, 1, 2)


def test_a_title_without_abstract_is_refused_and_the_pairs_after_it_stay_in_step(today):
    reading = page.read(
        f"{HEAD}Mar 13\n\nOne\n\n{PROSE}\n\nLonely title\n\nTwo\n\nShort but a sentence.\n\nLast", today
    )
    assert [(p.title, p.abstract[:5]) for p in reading.papers] == [("One", "We st"), ("Two", "Short")]
    assert [(r.where, r.why) for r in reading.refused] == [
        ("item 2 (Lonely title)", "it has a title and no abstract"),
        ("item 4 (Last)", "it has a title and no abstract"),
    ]


def test_prose_without_a_title_is_refused(today):
    reading = page.read(f"{HEAD}Mar 13\n\n{PROSE}\n\nTitle\n\n{PROSE}", today)
    assert [p.title for p in reading.papers] == ["Title"]
    assert "where a title should stand" in reading.refused[0].why


def test_the_same_paper_twice_counts_once(today):
    reading = page.read(f"{HEAD}Mar 13\n\nA Title\n\n{PROSE}\n\nB\n\n{PROSE}\n\na  TITLE\n\n{PROSE}", today)
    assert [p.title for p in reading.papers] == ["A Title", "B"]
    assert reading.refused[0].why == "it is the same paper as item 1"


def test_windows_line_ends_and_lines_inside_a_paragraph_are_fine(today):
    reading = page.read(f"Mar 13\r\n\r\nA title\r\nin two lines\r\n\r\n{PROSE}".replace("holds. ", "holds.\r\n"), today)
    assert reading.papers[0].title == "A title in two lines"
    assert "  " not in reading.papers[0].abstract


def test_a_title_that_is_a_question_is_not_taken_for_an_abstract(today):
    reading = page.read(f"{HEAD}Mar 13\n\nLonely title\n\nHow Good are LLMs at Games?\n\n{PROSE}", today)
    assert [p.title for p in reading.papers] == ["How Good are LLMs at Games?"]
    assert [r.where for r in reading.refused] == ["item 1 (Lonely title)"]
