"""An embedding of one's own: trained on the archive and corpus files, then every vector made anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from newsletter import embedding
from newsletter.model import Paper
from newsletter.pipeline.workspace import Workspace
from newsletter.store import archive, vectors
from newsletter.text import paper_text

_BATCH = 2_000  # papers embedded and stored at a time


@dataclass(frozen=True, slots=True)
class Trained:
    """What training left: the version's folder, the model's name, and how many papers have its vectors now.

    `used` tells whether the settings name this model; if not, the old one stays in use.
    """

    folder: Path
    model: str
    embedded: int
    used: bool


def train_embedding(workspace: Workspace, corpora: Sequence[Path], *, report: Callable[[str], None]) -> Trained:
    """Train a model on the archive's papers and on JSON Lines files or folders, then embed the archive with it.

    The new version is switched to when it is complete; whatever stops it before leaves the old one. Raises ConfigError
    where there are too few papers, DigestError for a file that cannot be read.
    """
    from newsletter.embedding.corpus import files_of, read_pairs
    from newsletter.embedding.training import train

    papers = archived(workspace)
    own = [(paper.title, paper.abstract) for paper in papers]
    others = read_pairs([file for path in corpora for file in files_of(path)])
    data = workspace.settings.data
    folder = train((pair for pairs in (own, others) for pair in pairs), data / "models", report=report)
    model = embedding.load("trained", data=data)
    for start in range(0, len(papers), _BATCH):
        some = papers[start : start + _BATCH]
        report(f"embedding the archive: {start + len(some):,} of {len(papers):,} papers")
        made = model.encode([paper_text(paper) for paper in some])
        vectors.put_vectors(workspace.engine, model.name, [paper.id for paper in some], made)
    return Trained(folder, model.name, len(papers), workspace.settings.embedding.model == "trained")


def archived(workspace: Workspace) -> list[Paper]:
    """Every paper of the archive that a digest has listed, oldest first."""
    days = archive.days(workspace.engine)
    if not days:
        return []
    span = (max(days) - min(days)) // timedelta(days=1) + 1
    return [found.paper for found in archive.window(workspace.engine, max(days), span)]
