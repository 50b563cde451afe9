"""What a browser would send of a page's form: the names and values of its fields as they stand."""

from __future__ import annotations

from html.parser import HTMLParser


class _Reader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.action, self.inside = action, False
        self.found: dict[str, list[str]] = {}
        self.area: str | None = None
        self.select: tuple[str, list[tuple[str | None, bool]]] | None = None
        self.text = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.inside = (given.get("action") or "").endswith(self.action)
        elif self.inside and tag == "input" and given.get("name"):
            ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if ticked:
                self.found.setdefault(given["name"], []).append(given.get("value") or "")
        elif self.inside and tag == "textarea":
            self.area, self.text = given["name"], ""
        elif self.inside and tag == "select":
            self.select = (given["name"], [])
        elif tag == "option" and self.select:
            self.select[1].append((given.get("value"), "selected" in given))
            self.text = ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea" and self.area:
            self.found.setdefault(self.area, []).append(self.text.removeprefix("\n"))
            self.area = None
        elif tag == "option" and self.select:
            value, chosen = self.select[1][-1]
            self.select[1][-1] = (self.text if value is None else value, chosen)
        elif tag == "select" and self.select:
            name, options = self.select
            chosen = [value for value, on in options if on] or [options[0][0]]
            self.found.setdefault(name, []).append(chosen[-1])
            self.select = None

    def handle_data(self, data):
        self.text += data


def fields_of(text: str, action: str) -> dict[str, list[str]]:
    """The fields of the form in the page `text` whose action ends so, by name, each with all its values in order."""
    reader = _Reader(action)
    reader.feed(text)
    return reader.found
