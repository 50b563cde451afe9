"""`newsletter preview --serve`: the letter in every way it is read, for this machine alone, new on every save."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import AXE, CHROMIUM, chromium

from newsletter import pipeline
from newsletter.cli.proofsheet import findings, framed, headers, shown, sizes
from newsletter.cli.serving import Board, answer, serve_preview

COMMAND = Path(sys.executable).parent / "newsletter"


@pytest.fixture
def proof(newsletter, config, digest) -> pipeline.Proof:
    newsletter("fetch", "--from", digest)
    with pipeline.open_workspace(config, {}) as workspace:
        edition = pipeline.prepare(workspace, date(2025, 3, 13))
        (reader,) = pipeline.readers(workspace)
        return pipeline.proof(workspace, edition, reader, at=datetime(2025, 3, 13, 7, tzinfo=UTC))


@pytest.fixture
def url(newsletter, config, digest) -> Iterator[str]:
    """Ada's page, served in this process until the test ends."""
    newsletter("fetch", "--from", digest)
    stop, ready, said = threading.Event(), threading.Event(), []
    thread = threading.Thread(
        target=serve_preview, args=(config, "ada", None, 0),
        kwargs={"stop": stop, "ready": lambda url: (said.append(url), ready.set())},
    )  # fmt: skip
    thread.start()
    assert ready.wait(30)
    yield said[0]
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def get(url: str, path: str = "/", **headers: str) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def until_written(url: str) -> str:
    end = time.monotonic() + 60
    while 'id="desktop"' not in (page := get(url)[1]):
        assert time.monotonic() < end, page
        time.sleep(0.1)
    return page


def test_the_page_answers_to_loopback_names_alone(url):
    port = urlsplit(url).port
    assert urlsplit(url).hostname == "127.0.0.1"
    for host, status in (
        (f"127.0.0.1:{port}", 200),
        (f"LOCALHOST:{port}", 200),
        ("evil.example", 421),
        (f"evil:{port}", 421),
        ("", 421),
    ):
        assert get(url, Host=host)[0].status == status, host


def test_nothing_runs_but_the_page_s_own_script_and_nothing_comes_from_elsewhere(url):
    page = until_written(url)
    response, _ = get(url)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "://" not in page.split("<main>")[0], "no address of another machine"
    letter, _ = get(url, "/letter.html")
    assert "sandbox" in letter.headers["Content-Security-Policy"]
    assert "allow-scripts" not in letter.headers["Content-Security-Policy"] + page
    assert "img-src https: data:" in letter.headers["Content-Security-Policy"]
    assert "img-src 'none'" in get(url, "/letter.html?pictures=off")[0].headers["Content-Security-Policy"]
    for path in ("/preview.js", "/preview.css"):
        assert get(url, path)[0].status == 200
    for path in ("/page.html", "/../letter.mjml", "/preview/../../pyproject.toml", "/favicon.ico"):
        assert get(url, path)[0].status == 404


def test_a_question_for_changes_waits_for_one(url, config):
    until_written(url)
    seen = get(url)[1].split('data-version="')[1].split('"')[0]
    assert seen in get(url, "/changes?seen=another")[1]
    profile = config / "subscribers" / "ada.yaml"
    timer = threading.Timer(0.5, profile.write_text, [profile.read_text(encoding="utf-8") + "name: Ada L.\n"])
    timer.start()
    assert seen not in get(url, f"/changes?seen={seen}")[1]
    timer.join()


def test_before_the_first_look_and_after_a_broken_one_the_page_says_so(proof):
    board = Board("ada")
    assert b"being written" in answer(board, "/", {}).body
    assert answer(board, "/letter.html", {}).status == 404
    board.put(None, ("subscribers/ada.yaml:1:1: <b>unknown</b> key",), "07:00:00")
    page = answer(board, "/", {}).body.decode()
    assert "This has to be mended first" in page
    assert "&lt;b&gt;unknown&lt;/b&gt; key" in page
    board.put(proof, (), "07:00:01")
    assert "problems" not in answer(board, "/", {}).body.decode()
    board.put(None, ("x",), "07:00:02")
    page = answer(board, "/", {}).body.decode()
    assert "the last good one" in page
    assert "Written at 07:00:01" in page


def test_a_proof_is_measured_and_judged(proof):
    html, style = sizes(proof)
    assert html.value == len(proof.rendered.html.encode())
    assert 0 < style.value < 8_000
    assert not html.over
    assert ("Subject", proof.letter.subject) in headers(proof)
    assert {rule for rule, _, _ in findings(proof)} == {"dkim"}
    assert all(says for _, _, says in findings(proof))
    assert shown(proof)["shown"] == len(re.findall(r"^ ?\d+\. ", proof.rendered.text, re.MULTILINE)) > 2


def test_colours_are_those_of_the_scheme_that_was_asked_for():
    html = (
        '<head><meta name="color-scheme" content="light dark" /><style>@media (prefers-color-scheme: dark) {}</style>'
    )
    dark, light = framed(html, "dark"), framed(html, "light")
    assert 'content="dark"' in dark
    assert "@media (min-width: 0px)" in dark
    assert 'content="light"' in light
    assert "@media (max-width: 0px)" in light
    assert dark.startswith('<head><base target="_blank">')


def test_a_port_in_use_and_an_unknown_reader_are_told(newsletter, url):
    status, _, err = newsletter("preview", "ada", "--serve", "--port", urlsplit(url).port)
    assert status == 2
    assert "Name another --port" in err
    assert newsletter("preview", "ada", "--serve", "--watch")[0] == 2
    status, _, err = newsletter("preview", "adda", "--serve", "--port", 0)
    assert status == 2
    assert "Did you mean 'ada'?" in err


@pytest.mark.slow
def test_the_command_ends_on_ctrl_c(newsletter, config, digest, tmp_path):
    newsletter("fetch", "--from", digest)
    said = tmp_path / "said"
    command = [COMMAND, "--config", config, "preview", "ada", "--serve", "--port", "0"]
    with said.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as running:
        try:
            end = time.monotonic() + 60
            while b"http://127.0.0.1:" not in said.read_bytes():
                assert time.monotonic() < end
                time.sleep(0.05)
            until_written(said.read_text().split("is at ")[1].split(" ")[0])
        finally:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(60)
            finally:
                running.kill()
    assert running.returncode == 0
    assert b"Traceback" not in said.read_bytes()


# ------------------------------------------------------------------ in a real browser


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if CHROMIUM is None:
        pytest.skip("PREVIEW NOT LOOKED AT: no chromium (apt-get install chromium)")
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser, url, request):
    """The page, opened 1,440 px wide unless the test says otherwise; `page.said` is what the browser complains of."""
    asked = getattr(request, "param", {})
    context = browser.new_context(
        viewport={"width": asked.get("width", 1440), "height": 900}, color_scheme=asked.get("scheme", "light")
    )
    opened = context.new_page()
    opened.said = []
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    until_written(url)
    opened.goto(url)
    opened.wait_for_selector("#blocked iframe")
    yield opened
    context.close()


def frame(page, name: str):
    return page.query_selector(f"#{name} iframe").content_frame()


@pytest.mark.slow
def test_the_letter_stands_there_in_every_way_it_is_read(page):
    widths = {name: frame(page, name).evaluate("innerWidth") for name in ("desktop", "phone", "dark", "blocked")}
    assert widths == {"desktop": 616, "phone": 376, "dark": 616, "blocked": 616}
    grounds = {name: frame(page, name).evaluate("getComputedStyle(document.body).backgroundColor") for name in widths}
    assert grounds["desktop"] == grounds["phone"] == grounds["blocked"] == "rgb(246, 244, 239)"
    assert grounds["dark"] == "rgb(19, 20, 23)"
    assert "Study" in page.inner_text("#text pre")
    assert "List-Unsubscribe" in page.inner_text("#headers")
    assert "<!doctype html>" in page.inner_text("#source pre")
    assert "dkim" in page.inner_text("#findings")
    assert page.said == []


@pytest.mark.slow
@pytest.mark.parametrize("page", [{"width": 360, "scheme": "dark"}], indirect=True)
def test_on_a_phone_the_page_is_as_wide_as_the_phone(page):
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert frame(page, "phone").evaluate("innerWidth") == 360
    assert frame(page, "desktop").evaluate("innerWidth") == 616
    assert frame(page, "desktop").evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 244, 239)"


@pytest.mark.slow
@pytest.mark.skipif(not AXE.is_file(), reason=f"ACCESSIBILITY NOT CHECKED: no axe-core at {AXE}")
@pytest.mark.parametrize("page", [{"scheme": "light"}, {"scheme": "dark"}, {"width": 360}], indirect=True)
def test_axe_finds_no_violation_in_the_page(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


@pytest.mark.slow
def test_a_save_shows_at_once_and_the_frames_stay_where_they_were(page, config):
    profile = config / "subscribers" / "ada.yaml"
    good = profile.read_text(encoding="utf-8")
    frame(page, "desktop").evaluate("scrollTo(0, 200)")
    profile.write_text(f"{good}language: de\n", encoding="utf-8")
    page.wait_for_selector("#text pre:has-text('ausgewählt')", timeout=60_000)
    end = time.monotonic() + 10
    while frame(page, "desktop").evaluate("scrollY") != 200:
        assert time.monotonic() < end
        page.wait_for_timeout(50)
    profile.write_text(f"{good}intrests: [x]\n", encoding="utf-8")
    page.wait_for_selector(".problems", timeout=60_000)
    assert "ada.yaml:4:1: unknown key 'intrests': did you mean 'interests'?" in page.inner_text(".problems")
    assert "ausgewählt" in page.inner_text("#text pre")
    profile.write_text(good, encoding="utf-8")
    page.wait_for_selector(".problems", state="detached", timeout=60_000)
    assert page.said == []
