"""A secret in a file of its own, as containers and systemd give it: NEWSLETTER_<KEY>_FILE."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.settings import load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "newsletter.yaml").write_text("from: p@example.org\n")
    return tmp_path


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("SECRET_KEY", "a-key-of-sixteen-characters\n", lambda s: s.secret_key.get_secret_value()),
        ("DATABASE", "sqlite:////tmp/x.db\r\n", lambda s: s.database_url()),
    ],
)
def test_a_secret_is_read_from_its_file_without_the_lines_end(config, key, text, value):
    (config / "secret").write_text(text, newline="")
    settings = load_settings(config, {f"NEWSLETTER_{key}_FILE": str(config / "secret")})
    assert value(settings) == text.rstrip("\r\n")


def test_a_file_that_is_not_there_is_named_and_the_secret_is_not_left_out(config):
    with pytest.raises(ConfigError, match=r"NEWSLETTER_SECRET_KEY_FILE: cannot read /nowhere/key: No such file"):
        load_settings(config, {"NEWSLETTER_SECRET_KEY_FILE": "/nowhere/key"})


def test_a_secret_twice_is_an_error(config):
    (config / "secret").write_text("x" * 20)
    environ = {"NEWSLETTER_SECRET_KEY": "y" * 20, "NEWSLETTER_SECRET_KEY_FILE": str(config / "secret")}
    with pytest.raises(ConfigError, match="keep one"):
        load_settings(config, environ)


def test_what_is_no_secret_has_no_file(config):
    from newsletter.settings.environment import overrides
    from newsletter.settings.service import Settings

    found, (problem,) = overrides(Settings, {"NEWSLETTER_TITLE_FILE": "/etc/passwd"})
    assert found == []
    assert problem.severity == "warning"


def test_a_key_that_ends_in_file_is_that_key(config):
    settings = load_settings(config, {"NEWSLETTER_ADMIN__PASSWORD_FILE": str(config / "password")})
    assert settings.admin.password_file == config / "password"
