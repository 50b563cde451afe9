"""The links of a letter, each signed for one reader and one purpose: newsletter.tokens says what each may do.

    BASE/l/TOKEN                    the letter in the browser
    BASE/f/TOKEN/more/PAPER         what the reader says of a paper: more, less or save; the letter's own token
    BASE/p/TOKEN, /p/TOKEN/pause    preferences
    BASE/u/TOKEN                    the way out (RFC 8058), which never expires

One signature serves all the papers of a letter. The tokens carry the keyed hash of the address, so that a name that is
given to somebody else does not hand over the first one's links.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.letter.view import Links
from newsletter.model import Letter
from newsletter.pipeline.workspace import Workspace
from newsletter.settings import Settings
from newsletter.store.suppression import address_hash
from newsletter.tokens import sign

__all__ = ["TEST", "letter_links", "link_keys", "preferences_link", "short_hash", "unsubscribe_link"]

TEST = "/test"  # where the links of a one-off test lead: they must not act on the reader


def link_keys(settings: Settings, key: bytes) -> tuple[bytes, ...]:
    """The keys that sign and open links, newest first: those of the settings, else one from the workspace's key."""
    given = settings.web.keys if settings.web else ()
    return tuple(one.get_secret_value().encode() for one in given) or (b"links:" + key,)


def short_hash(email: str, key: bytes) -> str:
    """What tells a link's address from another one's: 64 bits of the keyed hash."""
    return address_hash(email, key)[:16]


def letter_links(
    base: str, keys: tuple[bytes, ...], letter: Letter, *, key: bytes, at: datetime, test: bool = False
) -> Links:
    """All links of one letter; those of a test lead to a page that says what the real ones do."""
    if test:
        return Links(*[base + TEST] * 5)
    hashed = address_hash(letter.email, key)
    own = sign(keys, "letter", letter.subscriber, letter.edition, hashed[:16], at=at)
    preferences = f"{base}/p/{sign(keys, 'preferences', letter.subscriber, hashed[:16], at=at)}"
    return Links(
        view=f"{base}/l/{own}",
        preferences=preferences,
        unsubscribe=f"{base}/u/{sign(keys, 'unsubscribe', letter.subscriber, hashed, at=at)}",
        pause=f"{preferences}/pause",
        feedback=f"{base}/f/{own}",
    )


def preferences_link(workspace: Workspace, subscriber: str, email: str, *, at: datetime) -> str:
    """The reader's link to their preferences."""
    keys = link_keys(workspace.settings, workspace.key)
    token = sign(keys, "preferences", subscriber, short_hash(email, workspace.key), at=at)
    return f"{workspace.settings.base_url}/p/{token}"


def unsubscribe_link(workspace: Workspace, subscriber: str, email: str, *, at: datetime) -> str:
    """The reader's way out."""
    keys = link_keys(workspace.settings, workspace.key)
    token = sign(keys, "unsubscribe", subscriber, address_hash(email, workspace.key), at=at)
    return f"{workspace.settings.base_url}/u/{token}"
