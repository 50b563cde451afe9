"""What the environment says: ``NEWSLETTER_SMTP__PORT=2525`` over the file's keys, ``${SMTP_PASSWORD}`` inside them.

A secret may stand in a file (a mounted secret, systemd's credentials): ``NEWSLETTER_SECRET_KEY_FILE=/run/secrets/key``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from newsletter.settings.document import field_at, key_paths, models_in
from newsletter.settings.problems import Problem, did_you_mean
from newsletter.settings.reading import Loc, read_tree

PREFIX = "NEWSLETTER_"
_FILE = "_FILE"
RESERVED = frozenset({"NEWSLETTER_CONFIG", "NEWSLETTER_NOW"})  # the command's own options
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\$(?=\{)")


@dataclass(frozen=True)
class Override:
    """One variable that sets a key."""

    variable: str
    loc: Loc
    value: Any


def overrides(model: type[BaseModel], environ: Mapping[str, str]) -> tuple[list[Override], list[Problem]]:
    """The keys that the environment sets; a variable that names no key is a warning."""
    found, problems = [], []
    for variable in sorted(name for name in environ if name.startswith(PREFIX) and name not in RESERVED):
        loc = _loc(variable)
        info = field_at(model, loc)
        value: Any
        if info is None and is_secret(field_at(model, _loc(named := variable.removesuffix(_FILE)))):
            loc, value = _loc(named), _content(environ, variable, named)
        elif info is None:
            known = [PREFIX + path.upper().replace(".", "__") for path in key_paths(model)]
            near = did_you_mean(variable, known)
            problems.append(Problem(f"environment variable {variable}", 0, 0, f"names no setting{near}", "warning"))
            continue
        else:
            value = _value(info, environ[variable], variable)
        if isinstance(value, Problem):
            problems.append(value)
        else:
            found.append(Override(variable, loc, value))
    return found, problems


def _loc(variable: str) -> Loc:
    return tuple(int(step) if step.isdigit() else step.lower() for step in variable.removeprefix(PREFIX).split("__"))


def _content(environ: Mapping[str, str], variable: str, named: str) -> str | Problem:
    """What the secret's file holds, without the line's end."""
    path = environ[variable].strip()
    if named in environ:
        return Problem(f"environment variable {named}", 0, 0, f"is given, and {variable} too; keep one")
    try:
        return Path(path).expanduser().read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        return Problem(f"environment variable {variable}", 0, 0, f"cannot read {path}: {why}")


def holds_text(info: FieldInfo) -> bool:
    """Whether the key's value is one text (a password of digits is no number), a path or a time of day."""
    words = set(re.findall(r"\w+", str(info.annotation)))
    return (
        bool(words & {"str", "SecretStr", "Path", "time"})
        and "list" not in words
        and not any(True for _ in models_in(info.annotation))
    )


def _value(info: FieldInfo, text: str, variable: str) -> Any:
    """Text where the key holds text, else YAML, which JSON is a part of. Empty is as good as absent."""
    if not text.strip():
        return None
    if holds_text(info):
        if "Path" in str(info.annotation):  # the shell's: relative to where the command runs
            return str(Path(text.strip()).expanduser().absolute())
        return text if is_secret(info) else text.strip()
    tree = read_tree(text.encode("utf-8", "surrogateescape"), f"environment variable {variable}")
    return Problem(tree.path, 0, 0, tree.problems[0].message) if tree.problems else tree.data


def overlaid(data: Any, found: list[Override]) -> Any:
    """A copy of `data` with each override at its place; one without a value takes its key away."""
    built = dict(data) if isinstance(data, dict) else {}
    for override in found:
        built = _set(built, override.loc, override.value)
    return built


def _set(data: Any, loc: Loc, value: Any) -> Any:
    if not loc:
        return value
    head, rest = loc[0], loc[1:]
    if isinstance(head, int) and isinstance(data, list) and head < len(data):
        return [_set(item, rest, value) if index == head else item for index, item in enumerate(data)]
    inside = dict(data) if isinstance(data, dict) else {}
    if value is None and not rest:
        return {key: kept for key, kept in inside.items() if key != head}
    return {**inside, head: _set(inside.get(head), rest, value)}


@dataclass(frozen=True)
class Missing:
    """A ``${NAME}`` whose variable is not in the environment."""

    loc: Loc
    variable: str


def substituted(
    model: type[BaseModel], data: Any, environ: Mapping[str, str], loc: Loc = ()
) -> tuple[Any, list[Missing]]:
    """`data` with every ``${NAME}`` and ``${NAME:-default}`` filled in; ``$${`` is a plain ``${``.

    A value whose variable is missing becomes None and is named.
    """
    if isinstance(data, dict | list):
        pairs: Iterator[tuple[Any, Any]] = iter(data.items() if isinstance(data, dict) else enumerate(data))
        done = {key: substituted(model, value, environ, (*loc, key)) for key, value in pairs}
        missing = [one for _, more in done.values() for one in more]
        values = {key: value for key, (value, _) in done.items()}
        return (values if isinstance(data, dict) else list(values.values())), missing
    if not isinstance(data, str) or "${" not in data:
        return data, []
    names = [match for match in _VARIABLE.finditer(data) if match[1] and match[1] not in environ and match[2] is None]
    if names:
        return None, [Missing(loc, match[1]) for match in names]
    filled = _VARIABLE.sub(lambda match: environ.get(match[1], match[2] or "") if match[1] else "$", data)
    info = field_at(model, loc)
    value = _value(info, filled, "") if info and _VARIABLE.fullmatch(data) and not holds_text(info) else filled
    return (filled if isinstance(value, Problem) else value), []


def is_secret(info: FieldInfo | None) -> bool:
    return info is not None and SecretStr.__name__ in str(info.annotation)
