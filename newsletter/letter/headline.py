"""Subject and preheader, written from the picks.

The subject of an even day names one paper, that of an odd day two, and the preheader opens with the date: so they
are never the same two days running, even for the same papers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from newsletter.letter.language import long_date, messages, number, short_date
from newsletter.letter.wording import clipped

__all__ = ["preheader", "subject"]

SUBJECT = (40, 60)
PREHEADER = (40, 130)


def subject(titles: Sequence[str], fillers: Sequence[str], day: date, language: str, *, previous: str = "") -> str:
    """40 to 60 characters that name the best papers.

    `titles` are all papers of the letter, best first, at least one; `fillers` are true things to add when the titles
    are short (theme, authors); `previous` is the subject of the reader's last letter, which is not repeated.
    """
    forms = (_two, _one) if day.toordinal() % 2 else (_one, _two)
    added = [
        *fillers,
        long_date(day, language),
        day.isoformat(),
        messages(language).gettext("a research paper for you to read today"),
    ]
    found = [_filled(form(titles, language), added) for form in forms]
    dated = _filled(clipped(found[0], SUBJECT[1] - 13), [day.isoformat()], least=SUBJECT[1])
    return next(text for text in (*found, dated) if text != previous)


def _one(titles: Sequence[str], language: str) -> str:
    say, rest = messages(language), len(titles) - 1
    if not rest:
        return clipped(say.gettext("{title} · one paper for you").format(title=titles[0]), SUBJECT[1])
    form = say.ngettext("{title} and {count} more", "{title} and {count} more", rest)
    room = SUBJECT[1] - len(form.format(title="", count=number(rest, language)))
    return form.format(title=clipped(titles[0], room), count=number(rest, language))


def _two(titles: Sequence[str], language: str) -> str:
    say, rest = messages(language), len(titles) - 2
    if rest < 0:
        return clipped(say.gettext("One paper for you: {title}").format(title=titles[0]), SUBJECT[1])
    form = say.gettext("{first} and {second}")
    if rest:
        form = say.ngettext("{first}, {second} and {count} more", "{first}, {second} and {count} more", rest)
    room = SUBJECT[1] - len(form.format(first="", second="", count=number(rest, language)))
    first, second = _pair(titles[0], titles[1], room)
    return form.format(first=first, second=second, count=number(rest, language))


def _pair(first: str, second: str, room: int) -> tuple[str, str]:
    """Two titles in `room` characters: whole where they fit, else by name, cut only where nothing else helps."""
    name, other = _name(first), _name(second)
    for one, two in ((first, second), (first, other), (name, second), (name, other)):
        if len(one) + len(two) <= room:
            spare = room - len(one) - len(two)
            return (clipped(first, len(one) + spare), two) if spare > SUBJECT[1] - SUBJECT[0] else (one, two)
    two = clipped(other, max(room // 2, room - len(name)))
    return clipped(name, room - len(two)), two


def _name(title: str) -> str:
    """The part before the colon, which names the thing; the whole title where there is none."""
    name = title.split(": ", 1)[0]
    return name if 3 <= len(name) <= 40 else title


def _filled(text: str, added: Sequence[str], *, least: int = SUBJECT[0]) -> str:
    for more in added:
        if len(text) >= least:
            break
        room = SUBJECT[1] - len(text) - 3
        if more and room >= 6:
            text = f"{text} · {clipped(more, room)}"
    return text


def preheader(titles: Sequence[str], summary: str, fillers: Sequence[str], day: date, language: str) -> str:
    """40 to 130 characters: the day, then what the subject has not said."""
    text, joint = short_date(day, language), ": "
    for more in [*titles[2:5], summary, *titles[1:2], *fillers, long_date(day, language), titles[0], day.isoformat()]:
        room = PREHEADER[1] - len(text) - len(joint)
        if not more or room < 24:
            continue
        if len(text) >= PREHEADER[0] and (len(more) > room or more not in (*titles[2:5], summary)):
            continue
        text, joint = f"{text}{joint}{clipped(more, room)}", "; "
    return _filled(
        text, [messages(language).gettext("the papers chosen for you today, with the reasons")], least=PREHEADER[0]
    )
