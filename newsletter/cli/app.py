"""The typer application and what every command shares: the configuration's folder and the log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from typer.core import TyperGroup

import newsletter
from newsletter.errors import ConfigError
from newsletter.pipeline.clock import clock
from newsletter.text import without_addresses


class _InOrder(TyperGroup):
    """Lists the commands in the order in which they are used, not in that of the imports."""

    def list_commands(self, ctx: Any) -> list[str]:
        known = super().list_commands(ctx)
        return [name for name in _ORDER if name in known] + [name for name in known if name not in _ORDER]


_ORDER = (
    "demo", "init", "check", "schema", "templates", "fetch", "themes", "rank", "preview", "lint", "likes",
    "subscribers", "send", "status", "deliveries", "resend", "bounce", "suppress", "allow", "suppressions", "run",
    "web", "health", "doctor", "tune",
)  # fmt: skip

app = typer.Typer(
    name="newsletter",
    cls=_InOrder,
    help="Personal research-paper newsletters: the day's papers, by theme, ranked for one reader at a time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of a table.")]
Day = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The edition's day; the newest by default.")
]


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", envvar="NEWSLETTER_CONFIG", help="The configuration's folder.")
    ] = Path("config"),
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step to stderr.")] = False,
    addresses: Annotated[
        bool, typer.Option("--log-addresses", help="Do not mask e-mail addresses in the log.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    """Remember where the configuration is; nothing is read yet."""
    if version:
        typer.echo(f"newsletter {newsletter.__version__}")
        raise typer.Exit
    context.obj = config
    set_up_log(verbose=verbose, addresses=addresses)


def set_up_log(*, verbose: bool, addresses: bool) -> None:
    """Structured lines on stderr: readable on a terminal, JSON elsewhere; warnings and worse unless `verbose`."""
    # plain tracebacks: the pretty ones print variables, and some of those are secrets
    readable = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    render = readable if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *(() if addresses else (_mask_addresses,)),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _mask_addresses(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whoever reads the log has no need to know who reads the newsletter; servers' replies name addresses, too."""
    return {name: without_addresses(str(v)) if "@" in str(v) else v for name, v in line.items()}


def parse_day(text: str | None) -> date | None:
    """The date that an option names, `today` and `yesterday` too; ConfigError for anything else."""
    if text is None:
        return None
    today = now().date()
    if text in ("today", "yesterday"):
        return today if text == "today" else date.fromordinal(today.toordinal() - 1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            "Cannot read the date", which=repr(text), why="it is not YYYY-MM-DD", do="Write it like 2025-03-13"
        ) from None


def now() -> datetime:
    """The clock of the commands, in the system's zone; `NEWSLETTER_NOW` (ISO 8601) sets it for a rehearsal."""
    return clock(os.environ)().astimezone()
