"""The example is right, shows every setting, and the schemas and the reference say what the program does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from newsletter.errors import ConfigError
from newsletter.settings import (
    check,
    load_settings,
    load_subscribers,
    read_settings,
    read_subscriber,
    schema,
    schema_text,
)
from newsletter.settings.document import field_at, key_paths
from newsletter.settings.reading import read_tree
from newsletter.settings.service import Settings
from newsletter.settings.subscriber import SubscriberDocument

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
SUBSCRIBERS = sorted((CONFIG / "subscribers").glob("*.yaml"))
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(?P<key>[a-z_.]+)` \| (?P<default>[^|]+) \|", re.MULTILINE)


def test_the_example_has_no_problem_whatever_the_environment_lacks() -> None:
    assert check(CONFIG, {}) == (len(SUBSCRIBERS), ())
    assert len(SUBSCRIBERS) >= 3


def test_the_example_s_readers_differ() -> None:
    readers = load_subscribers(CONFIG, load_settings(CONFIG, {})).subscribers
    assert len({reader.timezone for reader in readers}) == len(readers)
    assert any(reader.weekly for reader in readers)
    assert any(reader.language != "en" for reader in readers)
    texts = [interest.text for reader in readers for interest in reader.profile.interests]
    assert len(set(texts)) == len(texts)


def test_the_example_shows_every_setting_and_its_comments_are_right_too() -> None:
    """Every key stands in newsletter.yaml, if only in a comment; with the comments' keys it is valid as well."""
    text = (CONFIG / "newsletter.yaml").read_text(encoding="utf-8")
    for key in key_paths(Settings):
        assert re.search(rf"\b{key.rpartition('.')[2]}:", text), key
    maps = "dkim|imap|language_model|web|admin"
    shown = rf"^( *)# ((?:  )?(?:- \{{)?[a-z_]+: .*|(?:{maps}):|  [a-z_]+: .*)$"
    whole = re.sub(shown, r"\1\2", text, flags=re.MULTILINE)
    tree = read_tree(whole.encode(), "newsletter.yaml")
    assert tree.problems == ()
    assert {"dkim", "database", "language_model", "list_id", "operator", "web", "admin"} <= set(tree.data)


def test_ada_shows_every_setting_of_a_subscriber() -> None:
    text = (CONFIG / "subscribers" / "ada.yaml").read_text(encoding="utf-8")
    for key in key_paths(SubscriberDocument):
        assert re.search(rf"\b{key.rpartition('.')[2]}:", text), key


@pytest.mark.parametrize("name", ["newsletter", "subscriber"])
def test_the_schema_files_are_up_to_date(name: str) -> None:
    path = CONFIG / "schema" / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(name), (
        "write them again: newsletter schema --out config/schema"
    )


@pytest.mark.parametrize("path", [CONFIG / "newsletter.yaml", *SUBSCRIBERS], ids=lambda path: path.stem)
def test_every_example_points_at_its_schema_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pointed = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert pointed
    found = json.loads((path.parent / pointed[1]).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(found)
    jsonschema.Draft7Validator(found, format_checker=jsonschema.FormatChecker()).validate(
        read_tree(text.encode(), "f").data
    )


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("email: a@example.org\n", True),
        ("email: a@example.org\ndays: {weekly: mon}\nlikes: [2405.19504, arxiv:2405.19504]\n", True),
        ("email: a@example.org\ninterests: {A: [x, {text: y, weight: 2}]}\n", True),
        ("name: Ada\n", False),
        ("email: a@example.org\nintrests: [x]\n", False),
        ("email: a@example.org\ninterests: [{text: x, wieght: 1}]\n", False),
        ("email: a@example.org\ninterests: [3]\n", False),
        ("email: a@example.org\ninterests: [{text: x, weight: -1}]\n", False),
        ("email: a@example.org\npapers: 0\n", False),
        ("email: a@example.org\npapers: '3'\n", False),
        ("email: a@example.org\ndays: [tusday]\n", False),
        ("email: a@example.org\ndays: weekly\n", False),
        ("email: a@example.org\nsend_at: 730\n", False),
        ("email: a@example.org\nsend_at: '25:00'\n", False),
        ("email: a@example.org\nquiet_days: sent\n", False),
        ("email: a@example.org\nfollow: {author: [x]}\n", False),
        ("email: a@example.org\nlikes: arxiv:2405.19504\n", False),
    ],
)
def test_schema_and_program_agree(text: str, right: bool) -> None:
    validator = jsonschema.Draft7Validator(schema("subscriber"))
    assert validator.is_valid(read_tree(text.encode(), "f").data) is right
    assert (read_subscriber("a", text.encode(), "a.yaml")[0] is not None) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("from: p@example.org\n", True),
        ("from: p@example.org\nsmtp: {port: '${PORT}', security: '${SECURITY:-tls}'}\n", True),
        ("from: p@example.org\nsmtp: {port: '25'}\n", False),
        ("from: p@example.org\nsmtp: {security: ssl}\n", False),
        ("from: p@example.org\nsmpt: {}\n", False),
        ("title: x\n", False),
        ("from: p@example.org\nschedule: {fetch_at: 600}\n", False),
        ("from: p@example.org\nsources: [{name: a}]\n", False),
    ],
)
def test_schema_and_program_agree_on_settings(tmp_path: Path, text: str, right: bool) -> None:
    assert jsonschema.Draft7Validator(schema("newsletter")).is_valid(read_tree(text.encode(), "f").data) is right
    (tmp_path / "newsletter.yaml").write_text(text, encoding="utf-8")
    assert (read_settings(tmp_path, {"PORT": "25"})[0] is not None) is right


def test_every_key_of_a_schema_is_described() -> None:
    for model in (Settings, SubscriberDocument):
        for key in key_paths(model):
            info = field_at(model, tuple(key.split(".")))
            assert info is not None
            assert info.description, key


def test_an_unknown_schema_is_refused() -> None:
    with pytest.raises(ConfigError, match="newsletter, subscriber"):
        schema("readers")


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    settings, _, subscriber = REFERENCE.partition("\n## A subscriber")
    for text, model in ((settings, Settings), (subscriber, SubscriberDocument)):
        assert sorted(match["key"] for match in _ROW.finditer(text)) == sorted(key_paths(model))


def shown(default: object) -> object:
    return list(default) if isinstance(default, tuple) else default


def test_the_documented_defaults_are_the_defaults() -> None:
    settings, _, subscriber = REFERENCE.partition("\n## A subscriber")
    for text, model in ((settings, Settings), (subscriber, SubscriberDocument)):
        for match in _ROW.finditer(text):
            default, info = match["default"].strip(), field_at(model, tuple(match["key"].split(".")))
            assert info is not None
            if default == "required":
                assert info.is_required(), match["key"]
            elif default.startswith("`"):
                assert read_tree(default.strip("`").encode(), "default").data == shown(info.default), match["key"]
            else:
                assert not info.is_required()


def test_the_yaml_of_the_reference_is_right() -> None:
    for block in re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL):
        assert read_tree(block.encode(), "docs").problems == ()
        if "email:" in block:
            found, problems = read_subscriber("docs", block.encode(), "docs")
            assert found is not None, problems


def test_reading_settings_loads_no_heavy_package() -> None:
    heavy = ("numpy", "sklearn", "httpx", "sqlalchemy", "jinja2", "babel", "rich")
    code = f"import sys, newsletter.settings; print(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
