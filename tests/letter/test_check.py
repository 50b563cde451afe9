"""Templates that people change: every problem with its file, line and column; ours win where theirs are absent."""

import re
from dataclasses import fields

import pytest

from newsletter.errors import ConfigError
from newsletter.letter import compose, load_templates, render
from newsletter.letter.check import check_templates
from newsletter.letter.markup import position
from newsletter.letter.templates import shipped
from newsletter.letter.view import Card, Group, Link, Links, Picture, View


@pytest.fixture
def changed(tmp_path):
    """A function that puts a changed copy of one of our templates into a folder of the user's."""

    def change(name, old, new):
        text = (shipped() / name).read_text("utf-8")
        assert old in text
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.replace(old, new, 1), "utf-8")
        return tmp_path

    return change


def test_ours_have_no_problem():
    assert check_templates() == ()


# name of the template, what is changed into what, where the problem is pointed at, and what it says
PROBLEMS = [
    ("letter.mjml", "<mj-column>", "<mj-colum>", "<mj-colum>", "MJML has no <mj-colum>, did you mean mj-column?"),
    ("letter.mjml", "background-color", "background-colour", "background-colour", "did you mean background-color?"),
    ("letter.mjml", 'width="600px"', 'width="600pt"', 'width="600pt"', "it wants unit(px)"),
    ("letter.mjml", "</mj-column>", "", "</mj-section>", "expected </mj-column>"),
    (
        "letter.mjml",
        "<mj-column>",
        "<mj-column><mj-section></mj-section>",
        "<mj-section></",
        "cannot stand in <mj-column>",
    ),
    (
        "letter.mjml",
        "ls/top.mjml",
        "ls/tip.mjml",
        '<mj-include path="partials/tip',
        "there is no template partials/tip.mjml",
    ),
    (
        "letter.mjml",
        "partials/top.mjml",
        "../../x",
        '<mj-include path="../../x',
        "there is no template ../../x to include",
    ),
    ("partials/footer.mjml", "{{ postal }}", "{{ postl }}", "postl", "no letter has a value called postl"),
    ("partials/footer.mjml", "{{ postal }}", "{{ postal | loud }}", "loud", "no filter is called loud"),
    ("partials/footer.mjml", "{% if postal %}", "{% if postal }", "{% if postal }", "Jinja: unexpected '}'"),
    ("partials/footer.mjml", "{% if postal %}", "{% if 1 < 2 %}", "< 2", "this < begins no tag"),
    ("partials/footer.mjml", "{{ postal }}</p>", "{{ postal }}", "</div>", "expected </p>"),
    ("partials/footer.mjml", "{{ postal }}</p>", "{{ postal }}</b>", "</b>", "</b> closes nothing, expected </p>"),
    ("partials/compact.mjml", "card.title }}", "card.titel }}", "titel", "has no attribute 'titel'"),
    (
        "partials/compact.mjml",
        "<h3 class",
        "<h3 {% if card %}a{% endif %} class",
        "<h3 {%",
        "cannot stand inside a tag",
    ),
    ("letter.txt", "links.view }}", "links.vew }}", "vew", "has no attribute 'vew'"),
    ("letter.txt", "{{ title ", "{{ title.__class__.x ", "{{ title.__class__", "unsafe"),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem[4])
def test_each_problem_has_its_line_and_column(changed, problem):
    name, old, new, mark, says = problem
    folder = changed(name, old, new)
    text = (folder / name).read_text("utf-8")
    line, column = position(text, text.index(mark))
    found = check_templates(folder)
    assert [p.path for p in found if says in p.message and (p.line, p.column) == (line, column)] == [folder / name], (
        found
    )


def test_all_problems_are_told_at_once(changed):
    changed("letter.mjml", "<mj-column>", "<mj-colum>")
    changed("letter.txt", "{{ title ", "{{ titel ")
    folder = changed("partials/footer.mjml", 'align="{{ start }}"', 'align="middle" colour="red"')
    assert [(p.path.name, p.message.split(",")[0]) for p in check_templates(folder)][:2] == [
        ("letter.mjml", "MJML has no <mj-colum>"),
        ("letter.mjml", "</mj-column> closes nothing"),
    ]
    assert {p.path.name for p in check_templates(folder)} == {"letter.mjml", "letter.txt", "footer.mjml"}


def test_a_file_that_nothing_uses_is_mentioned(tmp_path):
    (tmp_path / "leter.mjml").write_text("<mjml></mjml>")
    assert [p.message for p in check_templates(tmp_path)] == [
        "no template of the letter uses this file: is its name right?"
    ]


def test_one_file_is_overridden_and_the_rest_stay_ours(changed, build):
    folder = changed("partials/footer.mjml", "{{ postal }}", "{{ postal }} — with love")
    papers = [build.paper(1)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    assert check_templates(folder) == ()
    html = render(load_templates(folder), letter, build.LINKS, build.IMPRINT).html
    assert "Example Society, 1 Library Lane, London — with love" in html
    ours = render(load_templates(), letter, build.LINKS, build.IMPRINT).html
    assert html.replace(" — with love", "") == ours


def test_the_users_templates_run_in_the_sandbox_and_escape(changed, build):
    folder = changed("partials/footer.mjml", "{{ postal }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}")
    papers = [build.paper(1)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    with pytest.raises(ConfigError, match="unsafe"):
        render(load_templates(folder), letter, build.LINKS, build.IMPRINT)


def test_an_unknown_name_is_an_error_and_not_a_blank(changed, build):
    folder = changed("partials/footer.mjml", "{{ postal }}", "{{ links.nowhere }}")
    papers = [build.paper(1)]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    with pytest.raises(ConfigError, match="newsletter check"):
        render(load_templates(folder), letter, build.LINKS, build.IMPRINT)


def test_templates_that_include_each_other_in_a_circle_are_refused(changed):
    folder = changed("partials/footer.mjml", "<mj-text", '<mj-include path="partials/footer.mjml" /><mj-text')
    with pytest.raises(ConfigError, match="includes itself"):
        load_templates(folder)


def test_no_folder_is_no_override(tmp_path):
    assert check_templates(tmp_path / "nowhere") == ()
    assert check_templates(tmp_path) == ()


def test_every_name_that_a_template_may_use_is_explained():
    explained = set(re.findall(r"`(\w+)`", (shipped() / "README.md").read_text("utf-8")))
    for shape in (View, Group, Card, Links, Picture, Link):
        assert {field.name for field in fields(shape)} <= explained, shape
