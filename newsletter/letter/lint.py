"""Every rule of a good letter as a check with a name, for our own letters and anyone's. Pure.

The rules are those of mail, of mail programs and of accessibility (WCAG 2.2), as far as the message alone can show
them; how a letter looks in a browser is for the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from newsletter.letter import html_rules, mail_rules
from newsletter.letter.specimen import Specimen, take_apart

__all__ = ["RULES", "Finding", "lint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a message breaks, and how."""

    rule: str
    message: str


def lint(message: bytes) -> list[Finding]:
    """What is wrong with a message (RFC 5322 octets, any line ends), by rule; empty when every rule of RULES holds."""
    mail = take_apart(message)
    return [Finding(name, said) for name, rule in RULES.items() for said in rule(mail)]


RULES: Mapping[str, Callable[[Specimen], Iterator[str]]] = {
    "header-once": mail_rules.header_once,
    "header-clean": mail_rules.header_clean,
    "line-length": mail_rules.line_length,
    "list-headers": mail_rules.list_headers,
    "way-out": mail_rules.way_out,
    "auto-submitted": mail_rules.automatic,
    "dkim": mail_rules.signature,
    "subject-length": mail_rules.subject_length,
    "structure": mail_rules.structure,
    "text-part": mail_rules.text_part,
    "same-links": mail_rules.same_links,
    "html-size": html_rules.html_size,
    "style-size": html_rules.style_size,
    "nesting": html_rules.nesting,
    "language": html_rules.language,
    "title": html_rules.title,
    "headings": html_rules.headings,
    "layout-tables": html_rules.layout_tables,
    "link-texts": html_rules.link_texts,
    "link-looks": html_rules.link_looks,
    "link-targets": html_rules.link_targets,
    "pictures": html_rules.pictures,
    "active-content": html_rules.active,
    "dark": html_rules.dark,
    "text-size": html_rules.text_size,
    "contrast": html_rules.contrasts,
    "preheader": html_rules.preheader,
}
