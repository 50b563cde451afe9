"""How a theme moves: this week against the weeks before, with its uncertainty. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.model import Momentum, Trend

WEEK = 7
SHAPE = 2.0  # of the prior: about two papers' worth of belief that nothing has changed


def momentum(history: Sequence[int], volume: Sequence[int]) -> Momentum:
    """Momentum of a theme with `history[i]` papers on day i of a window in which `volume[i]` papers came in all.

    Oldest day first, the edition's day last; the last seven days are this week. The rate is the theme's share of this
    week's papers over its share of the weeks before: a day with twice the papers makes no theme rise.

    Counts are Poisson with a Gamma prior on each period's rate, shape a = 2 and mean the theme's rate over the whole
    window, so that the posterior is Gamma(a + k, a / mean + volume) (Gelman et al., Bayesian Data Analysis, 3rd ed.,
    section 2.6) and the ratio of two such rates is a scaled F(2(a + k1), 2(a + k0)) variable (Price and Bonett,
    Estimating the ratio of two Poisson rates, 2000). `rate` is the ratio's median, `low` and `high` its 10 % and 90 %
    points. Rising: `low` above 1. New: nothing before this week although there was a before, and at least two now.
    """
    from scipy.stats import f

    k0, k1 = sum(history[:-WEEK]), sum(history[-WEEK:])
    e0, e1 = sum(volume[:-WEEK]), sum(volume[-WEEK:])
    if not k0 + k1 or not e0 or not e1:
        return Momentum("steady", 1.0, 1.0, 1.0, tuple(history))
    strength = SHAPE * (e0 + e1) / (k0 + k1)
    scale = ((SHAPE + k1) / (strength + e1)) / ((SHAPE + k0) / (strength + e0))
    low, middle, high = (float(scale * f.ppf(q, 2 * (SHAPE + k1), 2 * (SHAPE + k0))) for q in (0.1, 0.5, 0.9))
    trend: Trend = "new" if not k0 and k1 >= 2 else "rising" if low > 1 else "steady"
    return Momentum(trend, round(middle, 3), round(low, 3), round(high, 3), tuple(history))
