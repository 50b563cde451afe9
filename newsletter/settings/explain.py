"""What pydantic found, in plain words and at its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsletter.settings.document import known_keys
from newsletter.settings.problems import Problem, did_you_mean
from newsletter.settings.reading import Loc, Tree

_WORDS: Mapping[str, str] = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a map",
    "model_type": "must be a map of keys",
    "model_attributes_type": "must be a map of keys",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_long": "holds {actual_length} entries; at most {max_length}",
    "too_short": "is too short; at least {min_length} characters",
    "string_too_long": "is too long; at most {max_length} characters",
    "string_too_short": "is too short; at least {min_length} characters",
    "string_pattern_mismatch": "has characters that cannot stand here (it must match {pattern})",
}
_TYPES = (
    "string_type",
    "int_type",
    "float_type",
    "bool_type",
    "list_type",
    "tuple_type",
    "dict_type",
    "model_type",
    "model_attributes_type",
)
_NAMES: Mapping[type, str] = {
    dict: "a map",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def problems_of(error: ValidationError, model: type[BaseModel], tree: Tree) -> Iterator[Problem]:
    """One problem for each thing that pydantic found wrong with `tree`."""
    for detail in error.errors(include_url=False):
        yield _problem(detail, model, tree)


def _problem(detail: ErrorDetails, model: type[BaseModel], tree: Tree) -> Problem:
    loc, kind = _in_document(detail["loc"], tree.data), detail["type"]
    if kind == "extra_forbidden":
        key = str(loc[-1])
        return tree.problem(loc, f"unknown key {key!r}{did_you_mean(key, known_keys(model, loc[:-1]))}", key=True)
    if kind == "missing":
        return tree.problem(
            loc[:-1], f"{'the document' if len(loc) == 1 else label(loc[:-1])} needs the key {str(loc[-1])!r}"
        )
    return tree.problem(loc, f"{label(loc)}{_said(detail, loc)}")


def label(loc: Loc) -> str:
    """``interests[2].weight``; positions count from 1, as people count."""
    text = ""
    for step in loc:
        text += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text or "the document"


def _said(detail: ErrorDetails, loc: Loc) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return f": {context['error']}"
    if kind == "literal_error":
        return _choice(detail)
    if kind == "greater_than_equal" and loc[-1] == "weight":
        return " must not be negative; put the text under 'avoid' to see less of it"
    if detail["input"] is None:
        return ": there is nothing here; write a value, or remove it"
    said = _WORDS.get(kind, "")
    if not said:
        return f": {detail['msg']}"
    return f" {said.format(**context)}" + (_instead(kind, detail["input"]) if kind in _TYPES else "")


def _choice(detail: ErrorDetails) -> str:
    choices = [word.strip("' ") for word in detail.get("ctx", {})["expected"].replace(" or ", ", ").split(", ")]
    given = detail["input"]
    near = did_you_mean(given, choices) if isinstance(given, str) else ""
    return f" must be {' or '.join(choices)}" + (near if "mean" in near else "")


def _instead(kind: str, given: Any) -> str:
    name = _NAMES.get(type(given), type(given).__name__)
    quotes = kind == "string_type" and isinstance(given, int | float)
    unquoted = kind in ("int_type", "float_type", "bool_type") and isinstance(given, str) and len(given) <= 20
    return f", not {name}" + (
        "; put it in quotes"
        if quotes
        else "; write it without quotes and in digits"
        if unquoted and kind != "bool_type"
        else ""
    )


def _in_document(loc: Loc, data: Any) -> Loc:
    """`loc` without what pydantic adds to it: the tags of unions, the marks of map keys."""
    kept: list[str | int] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(data, dict):
            if step in data or last:
                kept.append(step)
                data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            kept.append(step)
            data = data[step]
    return tuple(kept)
