"""`newsletter templates`: ours and yours by name, and copies that win."""

from __future__ import annotations

import json

from newsletter.letter.templates import load_templates, shipped


def test_a_copy_is_the_user_s_and_changes_nothing_until_it_is_changed(newsletter, config):
    status, out, err = newsletter("templates", "partials/masthead.mjml", "letter.txt")
    assert (status, err) == (0, "")
    copy = config / "templates" / "partials" / "masthead.mjml"
    assert str(copy) in out
    assert copy.read_bytes() == (shipped() / "partials" / "masthead.mjml").read_bytes()
    assert newsletter("check")[0] == 0
    load_templates(config / "templates")
    listed = {row["name"]: row for row in json.loads(newsletter("templates", "--json")[1])}
    assert {name for name, row in listed.items() if row["yours"]} == {"partials/masthead.mjml", "letter.txt"}
    assert listed["letter.mjml"]["file"] == str(shipped() / "letter.mjml")
    assert not any("preview" in name for name in listed)


def test_what_is_there_is_not_overwritten_and_what_is_unknown_is_told(newsletter, config):
    newsletter("templates", "letter.txt")
    (config / "templates" / "letter.txt").write_text("mine", encoding="utf-8")
    status, _, err = newsletter("templates", "letter.txt")
    assert status == 2
    assert "is there already" in err
    assert (config / "templates" / "letter.txt").read_text(encoding="utf-8") == "mine"
    status, _, err = newsletter("templates", "partials/mast.mjml")
    assert status == 2
    assert "partials/masthead.mjml" in err
    assert newsletter("templates", "../newsletter.yaml")[0] == 2
