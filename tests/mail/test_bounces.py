"""Bounces of the wild against the verdicts that stand beside them, and hostile mail."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.bounces import read_bounce

SEVERITY = ("complaint", "hard", "soft", "none")
WILD = Path(__file__).parents[3] / "shared" / "bounces"


@pytest.fixture(scope="module")
def wild():
    if not WILD.is_dir():
        pytest.skip(f"no real bounces: {WILD} is not there")
    return WILD


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def expected(row):
    """Sisimai's reason as one of our verdicts."""
    if row["reason"] == "feedback":
        return "complaint"
    if row["hardbounce"] == "1":
        return "hard"
    return "none" if row["reason"] in ("delivered", "vacation") else "soft"


def test_sisimai_verdicts(wild):
    """At least 237 of 263 files agree; a mail is almost never missed.

    Most of the others are what Sisimai calls "filtered": it distrusts "user unknown" of some servers.
    """
    wanted: dict[str, str] = {}
    for row in rows(wild / "sisimai_expected.jsonl"):
        wanted[row["file"]] = min(wanted.get(row["file"], "none"), expected(row), key=SEVERITY.index)
    found = {name: read_bounce((wild / "sisimai" / name).read_bytes()).verdict for name in wanted}
    pairs = Counter((wanted[name], found[name]) for name in wanted)
    assert sum(n for (a, b), n in pairs.items() if a == b) >= 237, pairs
    assert sum(n for (a, b), n in pairs.items() if a != "none" and b == "none") <= 2, pairs
    assert pairs["none", "hard"] == pairs["none", "soft"] == pairs["none", "complaint"] == 0


def test_flufl_addresses(wild):
    """At least 43 of 47 files name the same addresses; none is overlooked; what is for now is never called final."""
    same, missed = 0, []
    for row in rows(wild / "flufl_expected.jsonl"):
        found = read_bounce((wild / "flufl" / row["file"]).read_bytes())
        same += {a.lower() for a in row["addresses"]} == {a.lower() for a in found.recipients}
        if found.verdict == "none" or (row["temporary"] and found.verdict == "hard"):
            missed.append(row["file"])
    assert same >= 43
    assert missed == []


def dsn(action="failed", status="5.1.1", diagnostic="smtp; 550 5.1.1 user unknown", to="papers@example.org"):
    return (
        f"From: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.net\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {diagnostic}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <abcdefghijklmnopqrstuvwxyz@example.org>\r\n"
        "To: ada@example.net\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "hard"),
        ({"status": "5.2.2", "diagnostic": "smtp; 552 5.2.2 mailbox full"}, "soft"),
        ({"status": "5.7.1", "diagnostic": "smtp; 550 5.7.1 rejected as spam"}, "soft"),
        ({"status": "4.4.7", "diagnostic": "smtp; delivery time expired"}, "soft"),
        ({"action": "delayed", "status": "4.4.1", "diagnostic": ""}, "soft"),
        ({"action": "delivered", "status": "2.1.5", "diagnostic": ""}, "none"),
        ({"status": "5.0.0", "diagnostic": "smtp; 550 no such user"}, "hard"),
        ({"status": "5.1.1", "diagnostic": "smtp; 550 5.7.1 blocked by policy"}, "soft"),
    ],
)
def test_delivery_report(fields, verdict):
    found = read_bounce(dsn(**fields))
    assert (found.verdict, found.form, found.recipients) == (verdict, "dsn", ("ada@example.net",))
    assert found.message_id == "<abcdefghijklmnopqrstuvwxyz@example.org>"


def test_own_letter_is_found_by_id_and_token(make_message):
    """What `build` writes, `read_bounce` finds again: in the returned header, and in the VERP address."""
    message = make_message()
    token = message.message_id[1:27]
    returned = dsn(to=f"bounces+{token}@example.org").replace(
        b"<abcdefghijklmnopqrstuvwxyz@example.org>", message.message_id.encode()
    )
    found = read_bounce(returned)
    assert (found.message_id, found.token) == (message.message_id, token)


def test_complaint():
    data = (
        b"From: fbl@example.net\r\nTo: papers@example.org\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
        b"Original-Rcpt-To: <ada@example.net>\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <x@example.org>\r\nSubject: s\r\n\r\nbody\r\n--b--\r\n"
    )
    found = read_bounce(data)
    assert (found.verdict, found.form, found.recipients) == ("complaint", "arf", ("ada@example.net",))
    assert found.message_id == "<x@example.org>"
    assert read_bounce(data.replace(b"abuse", b"not-spam")).verdict == "none"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\xff",
        b"From: ada@example.net\r\nSubject: Re: Papers\r\n\r\nNice. My colleague's user unknown bounced.\r\n",
        b"From: ada@example.net\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nI am away.\r\n",
        b"Return-Path: <>\r\nFrom: ada@example.net\r\nSubject: Automatic reply: Papers\r\n\r\nI am away.\r\n",
    ],
)
def test_other_mail_is_no_bounce(data):
    assert read_bounce(data).verdict == "none"


@settings(max_examples=300, deadline=None)
@given(cut=st.integers(0, 1200), junk=st.binary(max_size=60), at=st.integers(0, 1200))
def test_mangled_reports_never_raise(cut, junk, at):
    data = dsn()
    read_bounce(data[:at] + junk + data[at : at + cut])


@pytest.mark.parametrize(
    "body",
    [b"a" * 10**6, b"\n" * 10**6, b"-" * 10**6, b"<" * 10**6, b"a@" * 500_000, b"\n-" * 500_000, b"user " * 200_000],
    ids=["letters", "lines", "dashes", "brackets", "addresses", "dashed lines", "words"],
)
def test_hostile_text_is_read_to_its_end(body):
    """A megabyte of one thing: a regular expression that went quadratic would not come back within a day."""
    read_bounce(b"From: MAILER-DAEMON@x\r\nContent-Type: text/html\r\n\r\n" + body)
    (failure,) = read_bounce(dsn(diagnostic=body.replace(b"\n", b" ").decode())).failures
    assert failure.recipient == "ada@example.net"


def test_deep_nesting_is_survived():
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(3000))
    assert read_bounce(b"From: MAILER-DAEMON@x\r\n" + head).verdict in SEVERITY
