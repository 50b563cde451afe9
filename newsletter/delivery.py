"""What happens to a letter on its way, as a table and pure decisions; no clock, no database, no network.

A delivery is `planned`, or `skipped` at once when there is nothing to say. Whoever leases it tries it; `sending` is
written down right before DATA, because from there on a silent server may have taken the letter (RFC 1047). The answer
makes it `sent`, `deferred` or `failed`; silence or a crash make it `uncertain`, which only an operator leaves.

    planned --begin--> sending --accepted--> sent
       |  ^               |-----deferred--> deferred --begin--> sending ...
       |  |               |-----refused---> failed
       |  +--requeued--+  +-----(silence)-> uncertain
       +--withdrawn--> skipped
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from newsletter.model import Delivery, Outcome, Phase, State

__all__ = ["CLAIMABLE", "STATES", "TRANSITIONS", "Event", "Settlement", "answers", "backoff", "decide", "suppresses"]

Event = Literal[
    "begin", "accepted", "deferred", "refused", "uncertain", "stop", "expired", "crashed", "withdrawn", "requeued"
]

STATES: tuple[State, ...] = ("planned", "sending", "sent", "deferred", "failed", "uncertain", "skipped")
CLAIMABLE: frozenset[State] = frozenset({"planned", "deferred"})

# Every change of state there is; a pair that is not here does not happen. Rows that need a word:
#   (planned, accepted)    a transport that never asked to begin: forgetting its 250 would double the letter
#   (uncertain, accepted)  the answer came after the lease was over and `recover` had given up on it
#   (sending, stop)        the server said no in words, so the letter is safe to try again
#   (sent, requeued)       the operator wants another copy
TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        ("planned", "begin"): "sending",
        ("planned", "accepted"): "sent",
        ("planned", "deferred"): "deferred",
        ("planned", "refused"): "failed",
        ("planned", "uncertain"): "uncertain",
        ("planned", "stop"): "planned",
        ("planned", "expired"): "failed",
        ("planned", "withdrawn"): "skipped",
        ("deferred", "begin"): "sending",
        ("deferred", "accepted"): "sent",
        ("deferred", "deferred"): "deferred",
        ("deferred", "refused"): "failed",
        ("deferred", "uncertain"): "uncertain",
        ("deferred", "stop"): "deferred",
        ("deferred", "expired"): "failed",
        ("deferred", "withdrawn"): "skipped",
        ("deferred", "requeued"): "planned",
        ("sending", "accepted"): "sent",
        ("sending", "deferred"): "deferred",
        ("sending", "refused"): "failed",
        ("sending", "uncertain"): "uncertain",
        ("sending", "stop"): "deferred",
        ("sending", "expired"): "failed",
        ("sending", "crashed"): "uncertain",
        ("uncertain", "accepted"): "sent",
        ("uncertain", "deferred"): "deferred",
        ("uncertain", "refused"): "failed",
        ("uncertain", "uncertain"): "uncertain",
        ("uncertain", "stop"): "deferred",
        ("uncertain", "expired"): "failed",
        ("uncertain", "requeued"): "planned",
        ("sent", "requeued"): "planned",
        ("failed", "requeued"): "planned",
        ("skipped", "requeued"): "planned",
    }
)

_FIRST_PAUSE = timedelta(minutes=5)  # greylisting servers mostly let the second try in after five minutes
_FIRST_PAUSE_UNREACHED = timedelta(minutes=1)  # nobody answered: the server is away, not unwilling
_LONGEST_PAUSE = timedelta(hours=4)
# RFC 3463: bad mailbox, bad system, mailbox moved, null MX (RFC 7505). Never 5.7.x: that is the sender's fault.
_NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10"})


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the ledger is to write of one try. `state` follows from `event`, as long as the row is still that try's.

    `attempt` counts from 1 and tells tries apart: the ledger drops a settlement of an older one. `begun` tells whether
    `sending` had been written. `suppress` is the reason why the address gets no letter ever again, or empty.
    """

    delivery_id: int
    attempt: int
    begun: bool
    event: Event
    state: State
    at: datetime
    phase: Phase
    next_at: datetime | None = None
    reason: str = ""
    code: int = 0
    enhanced: str = ""
    text: str = ""
    suppress: str = ""


def decide(
    delivery: Delivery, outcome: Outcome, now: datetime, rng: random.Random, *, begun: bool | None = None
) -> Settlement:
    """The settlement for what the transport said of `delivery`, as `claim` handed it out.

    `begun` tells whether `sending` was written for this try. Left out, it follows from the outcome's phase, which is
    wrong where a transport answers for a letter that it has not tried, because another one stopped it.
    A deferral that would reach `delivery.expires` becomes a failure with that reason; one without an expiry goes on.
    """
    if begun is None:
        begun = outcome.phase in ("data", "dot", "quit")
    attempt = delivery.attempts + 1
    event: Event = outcome.kind
    if outcome.kind == "stop" and begun and not outcome.code:
        event = "uncertain"  # stopped after DATA without an answer: nobody knows
    next_at = now + backoff(attempt, outcome.phase, rng) if event == "deferred" else None
    reason = _reason(outcome)
    if next_at is not None and delivery.expires is not None and next_at >= delivery.expires:
        event, next_at, reason = "expired", None, f"not accepted before the next edition; last answer: {reason}"
    state = TRANSITIONS["sending" if begun else delivery.state, event]
    if state == "deferred" and next_at is None:
        next_at = now  # stopped, not put off: the next run may try at once
    return Settlement(
        delivery.id, attempt, begun, event, state, now, outcome.phase, next_at,
        "" if state in ("sent", "planned") else reason,
        outcome.code, outcome.enhanced, outcome.text, suppresses(outcome),
    )  # fmt: skip


def answers(settlement: Settlement, state: State, attempts: int) -> bool:
    """Whether `settlement` is about the try that the ledger's row stands at, and not about one that it has left behind.

    Beginning counts the attempt. So a try that began finds its own number, and one that did not the number before;
    an answer from a transport that never asked to begin finds that, too, and counts.
    """
    untried = state in CLAIMABLE and attempts == settlement.attempt - 1
    asked = state in ("sending", "uncertain") and attempts == settlement.attempt
    return untried or (settlement.begun and asked)


def backoff(attempt: int, phase: Phase, rng: random.Random) -> timedelta:
    """The pause before the next try: doubled each time up to four hours, spread by a fifth to either side."""
    first = _FIRST_PAUSE_UNREACHED if phase in ("connect", "tls") else _FIRST_PAUSE
    pause: timedelta = min(_LONGEST_PAUSE, first * 2 ** min(attempt - 1, 16))
    return pause * rng.uniform(0.8, 1.2)


def suppresses(outcome: Outcome) -> str:
    """The reason why no letter may go to this address again, or empty: only a plain "no such address" is one."""
    if outcome.kind == "refused" and outcome.enhanced in _NO_SUCH_ADDRESS:
        return f"no such address ({outcome.code} {outcome.enhanced})"  # the server's text may hold the address
    return ""


def _reason(outcome: Outcome) -> str:
    said = " ".join(part for part in (str(outcome.code or ""), outcome.enhanced, outcome.text) if part)
    return said or f"no answer ({outcome.phase})"
