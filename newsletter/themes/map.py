"""Where the window's papers lie on a map, near papers near: as an HTML file, and as places that last over days."""

from __future__ import annotations

import html
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.model import ArchivedPaper, KnownTheme
from newsletter.themes.fit import distinct, load_bertopic
from newsletter.themes.learn import checked
from newsletter.themes.place import Vectors, centre

GREY = "#c9ccd1"
PAPER = "rgba(255, 255, 255, 0.75)"
CONFIG = {"displaylogo": False, "scrollZoom": True, "responsive": True}
WIDEST = 90  # characters of a title in a tip
FEW = 5  # papers, or different texts, up to which there is no neighbourhood to show
ANCHORS = 10  # papers known from yesterday's map that hold today's in place
FRESH_EPOCHS, MOVED_EPOCHS = 400, 300

Places = NDArray[np.float32]


def write_map(
    path: Path, window: Sequence[ArchivedPaper], vectors: NDArray[np.float32], known: Sequence[KnownTheme], *, seed: int
) -> None:
    """Writes the papers of the window as points coloured by theme, near papers near; title and day on hover.

    vectors: (n, d), row i embeds window[i]. known: the themes of the day, as `learn` returned them; papers in none are
    grey. The file carries plotly.js (about 5 MB) and loads nothing.
    """
    rows = checked(vectors, len(window), known[0].model if known else "")
    points = flat(rows, seed=seed)
    theme_of = {paper: theme.label for theme in known for paper in theme.papers}
    labels = np.array([theme_of.get(archived.paper.id, "") for archived in window], dtype=object)
    figure = _figure(points, window, labels)
    page = figure.to_html(include_plotlyjs=True, full_html=True, config=CONFIG, default_height="97vh")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.replace("<head>", "<head><title>Themes</title>", 1), encoding="utf-8")


def flat(vectors: Vectors, *, seed: int) -> Places:
    """(n, 2) places of papers on the map: UMAP, or for a handful of papers a circle."""
    return arranged(vectors, [""] * len(vectors), {}, seed=seed)


def arranged(
    vectors: NDArray[np.float32], ids: Sequence[str], before: Mapping[str, tuple[float, float]], *, seed: int
) -> Places:
    """(n, 2) places of the papers `ids`, each near where it was in `before`, an earlier map by paper id.

    vectors: (n, d), row i embeds ids[i]. UMAP starts from the earlier places, new papers among their nearest; its
    result is turned, mirrored, scaled and moved onto them (orthogonal Procrustes, Schoenemann 1966). Deterministic.
    """
    rows = checked(vectors, len(ids), "")
    if distinct(rows) <= FEW:
        return _circle(len(rows))
    known = np.array([i for i, paper in enumerate(ids) if paper in before], dtype=np.int64)
    if len(known) < min(ANCHORS, len(rows)):
        return _umap(rows, _principal(rows), FRESH_EPOCHS, seed)
    old = np.array([before[ids[i]] for i in known.tolist()], dtype=np.float64)
    return _onto(_umap(rows, _started(rows, known, old), MOVED_EPOCHS, seed), known, old)


def _circle(count: int) -> Places:
    turn = np.linspace(0, 2 * np.pi, max(count, 1), endpoint=False)[:count]
    return np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)


def _principal(rows: Vectors) -> NDArray[np.float64]:
    """The first two principal components, ten wide, as UMAP likes its beginnings."""
    middle = centre(rows).astype(np.float64)
    _, axes = np.linalg.eigh(middle.T @ middle)
    places = middle @ axes[:, :-3:-1]
    places *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(len(axes))][:-3:-1] < 0, -1, 1)  # a sign of its own
    return np.asarray(10 * places / max(float(np.abs(places).max()), 1e-9))


def _started(rows: Vectors, known: NDArray[np.int64], old: NDArray[np.float64]) -> NDArray[np.float64]:
    """Known papers where they were, new ones amid the three known that are nearest in meaning."""
    places = np.empty((len(rows), 2))
    nearest = np.argsort(-(rows @ rows[known].T), axis=1, kind="stable")[:, :3]
    places[:] = old[nearest].mean(axis=1)
    places[known] = old
    return places


def _onto(places: Places, known: NDArray[np.int64], old: NDArray[np.float64]) -> Places:
    mine = places[known].astype(np.float64)
    here, there = mine.mean(axis=0), old.mean(axis=0)
    left, sizes, right = np.linalg.svd((mine - here).T @ (old - there))
    scale = sizes.sum() / max(float(((mine - here) ** 2).sum()), 1e-9)
    return np.asarray((places - here) @ (left @ right) * scale + there, dtype=np.float32)


def _umap(rows: Vectors, start: NDArray[np.float64], epochs: int, seed: int) -> Places:
    load_bertopic()
    from umap import UMAP

    reducer = UMAP(
        n_neighbors=min(15, len(rows) - 1), n_components=2, min_dist=0.3, metric="cosine", random_state=seed, n_jobs=1,
        init=start.astype(np.float32), n_epochs=epochs,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"umap\.", category=UserWarning)
        return np.asarray(reducer.fit_transform(rows), dtype=np.float32)


def _figure(points: NDArray[np.float32], window: Sequence[ArchivedPaper], labels: NDArray[np.object_]) -> Any:
    import plotly.graph_objects as graph
    from plotly.colors import qualitative

    colours = qualitative.Dark24
    figure = graph.Figure()
    for number, label in enumerate(sorted(set(labels.tolist()), key=lambda text: (text == "", text))):
        mine = np.flatnonzero(labels == label)
        figure.add_trace(
            graph.Scattergl(
                x=points[mine, 0].tolist(), y=points[mine, 1].tolist(), mode="markers",
                name=html.escape(label) or "More papers", text=[_tip(window[i]) for i in mine.tolist()],
                hoverinfo="text+name", marker={"size": 7, "color": colours[number % len(colours)] if label else GREY},
            )
        )  # fmt: skip
        if label:
            x, y = np.median(points[mine], axis=0).tolist()
            figure.add_annotation(x=x, y=y, text=f"<b>{html.escape(label)}</b>", showarrow=False, bgcolor=PAPER)
    figure.update_layout(
        title=f"{len(window)} papers", template="plotly_white", legend={"itemsizing": "constant"},
        xaxis={"visible": False}, yaxis={"visible": False},
    )  # fmt: skip
    return figure


def _tip(archived: ArchivedPaper) -> str:
    title = archived.paper.title
    return f"{html.escape(title if len(title) <= WIDEST else title[: WIDEST - 1] + '…')}<br>{archived.day.isoformat()}"
