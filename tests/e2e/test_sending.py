"""Sending as the operator does it: once to everyone, a test to oneself, and by the clock."""

from __future__ import annotations

import email
import email.policy
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

DAY = "2025-03-13"
pytestmark = pytest.mark.slow


def to_port(box) -> dict[str, str]:
    return {"NEWSLETTER_SMTP__PORT": str(box.port)}


def wait_until(true: Callable[[], object], *, seconds: float = 90) -> None:
    """Return as soon as `true` is; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def test_everyone_gets_one_letter_however_often_it_is_sent(prepared, smtp):
    for _ in range(2):
        prepared.done("send", "--date", DAY, environment=to_port(smtp))
    assert sorted(message.recipient for message in smtp.messages) == ["ada@example.org", "emmy@example.org"]
    counts = prepared.status(DAY)
    assert counts["sent"] == counts["total"] == 2


def test_only_names_who_gets_a_letter(prepared, smtp):
    prepared.done("send", "--date", DAY, "--only", "emmy", environment=to_port(smtp))
    assert [message.recipient for message in smtp.messages] == ["emmy@example.org"]


def test_the_one_off_test_leaves_the_ledger_alone_and_says_so(prepared, smtp):
    said = prepared.done("send", "--date", DAY, "--only", "ada", "--to", "me@example.org", environment=to_port(smtp))
    assert "ledger was not touched" in said
    assert prepared.status(DAY)["total"] == 0
    (message,) = smtp.messages
    parsed = email.message_from_bytes(message.data, policy=email.policy.default)
    assert message.recipient == parsed["To"] == "me@example.org"
    assert parsed["Subject"].startswith("[Test]")


def test_a_test_of_a_planned_letter_loads_nothing_heavy(prepared, tmp_path):
    """DESIGN: a test send of a prepared edition loads neither bertopic nor scikit-learn."""
    prepared.done("send", "--date", DAY, "--outbox", tmp_path / "out")
    log = prepared.run(
        "send",
        "--date",
        DAY,
        "--only",
        "ada",
        "--to",
        "me@example.org",
        "--outbox",
        tmp_path / "test",
        environment={"PYTHONPROFILEIMPORTTIME": "1"},
    )
    assert log.returncode == 0, log.stderr
    loaded = {line.rpartition("|")[2].strip() for line in log.stderr.splitlines() if line.startswith("import time:")}
    assert "newsletter.mail.outbox" in loaded  # the log of imports was written
    assert not loaded & {"bertopic", "umap", "sklearn", "pandas", "numba", "scipy"}


def test_no_reader_gets_a_paper_twice(prepared, tmp_path):
    """Ten papers of the first day come again on the second, as newer versions; nobody reads them again."""
    prepared.done("send", "--date", DAY, "--outbox", tmp_path / "out")
    first = {pick["id"] for pick in prepared.json("rank", "ada", "--date", DAY)}
    again = (
        prepared.digest(DAY, 10)
        .read_text()
        .replace('"id": "2503.', '"id": "arXiv:2503.')
        .replace('", "title"', 'v2", "title"')
    )
    fresh = prepared.digest("2025-03-14", 12)
    fresh.write_text(fresh.read_text() + again)
    taken = prepared.json("fetch", "--from", fresh)[0]
    assert (taken["new"], taken["known"]) == (12, 10)
    second = {pick["id"] for pick in prepared.json("rank", "ada", "--date", "2025-03-14")}
    assert second
    assert not first & second


def test_the_same_input_gives_the_same_letter(prepared, tmp_path):
    for name in ("one", "two"):
        prepared.done(
            "preview",
            "ada",
            "--date",
            DAY,
            "--out",
            tmp_path / name,
            environment={"NEWSLETTER_NOW": "2025-03-13T07:00:00+00:00"},
        )
    for suffix in ("html", "txt", "eml"):
        assert (tmp_path / f"one/ada.{suffix}").read_bytes() == (tmp_path / f"two/ada.{suffix}").read_bytes()


def test_the_service_fetches_sends_at_the_readers_time_and_stops_cleanly(house, smtp):
    """A reader whose time was a minute ago gets today's letter; a profile that changes then is read without restart."""
    now = datetime.now(UTC)
    (house.folder / "digests").mkdir()
    house.digest(f"{now:%Y-%m-%d}", 20).rename(house.folder / "digests" / f"{now:%Y-%m-%d}.jsonl")
    (house.config / "newsletter.yaml").write_text(
        "from: Papers <papers@example.org>\n"
        "sources: [{name: page, kind: folder, path: ../digests}]\n"
        "schedule: {fetch_at: '00:00', timezone: UTC}\n"
        f"smtp: {{host: 127.0.0.1, security: none, port: {smtp.port}}}\n"
    )
    due = (now - timedelta(minutes=1)).strftime("%H:%M") if now.hour or now.minute else "00:00"
    profile = "email: {0}@example.org\ndays: daily\ntimezone: UTC\nsend_at: '{1}'\ninterests: [graph retrieval]\n"
    house.subscriber("ada", profile.format("ada", due))
    house.subscriber("later", profile.format("later", "23:59") + "pause_until: 2999-01-01\n")
    service = subprocess.Popen(
        [house.command, "--config", house.config, "run"],
        env=house.environment, cwd=house.folder, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until(lambda: smtp.messages)
        assert [message.recipient for message in smtp.messages] == ["ada@example.org"]
        second = house.run("run")
        assert second.returncode == 2
        assert "already at work" in second.stderr
        house.subscriber("bob", profile.format("bob", due))
        wait_until(lambda: len(smtp.messages) == 2)
        assert smtp.messages[1].recipient == "bob@example.org"
    finally:
        service.send_signal(signal.SIGTERM)
        _, said = service.communicate(timeout=60)
    assert service.returncode == 0, said
    assert "Stopped" in said
    assert house.status(f"{now:%Y-%m-%d}")["sent"] == 2
