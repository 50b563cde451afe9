"""Settings and profiles: YAML and environment to frozen values, every problem at once and at its place.

settings = load_settings(config, os.environ)
found = load_subscribers(config, settings)        # found.subscribers, found.problems
"""

from newsletter.settings.editing import (
    Append,
    Remove,
    create_file,
    edit_document,
    edit_subscriber,
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
    "Problem",
    "Remove",
    "Settings",
    "Subscribers",
    "check",
    "create_file",
    "edit_document",
    "edit_subscriber",
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
