"""Seven languages; what is missing is English, and is listed here."""

from datetime import date
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from newsletter.letter import compose, render
from newsletter.letter.language import LANGUAGES, direction, long_date, messages, number, supported
from newsletter.letter.templates import shipped

LETTER = Path(compose.__code__.co_filename).parent


@pytest.fixture(scope="module")
def used():
    """Every message of the code and the templates."""
    found = [m for *_, m, _, _ in extract_from_dir(LETTER, [("**.py", "python")])]
    found += [m for *_, m, _, _ in extract_from_dir(shipped(), [("**.mjml", "jinja2"), ("**.txt", "jinja2")])]
    assert len(found) > 50
    return {m if isinstance(m, str) else m[0] for m in found}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_no_message_is_missing_left_over_or_without_its_placeholders(language, used):
    with (LETTER / "locale" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    had = {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue if m.id}
    assert sorted(used - set(had)) == [], "missing"
    assert sorted(set(had) - used) == [], "left over"
    for key, message in had.items():
        forms = [message.string] if isinstance(message.string, str) else message.string
        assert all(forms), key
        for form in forms:
            assert _fields(form) <= _fields(key), (key, form)
            if len(forms) == 1:
                assert _fields(form) == _fields(key), (key, form)


def _fields(text):
    if "%(" in text:
        return {part.split(")")[0] for part in text.split("%(")[1:]}
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_missing_message_falls_back_to_english():
    assert messages("de").gettext("never translated") == "never translated"


@pytest.mark.parametrize(
    ("tag", "language"), [("de-AT", "de"), ("zh_Hant", "zh"), ("EN", "en"), ("tlh", "en"), ("", "en")]
)
def test_the_nearest_shipped_language_is_used(tag, language):
    assert supported(tag) == language


@pytest.mark.parametrize(
    ("language", "day", "count"),
    [
        ("en", "Thursday, 13 March 2025", "1,234.5"),
        ("de", "Donnerstag, 13. März 2025", "1.234,5"),
        ("ja", "2025年3月13日木曜日", "1,234.5"),
        ("ar", "الخميس، 13 مارس 2025", "1,234.5"),
    ],
)
def test_dates_and_numbers_are_written_as_the_locale_does(language, day, count):
    assert long_date(date(2025, 3, 13), language) == day
    assert number(1234.5, language) == count


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_in_every_language_says_which_and_in_which_direction(language, build, templates):
    papers = [build.paper(n) for n in range(1, 13)]
    letter = compose(build.reader(language=language), build.edition(papers), build.picks(papers))
    html = render(templates, letter, build.LINKS, build.IMPRINT).html
    assert html.count(f'lang="{language}"') == 2
    assert html.count(f'dir="{direction(language)}"') == 2
    assert f"{'right' if language == 'ar' else 'left'};color" in html
