"""`newsletter templates`: which files the letter is made from, and a copy of one to change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.app import AsJson, app
from newsletter.cli.output import console, print_json, table
from newsletter.errors import ConfigError
from newsletter.letter.templates import shipped
from newsletter.settings.problems import did_you_mean


@app.command()
def templates(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Copy these into the configuration, to change them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the letter's templates, ours and yours; or copy ours into the configuration, where yours win."""
    own = Path(context.obj) / "templates"
    known = _known()
    copied = [_copy(name, known, own) for name in names or ()]
    rows = [
        (name, own / name if (own / name).is_file() else shipped() / name, (own / name).is_file()) for name in known
    ]
    if as_json:
        print_json([{"name": name, "file": str(file), "yours": yours} for name, file, yours in rows])
    elif copied:
        console().print("\n".join(map(str, copied)), markup=False, soft_wrap=True)
    else:
        shown = [(name, "yours" if yours else "ours", str(file)) for name, file, yours in rows]
        console().print(table("Templates of the letter", ("name", "whose", "file"), shown))


def _known() -> list[str]:
    """The templates that a letter is made from, by name."""
    files = (path for path in shipped().rglob("*") if path.suffix in (".mjml", ".txt"))
    return sorted(path.relative_to(shipped()).as_posix() for path in files)


def _copy(name: str, known: list[str], own: Path) -> Path:
    if name not in known:
        raise ConfigError("There is no template", which=repr(name), do=did_you_mean(name, known) or ", ".join(known))
    target = own / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (shipped() / name).open("rb") as ours, target.open("xb") as mine:
            shutil.copyfileobj(ours, mine)
    except FileExistsError as error:
        raise ConfigError(
            "Cannot copy the template", which=name, why=f"{target} is there already", do="Change that one, or remove it"
        ) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError("Cannot copy the template", which=name, why=why, do=f"Check the rights of {own}") from error
    return target
