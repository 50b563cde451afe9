"""The web side's part of newsletter.yaml: who may reach it, and the operator's pages."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from newsletter.settings.document import Document
from newsletter.settings.fields import Text
from newsletter.settings.places import FilePath, HostName, network


class WebSettings(Document):
    """The web side: subscription, preferences, the way out, the archive. Left out: none, and no web links."""

    host: HostName = Field(
        default="127.0.0.1",
        description="The address to listen on: this machine's own, behind a proxy that speaks https.",
        examples=["127.0.0.1"],
    )
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Processes that answer (newsletter web).")
    subscribe: bool = Field(default=True, description="Whether strangers may subscribe, and see the form.")
    archive: bool = Field(
        default=True,
        description="Whether editions, themes, search and feeds are public.",
    )
    link_days: int = Field(
        default=365, ge=1, le=3650, description="How long a letter's link to the preferences opens them."
    )
    keys: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = Field(
        default=(),
        strict=False,
        max_length=10,
        description="Keys that sign links, newest first, each 16 characters or more; left out, made of secret_key.",
        examples=[["${WEB_KEY}", "${WEB_KEY_BEFORE}"]],
    )
    proxies: tuple[Annotated[str, AfterValidator(network)], ...] = Field(
        default=(),
        strict=False,
        max_length=50,
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        examples=[["127.0.0.1", "10.0.0.0/8"]],
    )


class AdminSettings(Document):
    """The operator's pages under /admin. Left out: there are none."""

    username: Text = Field(default="operator", description="The name to log in with.")
    password: Annotated[SecretStr, Field(min_length=12)] | None = Field(
        default=None, description="At least 12 characters; best as ${ADMIN_PASSWORD}.", examples=["${ADMIN_PASSWORD}"]
    )
    password_file: FilePath | None = Field(default=None, description="A file that holds the password alone.")
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")] | None = Field(
        default=None,
        description="Instead of a password: the header in which a proxy of web.proxies names who has logged in there.",
        examples=["X-Remote-User"],
    )
    users: tuple[Text, ...] = Field(
        default=(),
        strict=False,
        max_length=100,
        description="Who may come in by the header; left out, everyone whom the proxy lets through.",
        examples=[["ada"]],
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> AdminSettings:
        ways = [self.password is not None, self.password_file is not None, self.header is not None]
        if sum(ways) != 1:
            raise ValueError("name exactly one of password, password_file and header")
        return self
