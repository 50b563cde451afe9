"""`newsletter subscribers`: who reads, and documents on their way between folder and database."""

from __future__ import annotations

import json
import re

import pytest

KENJI = "# Kenji\nemail: kenji@example.org\nname: Kenji\ndays: {weekly: monday}\n"


@pytest.fixture(params=["folder", "database"])
def kind(request, config, newsletter):
    """Where the readers are: Ada, who is right, and Bob, who is not."""
    (config / "subscribers" / "bob.yaml").write_text("email: bob@example.org\npapers: 0\n")
    if request.param == "database":
        newsletter("subscribers", "import", config / "subscribers" / "ada.yaml")
        for file in (config / "subscribers").iterdir():
            file.unlink()
        settings = config / "newsletter.yaml"
        settings.write_text(settings.read_text() + "subscribers: database\n")
    return request.param


def test_everybody_is_listed_with_those_who_have_errors(newsletter, kind):
    status, out, _ = newsletter("subscribers", "list")
    assert status == 0
    assert "ada@example.org" in out
    assert "daily" in out
    assert ("bob" in out) == (kind == "folder")
    listed = json.loads(newsletter("subscribers", "list", "--json")[1])
    assert listed[0] == {
        "name": "ada", "email": "ada@example.org", "send_at": "07:00", "timezone": "UTC",
        "days": [1, 2, 3, 4, 5, 6, 7], "weekly": False, "paused_until": None, "state": "right",
    }  # fmt: skip
    assert [one["state"] for one in listed[1:]] == ["has errors"] * (kind == "folder")


def test_a_document_is_shown_as_it_is(newsletter, config, kind):
    status, out, _ = newsletter("subscribers", "show", "ada")
    assert (status, out) == (0, "email: ada@example.org\ndays: daily\ninterests: [graph retrieval, video diffusion]\n")
    if kind == "folder":
        assert "papers: 0" in newsletter("subscribers", "show", "bob")[1], "one with errors can be looked at, too"


@pytest.mark.parametrize("command", ["show", "remove", "link"])
def test_an_unknown_name_is_answered_with_the_nearest(newsletter, config, kind, command):
    (config / "newsletter.yaml").write_text((config / "newsletter.yaml").read_text() + "web: {}\n")
    status, _, err = newsletter("subscribers", command, "adda")
    assert status == 2
    assert "Did you mean 'ada'?" in err


def test_what_is_imported_is_checked_and_the_rest_goes_on(newsletter, config, kind, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "kenji.yaml").write_text(KENJI)
    (folder / "eve.yaml").write_text("email: eve\nintrests: []\n")
    (folder / "notes.txt").write_text("not one")
    status, out, err = newsletter("subscribers", "import", folder, "--json")
    assert status == 1
    said = json.loads(out)
    assert (said["imported"], said["unchanged"]) == (["kenji"], [])
    assert f"{folder}/eve.yaml:1:8: email: not an e-mail address" in err
    assert f"{folder}/eve.yaml:2:1: unknown key 'intrests': did you mean 'interests'?" in err
    status, out, _ = newsletter("subscribers", "import", folder / "kenji.yaml")
    assert (status, "0 brought in, 1 there already" in out) == (0, True)
    assert ("subscribers: database" in out) == (kind == "folder")
    assert newsletter("subscribers", "import", folder / "none.yaml")[0] == 2


def test_documents_are_exported_and_no_other_file_is_written_over(newsletter, config, kind, tmp_path):
    out = tmp_path / "out"
    assert newsletter("subscribers", "export", out)[0] == 0
    assert (out / "ada.yaml").read_text().startswith("email: ada@example.org")
    (out / "ada.yaml").write_text("mine\n")
    status, _, err = newsletter("subscribers", "export", out)
    assert status == 1
    assert "ada.yaml: says something else" in err
    assert (out / "ada.yaml").read_text() == "mine\n"


def test_the_demonstration_of_a_move_to_the_database(newsletter, config, tmp_path):
    """Import, change the setting: the same readers, and commands say where they are."""
    before = json.loads(newsletter("subscribers", "list", "--json")[1])
    newsletter("subscribers", "import", config / "subscribers")
    settings = config / "newsletter.yaml"
    settings.write_text(settings.read_text() + "subscribers: database\n")
    assert json.loads(newsletter("subscribers", "list", "--json")[1]) == before
    status, out, err = newsletter("check")
    assert status == 0
    assert "1 subscribers" in out
    assert "1 files here are not read" in err


def test_who_is_removed_gets_no_further_letter(newsletter, kind):
    status, out, _ = newsletter("subscribers", "remove", "ada")
    assert status == 0
    assert "nothing was erased" in out
    assert "ada@" not in newsletter("subscribers", "list")[1]
    assert newsletter("subscribers", "remove", "ada")[0] == 2


def test_a_link_opens_the_preferences_of_its_reader(newsletter, config, kind):
    assert "There are no preferences to link to" in newsletter("subscribers", "link", "ada")[2]
    settings = config / "newsletter.yaml"
    settings.write_text(settings.read_text() + "web: {}\nbase_url: https://papers.example.org/daily\n")
    status, out, _ = newsletter("subscribers", "link", "ada")
    assert status == 0
    assert re.fullmatch(r"https://papers\.example\.org/daily/p/\S+\n", out)
