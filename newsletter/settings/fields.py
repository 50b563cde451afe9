"""The values people write in configuration files, each with its rule, its error and its JSON Schema."""

from __future__ import annotations

import re
from datetime import date, time
from functools import cache
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, PlainSerializer, PlainValidator, StringConstraints, WithJsonSchema

from newsletter.identity import arxiv_id, doi_id
from newsletter.settings.problems import did_you_mean, nearest
from newsletter.text import tidy

MAX_TEXT = 2000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_TITLE_KEY = re.compile(r"title:[0-9a-f]{16}")  # what `likes import` writes for a paper without arXiv id and DOI
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


class Days(NamedTuple):
    """ISO weekdays, Monday 1 to Sunday 7, and whether one letter gathers the week."""

    weekdays: frozenset[int] = frozenset(range(1, 8))
    weekly: bool = False


def _text(value: str) -> str:
    text = tidy(value)
    if not text:
        raise ValueError("must not be empty")
    return text


def _sentence(value: str) -> str:
    text = _text(value)
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"{len(text):,} characters; at most {MAX_TEXT:,}. Write one sentence for each interest; papers: likes"
        )
    return text


def address(value: str) -> str:
    """The address with its domain in lower-case ASCII (RFC 5891), by email-validator and without a DNS query."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            value.strip(), check_deliverability=False, globally_deliverable=False, allow_smtputf8=True, strict=True
        )
    except (EmailNotValidError, UnicodeError) as error:
        reason = str(error).rstrip(".") if isinstance(error, EmailNotValidError) else "not Unicode text"
        raise ValueError(f"not an e-mail address: {reason}") from None
    domain = found.ascii_domain.lower()
    if "." not in domain and domain != "localhost":
        raise ValueError(f"not an e-mail address: the domain {domain!r} has no dot")
    return f"{found.local_part}@{domain}"


def _mailbox(value: str) -> str:
    match = _MAILBOX.fullmatch(tidy(value))
    if match is None:
        return address(value)
    name = match["name"].strip().strip('"').strip()
    return f"{name} <{address(match['address'])}>" if name else address(match["address"])


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def _near_city(value: str) -> str | None:
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(_zones(), reverse=True)}
    near = nearest(value.replace(" ", "_"), cities)
    return cities[near] if near else None


def _timezone(value: str) -> str:
    zones = _zones()
    if value in zones:
        ZoneInfo(value)  # fails here, with a place, where the zone's file is damaged
        return value
    city = next(
        (
            zone
            for zone in sorted(zones)
            if zone.rpartition("/")[2].casefold() == value.strip().replace(" ", "_").casefold()
        ),
        None,
    )
    near = city or nearest(value.replace(" ", "_"), zones) or _near_city(value)
    raise ValueError(
        f"unknown timezone {value!r}"
        + (f": did you mean {near!r}?" if near else ": name one like Europe/London or UTC")
    )


def _clock(value: object) -> time:
    if isinstance(value, time):
        return value
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('not a time of day; write hours and minutes in quotes: "07:30"')
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:
        raise ValueError('not a time of day; the day runs from "00:00" to "23:59"')
    return time(hour, minute)


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("not a date; write year-month-day: 2025-03-31") from None


def _weekday(value: object) -> int:
    word = value.strip().casefold() if isinstance(value, str) else ""
    found = next((number for number, name in enumerate(WEEKDAYS, 1) if word in (name, name[:3])), None)
    if found is None:
        raise ValueError(f"unknown day {value!r}" + (did_you_mean(word, WEEKDAYS) if word else ": one of mon ... sun"))
    return found


def _days(value: object) -> Days:
    if isinstance(value, Days):
        return value
    if isinstance(value, list) and value:
        return Days(frozenset(_weekday(day) for day in value))
    if isinstance(value, dict) and list(value) == ["weekly"]:
        return Days(frozenset({_weekday(value["weekly"])}), weekly=True)
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in ("daily", "weekdays"):
        return Days(frozenset(range(1, 8 if word == "daily" else 6)))
    if word.startswith("weekly:"):
        return Days(frozenset({_weekday(word.removeprefix("weekly:"))}), weekly=True)
    if any(word in (day, day[:3]) for day in WEEKDAYS):
        return Days(frozenset({_weekday(word)}))
    near = None if word == "weekly" else nearest(word, ("daily", "weekdays"))
    raise ValueError(
        f"unknown {word!r}: did you mean {near!r}?" if near else "write daily, weekdays, {weekly: monday} or [mon, wed]"
    )


def _paper(value: str) -> str:
    found = arxiv_id(value) or doi_id(value) or (value if _TITLE_KEY.fullmatch(value) else None)
    if found is None:
        raise ValueError(
            f"not a paper id: {value[:60]!r}; write an arXiv id or URL (arxiv:2405.19504) or a DOI (doi:10.1145/1)"
        )
    return found


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError(f"not a language: {value[:20]!r}; write a code such as en, de or pt-BR")
    return value.replace("_", "-")


_DAY_NAMES = [*WEEKDAYS, *(day[:3] for day in WEEKDAYS)]
_DAYS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["daily", "weekdays", *WEEKDAYS, *(f"weekly: {day}" for day in WEEKDAYS)]},
        {"type": "array", "minItems": 1, "items": {"enum": _DAY_NAMES}},
        {
            "type": "object",
            "required": ["weekly"],
            "additionalProperties": False,
            "properties": {"weekly": {"enum": _DAY_NAMES}},
        },
    ]
}

Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(_text)]
Sentence = Annotated[
    str, AfterValidator(_sentence), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_TEXT})
]
Address = Annotated[str, AfterValidator(address), WithJsonSchema({"type": "string", "format": "email"})]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Clock = Annotated[
    time,
    PlainValidator(_clock),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d(:00)?$"}),
]
Day = Annotated[date, PlainValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
SendDays = Annotated[
    Days, PlainValidator(_days), PlainSerializer(lambda days: sorted(days.weekdays)), WithJsonSchema(_DAYS_SCHEMA)
]
PaperId = Annotated[str, AfterValidator(_paper), WithJsonSchema({"type": ["string", "number"]})]
Language = Annotated[str, AfterValidator(_language)]
