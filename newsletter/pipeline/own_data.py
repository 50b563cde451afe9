"""What is kept about one reader: given to them whole, or erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsletter.model import Letter, Paper, Subscriber
from newsletter.pipeline import roster
from newsletter.pipeline.workspace import Workspace
from newsletter.store import archive, consents, erasure, feedback, ledger
from newsletter.store import letters as frozen
from newsletter.store.suppression import address_hash, suppression_of

__all__ = ["erase", "export", "is_erased", "kept"]


def export(workspace: Workspace, reader: Subscriber, *, at: datetime) -> dict[str, Any]:
    """All that is kept under the reader's name and address, as JSON has it; nothing of anybody else."""
    engine, hashed = workspace.engine, address_hash(reader.email, workspace.key)
    document = roster.read_document(workspace, reader.name)
    said = feedback.feedback(engine, [reader.name]).get(reader.name, ())
    rows = erasure.records(engine, hashed)
    history = ledger.history(engine, [row.delivery.id for row in rows])
    letters = frozen.letters_of(engine, [row.delivery.id for row in rows])
    papers = archive.papers(engine, {one.paper for one in said} | {paper for row in rows for paper in row.papers})
    stopped = suppression_of(engine, hashed)
    return {
        "newsletter": workspace.settings.title,
        "made": at.isoformat(),
        "name": reader.name,
        "email": reader.email,
        "document": document.text if document else "",
        "consents": [
            {"event": one.event, "source": one.source, "at": one.at.isoformat()}
            for one in consents.consents(engine, address=hashed)
        ],
        "requests": erasure.requests(engine, hashed),
        "suppressed": {"reason": stopped.reason, "at": stopped.at.isoformat()} if stopped else None,
        "feedback": [
            {**_paper(one.paper, papers), "said": one.kind, "at": one.at.isoformat()}
            for one in said
            if one.kind != "save"
        ],
        "saved": [{**_paper(one.paper, papers), "at": one.at.isoformat()} for one in said if one.kind == "save"],
        "letters": [_delivery(row, letters.get(row.delivery.id), history, papers) for row in rows],
    }


def kept(workspace: Workspace, reader: Subscriber) -> dict[str, int]:
    """How much is kept: a number for each kind."""
    engine, hashed = workspace.engine, address_hash(reader.email, workspace.key)
    said = feedback.feedback(engine, [reader.name]).get(reader.name, ())
    saved = sum(one.kind == "save" for one in said)
    rows = erasure.records(engine, hashed)
    agreed = len(consents.consents(engine, address=hashed))
    return {"letters": len(rows), "feedback": len(said) - saved, "saved": saved, "consents": agreed}


def erase(workspace: Workspace, reader: Subscriber, *, source: str, at: datetime) -> erasure.Erased:
    """Erases the reader from the store, then takes their document away; it can be done again until both are done.

    Raises StoreError or ConfigError, where something could not be written.
    """
    hashed = address_hash(reader.email, workspace.key)
    done = erasure.erase(workspace.engine, reader.name, hashed, source=source, at=at)
    roster.remove_subscriber(workspace, reader.name)
    return done


def is_erased(workspace: Workspace, start: str) -> bool:
    """Whether the address whose keyed hash starts so was erased and has not subscribed since."""
    return erasure.is_erased(workspace.engine, start)


def _paper(id_: str, known: dict[str, Paper]) -> dict[str, str]:
    found = known.get(id_)
    return {"paper": id_, "title": found.title if found else "", "url": found.url if found else ""}


def _delivery(
    row: erasure.Record, letter: Letter | None, history: dict[int, tuple[ledger.Attempt, ...]], papers: dict[str, Paper]
) -> dict[str, Any]:
    one = row.delivery
    return {
        "edition": one.edition, "subscriber": one.subscriber, "email": one.email, "state": one.state,
        "reason": one.reason, "attempts": one.attempts, "message_id": one.message_id,
        "planned_at": row.planned_at.isoformat(), "changed_at": row.changed_at.isoformat(),
        "subject": letter.subject if letter else "", "papers": [_paper(paper, papers) for paper in row.papers],
        "history": [_attempt(line) for line in history.get(one.id, ())],
    }  # fmt: skip


def _attempt(line: ledger.Attempt) -> dict[str, Any]:
    return {
        "at": line.at.isoformat(), "event": line.event, "phase": line.phase, "code": line.code,
        "enhanced": line.enhanced, "text": line.text,
    }  # fmt: skip
