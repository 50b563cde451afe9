"""The commands. Each is a thin layer over `newsletter.pipeline`: read arguments, call one stage, print."""

from __future__ import annotations

import sys

from newsletter.cli.app import app
from newsletter.errors import NewsletterError

__all__ = ["app", "main", "register"]


def register() -> None:
    """Give the application its commands: importing their modules does it."""
    from newsletter.cli import (  # noqa: F401
        addresses,
        configuration,
        delivery,
        demo,
        digests,
        evaluate,
        health,
        likes,
        lint,
        reading,
        service,
        subscribers,
        templates,
        train,
        tune,
        web,
    )


def main() -> None:
    """Run the command line; an expected failure becomes one paragraph on stderr and its exit status."""
    register()
    try:
        app()
    except NewsletterError as error:
        print(f"newsletter: {error}", file=sys.stderr)  # noqa: T201  the one place that speaks for every command
        sys.exit(error.status)
    except BrokenPipeError:  # `newsletter themes | head`
        sys.stderr.close()
        sys.exit(1)
