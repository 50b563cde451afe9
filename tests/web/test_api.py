"""The API: what its OpenAPI says, whatever is asked."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from newsletter.store import editions
from newsletter.web.catalogue import alive_themes


def test_the_schema_describes_every_address(site):
    schema = site.client.get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    assert set(schema["paths"]) == {
        "/api/v1/editions", "/api/v1/editions/{day}", "/api/v1/themes", "/api/v1/themes/{theme}", "/api/v1/papers",
        "/api/v1/papers/{paper}",
    }  # fmt: skip
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["description"]
            assert set(operation["responses"]) == {"200", "404", "422"}


def test_an_edition_is_whole(site):
    edition = editions.load_edition(site.workspace.engine, "daily/2025-05-27")
    made = site.client.get("/api/v1/editions/2025-05-27").json()
    assert [paper["id"] for paper in made["papers"]] == [paper.id for paper in edition.papers]
    assert [theme["papers"] for theme in made["themes"]] == [list(theme.papers) for theme in edition.themes]
    assert len(made["map"]) > 20
    listed = site.client.get("/api/v1/editions?limit=1").json()
    assert (listed["total"], listed["editions"][0]["day"]) == (2, "2025-05-27")


def test_themes_and_papers_lead_to_one_another(site):
    themes = site.client.get("/api/v1/themes").json()["themes"]
    assert len(themes) == len(alive_themes(site.workspace)[1])
    one = site.client.get(f"/api/v1/themes/{themes[0]['id']}").json()
    paper = site.client.get(f"/api/v1/papers/{one['papers'][0]['id']}").json()
    assert paper["theme"] == themes[0]["id"]
    assert paper["abstract"]
    found = site.client.get("/api/v1/papers", params={"q": paper["title"]}).json()
    assert paper["id"] in [one["id"] for one in found["papers"]]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/editions/2025-05-30", 404), ("/api/v1/editions/x", 422), ("/api/v1/editions?limit=0", 422),
        ("/api/v1/editions?offset=-1", 422), ("/api/v1/themes/x", 404), ("/api/v1/papers/x", 404), ("/api/v1/x", 404),
        ("/api/v1/papers?limit=x", 422),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_as_json(site, address, status):
    answer = site.client.get(address)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "detail"}


def test_another_method_is_refused(site):
    answer = site.client.post("/api/v1/themes")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.slow
def test_every_answer_is_what_the_schema_says(site):
    """schemathesis: for every operation requests that fit the schema and such that do not; nothing is a 5xx."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", site.client.app)
    known = {
        "theme": [one.id for one in alive_themes(site.workspace)[1]],
        "paper": [p.id for p in editions.load_edition(site.workspace.engine, "daily/2025-05-27").papers],
        "day": ["2025-05-26", "2025-05-27"],
    }
    asked: list[int] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=40, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @_given(operation)
        def ask(case):
            asked.append(case.call_and_validate().status_code)

        ask()
        for name, values in known.items():
            if f"{{{name}}}" in operation.path:
                for value in values:
                    answer = operation.Case(path_parameters={name: value}).call_and_validate()
                    assert answer.status_code == 200
    assert {200, 404} <= set(asked)
    assert max(asked) < 500


def _given(operation):
    from hypothesis import given
    from hypothesis import strategies as st
    from schemathesis import GenerationMode

    modes = [operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    return given(case=st.one_of(*modes))
