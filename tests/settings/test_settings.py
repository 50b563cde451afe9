"""newsletter.yaml, the environment over it, secrets that stay secret, and what stops a command and what does not."""

# ruff: noqa: E501  a mistake and its message stand in one line each

from __future__ import annotations

import os
import traceback
from datetime import time
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.settings import Settings, load_settings, read_settings

SECRET = "correct horse battery staple"


def written(config: Path, text: str) -> Path:
    (config / "newsletter.yaml").write_text(text, encoding="utf-8")
    return config


def problems(config: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    found = read_settings(written(config, f"from: p@example.org\n{text}"), environ or {})[1]
    return [str(problem).removeprefix(f"{config}/newsletter.yaml:") for problem in found]


def test_a_sender_is_enough(config: Path) -> None:
    settings = load_settings(config, {})
    assert settings.sender == "Papers <papers@example.org>"
    assert settings.data == config.parent / "data"
    assert settings.database_url() == f"sqlite:///{config.parent}/data/newsletter.db"
    assert (settings.schedule.fetch_at, settings.schedule.timezone) == (time(6), "UTC")
    assert settings.smtp_login() is None
    assert settings.dkim_key() is None


def test_settings_are_frozen(config: Path) -> None:
    settings = load_settings(config, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.title = "Other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        settings.smtp.port = 1  # type: ignore[misc]
    assert isinstance(settings.sources, tuple)


def test_the_environment_wins_over_the_file_at_every_level(config: Path) -> None:
    written(
        config,
        "from: p@example.org\nreply_to: x@example.org\nsmtp: {host: mail.example.org, port: 587, timeout: 5}\nsources: [{name: a, kind: huggingface}]\n",
    )
    environ = {
        "NEWSLETTER_SMTP__PORT": "2525",
        "NEWSLETTER_SMTP__PASSWORD": "0123456",
        "NEWSLETTER_SMTP__USERNAME": "true",
        "NEWSLETTER_TITLE": "12",
        "NEWSLETTER_FROM": "Q <q@example.org>",
        "NEWSLETTER_SCHEDULE__FETCH_AT": "05:15",
        "NEWSLETTER_DKIM": '{"domain": "example.org", "selector": "s1", "key_file": "/dev/null"}',
        "NEWSLETTER_SOURCES__0__NAME": "first",
        "NEWSLETTER_REPLY_TO": "",
        "NEWSLETTER_SMTP__TIMEOUT": "",
        "NEWSLETTER_CONFIG": "elsewhere",
        "HOME": "/root",
    }
    settings = load_settings(config, environ)
    assert (settings.smtp.host, settings.smtp.port, settings.title, settings.sender) == (
        "mail.example.org",
        2525,
        "12",
        "Q <q@example.org>",
    )
    assert settings.smtp_login() == ("true", "0123456")
    assert settings.schedule.fetch_at == time(5, 15)
    assert settings.dkim is not None
    assert settings.dkim.selector == "s1"
    assert settings.sources[0].name == "first"
    assert (settings.reply_to, settings.smtp.timeout) == (None, 60), "an empty variable takes the key away"


def test_a_list_in_the_environment_is_yaml_or_json(config: Path) -> None:
    environ = {"NEWSLETTER_SOURCES": "[{name: x, kind: arxiv, categories: [cs.IR]}]"}
    assert load_settings(config, environ).sources[0].categories == ("cs.IR",)


def test_relative_paths_start_at_the_file_that_names_them_and_at_the_shell_in_the_environment(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(config, "from: p@example.org\ndata: ./state\nsources: [{name: a, kind: folder, path: ../in}]\n")
    (tmp_path / "shell").mkdir()
    monkeypatch.chdir(tmp_path / "shell")
    settings = load_settings(Path("../config"), {})
    assert settings.data == config / "state"
    assert settings.sources[0].path == tmp_path / "in"
    assert load_settings(config, {"NEWSLETTER_DATA": "./here"}).data == tmp_path / "shell" / "here"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        (
            "NEWSLETTER_SMTP__PORT",
            "many",
            "environment variable NEWSLETTER_SMTP__PORT: smtp.port must be a whole number, not text",
        ),
        (
            "NEWSLETTER_SMTP__PORT",
            "70000",
            "environment variable NEWSLETTER_SMTP__PORT: smtp.port must be at most 65535",
        ),
        ("NEWSLETTER_SOURCES", "[{", "environment variable NEWSLETTER_SOURCES: not YAML"),
        (
            "NEWSLETTER_SMPT__HOST",
            "x",
            "environment variable NEWSLETTER_SMPT__HOST: warning: names no setting: did you mean 'NEWSLETTER_SMTP__HOST'?",
        ),
    ],
)
def test_a_wrong_variable_is_named(config: Path, variable: str, value: str, problem: str) -> None:
    found = read_settings(config, {variable: value})[1]
    assert [str(one).startswith(problem) for one in found] == [True]


def test_variables_are_filled_in_with_their_type(config: Path) -> None:
    written(
        config,
        'from: p@example.org\ntitle: "${TITLE:-Papers} of $${today}"\nsmtp: {port: "${PORT}", username: u, password: "${PW}"}\n',
    )
    settings = load_settings(config, {"PORT": "2525", "PW": "0042"})
    assert settings.title == "Papers of ${today}"
    assert settings.smtp.port == 2525
    assert settings.smtp_login() == ("u", "0042")


def test_a_missing_variable_is_an_error_at_its_place(config: Path) -> None:
    expected = "2:8: title: the environment has no variable TITLE; set it, or change this line"
    assert problems(config, "title: ${TITLE}\n") == [expected]
    with pytest.raises(ConfigError, match="no variable TITLE"):
        load_settings(config, {})


def test_a_missing_database_variable_never_falls_back_to_another_database(config: Path) -> None:
    with pytest.raises(ConfigError, match="no variable DATABASE_URL"):
        load_settings(written(config, "from: p@example.org\ndatabase: ${DATABASE_URL}\n"), {})


def test_a_missing_password_hinders_only_who_uses_it(config: Path) -> None:
    """`check` names it, `fetch` and `themes` go on, the login is refused with the place; without a user nobody asks."""
    text = "smtp: {username: u, password: '${SMTP_PASSWORD}'}\n"
    assert problems(config, text) == [
        "2:31: smtp.password: the environment has no variable SMTP_PASSWORD; set it, or change this line"
    ]
    settings = load_settings(config, {})
    with pytest.raises(ConfigError, match=r"newsletter.yaml:2:31: .*SMTP_PASSWORD"):
        settings.smtp_login()
    assert problems(config, "smtp: {username: null, password: '${SMTP_PASSWORD}'}\n") == []


def test_a_password_may_stand_in_a_file(config: Path) -> None:
    (config / "pw").write_text(SECRET + "\n", encoding="utf-8")
    settings = load_settings(written(config, "from: p@example.org\nsmtp: {username: u, password_file: pw}\n"), {})
    assert settings.smtp_login() == ("u", SECRET)
    (config / "pw").unlink()
    with pytest.raises(ConfigError, match="pw"):
        settings.smtp_login()
    assert problems(config, "smtp: {username: u, password_file: pw}\n") == [
        f"2:36: smtp.password_file: there is no file {config}/pw"
    ]


def test_a_missing_dkim_key_hinders_only_signing(config: Path) -> None:
    text = "dkim: {domain: example.org, selector: s1, key_file: dkim.pem}\n"
    assert problems(config, text) == [f"2:53: dkim.key_file: there is no file {config}/dkim.pem"]
    with pytest.raises(ConfigError, match=r"dkim\.pem"):
        load_settings(config, {}).dkim_key()
    (config / "dkim.pem").write_bytes(b"PEM")
    assert load_settings(config, {}).dkim_key() == b"PEM"


def test_secrets_are_never_shown(config: Path) -> None:
    url = f"postgresql+psycopg://u:{SECRET}@h/d"
    text = f"from: p@example.org\nsecret_key: {SECRET}\ndatabase: {url}\nsmtp: {{username: u, password: {SECRET}}}\n"
    settings = load_settings(written(config, text), {})
    assert settings.database_url() == url
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.smtp)):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "text",
    [f"database: mysql://u:{SECRET}@h\n", f"secret_key: [{SECRET}]\n", f"smtp: {{password: {{a: {SECRET}}}}}\n"],
)
def test_a_wrong_secret_is_not_shown_either(config: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(written(config, f"from: p@example.org\n{text}"), {})
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("titel: x\n", "2:1: unknown key 'titel': did you mean 'title'?"),
        ("sender: x@example.org\n", "2:1: unknown key 'sender'"),
        ("smtp: {prot: 25}\n", "2:8: unknown key 'prot': did you mean 'port'?"),
        ("smtp: {port: '25'}\n", "2:14: smtp.port must be a whole number, not text; write it without quotes and in digits"),
        ("smtp: {host: 'https://mail.example.org'}\n", "2:14: smtp.host: not a host name; write smtp.example.org, without a scheme and without a port"),
        ("smtp: {security: startls}\n", "2:18: smtp.security must be starttls or tls or none or trusted-network: did you mean 'starttls'?"),
        ("smtp: {host: mail.example.org, username: u, security: none}\n", "2:7: smtp: a login without encryption shows the password to everyone on the way; use security: starttls or tls"),
        ("smtp: {host: 127.0.0.1, username: u, security: none}\n", "2:7: smtp: a login without encryption shows the password to everyone on the way; use security: starttls or tls"),
        ("smtp: {host: catcher, username: u, security: trusted-network}\n", "2:7: smtp: a login without encryption shows the password to everyone on the way; use security: starttls or tls"),
        ("smtp: {host: catcher, security: none}\n", "2:7: smtp: security: none is for a server on this machine; use starttls or tls, or trusted-network for a mail catcher in a private network"),
        ("smtp: {username: u, password: a, password_file: b}\n", "2:7: smtp: password and password_file are both given; keep one"),
        ("smtp:\n", "2:1: smtp: there is nothing here; write a value, or remove it"),
        ("sources: [{name: a, kind: hugging}]\n", "2:27: sources[1].kind must be huggingface or arxiv or rss or folder: did you mean 'huggingface'?"),
        ("sources: [{name: a, kind: folder}]\n", "2:11: sources[1]: a source of kind folder needs the key 'path'"),
        ("sources: [{name: a, kind: rss}]\n", "2:11: sources[1]: a source of kind rss needs the key 'url'"),
        ("sources: [{name: a, kind: arxiv}]\n", "2:11: sources[1]: a source of kind arxiv needs the key 'categories'"),
        ("sources: [{name: a, kind: huggingface}, {name: a, kind: huggingface}]\n", "2:48: a source named 'a' is already there; give this one another name"),
        ("sources: [{name: a, kind: rss, url: 'file:///etc/passwd'}]\n", "2:37: sources[1].url: not a web address; it starts with https://"),
        ("sources: daily\n", "2:10: sources must be a list, not text"),
        ("schedule: {fetch_at: 0600}\n", '2:22: schedule.fetch_at: not a time of day; write hours and minutes in quotes: "07:30"'),
        ("themes: {window_days: 0}\n", "2:23: themes.window_days must be at least 1"),
        ("base_url: papers.example.org\n", "2:11: base_url: not a web address; write https://papers.example.org"),
        ("base_url: javascript:alert(1)\n", "2:11: base_url: not a web address; write https://papers.example.org"),
        ("base_url: http://papers.example.org\n", "2:11: warning: one-click unsubscribe needs https (RFC 8058)"),
        ("reply_to: 'x@example.org> AUTH=<'\n", "2:11: reply_to: not an e-mail address: The part after the @-sign contains invalid characters: "),
        ("bounces: 'b+{id}@nowhere'\n", "2:10: bounces: not an e-mail address: the domain 'nowhere' has no dot"),
        ("database: mysql://localhost/x\n", "2:11: database: not a database address; write postgresql+psycopg://user@host/name, or leave it out for SQLite"),
        ("secret_key: short\n", "2:13: secret_key is too short; at least 16 characters"),
        ("title: ''\n", "2:8: title: must not be empty"),
        ("dkim: {domain: example.org, selector: s1}\n", "2:7: dkim needs the key 'key_file'"),
        ("dkim: {domain: example.com, selector: s1, key_file: /dev/zero/x}\n", "2:16: warning: example.com is not the domain of `from` (example.org): DMARC will not count the signature"),
    ],
)  # fmt: skip
def test_every_mistake_is_named_at_its_place(config: Path, text: str, problem: str) -> None:
    assert any(one.startswith(problem) for one in problems(config, text))


def test_all_problems_come_at_once_and_load_names_them_all(config: Path) -> None:
    found = problems(config, "titel: x\nbase_url: x\nsmtp: {prot: 1, timeout: 0}\n")
    assert [problem.split(":")[0] for problem in found] == ["2", "3", "4", "4"]
    with pytest.raises(ConfigError) as raised:
        load_settings(config, {})
    assert all(problem.partition(": ")[2] in str(raised.value) for problem in found)
    assert raised.value.status == 2


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_security_where_it_is_left_out(config: Path, security: str, port: int) -> None:
    settings = load_settings(written(config, f"from: p@example.org\nsmtp: {{security: {security}}}\n"), {})
    assert settings.smtp.port == port
    assert (
        Settings.model_validate({"from": "p@example.org", "smtp": {"security": security, "port": 2525}}).smtp.port
        == 2525
    )


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`newsletter init .*nowhere` writes a commented one"):
        load_settings(tmp_path / "nowhere", os.environ)


@pytest.mark.parametrize("text", ["", "- a\n", "word\n", "a: [\n"])
def test_settings_that_are_no_map_are_one_problem(config: Path, text: str) -> None:
    assert len(read_settings(written(config, text), {})[1]) == 1
    with pytest.raises(ConfigError):
        load_settings(config, {})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("{model: m}", "language_model needs the key 'url'"),
        ("{url: 'localhost:11434', model: m}", "not a web address"),
        ("{url: 'http://models.example.org/v1', model: m, api_key: secret}", "a key over http"),
        ("{url: 'https://x.org/v1', model: m, api_key: secret, api_key_file: key}", "keep one"),
        ("{url: 'https://x.org/v1', model: m, timeout: 0}", "must be more than 0"),
        ("{url: 'https://x.org/v1', model: m, sumaries: true}", "did you mean 'summaries'"),
    ],
)
def test_a_language_model_that_cannot_be_right_is_refused(config, given, why):
    with (config / "newsletter.yaml").open("a", encoding="utf-8") as file:
        file.write(f"language_model: {given}\n")
    settings, problems = read_settings(config, {})
    assert settings is None
    assert why in "\n".join(map(str, problems))
    assert "secret" not in "\n".join(map(str, problems))


def test_the_language_model_s_key_comes_from_its_file(config):
    (config / "key").write_text("sk-1\n", encoding="utf-8")
    with (config / "newsletter.yaml").open("a", encoding="utf-8") as file:
        file.write("language_model: {url: 'https://x.org/v1/', model: m, api_key_file: key}\n")
    settings = load_settings(config, {})
    assert (settings.language_model.url, settings.language_model_key()) == ("https://x.org/v1", "sk-1")
    (config / "key").unlink()
    settings, problems = read_settings(config, {})
    assert "language_model.api_key_file: there is no file" in str(problems)
    with pytest.raises(ConfigError, match="Cannot read the language model's key"):
        settings.language_model_key()
