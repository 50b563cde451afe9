"""Settings and profiles: YAML and environment to frozen values, every problem at once and at its place.

settings = load_settings(config, os.environ)
found = load_subscribers(config, settings)        # found.subscribers, found.problems
"""

from newsletter.settings.editing import (
    Append,
    Changes,
    Remove,
    UneditableError,
    create_file,
    edited,
    replace_file,
)
from newsletter.settings.loading import (
    Subscribers,
    check,
    load_documents,
    load_settings,
    load_subscribers,
    read_settings,
    read_subscriber,
)
from newsletter.settings.problems import Problem, errors
from newsletter.settings.schema import schema, schema_text, write_schemas
from newsletter.settings.service import Settings

__all__ = [
    "Append",
    "Changes",
    "Problem",
    "Remove",
    "Settings",
    "Subscribers",
    "UneditableError",
    "check",
    "create_file",
    "edited",
    "errors",
    "load_documents",
    "load_settings",
    "load_subscribers",
    "read_settings",
    "read_subscriber",
    "replace_file",
    "schema",
    "schema_text",
    "write_schemas",
]
