"""An interactive map of the window's papers: one HTML file that works without a network."""

from __future__ import annotations

import html
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.model import ArchivedPaper, KnownTheme
from newsletter.themes.fit import load_bertopic
from newsletter.themes.learn import checked
from newsletter.themes.place import Vectors

GREY = "#c9ccd1"
PAPER = "rgba(255, 255, 255, 0.75)"
CONFIG = {"displaylogo": False, "scrollZoom": True, "responsive": True}
WIDEST = 90  # characters of a title in a tip


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


def flat(vectors: Vectors, *, seed: int) -> NDArray[np.float32]:
    """(n, 2) places of papers on the map: UMAP, or for a handful of papers a circle."""
    count = len(vectors)
    if count <= 5:
        turn = np.linspace(0, 2 * np.pi, max(count, 1), endpoint=False)[:count]
        return np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)
    load_bertopic()
    from umap import UMAP

    reducer = UMAP(
        n_neighbors=min(15, count - 1),
        n_components=2,
        min_dist=0.3,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        init="random",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"umap\.", category=UserWarning)
        return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)


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
