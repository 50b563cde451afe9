"""The mail servers of newsletter.yaml: the one that takes letters, the one that holds bounces, and the signature."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from newsletter.settings.document import Document
from newsletter.settings.fields import Text
from newsletter.settings.places import DomainName, FilePath, HostName

PORTS = {"starttls": 587, "tls": 465, "none": 25, "trusted-network": 25}  # RFC 6409, RFC 8314, RFC 5321


class SmtpSettings(Document):
    """The mail server that takes the letters."""

    host: HostName = Field(default="localhost", description="The server's name.", examples=["smtp.example.org"])
    port: int = Field(
        default=587, ge=1, le=65535, description="587 with starttls; 465 with tls and 25 with none where left out."
    )
    security: Literal["starttls", "tls", "none", "trusted-network"] = Field(
        default="starttls",
        description="starttls and tls are encrypted and verified; none is for a server on this machine. "
        "trusted-network is none for any host, such as a mail catcher in a private network: "
        "whoever is on the way can read every letter.",
    )
    username: str | None = Field(default=None, description="Left out or null: no login.")
    password: SecretStr | None = Field(
        default=None, description="Best as ${SMTP_PASSWORD}, from the environment.", examples=["${SMTP_PASSWORD}"]
    )
    password_file: FilePath | None = Field(
        default=None, description="A file that holds the password alone (a mounted secret)."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates (PEM) to trust besides the system's, for a server of your own."
    )
    connections: int = Field(default=5, ge=1, le=100, description="Connections at the same time, at most.")
    messages_per_connection: int = Field(
        default=100, ge=1, le=100_000, description="A connection is closed after so many letters."
    )
    rate_per_second: float = Field(
        default=10.0, gt=0, le=100_000, description="Letters a second, over all connections."
    )
    domain_rate_per_second: float | None = Field(
        default=None,
        gt=0,
        le=100_000,
        description="Letters a second to one mail domain; letters to others pass. Left out or null: no such limit.",
        examples=[2.0],
    )
    timeout: float = Field(default=60.0, gt=0, le=3600, description="Seconds to wait for an answer.")
    answer_timeout: float = Field(
        default=600.0,
        gt=0,
        le=3600,
        description="Seconds to wait for the answer to a whole letter; after less than ten minutes it may be doubtful.",
    )

    @model_validator(mode="before")
    @classmethod
    def _port_of_security(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("port") is None and data.get("security") in PORTS:
            return {**data, "port": PORTS[data["security"]]}
        return data

    @model_validator(mode="after")
    def _nothing_is_shown_by_mistake(self) -> SmtpSettings:
        if self.username and self.security in ("none", "trusted-network"):
            raise ValueError(
                "a login without encryption shows the password to everyone on the way; use security: starttls or tls"
            )
        if self.security == "none" and not _is_this_machine(self.host):
            raise ValueError(
                "security: none is for a server on this machine; use starttls or tls, or trusted-network for a mail "
                "catcher in a private network"
            )
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both given; keep one")
        return self


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


class ImapSettings(Document):
    """The mailbox that bounces come to, for `newsletter bounce --imap`."""

    host: HostName = Field(description="The IMAP server's name.", examples=["imap.example.org"])
    port: int = Field(default=993, ge=1, le=65535, description="The port; the connection is encrypted and verified.")
    username: Text = Field(description="The mailbox's user.", examples=["bounces@example.org"])
    password: SecretStr | None = Field(
        default=None, description="Best as ${IMAP_PASSWORD}, from the environment.", examples=["${IMAP_PASSWORD}"]
    )
    password_file: FilePath | None = Field(default=None, description="A file that holds the password alone.")
    ca_file: FilePath | None = Field(default=None, description="Certificates (PEM) to trust besides the system's.")
    folder: Text = Field(default="INBOX", description="The folder that is read; what was dealt with is marked as seen.")

    @model_validator(mode="after")
    def _one_password(self) -> ImapSettings:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file are both given; keep one")
        return self


class DkimSettings(Document):
    """The signature that lets mailbox providers trust the letters."""

    domain: DomainName = Field(description="The signing domain: that of `from`.", examples=["example.org"])
    selector: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=63)] = (
        Field(
            description="The name under which the public key stands in DNS: SELECTOR._domainkey.DOMAIN.",
            examples=["s1"],
        )
    )
    key_file: FilePath = Field(description="The private key (PEM), RSA or Ed25519.", examples=["dkim.pem"])
