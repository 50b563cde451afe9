"""What a monitor and the operator see: health, metrics, the conversation behind a letter, a log without addresses."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter import pipeline
from newsletter.pipeline.health import health, metrics
from newsletter.pipeline.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from newsletter.store import archive, ledger

DAY = date(2025, 3, 13)
NOW = datetime(2025, 3, 13, 9, tzinfo=UTC)
pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(prepared):
    with pipeline.open_workspace(prepared.config, prepared.environment) as opened:
        yield opened


def planned(workspace) -> None:
    pipeline.plan(workspace, pipeline.prepare(workspace, DAY), pipeline.readers(workspace), at=NOW)


def test_a_new_installation_is_healthy(workspace):
    found = health(workspace, at=NOW)
    assert found.healthy
    assert found.problems == ()
    assert sum(found.letters.values()) == 0


def test_letters_that_wait_an_hour_are_a_problem(workspace):
    planned(workspace)
    assert health(workspace, at=NOW + timedelta(minutes=59)).healthy
    late = health(workspace, at=NOW + timedelta(minutes=90))
    assert not late.healthy
    assert late.oldest_waiting == 90 * 60
    assert "1 h 30 min past its time" in late.problems[0]
    assert late.letters["planned"] == 2


def test_an_uncertain_letter_needs_a_decision(workspace):
    planned(workspace)
    (first, _) = ledger.claim(workspace.engine, "daily/2025-03-13", NOW, limit=2, owner="me", lease=timedelta(hours=1))
    ledger.begin(workspace.engine, [first.id], "me", NOW)
    ledger.recover(workspace.engine, NOW, dead={"me"})
    assert "1 letter is uncertain" in health(workspace, at=NOW).problems[0]


def test_a_service_that_fell_silent_is_a_problem_and_one_that_was_stopped_is_not(workspace):
    data = workspace.settings.data
    write_heartbeat(data, Heartbeat(NOW))
    assert health(workspace, at=NOW + timedelta(minutes=14)).healthy
    assert "has not ticked since 2025-03-13 09:00" in health(workspace, at=NOW + timedelta(hours=1)).problems[0]
    write_heartbeat(data, Heartbeat(NOW, stopped=True))
    assert health(workspace, at=NOW + timedelta(hours=1)).healthy


def test_a_torn_heartbeat_is_none(tmp_path):
    (tmp_path / "service.json").write_text('{"ticked": "2025-')
    assert read_heartbeat(tmp_path) == Heartbeat()


@pytest.mark.parametrize(
    ("state", "healthy"), [("fetched", True), ("empty", True), ("stale", False), ("failed", False)]
)
def test_the_states_of_a_source_are_told_apart(prepared, state, healthy):
    settings = prepared.config / "newsletter.yaml"
    settings.write_text(settings.read_text() + "sources: [{name: page, kind: folder, path: ../digests}]\n")
    with pipeline.open_workspace(prepared.config, prepared.environment) as workspace:
        archive.record_source(workspace.engine, "page", DAY, state, 3, "because")
        found = health(workspace, at=NOW)
    assert found.healthy is healthy
    assert [(one.source, one.state, one.day) for one in found.sources] == [("page", state, "2025-03-13")]
    assert f'newsletter_source{{source="page",state="{state}"}} 1.0' in metrics(found)


def test_the_metrics_are_prometheus_text(workspace):
    from prometheus_client.parser import text_string_to_metric_families

    planned(workspace)
    write_heartbeat(workspace.settings.data, Heartbeat(NOW))
    families = {f.name: f for f in text_string_to_metric_families(metrics(health(workspace, at=NOW)))}
    letters = {sample.labels["state"]: sample.value for sample in families["newsletter_letters"].samples}
    assert letters["planned"] == 2
    assert families["newsletter_healthy"].samples[0].value == 1
    assert families["newsletter_last_tick_timestamp_seconds"].samples[0].value == NOW.timestamp()


def test_the_command_s_exit_status_is_its_answer(prepared, tmp_path):
    assert prepared.json("health")["healthy"] is True
    prepared.run("send", "--date", DAY, environment={"NEWSLETTER_NOW": "2025-03-13T07:00:00+00:00"})  # nobody listens
    hours_later = {"NEWSLETTER_NOW": "2025-03-13T10:00:00+00:00"}
    ran = prepared.run("health", "--json", environment=hours_later)
    assert ran.returncode == 1
    assert "past its time" in json.loads(ran.stdout)["problems"][0]
    assert "newsletter_healthy 0.0" in prepared.run("health", "--metrics", environment=hours_later).stdout


def test_deliveries_of_a_subscriber_show_the_conversation(prepared, tmp_path):
    prepared.done("send", "--date", DAY, "--outbox", tmp_path / "out")
    (row,) = prepared.json("deliveries", "--date", DAY, "--subscriber", "ada")
    (line,) = row["history"]
    assert (line["event"], line["phase"], line["code"], line["enhanced"]) == ("accepted", "dot", 250, "2.0.0")
    assert "What happened to <" in prepared.done("deliveries", "--date", DAY, "--subscriber", "ada")


def test_no_line_of_the_log_holds_an_address_unless_asked(prepared, smtp):
    """The server's reply and a broken profile name addresses; the log does not."""
    prepared.subscriber("broken", "email: not-an-address@\n")
    prepared.subscriber("twice", "email: ada@example.org\n")
    to_box = {"NEWSLETTER_SMTP__PORT": str(smtp.port)}
    quiet = prepared.run("--verbose", "send", "--date", DAY, "--only", "ada", environment=to_box)
    lines = [json.loads(line) for line in quiet.stderr.splitlines() if line.startswith("{")]
    assert {"delivery", "profile left out"} <= {line["event"] for line in lines}
    assert not re.search(r"[^\s]@[^\s]", json.dumps(lines))
    asked = prepared.run("--verbose", "--log-addresses", "send", "--date", DAY, "--only", "ada", environment=to_box)
    assert "ada@example.org" in asked.stderr
