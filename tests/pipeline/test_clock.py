"""The time is UTC, and may be made to stand still for a rehearsal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.errors import ConfigError
from newsletter.pipeline.clock import clock


@pytest.mark.parametrize("environ", [{}, {"NEWSLETTER_NOW": ""}])
def test_the_time_goes_on(environ):
    now = clock(environ)
    before = datetime.now(UTC)
    assert before <= now() <= now() <= datetime.now(UTC)
    assert now().tzinfo is UTC


def test_a_rehearsal_s_time_stands_still():
    now = clock({"NEWSLETTER_NOW": "2025-03-13T09:00:00+02:00"})
    assert now() == now() == datetime(2025, 3, 13, 7, tzinfo=UTC)
    assert now().tzinfo is UTC


@pytest.mark.parametrize("said", ["yesterday", "13.03.2025", "2025-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_named(said):
    with pytest.raises(ConfigError, match="NEWSLETTER_NOW"):
        clock({"NEWSLETTER_NOW": said})
