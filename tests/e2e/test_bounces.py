"""Mail that comes back acts on the letter that it quotes, and on nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter import pipeline
from newsletter.mail.returned import Returned
from newsletter.pipeline import bounces
from newsletter.store import ledger, suppression
from newsletter.store.returns import SOFT_LIMIT

DAY = date(2025, 3, 13)
NOW = datetime(2025, 3, 13, 9, tzinfo=UTC)
pytestmark = pytest.mark.slow

DSN = """From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The letter could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {who}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {code}

--b
Content-Type: text/rfc822-headers

{quoted}
--b--
"""
ARF = """From: feedback@isp.example.net
To: bounces@example.org
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

A complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: isp/1
Version: 1

--b
Content-Type: message/rfc822

From: papers@example.org
To: redacted@example.org
Message-ID: {ident}

--b--
"""


def dsn(ident: str = "", *, to: str = "bounces@example.org", who: str = "ada@example.org", soft: bool = False) -> bytes:
    status, code = ("5.2.2", "552 5.2.2 mailbox full") if soft else ("5.1.1", "550 5.1.1 user unknown")
    quoted = f"From: papers@example.org\nMessage-ID: {ident}\n" if ident else "Subject: hello\n"
    return DSN.format(to=to, who=who, status=status, code=code, quoted=quoted).encode()


@pytest.fixture
def workspace(prepared):
    """A workspace in this process whose letters of the day are sent, into files."""
    with pipeline.open_workspace(prepared.config, prepared.environment) as opened:
        pipeline.send(opened, DAY, at=NOW, outbox=prepared.folder / "out")
        yield opened


def read(workspace, data: bytes, *, at: datetime = NOW) -> bounces.Handled:
    done: list[int] = []
    (handled,) = bounces.take_back(workspace, [Returned("here", data, lambda: done.append(1))], at=at)
    assert bool(done) == bool(handled.subscriber)  # what is not ours stays for a person
    return handled


def ident(workspace, name: str = "ada") -> str:
    return pipeline.deliveries(workspace, DAY, subscriber=name)[0].message_id


def suppressed(workspace, address: str = "ada@example.org") -> str:
    found = suppression.is_suppressed(workspace.engine, address, key=workspace.key)
    return found.reason if found else ""


def events(workspace, name: str = "ada") -> list[str]:
    (row,) = pipeline.deliveries(workspace, DAY, subscriber=name)
    return [line.event for line in ledger.history(workspace.engine, [row.id])[row.id]]


def test_a_dead_address_is_suppressed_and_its_letter_stays_sent(workspace):
    handled = read(workspace, dsn(ident(workspace)))
    assert (handled.action, handled.verdict, handled.subscriber) == ("suppressed", "hard", "ada")
    assert suppressed(workspace) == "bounced (5.1.1)"
    assert suppressed(workspace, "emmy@example.org") == ""
    assert pipeline.status(workspace, DAY)["sent"] == 2
    assert events(workspace) == ["accepted", "bounced"]


def test_the_address_that_the_bounce_came_to_names_the_letter(workspace):
    """VERP: the report quotes nothing, but came to bounces+TOKEN@."""
    token = ident(workspace).strip("<>").partition("@")[0]
    assert read(workspace, dsn(to=f"bounces+{token}@example.org")).action == "suppressed"
    assert suppressed(workspace)


def test_a_bounce_that_quotes_no_letter_of_ours_is_shown_and_changes_nothing(workspace):
    for forged in (dsn(), dsn("<guess@example.org>"), dsn(to=f"bounces+{'a' * 26}@example.org")):
        handled = read(workspace, forged)
        assert (handled.action, handled.recipients) == ("unknown", ("ada@example.org",))
    assert suppressed(workspace) == ""
    assert events(workspace) == ["accepted"]


def test_a_complaint_suppresses(workspace):
    handled = read(workspace, ARF.format(ident=ident(workspace)).encode())
    assert (handled.action, handled.verdict) == ("suppressed", "complaint")
    assert suppressed(workspace) == "complained"


def test_the_same_bounce_twice_counts_once(workspace):
    full = dsn(ident(workspace), soft=True)
    assert read(workspace, full).action == "counted"
    assert read(workspace, full).action == "known"
    assert events(workspace) == ["accepted", "bounced softly"]


def test_an_answer_of_a_reader_is_no_bounce(workspace):
    reply = f"From: ada@example.org\nSubject: Re: papers\nIn-Reply-To: {ident(workspace)}\n\nThank you!\n"
    assert read(workspace, reply.encode()).action == "no bounce"


def another(workspace, day: date) -> str:
    """Ada's letter of another edition, sent; its Message-ID."""
    edition = f"daily/{day}"
    letter = pipeline.frozen_letters(workspace, DAY)["ada"]

    ledger.plan(workspace.engine, edition, [replace(letter, edition=edition, day=day)], NOW, key=workspace.key)
    pipeline.deliver(workspace, edition, clock=lambda: NOW, outbox=workspace.settings.data / "out")
    return pipeline.deliveries(workspace, day, subscriber="ada")[0].message_id


def test_a_mailbox_full_for_five_letters_in_a_row_is_given_up(workspace):
    idents = [ident(workspace), *(another(workspace, DAY + timedelta(days=n)) for n in range(1, SOFT_LIMIT))]
    for count, name in enumerate(idents[:-1], start=1):
        assert read(workspace, dsn(name, soft=True)).in_a_row == count
    assert suppressed(workspace) == ""
    assert read(workspace, dsn(idents[-1], soft=True)).action == "suppressed"
    assert suppressed(workspace) == f"{SOFT_LIMIT} letters in a row came back softly (5.2.2)"


def test_a_letter_that_arrived_in_between_starts_the_count_again(workspace):
    idents = [ident(workspace), *(another(workspace, DAY + timedelta(days=n)) for n in range(1, SOFT_LIMIT + 1))]
    del idents[2]
    assert [read(workspace, dsn(name, soft=True)).in_a_row for name in idents] == [1, 2, 1, 2, 3]
    assert suppressed(workspace) == ""


def test_what_waits_for_a_suppressed_address_is_skipped_and_later_editions_leave_it_out(workspace):
    day = DAY + timedelta(days=1)
    letter = pipeline.frozen_letters(workspace, DAY)["ada"]

    later = replace(letter, edition=f"daily/{day}", day=day)
    ledger.plan(workspace.engine, later.edition, [later], NOW, key=workspace.key)
    read(workspace, dsn(ident(workspace)))
    (row,) = pipeline.deliveries(workspace, day)
    assert (row.state, row.reason) == ("skipped", "suppressed: bounced (5.1.1)")
    other = replace(letter, edition="daily/2025-03-20", day=date(2025, 3, 20))
    ledger.plan(workspace.engine, other.edition, [other], NOW, key=workspace.key)
    assert pipeline.status(workspace, other.day)["skipped"] == 1


def test_the_commands(prepared, tmp_path):
    """bounce, suppressions, allow, suppress and deliveries, as the operator types them."""
    prepared.done("send", "--date", DAY, "--outbox", tmp_path / "out")
    rows = prepared.json("deliveries", "--date", DAY, "--subscriber", "ada")
    (tmp_path / "bounce.eml").write_bytes(dsn(rows[0]["message_id"]))
    (handled,) = prepared.json("bounce", tmp_path / "bounce.eml")
    assert (handled["action"], handled["subscriber"]) == ("suppressed", "ada")
    (listed,) = prepared.json("suppressions")
    assert (listed["subscribers"], listed["reason"]) == (["ada"], "bounced (5.1.1)")
    assert "example.org" not in json.dumps(listed)
    assert "may get letters again" in prepared.done("allow", "ada@example.org")
    assert "was not suppressed" in prepared.done("allow", "ada@example.org")
    assert "no letter any more" in prepared.done("suppress", "ADA@example.org", "--reason", "asked by phone")
    assert prepared.json("suppressions")[0]["reason"] == "asked by phone"
    assert prepared.run("suppress", "nonsense").returncode == 2
    assert prepared.run("bounce").returncode == 2
    assert prepared.run("bounce", "--imap").returncode == 2
