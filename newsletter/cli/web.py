"""`newsletter web`: the pages, without the clock."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import typer

from newsletter import pipeline
from newsletter.cli.app import app, set_up_log
from newsletter.cli.output import console
from newsletter.errors import ConfigError
from newsletter.pipeline.clock import clock


@app.command(name="web")
def serve_web(
    context: typer.Context,
    host: Annotated[str | None, typer.Option("--host", metavar="HOST", help="Default: web.host.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="0 takes a free one. Default: web.port."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=64, help="Processes that answer. Default: web.workers.")
    ] = None,
) -> None:
    """Serve the web pages: subscription, preferences, the way out, archive. SIGTERM ends it when all is answered."""
    from newsletter.web import server
    from newsletter.web.desk import Desk

    with pipeline.open_workspace(context.obj) as workspace:
        web = workspace.settings.web
        if web is None:
            raise ConfigError(
                "There is no web side", which=str(context.obj / "newsletter.yaml"), why="it has no key `web`",
                do="Add the line `web: {}` for pages on 127.0.0.1:8000, and set base_url to where readers reach them",
            )  # fmt: skip
        bound = server.listen(host or web.host, web.port if port is None else port)
        count = workers or web.workers
        _greet(server.address_of(bound), workspace.settings.base_url, count)
        if count == 1:
            server.run_alone(Desk(workspace, os.environ, clock(os.environ)), bound)
    if count > 1:
        os.environ["NEWSLETTER_CONFIG"] = str(context.obj.absolute())
        said = context.find_root().params
        server.run_workers(
            web, bound, count, begin=partial(set_up_log, verbose=said["verbose"], addresses=said["addresses"])
        )
    console(stderr=True).print("Stopped; every request was answered.", markup=False)


def _greet(address: str, base_url: str, workers: int) -> None:
    processes = f" ({workers} processes)" if workers > 1 else ""
    out = console(stderr=True)
    out.print(f"Pages at {address}{processes}, for readers at {base_url}. Stop with Ctrl-C or SIGTERM.", markup=False)
