"""Liked papers reach profile and archive, and no edition; arXiv is asked once for what the archive does not have."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from newsletter import pipeline
from newsletter.errors import ConfigError, DigestError
from newsletter.identity import title_key
from newsletter.model import Digest, Paper
from newsletter.store import archive

TODAY = date(2025, 3, 13)
LATER = date(2099, 1, 1)
KNOWN, UNKNOWN = "arxiv:1707.08567", "arxiv:0808.05394"


def _ada(workspace):
    return pipeline.find_subscriber(workspace, "ada")


def _import(desk, tmp_path, *items):
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"type": "article", **item} for item in items]), encoding="utf-8")
    with desk.open() as workspace:
        return pipeline.import_likes(workspace, _ada(workspace), path)


def _likes(desk):
    with desk.open() as workspace:
        return _ada(workspace).profile.likes


def test_an_import_adds_likes_with_their_titles_and_keeps_the_comments(desk, tmp_path):
    liking = _import(desk, tmp_path, {"title": "MUVERA", "DOI": "10.48550/arXiv.2405.19504"}, {"title": "A book"})
    book = title_key("A book")
    assert liking.added == ("arxiv:2405.19504", book)
    assert (desk.config / "subscribers" / "ada.yaml").read_text(encoding="utf-8") == (
        "# Ada\nemail: ada@example.org\ninterests: [graph retrieval]  # hers\n\n# the end\ntrending: 0.3\nlikes:\n"
        f"  - arxiv:2405.19504  # MUVERA\n  - {book}  # A book\n"
    )
    assert _likes(desk) == liking.added


def test_an_import_is_in_no_edition_and_no_window(desk, tmp_path):
    _import(
        desk, tmp_path, {"title": "MUVERA", "number": "arXiv:2405.19504", "issued": {"date-parts": [[2025, 3, 13]]}}
    )
    with desk.open() as workspace:
        assert archive.window(workspace.engine, LATER, 100_000) == []
        assert pipeline.prepare(workspace, TODAY).papers == ()
        with pytest.raises(DigestError, match="no edition yet"):
            pipeline.edition_day(workspace, None)


def test_the_same_import_again_changes_nothing(desk, tmp_path):
    items = [{"title": f"Paper {n}", "DOI": f"10.1000/{n}"} for n in range(20)]
    assert len(_import(desk, tmp_path, *items).added) == 20
    before = (desk.config / "subscribers" / "ada.yaml").read_bytes()
    again = _import(desk, tmp_path, *items)
    assert (len(again.added), len(again.known), again.new) == (0, 20, 0)
    assert (desk.config / "subscribers" / "ada.yaml").read_bytes() == before


def test_a_like_is_known_under_any_of_its_names(desk, tmp_path):
    """The profile has an address, the archive an arXiv id, the export the publisher's DOI and the title."""
    desk.subscriber("ada", "email: ada@example.org\nlikes: ['https://arxiv.org/abs/2503.00001v2']\n")
    with desk.open() as workspace:
        paper = Paper("arxiv:2503.00001", "On counting", "We count.", doi="10.1000/count")
        archive.add_digest(workspace.engine, Digest("page", TODAY, (paper,)))
    liking = _import(desk, tmp_path, {"title": "Other", "DOI": "10.1000/COUNT"}, {"title": "ON COUNTING"})
    assert (liking.added, len(liking.known)) == ((), 2)


def test_the_archives_arxiv_id_is_written_where_the_export_has_none(desk, tmp_path):
    with desk.open() as workspace:
        archive.add_digest(workspace.engine, Digest("page", TODAY, (Paper("arxiv:2503.00001", "On counting", "We."),)))
    assert _import(desk, tmp_path, {"title": "On Counting"}).added == ("arxiv:2503.00001",)


def test_two_names_of_one_paper_in_an_export_are_one_like(desk, tmp_path):
    with desk.open() as workspace:
        paper = Paper("arxiv:2503.00001", "On counting", "We count.", doi="10.1000/count")
        archive.add_digest(workspace.engine, Digest("page", TODAY, (paper,)))
    liking = _import(
        desk, tmp_path, {"title": "A", "DOI": "10.1000/count"}, {"title": "B", "number": "arXiv:2503.00001"}
    )
    assert (liking.added, liking.known) == (("arxiv:2503.00001",), ("arxiv:2503.00001",))


def test_an_import_into_a_profile_with_an_error_is_refused_and_nothing_changes(desk, tmp_path):
    desk.subscriber("ada", "email: nonsense\n")
    with pytest.raises(ConfigError, match="Cannot use the profile of ada"):
        _import(desk, tmp_path, {"title": "MUVERA"})
    assert (desk.config / "subscribers" / "ada.yaml").read_text() == "email: nonsense\n"


def test_five_thousand_likes_are_imported_without_notes(desk, tmp_path):
    """A profile holds at most 1 MB: a title behind each of so many ids is left out."""
    liking = _import(desk, tmp_path, *({"title": f"Paper {n}", "DOI": f"10.1000/{n}"} for n in range(5000)))
    assert (len(liking.added), liking.new, liking.refused) == (5000, 5000, ())
    assert "#" not in (desk.config / "subscribers" / "ada.yaml").read_text().partition("likes:")[2]
    assert len(_likes(desk)) == 5000


def test_added_likes_that_the_archive_lacks_are_fetched_and_unknown_ones_refused(desk, arxiv, client):
    answer = arxiv("id_0808.05394_1707.08567_s0_m100")
    asking = client(lambda _: httpx.Response(200, text=answer))
    with desk.open() as workspace:
        names = ["https://arxiv.org/abs/1707.08567v1", "0808.05394", "nonsense", "10.1000/x"]
        liking = pipeline.add_likes(workspace, _ada(workspace), names, today=TODAY, client=asking)
        assert liking.added == (KNOWN, "doi:10.1000/x")
        assert [one.where for one in liking.refused] == ["nonsense", UNKNOWN]
        assert [one.where for one in liking.waiting] == ["doi:10.1000/x"]
        assert liking.new == 1
        assert archive.papers(workspace.engine, [KNOWN])[KNOWN].title.startswith("Proceedings of Workshop AEW10")
        assert archive.days(workspace.engine) == {}
    with desk.open() as workspace:
        states = {like.id: like.state for like in pipeline.list_likes(workspace, _ada(workspace))}
    assert states == {KNOWN: "here", "doi:10.1000/x": "waiting"}


def test_what_the_archive_has_is_added_without_asking(desk, client):
    asking = client(lambda _: pytest.fail("no request expected"))
    with desk.open() as workspace:
        archive.add_digest(workspace.engine, Digest("page", TODAY, (Paper("arxiv:2503.00001", "On counting", "We."),)))
        names = ["2503.00001v3", "on COUNTING"]
        liking = pipeline.add_likes(workspace, _ada(workspace), names, today=TODAY, client=asking)
    assert (liking.added, liking.refused, liking.waiting) == (("arxiv:2503.00001",), (), ())


def test_without_network_a_like_is_added_and_waits(desk, client):
    def away(_):
        raise httpx.ConnectError("no route to host")

    with desk.open() as workspace:
        liking = pipeline.add_likes(workspace, _ada(workspace), [KNOWN], today=TODAY, client=client(away))
    assert (liking.added, liking.refused) == ((KNOWN,), ())
    assert "no route to host" in liking.waiting[0].why
    with desk.open() as workspace:
        assert pipeline.list_likes(workspace, _ada(workspace))[0].state == "waiting"
        intake = pipeline.fetch_likes(workspace, today=TODAY, client=client(away))
    assert (intake.state, intake.new) == ("failed", ())
    assert intake.reason.startswith("1 liked papers wait for the next fetch: cannot fetch")


def test_likes_written_by_hand_are_fetched_once_and_unknown_ones_asked_for_again_after_a_month(desk, arxiv, client):
    desk.subscriber("ada", f"email: ada@example.org\nlikes: ['{KNOWN}', '10.1000/x']\ndislikes: ['{UNKNOWN}']\n")
    asked: list[str] = []
    answer = arxiv("id_0808.05394_1707.08567_s0_m100")
    asking = client(lambda request: asked.append(request.url.params["id_list"]) or httpx.Response(200, text=answer))
    with desk.open() as workspace:
        first = pipeline.fetch_likes(workspace, today=TODAY, client=asking)
        assert (first.state, first.new, [one.where for one in first.refused]) == ("fetched", (KNOWN,), [UNKNOWN])
        assert pipeline.fetch_likes(workspace, today=TODAY + timedelta(days=1), client=asking) is None
        again = pipeline.fetch_likes(workspace, today=TODAY + timedelta(days=31), client=asking)
    assert again is not None
    assert asked == ["1707.08567,0808.05394", "0808.05394"]


def test_an_imported_title_without_abstract_is_completed_by_the_fetch(desk, tmp_path, arxiv, client):
    _import(desk, tmp_path, {"title": "Proceedings, imported", "number": "arXiv:1707.08567"})
    asking = client(lambda _: httpx.Response(200, text=arxiv("id_0808.05394_1707.08567_s0_m100")))
    with desk.open() as workspace:
        assert pipeline.list_likes(workspace, _ada(workspace))[0].state == "bare"
        pipeline.fetch_likes(workspace, today=TODAY, client=asking)
        assert pipeline.list_likes(workspace, _ada(workspace))[0].state == "here"


def test_a_request_that_fails_keeps_what_the_earlier_ones_brought(desk, arxiv, client):
    ids = [KNOWN, *(f"arxiv:2401.{n:05}" for n in range(120))]
    desk.subscriber("ada", f"email: ada@example.org\nlikes: {json.dumps(ids)}\n")
    answers = iter([httpx.Response(200, text=arxiv("id_0808.05394_1707.08567_s0_m100"))])
    asking = client(lambda _: next(answers, httpx.Response(404)))
    with desk.open() as workspace:
        intake = pipeline.fetch_likes(workspace, today=TODAY, client=asking)
    assert (intake.state, intake.new) == ("failed", (KNOWN,))
    assert intake.reason.startswith("21 liked papers wait")


def test_who_likes_a_paper_is_not_shown_it_and_others_are(desk):
    """Known by its title alone in the profile; the digest brings it under its arXiv id."""
    papers = [
        Paper(f"arxiv:2503.{n:05}", f"Study {n}: graph retrieval", f"Graph retrieval by method {n}. It helps.")
        for n in range(6)
    ]
    interested = "interests: [graph retrieval]\n"
    desk.subscriber("ada", f"email: ada@example.org\nlikes: ['{title_key(papers[0].title)}']\n{interested}")
    desk.subscriber("bob", f"email: bob@example.org\nlikes: []\n{interested}")
    with desk.open() as workspace:
        archive.add_unlisted(workspace.engine, [replace(papers[0], id=title_key(papers[0].title))])
        archive.add_digest(workspace.engine, Digest("page", TODAY, tuple(papers)))
        edition = pipeline.prepare(workspace, TODAY)
        readers = [pipeline.find_subscriber(workspace, name) for name in ("ada", "bob")]
        ada, bob = ({pick.paper.id for pick in picks} for picks in pipeline.choose(workspace, edition, readers))
        told = pipeline.explain(workspace, edition, readers[0], papers[0].id)
    assert papers[0].id not in ada
    assert len(edition.papers) == 6
    assert "the reader likes" in told.why_not[0]
    assert told.pick is None
    assert papers[0].id in bob
