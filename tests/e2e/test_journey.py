"""A reader's whole way in a real browser, through real processes and real mail: in, letters, changes, and out."""

from __future__ import annotations

import email
import email.policy
import html
import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import CHROMIUM, chromium

from newsletter import sample
from newsletter.mail.inbox import inbox

READER = "grace@example.org"
FIRST, SECOND, THIRD = "2025-05-23", "2025-05-26", "2025-05-27"
SETTINGS = """\
title: Trending papers
from: Papers <papers@example.org>
base_url: http://127.0.0.1:{port}
data: ../data
sources: []
smtp: {{host: 127.0.0.1, port: {smtp}, security: none, rate_per_second: 1000}}
web: {{port: {port}}}
"""
ADA = "email: ada@example.org\ninterests: [robot learning]\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="THE READER'S WAY NOT WALKED: no chromium (apt-get install chromium)"),
]


@pytest.fixture
def box() -> Iterator:
    """An SMTP server on loopback that keeps what it is given."""
    with inbox() as opened:
        yield opened


@pytest.fixture
def town(bare, box) -> Iterator:
    """A newsletter with one other reader and the papers up to the first day, its pages served by a process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (bare.config / "newsletter.yaml").write_text(SETTINGS.format(port=port, smtp=box.port), encoding="utf-8")
    bare.subscriber("ada", ADA)
    for path in sample.days():
        if path.stem <= FIRST:
            bare.done("fetch", "--from", path)
    bare.done("themes", "--date", FIRST, environment=at(FIRST))
    log = (bare.folder / "web.log").open("w")
    process = subprocess.Popen(
        [bare.command, "--config", bare.config, "web"], env={**bare.environment, **at(FIRST)}, cwd=bare.folder,
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/health"), process)
        yield bare
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, (bare.folder / "web.log").read_text()
        log.close()


@pytest.fixture
def page(browser) -> Iterator:
    context = browser.new_context(viewport={"width": 1100, "height": 900}, timezone_id="Europe/Paris")
    opened = context.new_page()
    yield opened
    context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with chromium() as opened:
        yield opened


def at(day: str) -> dict[str, str]:
    return {"NEWSLETTER_NOW": f"{day}T06:00:00+00:00"}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError as error:
        return hasattr(error, "code")  # a status is an answer


def until(true, process=None, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not happen in time"
        assert process is None or process.poll() is None, "the process has ended"
        time.sleep(0.1)
    return found


def mails(box) -> list[email.message.EmailMessage]:
    own = [message.data for message in box.messages if message.recipient == READER]
    return [email.message_from_bytes(data, policy=email.policy.default) for data in own]


def addresses(message) -> list[str]:
    body = message.get_body(("html",)).get_content()
    return [html.unescape(one) for one in re.findall(r'href="([^"]+)"', body)]


def link(message, kind: str) -> str:
    return next(one for one in addresses(message) if urlsplit(one).path.startswith(f"/{kind}/"))


def papers(message) -> list[str]:
    """The ids of the letter's papers, as its own links name them."""
    found = [re.search(r"/f/[^/]+/more/(.+)$", one) for one in addresses(message)]
    return [match[1] for match in found if match]


def scores(town, name: str) -> dict[str, float]:
    return {one["id"]: one["score"] for one in json.loads(town.done("rank", name, "--date", THIRD, "--json"))}


def send(town, box, day: str) -> list:
    before = len(mails(box))
    town.done("send", "--date", day, environment=at(day))
    return mails(box)[before:]


def test_a_reader_comes_reads_changes_says_and_leaves(town, box, page):
    settings = (town.config / "newsletter.yaml").read_text()
    home = re.search(r"base_url: (\S+)", settings)[1]

    # subscribe, with a preview of what the letter would hold
    page.goto(home)
    page.get_by_label("What do you read about?").fill("retrieval-augmented generation for question answering")
    page.get_by_label("Your e-mail address").fill(READER)
    page.get_by_label("Your name").fill("Grace")
    page.locator("#preview li").first.wait_for()
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    (asking,) = until(lambda: mails(box))

    # nothing comes before the address is confirmed
    assert send(town, box, FIRST) == []
    page.goto(link(asking, "confirm"))
    page.get_by_role("button", name="Yes, write to me").click()
    page.get_by_role("heading", name="You are a reader").wait_for()
    (name,) = [path.stem for path in (town.config / "subscribers").glob("*.yaml") if path.stem != "ada"]
    assert "Europe/Paris" in (town.config / "subscribers" / f"{name}.yaml").read_text()

    # the letter comes, once
    (first,) = send(town, box, FIRST)
    assert send(town, box, FIRST) == []
    assert first["List-Unsubscribe"]
    assert "Grace" in first.get_body(("plain",)).get_content()

    # preferences by the letter's link; the next letter is another one
    page.goto(link(first, "p"))
    page.get_by_label("Interest 1", exact=True).fill("video generation with diffusion models")
    page.get_by_label("Papers in a letter, at most").fill("4")
    page.get_by_label("Language around the papers").select_option("de")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    for path in sample.days():
        if path.stem in (SECOND, THIRD):
            town.done("fetch", "--from", path)
    (second,) = send(town, box, SECOND)
    body = second.get_body(("html",)).get_content()
    assert 'lang="de"' in body
    assert "video generation with diffusion models" in body
    assert "retrieval-augmented generation for question answering" not in body
    told = json.loads(town.done("rank", name, "--date", SECOND, "--json"))
    assert 1 <= len(told) <= 4

    # what the reader says of a paper moves the next day's ranking
    before = scores(town, name)
    more = next(one for one in addresses(second) if "/more/" in one)
    page.goto(more)
    assert scores(town, name) == before  # looking changes nothing
    page.get_by_role("button", name="More like this").click()
    page.get_by_role("button", name="Undo").wait_for()
    assert scores(town, name) != before

    # the way out: one press, and no letter
    page.goto(link(second, "u"))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You get no more letters").wait_for()
    assert send(town, box, THIRD) == []
    counts = town.status(THIRD)
    assert (counts["sent"], counts["skipped"]) == (1, 1)
    assert READER not in Path(town.folder / "web.log").read_text()
