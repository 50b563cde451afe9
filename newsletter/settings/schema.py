"""The JSON Schemas of the two documents, from the models: editors complete and check while people type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from newsletter.errors import ConfigError
from newsletter.settings.service import Settings
from newsletter.settings.subscriber import SubscriberDocument

DOCUMENTS: Mapping[str, type[BaseModel]] = {"newsletter": Settings, "subscriber": SubscriberDocument}


def schema(document: str) -> dict[str, Any]:
    """The JSON Schema (draft 7, which every YAML language server reads) of ``newsletter`` or ``subscriber``."""
    model = DOCUMENTS.get(document)
    if model is None:
        raise ConfigError("No schema", which=document, do=f"Name one of {', '.join(DOCUMENTS)}")
    built = _plain(model.model_json_schema(by_alias=True))
    if document == "newsletter":  # where ${NAME} may stand for any value
        built = _with_variables(built)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **built}


def schema_text(document: str) -> str:
    """The schema as the file that the example configuration points at."""
    return json.dumps(schema(document), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Writes every schema into `folder` as NAME.schema.json."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in DOCUMENTS:
        path = folder / f"{name}.schema.json"
        path.write_text(schema_text(name), encoding="utf-8")
        written.append(path)
    return written


def _plain(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and with references that keep their description in draft 7."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _plain(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and key != "writeOnly"
    }
    if "$ref" in kept and len(kept) > 1:  # draft 7 ignores what stands beside a reference
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    return kept


_VARIABLE = {"type": "string", "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}$"}
_ABOUT = ("description", "default", "examples")


def _with_variables(node: Any) -> Any:
    """Every value that is more than any text may be a variable instead."""
    if isinstance(node, list):
        return [_with_variables(item) for item in node]
    if not isinstance(node, dict):
        return node
    inside = {key: _with_variables(value) for key, value in node.items()}
    bound = node.get("type") in ("integer", "number", "boolean") or (
        node.get("type") == "string" and {"enum", "pattern"} & set(node)
    )
    if not bound:
        return inside
    rule = {key: value for key, value in inside.items() if key not in _ABOUT}
    return {**{key: inside[key] for key in _ABOUT if key in inside}, "anyOf": [rule, _VARIABLE]}
