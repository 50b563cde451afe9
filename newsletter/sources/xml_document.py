"""XML from strangers: parsed by defusedxml, then arXiv's API or a feed by what the root element says."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from newsletter.sources import arxiv, feed
from newsletter.sources.reading import Reading


def read(document: str | bytes, *, accept: feed.Accept = "identified", replacements: bool = True) -> Reading | str:
    """The papers of an XML document; a string says why there is nothing to read.

    Text is given as `str` where it decodes as UTF-8, whatever encoding it declares: feeds that declare ISO-8859-1 and
    are written in UTF-8 are real.
    """
    root = parse(document)
    if isinstance(root, str):
        return root
    if arxiv.recognises(root):
        return arxiv.read(root)
    if feed.recognises(root):
        return feed.read(root, accept=accept, replacements=replacements)
    return f"its XML is neither Atom nor RSS (its root element: {feed.local(root.tag)[:40]})"


def parse(document: str | bytes) -> Element | str:
    """The root element, or why not: broken XML, or entity declarations (bombs and external files)."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(document)
    except DefusedXmlException:
        return "its XML declares entities, which is refused"
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        return f"its XML is broken or cut off ({error})"
