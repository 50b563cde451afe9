"""The commands. Each is a thin layer over `newsletter.pipeline`: read arguments, call one stage, print."""

from __future__ import annotations

import sys

from newsletter.cli.app import app
from newsletter.errors import NewsletterError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; an expected failure becomes one paragraph on stderr and its exit status."""
    from newsletter.cli import configuration, delivery, demo, digests, evaluate, reading, service  # noqa: F401  they register

    try:
        app()
    except NewsletterError as error:
        print(f"newsletter: {error}", file=sys.stderr)  # noqa: T201  the one place that speaks for every command
        sys.exit(error.status)
    except BrokenPipeError:  # `newsletter themes | head`
        sys.stderr.close()
        sys.exit(1)
