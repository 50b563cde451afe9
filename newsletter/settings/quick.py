"""YAML read in C by libyaml, fifteen times faster, where its YAML 1.1 and our 1.2 mean the same.

Ten thousand subscribers are read when a program starts. Whatever has a character in which the two could differ, is
nested deep, or is not YAML to libyaml is left to the exact reader, whose errors people know. A test compares the two
on documents changed at random.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

__all__ = ["quick_compose"]

# Anything but printable ASCII, letters of other scripts and plain line ends; anchors, aliases, tags, directives, block
# scalars, escapes, complex keys; documents' marks; a value right behind a quoted key; indentation beyond our documents'
_DOUBTFUL = re.compile(
    r"""[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"""
    r"""|[&*!%|>\\<]|\?(?:\s|$)|["'\]}]:\S|^(?:---|\.\.\.)|^[ -]{25}""",
    re.MULTILINE,
)
_BRACKETS = 300  # of a document; more may nest deep


def quick_compose(text: str) -> Any:
    """The root node of `text` as ruamel.yaml's own; None where the exact reader must look."""
    loader = _loader()
    if loader is None or _DOUBTFUL.search(text) or text.count("[") + text.count("{") > _BRACKETS:
        return None
    import yaml

    reading = loader(text)
    try:
        root = reading.get_single_node()
    except yaml.YAMLError:
        return None
    finally:
        reading.dispose()
    return None if root is None else _converted(root, 0)


@cache
def _loader() -> Any:
    """libyaml's composer with the words of YAML 1.2; None where PyYAML was built without libyaml."""
    import yaml
    from ruamel.yaml.resolver import implicit_resolvers
    from yaml.resolver import BaseResolver

    if not yaml.__with_libyaml__:
        return None
    from yaml.cyaml import CParser

    class Loader(CParser, BaseResolver):  # type: ignore[misc]
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            BaseResolver.__init__(self)

    for versions, tag, pattern, first in implicit_resolvers:
        if (1, 2) in versions:
            Loader.add_implicit_resolver(tag, pattern, first)
    return Loader


def _converted(node: Any, depth: int) -> Any:
    """The same as ruamel.yaml's nodes; None where it is deep, or holds nothing at some place."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    if depth > 10:
        return None
    place = {"start_mark": node.start_mark, "end_mark": node.end_mark}
    if node.id == "scalar":
        if not node.value and not node.style:
            return None  # nothing after the colon: the two place it differently
        return ScalarNode(node.tag, node.value, style=node.style or None, **place)
    if node.id == "sequence":
        items = [_converted(item, depth + 1) for item in node.value]
        return None if None in items else SequenceNode(node.tag, items, flow_style=node.flow_style, **place)
    pairs = [(_converted(key, depth + 1), _converted(value, depth + 1)) for key, value in node.value]
    if any(key is None or value is None for key, value in pairs):
        return None
    return MappingNode(node.tag, pairs, flow_style=node.flow_style, **place)
