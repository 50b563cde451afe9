"""What a run says of itself when it ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.delivery import STATES
from newsletter.model import Outcome
from newsletter.pipeline.report import report

EDITION = "daily/2025-03-13"


def counts(total: int, **states: int) -> dict[str, int]:
    return {**dict.fromkeys(STATES, 0), **states, "total": total}


def test_an_edition_is_done_when_every_letter_was_accepted_or_skipped() -> None:
    done = report(EDITION, counts(3, sent=2, skipped=1), None, None)
    assert (done.failed, done.problems) == (False, ())


@pytest.mark.parametrize("state", ["planned", "sending", "deferred", "failed", "uncertain"])
def test_a_letter_on_its_way_is_told(state: str) -> None:
    told = report(EDITION, counts(3, sent=2, **{state: 1}), None, datetime(2025, 3, 13, 8, tzinfo=UTC))
    assert told.failed
    assert told.problems[0].startswith(f"1 {state}")


@pytest.mark.parametrize("total", [2, 4])
def test_sums_that_do_not_balance_are_no_end(total: int) -> None:
    """Sent and skipped alone do not make an edition done: nobody may have been forgotten, nobody counted twice."""
    told = report(EDITION, counts(total, sent=2, skipped=1), None, None)
    assert told.failed
    assert "do not balance" in told.urgent[0]


def test_a_stop_comes_first() -> None:
    told = report(EDITION, counts(2, planned=2), Outcome("stop", "auth", 535, "5.7.8", "wrong"), None)
    assert "535 5.7.8 wrong" in told.urgent[0]
    assert told.needs == ("stopped",)
    assert told.waiting == ()
