"""Whatever a server does, what the transport says of a letter is true."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.mail.smtp import SmtpTransport

LETTERS = 6
WORDS = {
    "connect": ["220 hello", "421 4.3.2 busy"],
    "MAIL": ["250 ok", "451 4.3.0 later", "421 4.7.0 away", "550 5.7.1 no"],
    "RCPT": ["250 ok", "450 4.2.0 grey", "550 5.1.1 unknown", "554 5.7.1 blocked", "nonsense"],
    "DATA": ["354 go", "451 4.3.0 later", "250 what"],
    "dot": ["250 2.0.0 queued", "451 4.7.1 later", "554 5.7.1 spam", "421 4.3.2 away", "354 more", "nonsense"],
    "RSET": ["250 ok", "500 what"],
    "QUIT": ["221 bye"],
}
KINDS = st.sampled_from(
    ["say", "say", "say", "hang up", "silent", "say, hang up", "keep, hang up", "keep, silent", "twice"]
)


@st.composite
def scripts(draw):
    """For each step what the server does the first few times; after that it behaves."""
    return {step: draw(st.lists(st.tuples(KINDS, st.sampled_from(words)), max_size=4)) for step, words in WORDS.items()}


def action(do, step, kind, words):
    match kind:
        case "say":
            return do(say=words)
        case "twice":
            return do(say=f"{words}\r\n{words}")
        case "say, hang up":
            return do(say=words, hang_up=True)
        case "keep, hang up" | "keep, silent" if step == "dot":
            return do(keep=True, hang_up=kind == "keep, hang up", silent=kind == "keep, silent")
        case "hang up" | "keep, hang up":
            return do(hang_up=True)
        case _:
            return do(silent=True)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts(), pipelining=st.booleans(), connections=st.integers(1, 3), a_session=st.integers(1, 3))
def test_what_is_said_of_a_letter_is_true(  # noqa: PLR0917  what varies, and what it is tried on
    script, pipelining, connections, a_session, misbehaving, plain_server, make_message
):
    """Accepted: the server has it, once. Deferred, refused, stopped: it has not. Only `uncertain` may be either.

    And no letter is taken without its intent on record.
    """
    acts = {step: [action(misbehaving.do, step, *what) for what in row] for step, row in script.items()}
    acts["EHLO"] = "250-misbehaving\r\n250 PIPELINING" if pipelining else "250 misbehaving"
    intents = Counter()

    async def scenario():
        async with misbehaving(acts).running() as server:
            how = {
                "connections": connections,
                "messages_per_connection": a_session,
                "timeout": 0.15,
                "dot_timeout": 0.15,
            }
            async with SmtpTransport(plain_server(server.port, **how)) as transport:

                async def one(number):
                    async def begin():
                        intents[number] += 1
                        return True

                    return await transport.deliver(make_message(f"r{number}@example.net"), begin=begin)

                found = await asyncio.gather(*(one(number) for number in range(LETTERS)))
            return found, Counter(recipient for _, recipient, _ in server.accepted)

    found, taken = asyncio.run(asyncio.wait_for(scenario(), 30))
    for number, outcome in enumerate(found):
        copies = taken[f"RCPT TO:<r{number}@example.net>"]
        assert copies <= intents[number] <= 1
        if outcome.kind != "uncertain":
            assert copies == (outcome.kind == "accepted"), (number, outcome)
