"""The rules of a letter's HTML: what mail programs show, what everyone can read. Each yields what is wrong. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

from newsletter.letter.budget import LIMIT
from newsletter.letter.page import Piece, contrast
from newsletter.letter.specimen import Specimen

STYLE = 8_000  # bytes; Gmail drops a style element above 8,192
_TARGET = 44  # px, WCAG 2.5.5
_TRACKING = ("utm_", "mc_", "trk", "click", "redirect")


def html_size(mail: Specimen) -> Iterator[str]:
    """The HTML has fewer than 90,000 bytes: Gmail clips a letter at 102,400, and forwarding adds to it."""
    if (size := len(mail.html.encode())) >= LIMIT:
        yield f"the HTML has {size} bytes, {LIMIT} is the limit: Gmail clips at 102,400"


def style_size(mail: Specimen) -> Iterator[str]:
    """The style sheets have at most 8,000 bytes: Gmail drops a style element above 8,192."""
    if (size := len(mail.page.css.encode())) > STYLE:
        yield f"the style sheets have {size} bytes, {STYLE} is the limit"


def nesting(mail: Specimen) -> Iterator[str]:
    """Every element is closed, and in order (HTML Living Standard, 13.1.2)."""
    yield from dict.fromkeys(mail.page.broken)


def language(mail: Specimen) -> Iterator[str]:
    """Language and direction stand on the html element and on one inside it, which webmail keeps (WCAG 3.1.1)."""
    if not mail.html:
        return
    page = next(iter(mail.page.all("html")), None)
    wrappers = [
        e for e in mail.page.elements if e.tag != "html" and e.attributes.get("lang") and e.attributes.get("dir")
    ]
    if page is None or page.attributes.get("lang", "und") == "und" or not page.attributes.get("dir"):
        yield "the html element does not say language and direction (lang, dir)"
    if not wrappers:
        yield "no element around the content says lang and dir: webmail drops the html element"


def title(mail: Specimen) -> Iterator[str]:
    """The title element says something (WCAG 2.4.2)."""
    if mail.html and not any(e.text for e in mail.page.all("title")):
        yield "the title element is missing or empty"


def headings(mail: Specimen) -> Iterator[str]:
    """There is one h1, and no heading level is skipped (WCAG 1.3.1)."""
    levels = [int(e.tag[1]) for e in mail.page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    if mail.html and levels.count(1) != 1:
        yield f"there are {levels.count(1)} h1 elements, one is right"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{after} follows h{before}: a level is skipped"
            return


def layout_tables(mail: Specimen) -> Iterator[str]:
    """Tables that only lay out have role=presentation, so that no screen reader counts their cells (WCAG 1.3.1)."""
    bare = [e for e in mail.page.all("table") if e.attributes.get("role") not in ("presentation", "none")]
    if bare and not mail.page.all("th"):
        yield f"{len(bare)} layout tables lack role=presentation: screen readers count their cells"


def link_texts(mail: Specimen) -> Iterator[str]:
    """Every link has a name, one name leads to one place (WCAG 2.4.9), and holds what is seen of it (WCAG 2.5.3)."""
    links = mail.page.all("a")
    where: dict[str, set[str]] = {}
    for link in links:
        name = " ".join(link.attributes.get("aria-label", "").split()) or link.text
        where.setdefault(name, set()).add(link.attributes.get("href", ""))
        if link.text not in name:
            yield f"“{link.text}” is read out as “{name[:60]}”, which nobody sees"
    if "" in where and not mail.page.all("img"):
        yield "a link has no text"
    if same := [text for text, hrefs in where.items() if text and len(hrefs) > 1]:
        yield f"{len(same)} link texts lead to different places, the first is “{same[0]}”"


def link_looks(mail: Specimen) -> Iterator[str]:
    """Links are underlined (WCAG 1.4.1) and at least 44 px high (WCAG 2.5.5)."""
    plain = [a for a in mail.page.all("a") if "none" in a.style.get("text-decoration", "") and a.text]
    if plain:
        yield f"{len(plain)} links are not underlined, the first is “{plain[0].text}”"
    small = [a for a in mail.page.all("a") if a.text and not a.look.hidden and _height(a.style, a.look.line) < _TARGET]
    if small:
        yield f"{len(small)} links are lower than {_TARGET} px, the first is “{small[0].text}”"


def _height(style: Mapping[str, str], line: float) -> float:
    """The height of a link's target in px: its line and its padding, which only blocks have."""
    if style.get("display") not in ("block", "inline-block"):
        return line
    sides = [
        float(n) if n.replace(".", "").isdigit() else 0.0 for n in style.get("padding", "0").replace("px", "").split()
    ] or [0.0]
    above = style.get("padding-top", "").removesuffix("px") or str(sides[0])
    below = style.get("padding-bottom", "").removesuffix("px") or str(sides[2] if len(sides) > 2 else sides[0])
    return line + sum(float(n) if n.replace(".", "").isdigit() else 0.0 for n in (above, below))


def link_targets(mail: Specimen) -> Iterator[str]:
    """Links lead straight to http, https, mailto or tel: none is redirected or counted."""
    for a in mail.page.all("a"):
        href = a.attributes.get("href", "")
        if urlsplit(href).scheme not in ("http", "https", "mailto", "tel"):
            yield f"“{a.text}” leads to {href[:60] or 'nowhere'}: http, https and mailto only"
        elif any(key.lower().startswith(_TRACKING) or "://" in value for key, value in parse_qsl(urlsplit(href).query)):
            yield f"“{a.text}” is redirected or counted: {href[:80]}"


def pictures(mail: Specimen) -> Iterator[str]:
    """Every picture has alt, width and height (WCAG 1.1.1), and none is a tracking pixel."""
    for img in mail.page.all("img"):
        source, given = img.attributes.get("src", "")[:80], img.attributes
        if given.get("width") in ("0", "1", "2") or given.get("height") in ("0", "1", "2") or img.look.hidden:
            yield f"{source} looks like a tracking pixel"
        elif "alt" not in given or not (given.get("width") and (given.get("height") or img.style.get("height"))):
            yield f"{source} lacks alt, width or height"


def active(mail: Specimen) -> Iterator[str]:
    """Nothing runs, embeds or sends: no script, frame, form, media or event handler."""
    for e in mail.page.elements:
        if e.tag in ("script", "iframe", "form", "object", "embed", "video", "audio", "base"):
            yield f"<{e.tag}> does not belong in a letter"
        if handlers := [name for name in e.attributes if name.startswith("on")]:
            yield f"<{e.tag}> has {handlers[0]}"


def dark(mail: Specimen) -> Iterator[str]:
    """There is a dark design: the color-scheme meta element and prefers-color-scheme."""
    if not mail.html:
        return
    if not any(e.attributes.get("name") == "color-scheme" for e in mail.page.all("meta")):
        yield "the color-scheme meta element is missing"
    if "prefers-color-scheme" not in mail.page.css:
        yield "there is no dark design (prefers-color-scheme)"


def _seen(mail: Specimen) -> Iterator[Piece]:
    return (
        piece
        for piece in mail.page.pieces
        if not piece.look.hidden and piece.look.size > 2 and piece.text.strip("\u00a0 ·")
    )


def text_size(mail: Specimen) -> Iterator[str]:
    """Running text is 16 px high or more, and none is below 14."""
    small = [piece for piece in _seen(mail) if piece.look.size < 14]
    if small:
        yield f"{len(small)} pieces of text are below 14 px, the first is “{small[0].text[:40]}”"
    sizes = Counter[float]()
    for piece in _seen(mail):
        sizes[piece.look.size] += len(piece.text)
    if sizes and max(sizes) < 16:
        yield "no text is 16 px or more"


def contrasts(mail: Specimen) -> Iterator[str]:
    """Text stands out from its ground by 4.5 to 1 (WCAG 1.4.3)."""
    low = [p for p in _seen(mail) if contrast(p.look.colour, p.look.ground) < 4.5]
    if low:
        look = low[0].look
        ratio = contrast(look.colour, look.ground)
        yield f"“{low[0].text[:40]}” has a contrast of {ratio:.1f} ({look.colour} on {look.ground}), 4.5 is right"


def preheader(mail: Specimen) -> Iterator[str]:
    """The line after the subject has 40 to 130 characters and does not repeat the subject."""
    if not mail.html:
        return
    hidden = next((p.text for p in mail.page.pieces if p.look.hidden), "")
    said = re.sub(r"[\u034f\u200c\u00a0\s]+$", "", hidden)
    if not 40 <= len(said) <= 130:
        yield f"the preheader has {len(said)} characters, 40 to 130 are right"
    if said and said == mail.one("Subject"):
        yield "the preheader repeats the subject"
