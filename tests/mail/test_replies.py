"""What replies mean: every row of the table, and what the words of real servers come to."""

from __future__ import annotations

import pytest

from newsletter.mail.replies import enhanced_code, fault, is_hard_bounce, is_our_fault, is_soft_bounce, outcome

ROWS = [
    # code, text, phase, kind, fault
    (550, "5.1.1 <a@b>: Recipient address rejected: User unknown", "rcpt", "refused", "address"),
    (550, "5.1.1 unknown", "dot", "refused", "address"),
    (550, "5.1.2 bad destination system", "rcpt", "refused", "address"),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", "rcpt", "refused", "address"),
    (556, "5.1.10 domain accepts no mail (null MX)", "rcpt", "refused", "address"),
    (550, "5.4.1 [a@b]: Recipient address rejected: Access denied", "rcpt", "refused", "address"),
    (550, "No such user here", "rcpt", "refused", "address"),
    (550, "Requested action not taken: mailbox unavailable", "rcpt", "refused", "server"),
    (553, "sorry, that recipient does not exist", "rcpt", "refused", "address"),
    (550, "5.1.8 sender address rejected", "mail", "refused", "ours"),
    (550, "5.2.1 mailbox disabled", "rcpt", "refused", "mailbox"),
    (552, "5.2.2 over quota", "rcpt", "refused", "mailbox"),
    (552, "mailbox full", "rcpt", "refused", "mailbox"),
    (452, "4.2.2 over quota", "rcpt", "deferred", "mailbox"),
    (554, "5.7.1 blocked", "dot", "refused", "ours"),
    (550, "5.7.26 unauthenticated mail", "dot", "refused", "ours"),
    (554, "transaction failed", "dot", "refused", "ours"),
    (550, "rejected due to spam content", "dot", "refused", "ours"),
    (550, "relaying denied", "rcpt", "refused", "ours"),
    (552, "5.3.4 message too big", "mail", "refused", "ours"),
    (500, "5.5.2 syntax error", "rcpt", "refused", "ours"),
    (554, "5.6.0 bad content", "dot", "refused", "ours"),
    (550, "5.4.6 loop detected", "rcpt", "refused", "server"),
    (450, "4.7.1 greylisted", "rcpt", "deferred", "server"),
    (421, "4.3.2 closing", "mail", "deferred", "server"),
    (535, "5.7.8 bad credentials", "auth", "stop", "server"),
    (454, "4.7.0 temporary authentication failure", "auth", "stop", "server"),
    (530, "5.7.0 must issue STARTTLS first", "mail", "stop", "server"),
    (454, "4.7.0 TLS not available", "tls", "stop", "server"),
    (554, "5.3.2 no service", "connect", "stop", "server"),
    (421, "too busy", "connect", "deferred", "server"),
    (250, "2.0.0 ok", "dot", "accepted", ""),
    (299, "odd but positive", "dot", "accepted", ""),
    (354, "again?", "dot", "uncertain", "server"),
    (-1, "gibberish", "dot", "uncertain", "server"),
    (251, "will forward", "data", "deferred", "server"),
]


@pytest.mark.parametrize(("code", "text", "phase", "kind", "whose"), ROWS)
def test_each_row(code, text, phase, kind, whose):
    found = outcome(phase, code, text)
    assert (found.kind, fault(found)) == (kind, whose)
    assert is_hard_bounce(found) == (whose == "address")
    assert is_soft_bounce(found) == (whose == "mailbox")
    assert is_our_fault(found) == (whose == "ours")


def test_a_refused_sender_never_condemns_the_reader():
    """The same code to MAIL speaks of us."""
    assert not is_hard_bounce(outcome("mail", 550, "5.1.1 user unknown"))


@pytest.mark.parametrize(
    ("code", "text", "wanted"),
    [
        (550, "5.1.1 no", "5.1.1"),
        (550, "5.1.1", "5.1.1"),
        (550, "4.1.1 class and code disagree", ""),
        (250, "2.0.0 ok", "2.0.0"),
        (550, "no code", ""),
        (550, "5.1.1000 too long", ""),
        (550, "15.1.1 not one", ""),
        (550, "5.7.606 long but right", "5.7.606"),
    ],
)
def test_enhanced_codes_follow_rfc_3463(code, text, wanted):
    assert enhanced_code(code, text) == wanted


def test_text_is_one_short_printable_line():
    """Replies go into logs and mail to the operator: no control characters, no surrogates, at most 500 characters."""
    found = outcome("rcpt", 550, "5.1.1 bad\x1b[2J\nline\udc80 " + "x" * 10_000)
    assert found.text.startswith("5.1.1 bad [2J line? xx")
    assert len(found.text) == 500
