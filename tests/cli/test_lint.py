"""`newsletter lint`: the rules of a good letter by name, for files."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from newsletter.cli import app, register
from newsletter.letter.lint import RULES

GOOD = b"From: a@example.org\r\nTo: b@example.org\r\n"
GOOD += b"Date: Thu, 13 Mar 2025 07:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
register()


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "letter.eml"
    path.write_bytes(GOOD + b"Subject: one\r\nSubject: two\r\n\r\nhello\r\n")
    return path


def test_each_broken_rule_is_named_with_its_message(message):
    ran = CliRunner().invoke(app, ["lint", str(message)])
    assert ran.exit_code == 1
    assert f"{message}: header-once: " in ran.stdout
    assert "1 messages with findings" in ran.stdout


def test_json_holds_findings_by_message(message):
    ran = CliRunner().invoke(app, ["lint", str(message), "--json"])
    (told,) = json.loads(ran.stdout)
    assert told["message"] == str(message)
    assert "header-once" in {finding["rule"] for finding in told["findings"]}


def test_the_rules_are_listed():
    ran = CliRunner().invoke(app, ["lint", "--rules", "--json"])
    told = json.loads(ran.stdout)
    assert set(told) == set(RULES)
    assert all(said.endswith(".") for said in told.values()), "each says when it holds"
