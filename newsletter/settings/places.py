"""Where things are: hosts, domains, web addresses, files, databases, as people write them in configuration files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator, SecretStr, ValidationInfo, WithJsonSchema

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
_DIALECTS = ("sqlite", "postgresql")


def web(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not a web address; write https://papers.example.org")
    return value.rstrip("/")


def link(value: str) -> str:
    if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
        raise ValueError("not a web address; it starts with https://")
    return value


def host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError("not a host name; write smtp.example.org, without a scheme and without a port")
    return value


def domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("not a domain; write papers.example.org")
    return value.lower()


def verp(value: str) -> str:
    from newsletter.settings.fields import address

    address(value.replace("{id}", "0" * 26))
    return value


def database(value: str) -> str:
    if not re.match(rf"(?:{'|'.join(_DIALECTS)})(?:\+\w+)?://", value):
        raise ValueError(
            "not a database address; write postgresql+psycopg://user@host/name, or leave it out for SQLite"
        )
    return value


def network(value: str) -> str:
    from ipaddress import ip_network

    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("not an address or network; write 127.0.0.1 or 10.0.0.0/8") from None


def path(value: object, info: ValidationInfo) -> Path:
    """Absolute: relative to the configuration folder (validation context `folder`); ``~`` is the home folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        raise ValueError("not a path")
    folder = Path((info.context or {}).get("folder", ".")).absolute()
    return Path(
        os.path.normpath(folder / Path(value).expanduser())
    )  # not resolved: a mounted secret is a link that moves


WebAddress = Annotated[str, AfterValidator(web)]
FilePath = Annotated[Path, PlainValidator(path), WithJsonSchema({"type": "string"})]
DatabaseUrl = Annotated[SecretStr, AfterValidator(lambda url: SecretStr(database(url.get_secret_value())))]
HostName = Annotated[str, AfterValidator(host)]
DomainName = Annotated[str, AfterValidator(domain)]
