"""The packaged sample: six consecutive publishing days of real papers, for the demo and for a first look.

Titles, ids, authors, dates, counts and links are facts of the Hugging Face daily papers of May 2025; the abstracts are
summaries written for this project.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

__all__ = ["days"]


def days() -> tuple[Path, ...]:
    """The sample's digests, one ``YYYY-MM-DD.jsonl`` a day, oldest first (wheels are installed unpacked)."""
    return tuple(sorted(Path(str(entry)) for entry in files(__name__).iterdir() if entry.name.endswith(".jsonl")))
