"""`newsletter preview`: one reader's profile alone, quickly; with --watch again on every save, whatever it breaks."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.cli.watching import concerns

COMMAND = Path(sys.executable).parent / "newsletter"


def test_a_preview_reads_no_other_profile(newsletter, config, digest, tmp_path):
    (config / "subscribers" / "broken.yaml").write_text("email: [\n", encoding="utf-8")
    newsletter("fetch", "--from", digest)
    status, out, err = newsletter("preview", "ada", "--out", tmp_path / "out")
    assert (status, err) == (0, "")
    assert str(tmp_path / "out" / "ada.html") in out
    status, _, err = newsletter("preview", "adda", "--out", tmp_path / "out")
    assert status == 2
    assert "Did you mean 'ada'?" in err


def test_only_what_makes_the_letter_is_watched(config):
    (config / "templates").mkdir()
    concerned = concerns(config, "ada")
    wanted = ("newsletter.yaml", "subscribers/ada.yaml", "subscribers/ada.yml", "templates/letter.mjml")
    others = ("subscribers/bob.yaml", "subscribers/.ada.yaml.tmp", "data/newsletter.db", "ada.yaml", "preview/ada.html")
    assert all(concerned(None, str(config / name)) for name in wanted)
    assert not any(concerned(None, str(config / name)) for name in others)


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_watched_preview_follows_every_save_and_outlives_broken_ones(newsletter, config, digest, tmp_path):
    newsletter("fetch", "--from", digest)
    profile, html, said = config / "subscribers" / "ada.yaml", tmp_path / "out" / "ada.html", tmp_path / "said"
    command = [COMMAND, "--config", config, "preview", "ada", "--watch", "--out", tmp_path / "out"]
    with said.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as running:
        try:
            _until(html.exists)
            _until(lambda: b"ada.html" in said.read_bytes())
            good = profile.read_text(encoding="utf-8")
            html.unlink()
            profile.write_text(good + "intrests: [x]\n", encoding="utf-8")
            _until(lambda: b"ada.yaml:4:1: unknown key 'intrests': did you mean 'interests'?" in said.read_bytes())
            assert not html.exists()
            other = profile.with_suffix(".new")  # as editors save: another file takes the place of this one
            other.write_text(good + "language: de\n", encoding="utf-8")
            other.replace(profile)
            _until(html.exists)
            assert 'lang="de"' in html.read_text(encoding="utf-8")
        finally:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(60)
            finally:
                running.kill()  # one that stays shall fail the test, not hang it
    assert running.returncode == 0
    assert b"Traceback" not in said.read_bytes()
