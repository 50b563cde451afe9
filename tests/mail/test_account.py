"""When a run of outcomes slows the run down, pauses a domain, or stops everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.account import RELAY, Account
from newsletter.mail.replies import no_answer, outcome
from newsletter.model import Outcome

OK = Outcome("accepted", "dot", 250)
BLOCKED = outcome("rcpt", 554, "5.7.1 blocked")
UNKNOWN = outcome("rcpt", 550, "5.1.1 user unknown")
BAD_SENDER = outcome("mail", 550, "5.7.1 sender refused")
AWAY = outcome("rcpt", 421, "4.7.0 too fast")
SILENT = no_answer("dot", "timed out")
BROKEN = no_answer("rcpt", "connection lost")


def advices(account, *found, domain="a.example"):
    return [account.note(domain, one) for one in found]


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        ([OK], "faster"),
        ([UNKNOWN] * 50, "as before"),
        ([AWAY], "slower"),
        ([AWAY] * 3, "stop"),
        ([AWAY, AWAY, OK, AWAY, AWAY], "slower"),
        ([AWAY, AWAY, UNKNOWN, AWAY], "slower"),
        ([BROKEN] * 3, "stop"),
        ([SILENT, SILENT], "slower"),
        ([SILENT] * 3, "stop"),
        ([SILENT, SILENT, OK, SILENT], "slower"),
        ([BAD_SENDER] * 3, "stop"),
        ([BAD_SENDER, BAD_SENDER, OK, BAD_SENDER], "as before"),
        ([BLOCKED] * 3, "as before"),
        ([outcome("mail", 530, "5.7.0 log in")], "stop"),
    ],
)
def test_last_advice_of_a_row(found, advice):
    assert advices(Account(3), *found)[-1] == advice


def test_only_the_domain_that_blocks_us_is_paused():
    account = Account(3)
    advices(account, BLOCKED, BLOCKED, UNKNOWN, BLOCKED)
    assert account.verdict("a.example").kind == "deferred"
    assert "a.example refused 3 letters in a row: 554 5.7.1 blocked" in account.verdict("a.example").text
    assert account.verdict("b.example") is None
    assert RELAY not in account.paused


@given(st.lists(st.sampled_from([OK, UNKNOWN, BLOCKED, AWAY, BROKEN]), max_size=60))
def test_a_server_that_accepts_now_and_then_is_never_left(found):
    """With a success in every three outcomes nothing stops."""
    account = Account(3)
    advice = [account.note("a.example", one) for f in found for one in (f, OK)]
    assert "stop" not in advice
    assert not account.paused
