"""What ranking cannot use of a profile, said openly: for `check`, the letter's hint and the terminal."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from newsletter.model import Profile
from newsletter.ranking.values import HEAVIEST, LIGHTEST, Options

_DEFAULT = Options()


def notes(profile: Profile, known: AbstractSet[str], options: Options = _DEFAULT) -> tuple[str, ...]:
    """One sentence per thing in `profile` that ranking ignores or changes; `known` are the archive's paper ids."""
    found = [*_weights(profile), *_rated(profile, known, options), *_avoided(profile)]
    if not profile.interests and not set(profile.likes) & known:
        followed = profile.follow_authors or profile.follow_keywords
        found.append(
            "No interests and no known likes: only what is followed is chosen."
            if followed
            else "No interests yet: what everyone reads is all there is to choose from."
        )
    return tuple(found)


def _weights(profile: Profile) -> list[str]:
    found = []
    for interest in profile.interests:
        if not interest.weight > 0:
            found.append(f"The interest “{interest.text}” has weight {interest.weight:g} and is left out.")
        elif not LIGHTEST <= interest.weight <= HEAVIEST:
            bound = HEAVIEST if interest.weight > HEAVIEST else LIGHTEST
            found.append(f"The interest “{interest.text}” has weight {interest.weight:g}; it counts as {bound:g}.")
    return found


def _rated(profile: Profile, known: AbstractSet[str], options: Options) -> list[str]:
    unknown = [i for i in (*profile.likes, *profile.dislikes) if i not in known]
    found = (
        [f"The archive does not hold {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}."] if unknown else []
    )
    rated = len(profile.likes) + len(profile.dislikes) - len(unknown)
    if rated > options.likes_most:
        found.append(f"Of {rated:,} rated papers the latest {options.likes_most:,} are learned from.")
    return found


def _avoided(profile: Profile) -> list[str]:
    wanted = {interest.text.strip().casefold() for interest in profile.interests}
    same = [text for text in profile.avoid if text.strip().casefold() in wanted]
    return [f"“{text}” is both an interest and to be avoided: avoiding wins." for text in same]
