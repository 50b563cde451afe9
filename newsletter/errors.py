"""One family of errors. Each says what went wrong, with which thing, why, and what to do about it."""

from __future__ import annotations

__all__ = ["ConfigError", "DeliveryError", "DigestError", "MessageError", "NewsletterError", "StoreError"]


class NewsletterError(Exception):
    """An expected failure that a person must read. `status` is the exit status of the command that meets it.

    what: the action that failed; which: the file, address or row; why: the cause in a few words;
    do: the next step for the person. ``str()`` is the one-paragraph message.
    """

    status = 1

    def __init__(self, what: str, *, which: str = "", why: str = "", do: str = "") -> None:
        self.what, self.which, self.why, self.do = what, which, why, do
        head = f"{what} {which}".strip() + (f": {why}" if why else "")
        super().__init__(". ".join(part.rstrip(".") for part in (head, do) if part) + ".")


class ConfigError(NewsletterError):
    """Wrong usage or configuration (exit status 2)."""

    status = 2


class DigestError(NewsletterError):
    """A digest that cannot be read, or is not plausible."""


class StoreError(NewsletterError):
    """The database cannot be opened, read or written."""


class DeliveryError(NewsletterError):
    """The mail transport as a whole cannot be used."""


class MessageError(NewsletterError):
    """One letter that cannot be made into a message; the others go on."""
