"""The pages as processes: `newsletter web` alone and with workers, within `newsletter run`, and their ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "newsletter"
PASSWORD = "correct-horse-battery-staple"
KEY = "a-key-that-nobody-must-ever-read"
pytestmark = pytest.mark.slow


def configure(house, **web: object) -> None:
    """The house with pages on a free port, and secrets that must not be seen."""
    path = house.config / "newsletter.yaml"
    more = {
        "base_url": "https://papers.example.org", "web": {"port": 0, **web}, "admin": {"password": PASSWORD},
        "secret_key": KEY, "schedule": {"fetch_at": "00:00"},
    }  # fmt: skip
    path.write_text(path.read_text() + "".join(f"{key}: {json.dumps(value)}\n" for key, value in more.items()))


@contextmanager
def started(house, *args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as it runs, and the address that it prints; killed with all its children if it is still there."""
    with (house.folder / "said").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "--verbose", "--config", house.config, *args], env=house.environment, cwd=house.folder,
            text=True, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process, address(house, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def said(house) -> str:
    return (house.folder / "said").read_text()


def address(house, process: subprocess.Popen[str]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"ages at (http://127\.0\.0\.1:\d+)", said(house).replace("\n", " ")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(said(house))


def get(url: str, *, patience: float = 60) -> tuple[int, str]:
    """Status and body, as soon as somebody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + patience
    while True:
        try:
            with opener.open(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:  # nobody there yet, or not in time
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def group(process: subprocess.Popen[str]) -> set[int]:
    """The processes that it has started and that still run, itself among them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == process.pid and fields[0] != "Z":
                found.add(int(path.parent.name))
    return found


def nobody_is_left(process: subprocess.Popen[str], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while group(process) and time.monotonic() < until:
        time.sleep(0.05)
    return not group(process)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_pages_answer_until_they_are_asked_to_end(house, workers, number):
    configure(house)
    with started(house, "web", "--workers", str(workers)) as (process, base):
        assert get(f"{base}/health/live")[0] == 200
        assert get(f"{base}/nothing")[0] == 404
        process.send_signal(number)
        assert process.wait(30) == 0, said(house)
        assert "Stopped" in said(house)
        assert nobody_is_left(process)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])), timeout=5)


def test_a_worker_that_dies_is_replaced(house):
    configure(house)
    with started(house, "web", "--workers", "2") as (process, base):
        get(f"{base}/health/live")
        before = workers(process)
        os.kill(min(before), signal.SIGKILL)
        until = time.monotonic() + 30
        while len(workers(process) - before) < 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert len(workers(process)) == 2
        assert get(f"{base}/health/live")[0] == 200


def test_workers_do_not_outlive_a_supervisor_that_is_killed(house):
    """Else they would hold the port, and the next start would fail."""
    configure(house)
    with started(house, "web", "--workers", "2") as (process, base):
        get(f"{base}/health/live")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert nobody_is_left(process)


def workers(process: subprocess.Popen[str]) -> set[int]:
    """Processes that answer: not the supervisor, and not what multiprocessing keeps beside them."""
    found = set()
    for pid in group(process) - {process.pid}:
        with suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


@pytest.mark.parametrize("command", ["web", "run"])
def test_a_port_in_use_is_one_sentence_and_status_1(house, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        configure(house, port=port)
        ran = house.run(command)
    assert ran.returncode == 1
    assert ran.stderr.startswith(
        f"newsletter: Cannot listen on 127.0.0.1:{port}: Address already in use. Stop the other"
    )
    assert len(ran.stderr.splitlines()) == 1


def test_without_the_key_web_it_says_how_to_add_it(house):
    ran = house.run("web")
    assert ran.returncode == 2
    assert "Add the line `web: {}`" in ran.stderr


@pytest.mark.parametrize("option", [("--port", "70000"), ("--workers", "0"), ("--port", "many")])
def test_wrong_options_are_told(house, option):
    configure(house)
    assert house.run("web", *option).returncode == 2


def test_the_service_serves_the_pages_too_and_both_end_together(house):
    configure(house)
    with started(house, "run") as (process, base):
        assert get(f"{base}/health/live")[0] == 200
        until = time.monotonic() + 30
        while json.loads(get(f"{base}/health")[1])["last_tick"] is None and time.monotonic() < until:
            time.sleep(0.5)
        found = json.loads(house.run("health", "--json").stdout)
        assert found["web"] == base
        assert "Pages: http" in house.run("health").stdout
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said(house)
        assert nobody_is_left(process)
    assert json.loads(house.run("health", "--json").stdout)["web"] == ""


def test_a_service_without_the_key_web_serves_nothing(house):
    command = [COMMAND, "--config", house.config, "run"]
    with subprocess.Popen(
        command, env=house.environment, cwd=house.folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        first = process.stderr.readline()
        process.terminate()
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "ages at" not in first + rest


def test_no_secret_is_ever_said(house):
    """Neither the log of a run, errors included, nor any page has a password, a key, or a token of an address."""
    configure(house)
    token = "eyJhIjoiYiJ9.c2lnbmF0dXJl-token-of-an-address"
    with started(house, "web") as (process, base):
        pages = [
            get(f"{base}{path}")[1]
            for path in (
                f"/u/{token}", f"/p/{token}", f"/l/{token}", f"/f/{token}/more/x", f"/confirm/{token}", f"/{token}",
                "/health", "/metrics", "/admin", "/admin/login", "/api/openapi.json",
            )
        ]  # fmt: skip
        (house.folder / "data" / "newsletter.db").write_bytes(b"torn")
        pages += [get(f"{base}{path}")[1] for path in ("/health", "/admin/log", f"/u/{token}")]
        process.terminate()
        assert process.wait(30) == 0
    for text in (said(house), *pages):
        for secret in (PASSWORD, KEY):
            assert secret not in text
    assert token not in said(house)
    assert "request" in said(house)
    assert not any(str(house.folder) in page for page in pages)
