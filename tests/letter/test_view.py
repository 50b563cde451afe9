"""Links that a letter may hold, and the words around papers."""

from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.letter import compose, render
from newsletter.letter.language import LANGUAGES
from newsletter.letter.view import _full, _links, _short, paper_ref, safe_url, view
from newsletter.letter.wording import clipped, counts, momentum, people, reason, reasons
from newsletter.model import Momentum, Reason


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://arxiv.org/abs/2503.00001", "https://arxiv.org/abs/2503.00001"),
        (" https://x.org/a?b=c&d=e#f ", "https://x.org/a?b=c&d=e#f"),
        ("https://x.org/ü", "https://x.org/%C3%BC"),
        ("https://x.org/%7Ea", "https://x.org/%7Ea"),
        ('https://x.org/"onclick="a', "https://x.org/%22onclick=%22a"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//x.org/a", ""),
        ("https://", ""),
        ("https:///x", ""),
        ("mailto:", ""),
        ("https://x.org/a b", ""),
        ("https://x.org\\@evil.org/", ""),
        ("https://[::1", ""),
        ("https://x.org/" + "a" * 3000, ""),
        ("", ""),
    ],
)
def test_only_web_and_mail_links_are_let_through(url, safe):
    assert safe_url(url) == safe


@pytest.mark.parametrize(
    ("paper", "ref"),
    [
        ("arxiv:2503.00001", "arxiv:2503.00001"),
        ("doi:10.1000/a b?c#d%2f", "doi:10.1000/a%20b%3Fc%23d%252f"),
        ("doi:10.1000/a/../b", "doi:10.1000%2Fa%2F..%2Fb"),
        ("doi:10.1000//x", "doi:10.1000%2F%2Fx"),
        ('doi:10.1000/"><script>\ud800', "doi:10.1000/%22%3E%3Cscript%3E"),
        ("doi:10.1000/" + "a" * 300, "doi:10.1000/" + "a" * 300),
    ],
)
def test_an_id_is_a_part_of_an_address_that_no_browser_takes_for_anything_else(paper, ref):
    assert paper_ref(paper) == ref


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_of_the_best_papers_is_rated_by_links_that_sound_different(build, templates, language):
    papers = [build.paper(n, title="The same title", id=f"title:{n}") for n in range(1, 13)]
    letter = compose(build.reader(language=language), build.edition(papers), build.picks(papers))
    shown = view(letter, build.RATED, build.IMPRINT)
    names = [ask.name for card in shown.top for ask in card.asks]
    assert len(set(names)) == len(names) == 9
    assert all(ask.name.startswith(ask.text) for card in shown.top for ask in card.asks)
    assert [ask.path for ask in shown.top[0].asks] == ["more/title:1", "less/title:1", "save/title:1"]
    assert not any(card.asks for group in shown.groups for card in group.cards)
    html = render(templates, letter, build.RATED, build.IMPRINT).html
    assert html.count(f'href="{build.RATED.feedback}') == 10
    assert "/more/" not in render(templates, letter, build.LINKS, build.IMPRINT).html


def test_a_paper_whose_id_is_too_long_for_an_address_is_not_rated(build):
    papers = [build.paper(n, id=f"doi:10.1000/{n}{'a' * length}") for n, length in ((1, 280), (2, 300))]
    letter = compose(build.reader(), build.edition(papers), build.picks(papers))
    assert [len(card.asks) for card in view(letter, build.RATED, build.IMPRINT).top] == [3, 0]


def test_people_are_named_up_to_a_number_and_never_one_more():
    names = tuple("ABCDEF")
    assert people(names[:5], "en", 4) == "A, B, C, D, E"
    assert people(names, "en", 4) == "A, B, C, D and 2 more"
    assert people((), "en", 4) == ""
    assert people(tuple(f"A{n}" for n in range(1302)), "de", 2) == "A0, A1 und 1.300 weitere"


def test_counts_that_are_unknown_or_zero_are_not_mentioned():
    assert counts(None, 0, None, "en") == ()
    assert counts(1, 2, 1234, "en") == ("1 upvote", "2 comments", "1,234 stars")
    assert counts(2, None, None, "ar") == ("صوتان",)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            Reason("interest", "nearest neighbours", 0.5, ("graph", "index")),
            "Matches “nearest neighbours”: graph, index",
        ),
        (Reason("interest", "nearest neighbours", 0.5), "Matches “nearest neighbours”"),
        (Reason("interest", "word " * 2000, 0.5), f"Matches “{'word ' * 13}word…”"),
        (Reason("like", "A Paper", 0.5), "Close to “A Paper”, which you liked"),
        (Reason("author", "Jimmy Lin", 0.5), "By Jimmy Lin, whom you follow"),
        (Reason("keyword", "HNSW", 0.5), "Mentions HNSW, which you follow"),
        (Reason("trending", "", 0.5), "Widely read"),
        (Reason("fresh", "", 0.5), "Brand new"),
        (Reason("explore", "", 0.5), "A step outside your interests"),
        (Reason("keyword", "{words} {0} %s", 0.5), "Mentions {words} {0} %s, which you follow"),
    ],
)
def test_reasons_in_words(given, words):
    assert reason(given, "en") == words


def test_the_weightiest_reasons_come_first_and_trivial_ones_not_at_all():
    given = (Reason("fresh", "", 0.05), Reason("author", "A", 0.3), Reason("keyword", "K", 0.6))
    assert reasons(given, "en", 3) == "Mentions K, which you follow · By A, whom you follow"
    assert reasons(given[:1], "en", 3) == "Brand new"
    assert reasons((), "en", 3) == ""


def test_momentum_in_words():
    assert momentum(Momentum("rising", 2.13, 1.0, 3.0), "en") == "rising, 2.1 times its usual pace"
    assert momentum(Momentum("rising", 2.13, 1.0, 3.0), "de") == "steigend, 2,1-mal so viel wie sonst"
    assert momentum(Momentum("new", 9.0, 1.0, 3.0), "en") == "new theme"
    assert momentum(Momentum("steady", 1.0, 1.0, 1.0), "en") == "steady"


@pytest.mark.parametrize(
    ("text", "room", "short"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 9, "one two…"),
        ("one of the", 8, "one…"),
        ("x" * 20, 5, "xxxx…"),
        ("", 5, ""),
    ],
)
def test_text_is_cut_between_words(text, room, short):
    assert clipped(text, room) == short
    assert len(clipped(text, room)) <= room


def test_an_address_is_linked_once_and_not_where_the_title_leads(build):
    repository = "https://github.com/example/letters"
    paper = build.paper(1, code=repository, project=repository)
    assert [link.url for link in _links(paper, "", "en")] == [paper.pdf, repository]
    assert [link.text for link in _links(paper, paper.pdf, "en")] == ["Code example/letters"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_paper_that_leads_nowhere_offers_a_search_that_says_so(build, language):
    paper = build.paper(1, id="title:0123456789abcdef", url="", pdf="")
    for card in (_full(paper, paper.title, language), _short(paper, paper.title, language)):
        (link,) = card.links
        assert "arXiv" in link.text
        assert "Short Letters 1: How" in link.text
        assert parse_qs(urlsplit(link.url).query) == {
            "searchtype": ["title"],
            "query": ["Short Letters 1 How Little Writing Is Enough for Reader 1"],
        }
        assert safe_url(link.url) == link.url


def test_a_search_holds_no_wildcard_and_no_endless_query(build):
    def query(title):
        links = _full(build.paper(1, id="title:0", url="", pdf=""), title, "en").links
        return [parse_qs(urlsplit(link.url).query)["query"][0] for link in links]

    assert query('Is "Attention*" all? {you} \\need: O’Brien\'s GPT-4.5') == [
        "Is Attention all you need O’Brien's GPT-4.5"
    ]
    assert query("數" * 900)[0] == "數" * 200
    assert query("*?*") == []
    assert [link.url for link in _full(build.paper(1, id="title:0", pdf=""), "A", "en").links] == []
    assert all("search" not in link.url for link in _full(build.paper(1, id="title:0", url=""), "A", "en").links)


def test_a_matched_word_is_written_as_the_reader_wrote_it():
    given = Reason("interest", "data selection with HNSW", 1.0, ("Data", "HNSW", "Selection"))
    assert reason(given, "en") == "Matches “data selection with HNSW”: data, HNSW, selection"
