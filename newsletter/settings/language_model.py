"""The language model of newsletter.yaml: off where the key is left out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, model_validator

from newsletter.settings.document import Document
from newsletter.settings.fields import Text
from newsletter.settings.places import FilePath, WebAddress


class LanguageModelSettings(Document):
    """A language model that writes summaries and names themes; left out, both come from the papers' own words."""

    url: WebAddress = Field(
        description="An OpenAI-compatible address, up to and with its version.", examples=["http://localhost:11434/v1"]
    )
    model: Annotated[Text, StringConstraints(min_length=1)] = Field(
        description="The model's name there.", examples=["llama3.1"]
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="Best as ${LANGUAGE_MODEL_KEY}, from the environment.",
        examples=["${LANGUAGE_MODEL_KEY}"],
    )
    api_key_file: FilePath | None = Field(default=None, description="A file that holds the key alone.")
    timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds for one answer, with all its tries.")
    summaries: bool = Field(default=True, description="Whether it writes the papers' summaries.")
    theme_names: bool = Field(default=True, description="Whether it names the themes.")

    @model_validator(mode="after")
    def _key_is_safe(self) -> LanguageModelSettings:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("api_key and api_key_file are both given; keep one")
        parts, key = urlsplit(self.url), self.api_key or self.api_key_file
        if key and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("a key over http shows it to everyone on the way; use https")
        return self
