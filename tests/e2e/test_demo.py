"""`newsletter demo`: no network, no account, real letters over real SMTP."""

from __future__ import annotations

import email
import email.policy
import json
import subprocess

import pytest


@pytest.mark.slow
def test_the_demo_leaves_letters_that_open(tmp_path, root):
    import sys
    from pathlib import Path

    ran = subprocess.run(
        [Path(sys.executable).parent / "newsletter", "demo", "--out", "letters", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    shown = json.loads(ran.stdout)
    readers = sorted(file.stem for file in (root / "config" / "subscribers").glob("*.yaml"))
    assert shown["status"]["sent"] == shown["status"]["total"] == len(shown["letters"]) == len(readers)
    for name in readers:
        message = email.message_from_bytes((tmp_path / f"letters/{name}.eml").read_bytes(), policy=email.policy.default)
        assert message.get_content_type() == "multipart/alternative"
        assert (tmp_path / f"letters/{name}.html").read_text().startswith("<!doctype html>")
    assert all(row["papers"] >= 3 for row in shown["letters"])
    assert len({row["subject"] for row in shown["letters"]}) > 1
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("keep me")
    refused = subprocess.run(
        [Path(sys.executable).parent / "newsletter", "demo", "--out", other],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 2
    assert (other / "thesis.txt").read_text() == "keep me"
