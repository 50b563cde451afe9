"""Senders that are killed, stopped, doubled, or out of disk: nobody gets two letters, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from misbehaving import Do, Misbehaving, serving

from newsletter import pipeline
from newsletter.errors import DeliveryError
from newsletter.pipeline.crew import crew

DAY = "2025-03-13"
READERS = 12
AT = "2025-03-13T07:30:00+00:00"
COMMAND = Path(sys.executable).parent / "newsletter"
pytestmark = pytest.mark.slow


def slow_server(seconds: float) -> AbstractContextManager[Misbehaving]:
    """A server that takes its time over each letter."""
    return serving(Misbehaving({"dot": Do("250 2.0.0 queued", wait=seconds)}))


def start(house: Any, server: Any, **more: str) -> subprocess.Popen[str]:
    environment = {
        **house.environment,
        "NEWSLETTER_NOW": AT,
        "NEWSLETTER_SMTP__PORT": str(server.port),
        "NEWSLETTER_SMTP__CONNECTIONS": "1",
        **more,
    }
    return subprocess.Popen(
        [COMMAND, "--config", house.config, "send", "--date", DAY],
        env=environment, cwd=house.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(sender: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = sender.communicate(timeout=120)
    return sender.returncode, said


def copies(server: Any) -> Counter[str]:
    return Counter(rcpt for _, rcpt, _ in server.accepted)


def wait_for(server: Any, letters: int, sender: subprocess.Popen[str]) -> None:
    """Until the server has taken so many."""
    while len(server.accepted) < letters:
        assert sender.poll() is None, sender.communicate()
        time.sleep(0.01)


def test_two_senders_at_once_share_the_letters(planned):
    with slow_server(0.05) as server:
        senders = [start(planned, server) for _ in range(2)]
        for _, said in map(ended, senders):
            assert "Traceback" not in said
        assert ended(start(planned, server))[0] == 0
    assert len(copies(server)) == READERS
    assert set(copies(server).values()) == {1}
    assert planned.status(DAY)["sent"] == READERS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sender_asked_to_stop_finishes_what_it_began(planned, number):
    """What is under way is settled, the rest stays planned: nothing is uncertain."""
    with slow_server(0.2) as server:
        sender = start(planned, server)
        wait_for(server, 2, sender)
        sender.send_signal(number)
        status, said = ended(sender)
        counts = planned.status(DAY)
        assert (status, "planned: newsletter send" in said) == (1, True), said
        assert counts["uncertain"] == counts["sending"] == 0
        assert 2 <= counts["sent"] == len(server.accepted) < READERS
        assert counts["planned"] == READERS - counts["sent"]
        assert ended(start(planned, server))[0] == 0
    assert set(copies(server).values()) == {1}
    assert planned.status(DAY)["sent"] == READERS


def test_a_sender_that_is_killed_leaves_one_letter_uncertain_at_most(planned):
    """kill -9 while the server ponders: that letter may have arrived, so nobody sends it again."""
    with slow_server(0.2) as server:
        sender = start(planned, server)
        wait_for(server, 2, sender)
        sender.kill()
        ended(sender)
        time.sleep(0.5)
        status, said = ended(start(planned, server))
    counts = planned.status(DAY)
    assert counts["sent"] + counts["uncertain"] == READERS
    assert counts["uncertain"] <= 2  # the one at the server, and the one whose answer was not written down
    assert (status, "uncertain: the server may have" in said) == (1, True)
    assert set(copies(server).values()) == {1}
    assert len(copies(server)) >= counts["sent"]


@pytest.mark.parametrize("limit", [30_000, 60_000, 90_000])
def test_what_cannot_be_written_down_is_not_sent(planned, limit):
    """A full disk (file-size limit) stops before the dot; with room again, everybody else gets their letter, once."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with slow_server(0) as server:
        environment = {"NEWSLETTER_NOW": AT, "NEWSLETTER_SMTP__PORT": str(server.port)}
        full = planned.run("send", "--date", DAY, environment=environment, preexec_fn=small_files)
        assert full.returncode == 1
        assert "full" in full.stderr
        assert "Traceback" not in full.stderr
        before = len(server.accepted)
        planned.run("send", "--date", DAY, environment=environment)
    counts = planned.status(DAY)
    assert set(copies(server).values()) == {1}
    assert counts["sent"] + counts["uncertain"] == counts["total"] == READERS
    assert len(server.accepted) >= counts["sent"]
    assert counts["uncertain"] <= before + 5  # one for each connection, and those whose answer could not be written


def test_kills_at_random_moments_lose_and_double_nothing(root):
    """Ten of benchmarks/kill.py's runs."""
    ran = subprocess.run(
        [sys.executable, root / "benchmarks" / "kill.py", "--runs", "10", "--seed", "7"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    counted = json.loads(ran.stdout)
    assert (counted["runs"], counted.get("lost", 0), counted.get("doubled", 0)) == (10, 0, 0)
    assert counted["neither"] == 0


def test_many_letters_are_sealed_by_other_processes_which_leave_with_their_leader(planned_folder, tmp_path):
    """Six hundred letters: a crew of processes; when the sender is killed, none of them stays."""
    import shutil

    script = tmp_path / "send.py"
    script.write_text(_MANY)
    shutil.copytree(planned_folder, tmp_path / "house")
    with slow_server(0.01) as server:
        sender = subprocess.Popen(
            [sys.executable, script, tmp_path / "house", str(server.port)], stdout=subprocess.PIPE, text=True
        )
        wait_for(server, 5, sender)
        children = descendants(sender.pid)
        sender.kill()
        sender.communicate(timeout=60)
        end = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < end, "a process of the crew outlived the sender"
            time.sleep(0.1)
    assert len(children) > os.cpu_count()  # the crew, and the server that forks them
    assert set(copies(server).values()) == {1}


def descendants(process: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(pid): int(parent) for pid, parent in map(str.split, found.stdout.splitlines())}
    return [pid for pid in parents if process in _ancestors(pid, parents)]


def _ancestors(process: int, parents: dict[int, int]) -> Iterator[int]:
    while process := parents.get(process, 0):
        yield process


def test_other_processes_write_and_seal_the_same_letters(planned):
    """However many work at it: the same readers, the same bytes; the end of one of them is an error one can read."""
    now = datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
    with pipeline.open_workspace(planned.config, planned.environment) as workspace:
        edition, readers = pipeline.prepare(workspace, now.date()), pipeline.readers(workspace)
        ids = [row.id for row in pipeline.deliveries(workspace, now.date())]
        fresh = replace(edition, id="daily/2025-03-13-again")
        with crew(workspace, 0) as alone, crew(workspace, 10_000) as many:
            assert (alone.hands, many.hands) == (0, os.cpu_count())
            assert asyncio.run(many.seal(ids, now)) == asyncio.run(alone.seal(ids, now))
            crowd = [replace(reader, name=f"{reader.name}-{n}") for n in range(90) for reader in readers]
            rows = [[row for one in some.freeze(fresh, crowd) for row in one.rows] for some in (many, alone)]
            assert rows[0] == rows[1]
            for process in many.executor._processes.values():
                process.kill()
            with pytest.raises(DeliveryError, match="still planned"):
                asyncio.run(many.seal(ids, now))


_MANY = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from newsletter import pipeline

def main():
    folder, port = sys.argv[1:]
    environ = {"NEWSLETTER_DATA": folder + "/data"}
    environ |= {"NEWSLETTER_SMTP__PORT": port, "NEWSLETTER_SMTP__RATE_PER_SECOND": "9999"}
    at = datetime(2025, 3, 13, 7, 30, tzinfo=UTC)
    from pathlib import Path
    with pipeline.open_workspace(Path(folder) / "config", environ) as workspace:
        edition = pipeline.prepare(workspace, at.date())
        ada = pipeline.readers(workspace)[0]
        many = [replace(ada, name=f"m{n}", email=f"m{n}@example.org") for n in range(600)]
        pipeline.plan(workspace, edition, many, at=at)
        pipeline.deliver(workspace, edition.id, clock=lambda: at)

if __name__ == "__main__":
    main()
"""
