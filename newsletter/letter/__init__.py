"""The letter that a reader opens: composed from picks, rendered from MJML and text templates."""

from newsletter.letter.compose import compose
from newsletter.letter.render import Rendered, render
from newsletter.letter.templates import Templates, load_templates
from newsletter.letter.view import Imprint, Links

__all__ = ["Imprint", "Links", "Rendered", "Templates", "compose", "load_templates", "render"]
