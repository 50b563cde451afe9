"""Files and folders: whose day it is, and that one bad file stops nothing."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from newsletter.errors import DigestError
from newsletter.sources import read_path
from newsletter.sources.files import named_day

LINE = json.dumps({"title": "T", "abstract": "A."})


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2025-03-13.jsonl", date(2025, 3, 13)),
        ("digest_2025_03_13.json.gz", date(2025, 3, 13)),
        ("20250313.txt", date(2025, 3, 13)),
        ("hep-ex_2018-05-23.rss10_rdf.xml", date(2018, 5, 23)),
        ("2025-13-45_2025-01-02.json", date(2025, 1, 2)),
        ("q_testing_s0_m100_42e5aa0ec3af.xml", None),
        ("1234567890.json", None),
        ("papers.json", None),
    ],
)
def test_the_day_in_a_name(name, day):
    assert named_day(name) == day


def test_content_decides_the_format_and_names_lie(write, today):
    """A page dump called .json, JSON called .txt, gzip without .gz, and .gz without gzip."""
    prose = "It is long. " * 40
    assert read_path(write("a.json", f"Mar 13\n\nT\n\n{prose}"), day=None, today=today)[0].source == "page"
    assert read_path(write("a.txt", LINE), day=None, today=today)[0].source == "jsonl"
    assert read_path(write("b.json", gzip.compress(LINE.encode())), day=None, today=today)[0].source == "jsonl"
    assert read_path(write("c.json.gz", LINE), day=None, today=today)[0].source == "jsonl"
    assert read_path(write("d", LINE.encode("utf-16")), day=None, today=today)[0].source == "jsonl"
    assert read_path(write("e", b"\xef\xbb\xbf" + LINE.encode()), day=None, today=today)[0].source == "jsonl"


def test_without_any_date_a_file_is_of_today(write, today):
    assert read_path(write("papers.jsonl", LINE), day=None, today=today)[0].day == today


def test_a_folder_gives_a_digest_per_file_oldest_first_and_says_which_could_not_be_read(write, tmp_path, today):
    write("2025-03-14.jsonl", LINE)
    write("2025-03-13.txt", "nothing")
    write("2025-03-12.json.gz", gzip.compress(f"[{LINE}]".encode()))
    write(".hidden", "x")
    (tmp_path / "inner").mkdir()
    digests = read_path(tmp_path, day=None, today=today)
    assert [(d.day.day, len(d.papers)) for d in digests] == [(12, 1), (13, 0), (14, 1)]
    assert [(r.where, r.why) for r in digests[1].refused] == [
        ("2025-03-13.txt", "it is neither a page dump nor JSON, JSON Lines, Atom or RSS")
    ]


def test_of_a_folder_a_day_chooses_its_own_files_and_the_undated(write, tmp_path, today):
    for name in ("2025-03-13.jsonl", "2025-03-14.jsonl", "extra.jsonl"):
        write(name, LINE)
    digests = read_path(tmp_path, day=date(2025, 3, 13), today=today)
    assert [d.day for d in digests] == [date(2025, 3, 13)] * 2


@pytest.mark.parametrize(
    ("files", "day", "why"),
    [
        ({}, None, "it holds no files"),
        ({"2025-03-13.jsonl": LINE}, date(2025, 3, 14), "it holds no digest of 2025-03-14"),
        ({"a.txt": "", "b.txt": "x"}, None, "none of its 2 files could be read; a.txt: it is empty"),
    ],
)
def test_a_folder_without_a_digest_is_an_error(write, tmp_path, files, day, why):
    for name, data in files.items():
        write(name, data)
    with pytest.raises(DigestError) as caught:
        read_path(tmp_path, day=day, today=date(2026, 1, 1))
    assert caught.value.why == why


def test_a_path_that_is_not_there_is_an_error(tmp_path, today):
    with pytest.raises(DigestError, match="no such file"):
        read_path(tmp_path / "missing.json", day=None, today=today)


def test_a_refusal_names_file_and_item(write, today):
    (digest,) = read_path(write("d.jsonl", LINE + '\n{"title": "Lonely"}'), day=None, today=today)
    assert [r.where for r in digest.refused] == ["d.jsonl, item 2 (Lonely)"]
