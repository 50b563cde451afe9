"""deploy/: every path, command, key, port and user that its files name exists in the project, and in each other."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from newsletter.settings import load_settings
from newsletter.settings.environment import RESERVED, overrides
from newsletter.settings.service import Settings
from newsletter.settings.web import WebSettings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "newsletter.service").read_text()
NGINX = (DEPLOY / "nginx.conf").read_text()
PORT = WebSettings().port


def steps(kind: str) -> list[str]:
    """The Dockerfile's instructions of one kind, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{kind} ")]


def commands() -> set[str]:
    from typer.main import get_command

    from newsletter.cli import app, register

    register()
    return set(get_command(app).commands)


def assert_settings(environ: dict[str, str]) -> None:
    """Every variable of ours names a setting."""
    ours = {name: value for name, value in environ.items() if name.startswith("NEWSLETTER_") and name not in RESERVED}
    assert ours
    _, problems = overrides(Settings, {name: "" if "_FILE" in name else value for name, value in ours.items()})
    assert [str(one) for one in problems if "cannot read" not in one.message] == []


# ------------------------------------------------------------------ Dockerfile


def test_what_the_image_copies_is_there_and_not_ignored():
    rules = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line and line[0] != "#"]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules
    for step in steps("COPY"):
        if step.startswith("--from="):
            continue
        for source in step.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, rule) or source.startswith(f"{rule}/") for rule in kept), source


def test_everything_that_the_wheel_is_made_of_is_in_the_image():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "pyproject.toml"]
    needed += project["project"]["license-files"]
    copied = {source for step in steps("COPY") if not step.startswith("--") for source in step.split()[:-1]}
    assert set(needed) <= copied


def test_the_image_runs_the_service_as_nobody_special():
    assert json.loads(steps("ENTRYPOINT")[0]) == ["newsletter"]
    assert set(json.loads(steps("CMD")[0])) <= commands()
    assert json.loads(re.search(r"CMD (\[.*\])", steps("HEALTHCHECK")[0])[1]) == ["newsletter", "health"]
    (user,) = steps("USER")
    assert re.search(rf"useradd .*\b{user}\b", DOCKERFILE)
    assert DOCKERFILE.index(f"USER {user}") < DOCKERFILE.index("ENTRYPOINT")
    assert steps("EXPOSE") == [str(PORT)]
    assert json.loads(steps("VOLUME")[0]) == ["/config", "/data"]


def test_the_image_installs_what_the_lock_files_say_by_hash():
    install = [step for step in steps("RUN") if "pip install" in step]
    assert len(install) == 2
    assert "--require-hashes" in install[0]
    for lock in re.findall(r"--requirement (\S+)", install[0]):
        assert any(Path(source).name == lock for step in steps("COPY") for source in step.split()[:-1])
    assert "--no-deps" in install[1]
    assert "--no-build-isolation" in install[1]


def test_the_postgres_driver_is_the_tested_one():
    """deploy/postgres.lock holds those lines of requirements-dev.lock that are about psycopg; `make lock` writes it."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements-dev.lock").read_text())
    wanted = [re.sub(r"\s+# via.*(\n\s+#.*)*", "", block) for block in blocks if block.startswith("psycopg")]
    assert (DEPLOY / "postgres.lock").read_text().strip() == "\n".join(wanted).strip()
    assert "deploy/postgres.lock" in (ROOT / "Makefile").read_text()


def test_the_images_variables_name_settings():
    (first,) = [step for step in steps("ENV") if "NEWSLETTER_" in step]
    environ = dict(pair.split("=", 1) for pair in shlex.split(first))
    assert_settings(environ)
    assert environ["NEWSLETTER_CONFIG"] in json.loads(steps("VOLUME")[0])
    assert environ["NEWSLETTER_DATA"] in json.loads(steps("VOLUME")[0])


# ------------------------------------------------------------------ compose.yaml


def test_the_composed_settings_are_valid_with_the_starter_configuration(tmp_path):
    """What the container would read: `newsletter init`'s file, the image's variables, those of compose, its secrets."""
    from newsletter.mail.connection import Server

    secrets = {"database": "postgresql+psycopg://newsletter:x@postgres/newsletter", "secret_key": "k" * 48,
               "admin_password": "p" * 48}  # fmt: skip
    for name, text in secrets.items():
        (tmp_path / name).write_text(text + "\n")
    (image,) = [step for step in steps("ENV") if "NEWSLETTER_" in step]
    environ = {**dict(pair.split("=", 1) for pair in shlex.split(image)), **service()["environment"]}
    environ = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in environ.items()}
    settings = load_settings(ROOT / "config", environ)
    assert settings.web is not None
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", PORT)
    assert settings.database_url() == secrets["database"]
    assert settings.admin_password() == secrets["admin_password"]
    assert settings.subscribers == "database"
    Server(settings.smtp.host, settings.smtp.port, settings.smtp.security)  # raises where mail would go in clear


def service() -> dict:
    return COMPOSE["services"]["newsletter"]


def test_what_compose_names_is_there():
    assert (DEPLOY / service()["build"]["context"] / service()["build"]["dockerfile"]).is_file()
    assert set(service()["command"]) <= commands()
    assert service()["healthcheck"]["test"] == ["CMD", "newsletter", "health"]
    assert_settings(service()["environment"])
    for name, one in COMPOSE["services"].items():
        assert set(one.get("depends_on", [])) <= set(COMPOSE["services"]), name
        assert set(one.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        for volume in one.get("volumes", []):
            source = volume.partition(":")[0]
            assert source.startswith(".") or source in COMPOSE["volumes"], (name, volume)
        assert "healthcheck" in one, name
        assert one["restart"] == "unless-stopped", name
    for name, value in service()["environment"].items():
        if name.endswith("_FILE"):
            assert Path(value).name in service()["secrets"], name
    mounted = {volume.rpartition(":")[2] for volume in service()["volumes"]}
    assert mounted == set(json.loads(steps("VOLUME")[0]))


def test_only_this_machine_reaches_the_ports():
    assert f"127.0.0.1:{PORT}:{PORT}" in service()["ports"]
    assert all(port.startswith("127.0.0.1:") for one in COMPOSE["services"].values() for port in one.get("ports", []))


def test_no_secret_stands_in_the_file_and_the_head_makes_all_of_them():
    text = (DEPLOY / "compose.yaml").read_text()
    head = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    made = re.search(r"for name in ([\w ]+);", head)[1].split() + re.findall(r"> deploy/secrets/(\w+)", head)
    assert set(made) == set(COMPOSE["secrets"])
    named = {name for name in service()["environment"] if re.search("PASSWORD|KEY|DATABASE", name)}
    assert all(name.endswith("_FILE") for name in named)


@pytest.mark.parametrize("text", [DOCKERFILE, (DEPLOY / "compose.yaml").read_text()], ids=["Dockerfile", "compose"])
def test_images_have_plain_names(text):
    """No registry's address: where they come from is the business of the machine that pulls them."""
    images = re.findall(r"^FROM (\S+)|^\s+image: (\S+)", text, re.MULTILINE)
    assert images
    for found in images:
        name = found[0] or found[1]
        assert "." not in name.split("/")[0].split(":")[0], name


# ------------------------------------------------------------------ systemd, nginx


def unit(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def test_the_unit_runs_the_service_with_its_settings():
    (start,) = unit("ExecStart")
    assert Path(start.split()[0]).name == "newsletter"
    assert start.split()[1] in commands()
    environ = dict(line.split("=", 1) for line in unit("Environment"))
    assert_settings(environ)
    assert environ["NEWSLETTER_DATA"] == f"/var/lib/{unit('StateDirectory')[0]}"
    assert environ["NEWSLETTER_CONFIG"] == "/etc/newsletter"
    given = {line.partition(":")[0] for line in unit("LoadCredential")}
    used = {value.removeprefix("%d/") for value in environ.values() if value.startswith("%d/")}
    assert given == used


@pytest.mark.parametrize("line", ["NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
                                  "DynamicUser=yes", "CapabilityBoundingSet="])  # fmt: skip
def test_the_unit_is_shut_in(line):
    assert line in UNIT.splitlines()


def test_systemd_takes_the_unit_and_finds_it_well_shut_in(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("UNIT NOT VERIFIED: no systemd-analyze")
    here = tmp_path / "newsletter.service"
    here.write_text(UNIT.replace("/opt/newsletter/bin/newsletter", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", here]
    said = subprocess.run(judged, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-300:]  # exposure 2.0 at most


def test_nginx_leads_to_the_pages_and_keeps_addresses_out_of_its_log():
    assert f"server 127.0.0.1:{PORT};" in NGINX
    assert NGINX.count("{") == NGINX.count("}")
    (form,) = re.findall(r"log_format newsletter '([^']*)'", NGINX)
    assert not re.search(r"\$(request|request_uri|uri|http_referer|args|remote_addr)\b", form)
    for block in re.findall(r"location [^{]*{([^}]*)}", NGINX):
        for header in ("Host $host", "X-Forwarded-For $remote_addr", "X-Forwarded-Proto $scheme", 'X-Remote-User ""'):
            assert f"proxy_set_header {header};" in block


def test_hosts_are_examples():
    for path in DEPLOY.iterdir():
        hosts = re.findall(r"https?://([\w.-]+)", path.read_text())
        assert set(hosts) <= {"papers.example.org", "localhost", "newsletter"}, path.name
