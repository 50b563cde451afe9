"""The right papers for each reader, and the true reason for each. Pure: no clock, no input or output, seeded.

Corpus (day, archive) -> index -> stage (what all readers share) -> score (readers x papers, parts that sum) -> choose
-> reasons -> Pick*. Numpy and scikit-learn are loaded at the first call, not at import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import TYPE_CHECKING

from newsletter.model import Momentum, Pick, Profile
from newsletter.ranking.notes import notes
from newsletter.ranking.reasons import describe
from newsletter.ranking.values import Corpus, Explanation, Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Corpus", "Explanation", "Options", "describe", "explain", "notes", "rank"]
_DEFAULT = Options()


def rank(
    profiles: Sequence[Profile],
    day: Corpus,
    archive: Corpus,
    *,
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    themes: Mapping[str, str],
    momentum: Mapping[str, Momentum],
    seen: Sequence[AbstractSet[str]],
    today: date,
    options: Options = _DEFAULT,
) -> list[tuple[Pick, ...]]:
    """Choose papers of `day` for each profile, best first by score: at most ``profile.papers``, none of `seen`.

    `archive` holds the liked papers and what "any paper" is measured by; it may hold the day's too. `encode` gives
    (n, d) unit rows in the space of both corpora's vectors. `themes` maps paper id to theme id. A day of no
    papers gives no picks; a like that no corpus holds is ignored.
    """
    from newsletter.ranking.picking import rank as run

    return run(
        profiles, day, archive, encode=encode, themes=themes, momentum=momentum, seen=seen, today=today, options=options
    )


def explain(
    profile: Profile,
    paper_id: str,
    day: Corpus,
    archive: Corpus,
    *,
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
    themes: Mapping[str, str],
    momentum: Mapping[str, Momentum],
    seen: AbstractSet[str],
    today: date,
    options: Options = _DEFAULT,
) -> Explanation | None:
    """The whole sum for one paper of the day, chosen or not, with "why not"; None if the day has no such paper."""
    from newsletter.ranking.picking import explain as run

    return run(
        profile,
        paper_id,
        day,
        archive,
        encode=encode,
        themes=themes,
        momentum=momentum,
        seen=seen,
        today=today,
        options=options,
    )
