"""The document newsletter.yaml, which is also the frozen settings that the program runs by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PrivateAttr, SecretStr, StringConstraints, model_validator

from newsletter.errors import ConfigError
from newsletter.settings.document import Document
from newsletter.settings.fields import Address, Clock, Mailbox, Text, Timezone
from newsletter.settings.language_model import LanguageModelSettings
from newsletter.settings.places import DatabaseUrl, DomainName, FilePath, HostName, WebAddress, link, verp
from newsletter.settings.problems import Problem
from newsletter.settings.servers import DkimSettings, ImapSettings, SmtpSettings
from newsletter.settings.web import AdminSettings, WebSettings


class SourceSettings(Document):
    """Where papers come from."""

    name: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,40}$")] = Field(
        description="A short name of your own, used in --source.", examples=["daily"]
    )
    kind: Literal["huggingface", "arxiv", "rss", "folder"] = Field(
        description="huggingface: the daily papers list; arxiv: categories; rss: any feed; folder: files put there."
    )
    url: Annotated[str, AfterValidator(link)] = Field(
        default="", description="The feed (rss), or another address of the same service."
    )
    path: FilePath | None = Field(default=None, description="The folder (kind folder).", examples=["./digests"])
    categories: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z-]+(\.[A-Za-z-]+)?$")], ...] = Field(
        default=(),
        strict=False,
        max_length=50,
        description="arXiv categories (kind arxiv).",
        examples=[["cs.LG", "cs.CL"]],
    )
    internal_hosts: tuple[HostName, ...] = Field(
        default=(),
        strict=False,
        max_length=50,
        description="Machines on private networks that it may lead to, as name or name:port; others are refused.",
        examples=[["feeds.example.org", "10.0.0.5:8080"]],
    )

    @model_validator(mode="after")
    def _needs(self) -> SourceSettings:
        needed = {"folder": ("path", self.path), "rss": ("url", self.url), "arxiv": ("categories", self.categories)}
        key, value = needed.get(self.kind, ("", True))
        if not value:
            raise ValueError(f"a source of kind {self.kind} needs the key {key!r}")
        return self


class ScheduleSettings(Document):
    """When the service works."""

    fetch_at: Clock = Field(
        default="06:00", validate_default=True, description="When the day's papers are fetched.", examples=["06:00"]
    )
    timezone: Timezone = Field(
        default="UTC", description="The IANA timezone of fetch_at, and of readers who name none.", examples=["UTC"]
    )
    grace_hours: float = Field(
        default=8.0,
        gt=0,
        le=24,
        description="How late a letter may still go out after the machine slept; later ones are skipped and shown.",
        examples=[8],
    )


class ThemeSettings(Document):
    """How the themes are learned."""

    window_days: int = Field(default=60, ge=1, le=730, description="The days of papers that themes are learned on.")
    seed: int = Field(default=42, ge=0, le=2**32 - 1, description="The same seed and papers give the same themes.")


class EmbeddingSettings(Document):
    """What turns a paper into numbers."""

    model: Text = Field(
        default="packaged",
        description="packaged, trained (your own, by `newsletter train-embedding`), a model's folder, or a "
        "sentence-transformers name (needs the extra `transformers`).",
    )


class Settings(Document):
    """The newsletter's settings: config/newsletter.yaml."""

    title: Text = Field(
        default="Trending papers", description="The newsletter's name, in the letter and in its headers."
    )
    sender: Mailbox = Field(
        alias="from", description="Who the letters come from: Name <address>.", examples=["Papers <papers@example.org>"]
    )
    reply_to: Mailbox | None = Field(
        default=None, description="Where answers go; left out, to `from`.", examples=["editor@example.org"]
    )
    bounces: Annotated[str, AfterValidator(verp)] | None = Field(
        default=None,
        description="Where bounces go; {id} in it gives every letter an address of its own.",
        examples=["bounces+{id}@example.org"],
    )
    operator: Address | None = Field(
        default=None, description="Who gets a mail when something needs a person.", examples=["ops@example.org"]
    )
    base_url: WebAddress = Field(
        default="http://localhost:8000",
        description="Where the web pages are: web view, preferences, unsubscribe.",
        examples=["https://papers.example.org"],
    )
    postal_address: Annotated[str, StringConstraints(max_length=300)] = Field(
        default="",
        description="The sender's postal address, in the footer; many countries ask for it.",
        examples=["1 Example Street, Example Town"],
    )
    list_id: DomainName | None = Field(
        default=None,
        description="The list's identifier (RFC 2919); left out, made from title and address.",
        examples=["papers.example.org"],
    )
    unsubscribe_mailto: Address | None = Field(
        default=None,
        description="An address that takes unsubscribe mails, beside the link.",
        examples=["unsubscribe@example.org"],
    )
    data: FilePath = Field(
        default="../data",
        validate_default=True,
        description="The folder of database, keys, models and outbox.",
        examples=["../data"],
    )
    database: DatabaseUrl | None = Field(
        default=None,
        description="A PostgreSQL database; left out, SQLite in the data folder.",
        examples=["postgresql+psycopg://papers@localhost/papers"],
    )
    secret_key: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        default=None,
        description="Signs links and Message-IDs; left out, made once and kept in the data folder.",
        examples=["${PAPERS_SECRET}"],
    )
    subscribers: Literal["folder", "database"] = Field(
        default="folder",
        description="Where subscribers are: a file each in config/subscribers, or rows of the database.",
    )
    sources: tuple[SourceSettings, ...] = Field(
        default=(), strict=False, max_length=100, description="Where papers come from."
    )
    schedule: ScheduleSettings = Field(default=ScheduleSettings(), description="When the service works.")
    themes: ThemeSettings = Field(default=ThemeSettings(), description="How the themes are learned.")
    embedding: EmbeddingSettings = Field(default=EmbeddingSettings(), description="What turns a paper into numbers.")
    language_model: LanguageModelSettings | None = Field(
        default=None, description="A language model that writes summaries and names themes; left out, none is asked."
    )
    smtp: SmtpSettings = Field(default=SmtpSettings(), description="The mail server that takes the letters.")
    imap: ImapSettings | None = Field(
        default=None, description="The mailbox that bounces come to, for `newsletter bounce --imap`."
    )
    dkim: DkimSettings | None = Field(
        default=None, description="The signature that lets mailbox providers trust the letters."
    )

    web: WebSettings | None = Field(
        default=None, description="The web side: subscription, preferences, archive; left out, there is none."
    )
    admin: AdminSettings | None = Field(
        default=None, description="The operator's pages under /admin; left out, there are none."
    )

    _absent: dict[str, Problem] = PrivateAttr(default_factory=dict)

    @property
    def absent(self) -> dict[str, Problem]:
        """What only sending needs and is not there (a variable, a secret's file), by its key."""
        return dict(self._absent)

    def with_absent(self, absent: dict[str, Problem]) -> Settings:
        copy = self.model_copy()
        copy._absent = dict(absent)  # noqa: SLF001  its own
        return copy

    def database_url(self) -> str:
        """The SQLAlchemy URL: the one given, else SQLite in the data folder."""
        return self.database.get_secret_value() if self.database else f"sqlite:///{self.data / 'newsletter.db'}"

    def smtp_login(self) -> tuple[str, str] | None:
        """User name and password, None for no login; raises ConfigError where the password is not to be had."""
        if not self.smtp.username:
            return None
        self._require("smtp.password", "smtp.password_file")
        if self.smtp.password_file:
            return self.smtp.username, _read(self.smtp.password_file, "password").decode().rstrip("\r\n")
        return self.smtp.username, self.smtp.password.get_secret_value() if self.smtp.password else ""

    def imap_login(self) -> tuple[str, str]:
        """User name and password of the bounces' mailbox; raises ConfigError where there are none."""
        if self.imap is None:
            do = "Add `imap` with host and username to newsletter.yaml"
            raise ConfigError("There is no mailbox to read bounces from", do=do)
        self._require("imap.password", "imap.password_file")
        if self.imap.password_file:
            return self.imap.username, _read(self.imap.password_file, "password").decode().rstrip("\r\n")
        return self.imap.username, self.imap.password.get_secret_value() if self.imap.password else ""

    def language_model_key(self) -> str:
        """The key of the language model, empty for none; raises ConfigError where its file is not to be had."""
        model = self.language_model
        if model is not None and model.api_key_file:
            return _read(model.api_key_file, "language model's key").decode("utf-8", "replace").strip()
        return model.api_key.get_secret_value() if model is not None and model.api_key else ""

    def admin_password(self) -> str:
        """The password of the operator's pages; raises ConfigError where it is not to be had."""
        if self.admin is None or (self.admin.password is None and self.admin.password_file is None):
            raise ConfigError("The operator's pages have no password", do="Set admin.password or admin.password_file")
        if self.admin.password_file:
            return _read(self.admin.password_file, "admin password").decode("utf-8", "replace").strip()
        return self.admin.password.get_secret_value() if self.admin.password else ""

    def dkim_key(self) -> bytes | None:
        """The private key's PEM, None for no signature; raises ConfigError where the file is not to be had."""
        self._require("dkim.key_file")
        return _read(self.dkim.key_file, "DKIM key") if self.dkim else None

    def _require(self, *keys: str) -> None:
        for key in keys:
            if problem := self._absent.get(key):
                raise ConfigError("Cannot send or receive", why=str(problem))


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"Cannot read the {what}",
            which=str(path),
            why=error.strerror or str(error),
            do="Check the file and its rights",
        ) from error
