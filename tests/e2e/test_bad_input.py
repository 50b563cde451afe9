"""Bad input gets a clear error, the right exit status, and nothing is lost."""

from __future__ import annotations

import gzip
import json
import re
import resource
import sqlite3
from pathlib import Path

import pytest

DAY = "2025-03-13"
HOSTILE = {
    "script": "<script>alert(1)</script> Learning",
    "mjml": "</mj-text><mj-button>Click</mj-button> Networks",
    "jinja": "{{ 7 * 7 }} {% raw %} Attention {# hidden #}",
    "ampersand": "Q&A &amp; R&D <b>",
    "latex": r"Solving $\alpha^2 + \beta$ with \textbf{bold} methods",
    "rtl": "تعلم عميق للرسوم البيانية",
    "emoji": "🚀 Rockets 👩‍🔬 in Flight",
    "breaks": "Line\r\nBcc: victim@example.org\x00 break",
}


def one_paragraph(ran) -> str:
    """What stderr says, which must be one paragraph for a person and no traceback."""
    said = ran.stderr.strip()
    assert said.startswith("newsletter: "), said
    assert "Traceback" not in said
    assert "\n\n" not in said
    return said


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.txt", b"", "empty"),
        ("binary.bin", bytes(range(256)) * 20, "not"),
        ("cut.json", b'[{"paper": {"id": "2503.00001", "title": "A", "summ', "JSON"),
        ("cut.xml", b"<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A", "XML"),
        ("cut.json.gz", gzip.compress(b'[{"paper": {"id": "2503.00001"}}]' * 50, mtime=0)[:40], "gzip"),
    ],
)
def test_an_unreadable_digest_is_refused_and_the_archive_stays_empty(house, tmp_path, name, content, why):
    path = tmp_path / name
    path.write_bytes(content)
    ran = house.run("fetch", "--from", path)
    assert ran.returncode == 1
    said = one_paragraph(ran)
    assert name in said
    assert why.lower() in said.lower()
    assert house.run("status").returncode == 1  # there is no edition yet


def test_a_missing_file_is_named(house, tmp_path):
    ran = house.run("fetch", "--from", tmp_path / "nowhere.json")
    assert ran.returncode == 1
    assert "nowhere.json" in one_paragraph(ran)


def test_a_title_without_an_abstract_is_refused_and_the_rest_goes_on(house):
    path = house.digest(DAY, 3)
    path.write_text(path.read_text() + json.dumps({"id": "2503.99999", "title": "Alone"}) + "\n")
    ran = house.run("fetch", "--from", path)
    assert ran.returncode == 0
    assert "3 new papers" in ran.stdout
    assert "abstract" in ran.stderr
    assert "Alone" in ran.stderr or "line 4" in ran.stderr or "2503.99999" in ran.stderr


def test_a_digest_far_smaller_than_usual_is_refused_until_forced(house):
    for day in ("2025-03-10", "2025-03-11", "2025-03-12"):
        house.done("fetch", "--from", house.digest(day, 20))
    small = house.digest(DAY, 2)
    ran = house.run("fetch", "--from", small)
    assert ran.returncode == 1
    assert "2 papers" in ran.stderr
    assert "usually about 20" in ran.stderr
    assert "--force" in ran.stderr
    assert house.json("fetch", "--from", small, "--force")[0]["new"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_title_is_shown_as_text_and_sent(prepared, tmp_path, kind):
    prepared.done(
        "fetch",
        "--from",
        prepared.digest(DAY, 1, first=50, title=f"{HOSTILE[kind]} graph retrieval", authors=["A"] * 300),
    )
    prepared.done("send", "--date", DAY, "--outbox", tmp_path / "out")
    assert prepared.status(DAY)["sent"] == 2
    prepared.done("preview", "ada", "--date", DAY, "--out", tmp_path / "seen")
    html = (tmp_path / "seen/ada.html").read_text()
    assert "<script" not in html
    assert "<mj-" not in html
    eml = (tmp_path / "seen/ada.eml").read_bytes()
    head = eml.partition(b"\r\n\r\n")[0]
    assert b"\0" not in eml
    assert len(re.findall(rb"(?mi)^bcc:", head)) == 0


@pytest.mark.slow
def test_without_profiles_nothing_is_sent_and_the_command_says_so(prepared, tmp_path):
    for file in (prepared.config / "subscribers").iterdir():
        file.unlink()
    ran = prepared.run("send", "--date", DAY, "--outbox", tmp_path / "out")
    assert ran.returncode == 2
    assert "subscribers" in one_paragraph(ran)
    assert prepared.status(DAY)["total"] == 0


@pytest.mark.slow
def test_a_broken_profile_keeps_nobody_else_from_their_letter(prepared, tmp_path):
    prepared.subscriber("emmy", "email: emmy@example.org\nintrests: [x]\n")
    ran = prepared.run("send", "--date", DAY, "--outbox", tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    assert "interests" in ran.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == [f"daily-{DAY}-ada.eml"]


@pytest.mark.slow
def test_with_smtp_down_every_letter_waits_and_goes_out_later(prepared, smtp):
    down = prepared.run("send", "--date", DAY)
    assert down.returncode == 1
    assert "No letter is lost" in down.stderr
    counts = prepared.status(DAY)
    assert counts["planned"] == counts["total"] == 2
    prepared.done("send", "--date", DAY, environment={"NEWSLETTER_SMTP__PORT": str(smtp.port)})
    assert sorted(message.recipient for message in smtp.messages) == ["ada@example.org", "emmy@example.org"]
    assert prepared.status(DAY)["sent"] == 2


@pytest.mark.slow
def test_a_locked_database_is_reported_and_nothing_is_half_done(prepared):
    database = sqlite3.connect(prepared.folder / "data" / "newsletter.db")
    database.execute("BEGIN EXCLUSIVE")
    try:
        ran = prepared.run("fetch", "--from", prepared.digest("2025-03-14", 20))
    finally:
        database.rollback()
        database.close()
    assert ran.returncode == 1
    assert "locked" in one_paragraph(ran)
    assert prepared.json("fetch", "--from", prepared.folder / "2025-03-14.jsonl")[0]["new"] == 20


def _small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))


@pytest.mark.slow
def test_a_full_disk_is_reported_and_the_archive_stays_whole(house):
    path = house.digest(DAY, 900, abstract="We measure a great many things. " * 60)
    full = house.run("fetch", "--from", path, preexec_fn=_small_files)
    assert full.returncode == 1
    assert "full" in one_paragraph(full) or "space" in full.stderr
    assert house.json("fetch", "--from", path)[0]["new"] == 900


def test_wrong_usage_has_status_2(house):
    assert house.run("nonsense").returncode == 2
    assert house.run("rank").returncode == 2
    assert house.run("fetch", "--date", "13.3.2025").returncode == 2
    assert house.run("fetch", "--source", "nobody").returncode == 2


@pytest.mark.slow
def test_an_unknown_subscriber_gets_the_nearest_name(prepared):
    ran = prepared.run("rank", "adda", "--date", DAY)
    assert ran.returncode == 2
    assert "ada" in one_paragraph(ran)


def test_a_second_copy_of_an_address_is_named_with_its_place(house):
    house.subscriber("bob", "email: ADA@example.org\n")
    ran = house.run("check")
    assert ran.returncode == 2
    assert "bob.yaml:1:" in ran.stderr
    assert "ada.yaml" in ran.stderr


def test_the_database_of_another_program_is_left_alone(house, tmp_path):
    other = house.folder / "data" / "newsletter.db"
    other.parent.mkdir()
    other.write_bytes(b"this is no database, but somebody's notes\n" * 100)
    before = other.read_bytes()
    ran = house.run("fetch", "--from", house.digest(DAY, 2))
    assert ran.returncode == 1
    assert "newsletter.db" in one_paragraph(ran)
    assert Path(other).read_bytes() == before
