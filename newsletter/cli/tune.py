"""`newsletter tune`: what each ranking signal is worth to this newsletter's own readers."""

from __future__ import annotations

import typer

from newsletter import pipeline
from newsletter.cli.app import AsJson, app
from newsletter.cli.output import bar, console, print_json, table, working


@app.command()
def tune(context: typer.Context, as_json: AsJson = False) -> None:
    """Report what each ranking signal is worth, by what your readers saved, opened, or asked more of."""
    with pipeline.open_workspace(context.obj) as workspace, working("Ranking the answered letters without each signal"):
        tuning = pipeline.tune(workspace)
    if as_json:
        print_json(_as_json(tuning))
    elif tuning.signals:
        _show(tuning)
    if not tuning.signals:
        console(stderr=True).print(_too_little(tuning), markup=False)
        raise typer.Exit(1)


def _as_json(tuning: pipeline.Tuning) -> dict[str, object]:
    return {
        "letters": tuning.letters,
        "letters_needed": pipeline.FEWEST,
        "unanswered": tuning.unanswered,
        "readers": tuning.readers,
        "pairs": tuning.pairs,
        "right": tuning.right if tuning.signals else None,
        "signals": [
            {"signal": s.name, "about": s.about, "worth": s.worth, "low": s.low, "high": s.high, "sure": s.told_apart}
            for s in tuning.signals
        ],
    }


def _show(tuning: pipeline.Tuning) -> None:
    out = console()
    out.print(
        f"{tuning.letters} answered letters of {tuning.readers} readers hold {tuning.pairs} pairs of a wanted paper\n"
        "and one that was passed over. The ranking has "
        f"{tuning.right:.1%} of them in that order (chance: 50%). Without one signal it loses:\n",
        markup=False,
    )
    most = max(abs(signal.worth) for signal in tuning.signals) or 1.0
    rows = [
        (
            signal.name,
            f"{signal.worth * 100:+.1f}",
            bar(abs(signal.worth) / most),
            f"{signal.low * 100:+.1f} to {signal.high * 100:+.1f}",
            _verdict(signal),
            signal.about,
        )
        for signal in tuning.signals
    ]
    columns = ("signal", "points", "", "90 % interval", "", "what it is")
    out.print(table("", columns, rows, right=("points", "90 % interval")))


def _verdict(signal: pipeline.Signal) -> str:
    if not signal.told_apart:
        return "not told from nothing"
    return "helps" if signal.worth > 0 else "harms"


def _too_little(tuning: pipeline.Tuning) -> str:
    return (
        f"Too little feedback to tell: {tuning.letters} letters were answered, {pipeline.FEWEST} are needed. "
        "A letter counts when its reader saved, opened or asked more of one of its papers and passed over another "
        f"({tuning.unanswered} letters of readers who ever answered do not)."
    )
