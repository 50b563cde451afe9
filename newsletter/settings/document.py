"""What every configuration document has in common: known keys only, right types only, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Document(BaseModel):
    """A map of known keys. A number in quotes is text, and 12.0 is no whole number: the wrong type is an error."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        str_strip_whitespace=True,
    )


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a document as people write them (`from`, not `sender`)."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The documents that may stand where `annotation` does: in an option, a list, a map or one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def field_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> FieldInfo | None:
    """The field that the key path `loc` names; None where there is none. Positions in lists are passed over."""
    models: tuple[type[BaseModel], ...] = (model,)
    found: FieldInfo | None = None
    for step in loc:
        if isinstance(step, int) or step.isdigit():
            continue
        found = next((fields(m)[step] for m in models if step in fields(m)), None)
        if found is None:
            return None
        models = tuple(models_in(found.annotation))
    return found


def known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand in the map at `loc`; a step that names no key (a union's tag, a group) is passed over."""
    models: tuple[type[BaseModel], ...] = (model,)
    for step in loc:
        names = [fields(m)[step] for m in models if isinstance(step, str) and step in fields(m)]
        models = tuple(inner for info in names for inner in models_in(info.annotation)) if names else models
    return [name for m in models for name in fields(m)]


def key_paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every key with a dot between levels: ``title``, ``smtp``, ``smtp.port``."""
    for name, info in fields(model).items():
        yield above + name
        for inner in dict.fromkeys(models_in(info.annotation)):
            yield from key_paths(inner, f"{above}{name}.")
