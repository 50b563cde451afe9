"""What the package offers stays what it is however often it is called: no submodule takes a function's name."""

from __future__ import annotations

from datetime import date

import numpy as np

from newsletter import ranking


def test_rank_is_a_function_after_its_first_call():
    nothing = ranking.Corpus((), np.zeros((0, 4), dtype=np.float32))
    for _ in range(2):
        picks = ranking.rank(
            [], nothing, nothing, encode=lambda texts: np.zeros((len(texts), 4), dtype=np.float32),
            themes={}, momentum={}, seen=[], today=date(2025, 3, 13),
        )  # fmt: skip
        assert picks == []
