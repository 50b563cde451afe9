"""Letter -> HTML and text, within the size that mail programs show whole."""

from __future__ import annotations

from dataclasses import dataclass, fields

from jinja2 import Template, TemplateError

from newsletter.errors import ConfigError
from newsletter.letter.budget import LIMIT, first_step, next_step, shrunk, steps
from newsletter.letter.language import supported
from newsletter.letter.templates import Templates
from newsletter.letter.view import Imprint, Links, View, view
from newsletter.model import Letter

__all__ = ["Rendered", "render", "render_page"]

_SLACK = 400  # bytes to save beyond the limit, so that one more rendering is enough
_NAMES = tuple(f.name for f in fields(View))


@dataclass(frozen=True, slots=True)
class Rendered:
    """Both bodies of one letter, same content and same order; `more` papers did not fit."""

    html: str
    text: str
    more: int = 0


def render(templates: Templates, letter: Letter, links: Links = Links(), imprint: Imprint = Imprint()) -> Rendered:  # noqa: B008  frozen
    """Both bodies; the HTML below 90,000 bytes for any letter. Same letter, same bytes.

    Raises ConfigError when a template of the user's names something that is not there.
    """
    html_template, text_template = templates.pair(supported(letter.language))
    step = first_step(letter, links.feedback)
    shown = view(shrunk(letter, step) if step else letter, links, imprint)
    html = _render(html_template, shown)
    while (excess := len(html.encode()) - LIMIT + 1) > 0 and step < steps(letter):
        step = next_step(letter, step, excess + _SLACK)
        shown = view(shrunk(letter, step), links, imprint)
        html = _render(html_template, shown)
    return Rendered(html, _render(text_template, shown), shown.more)


def render_page(templates: Templates, letter: Letter, links: Links, imprint: Imprint) -> str:
    """The HTML of the whole letter, however long: for a browser, which clips nothing."""
    return _render(templates.pair(supported(letter.language))[0], view(letter, links, imprint))


def _render(template: Template, shown: View) -> str:
    try:
        return template.render({name: getattr(shown, name) for name in _NAMES})
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(
            "cannot render the letter", why=why, do="Run newsletter check, which names the line"
        ) from error
