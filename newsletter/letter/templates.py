"""Templates found, compiled and kept: ours, or the user's one file at a time.

MJML is compiled once, with the Jinja tags inside its text; the compiled HTML is the Jinja template. Ours run in a plain
environment; as soon as one file is the user's, everything runs in Jinja's sandbox. Autoescape is forced on for HTML
(Jinja's own choice goes by file name and leaves ``.mjml`` alone), and an unknown name is an error, not a blank.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.errors import ConfigError
from newsletter.letter.language import messages
from newsletter.letter.plain import filled, spark, underlined

__all__ = ["INCLUDE", "Templates", "compiled", "environment", "expanded", "load_templates", "shipped", "source"]

INCLUDE = re.compile(r"""<mj-include\s+path=["'](?:\./)?([^"']*)["']\s*(?:/>|>\s*</mj-include>)""")
_MESSAGE = re.compile(r"\b_\('([^'\\{}]*)'\)")
_DEEPEST = 5
# what MJML writes and has no way to say otherwise
_CORRECTIONS = (
    ('role="article"', 'role="main"'),  # a page needs a main landmark
    ("color:#ffffff;line-height:1px", "mso-hide:all;line-height:1px"),  # white on white counts as spam; for Outlook
)
_BETWEEN = re.compile(r">\s*\n\s*<")
_INDENT = re.compile(r"\s*\n\s*")


class _Ours(Environment):
    """Our templates name nothing that is not there: so Python's look-up will do. A sixth of their time."""

    getattr = staticmethod(getattr)  # type: ignore[assignment]


class Templates:
    """The HTML and the text template, made for a language when a letter in it is first rendered, then kept."""

    def __init__(self, html: str, text: str, kind: type[Environment]) -> None:
        self._html, self._text, self._kind = html, text, kind
        self._made: dict[str, tuple[Template, Template]] = {}

    def pair(self, language: str) -> tuple[Template, Template]:
        """(HTML, text) for a shipped language."""
        if language not in self._made:
            html = _template(self._kind, self._html, language, escape=True)
            self._made[language] = html, _template(self._kind, self._text, language, escape=False)
        return self._made[language]


@cache
def shipped() -> Path:
    """Our own templates: inside the wheel, or at the top of the repository in an editable installation."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "letter.mjml").is_file():
            return folder
    raise ConfigError("cannot find the templates", which=str(package / "templates"), do="Install newsletter again")


def source(name: str, override: Path | None) -> Path:
    """The file of a template: the user's where there is one, else ours. Names cannot lead out of the folder."""
    for folder in (override, shipped()):
        if (
            folder is not None
            and (found := folder / name).is_file()
            and found.resolve().is_relative_to(folder.resolve())
        ):
            return found
    raise ConfigError("cannot find the template", which=name, do="Name a file of templates/ or templates/partials/")


def expanded(name: str, override: Path | None = None, *, depth: int = 0) -> str:
    """The text of an MJML template with every ``mj-include`` put in its place."""
    if depth > _DEEPEST:
        raise ConfigError(
            "cannot read the template", which=name, why="it includes itself", do="Break the circle of mj-include"
        )
    file = source(name, override)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("cannot read the template", which=str(file), why=str(error), do="Save it as UTF-8") from error
    return INCLUDE.sub(lambda match: expanded(match[1], override, depth=depth + 1), text)


def load_templates(override: Path | None = None) -> Templates:
    """Both templates compiled; `override` is the user's folder, and its files win one at a time.

    Raises ConfigError, with the reason, when MJML or Jinja refuses; `newsletter check` names the line.
    """
    own = override is not None and any(file.suffix in (".mjml", ".txt") for file in override.rglob("*"))
    folder = override if own else None
    html, text = compiled(folder), source("letter.txt", folder).read_text("utf-8")
    templates = Templates(html, text, ImmutableSandboxedEnvironment if own else _Ours)
    templates.pair("en")
    return templates


def compiled(override: Path | None = None) -> str:
    """letter.mjml with its partials as HTML, without comments and blanks that only cost bytes; Jinja still in it."""
    from mjml import mjml2html

    try:
        html = str(mjml2html(expanded("letter.mjml", override), disable_comments=True))
    except Exception as error:
        raise ConfigError(
            "cannot compile the template", which="letter.mjml", why=str(error), do="Run newsletter check"
        ) from error
    for made, wanted in _CORRECTIONS:
        html = html.replace(made, wanted, 1)
    return _INDENT.sub("\n", _BETWEEN.sub("><", html))


def _translated(text: str, language: str) -> str:
    """The template with its constant messages in the language, so that they cost nothing per letter."""
    gettext = messages(language).gettext
    return _MESSAGE.sub(lambda m: "'" + gettext(m[1]).replace("\\", "\\\\").replace("'", "\\'") + "'", text)


def environment(kind: type[Environment], language: str, *, escape: bool) -> Environment:
    """The environment of one language: strict, escaping as told, `_` and `ngettext` from its catalogue."""
    made = kind(
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    found: Any = messages(language)
    made.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"filled": filled, "spark": spark, "underlined": underlined}
    return made


def _template(kind: type[Environment], text: str, language: str, *, escape: bool) -> Template:
    try:
        made = environment(kind, language, escape=escape).from_string(_translated(text, language))
    except TemplateError as error:
        raise ConfigError("cannot compile the template", why=str(error), do="Run newsletter check") from error
    made.globals = dict(made.globals)  # Jinja copies them for each letter, and its chain of two slowly
    return made
