"""The Grafana dashboard and the alert rules: each query names metrics and labels that `/metrics` has."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from memalign.records import Json
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.web.test_metrics import run_loop

DEPLOY = Path(__file__).parents[3] / "docs" / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text(encoding="utf-8"))
GUIDE = (DEPLOY / "README.md").read_text(encoding="utf-8")
METRIC = re.compile(r"\b(?:memalign|process)_[a-z0-9_]+")
SELECTOR = re.compile(r"\b((?:memalign|process)_[a-z0-9_]+)\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
LABELS_OF_THE_SCRAPE = {"le", "instance", "job"}

Labels = dict[str, set[str]]


def panels() -> list[Json]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked += [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    return [
        *asked,
        *(each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"),
    ]


@pytest.fixture
async def known(tmp_path: Path) -> Labels:
    """The labels of each sample of a bot at which a trace has been through the whole loop, by the sample's name."""
    async with bot_in_workspace(tmp_path) as harness:
        await run_loop(harness)
        await harness.send({"trace_id": "no inputs"})
        harness.slack.faults.fail_next("chat.postMessage", status=429, retry_after=0)
        await harness.show("tr-3")
        _, text = await harness.get("/metrics")
    labels: Labels = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


async def test_every_query_names_metrics_and_labels_that_there_are(known: Labels) -> None:
    assert len(queries()) > 30
    for query in queries():
        names = METRIC.findall(query)
        assert names, query
        assert [name for name in names if name not in known] == [], query
        for name, conditions in SELECTOR.findall(query):
            assert set(re.findall(r"(\w+)\s*[=!]~?", conditions)) <= known[name], query
        possible = LABELS_OF_THE_SCRAPE.union(*(known[name] for name in names))
        for grouping in GROUPING.findall(query):
            assert set(re.split(r",\s*", grouping)) <= possible, query


async def test_the_guide_names_metrics_and_labels_that_there_are(known: Labels) -> None:
    rows = [line.split("|")[1:3] for line in GUIDE.splitlines() if line.startswith("| `memalign_")]
    assert len(rows) > 12
    for metrics, labels in rows:
        names = METRIC.findall(metrics)
        own = set[str]()
        for name in names:
            assert {name, f"{name}_count"} & known.keys(), name
            own |= known.get(name, set()) | known.get(f"{name}_count", set())
        assert set(re.findall(r"`(\w+)`", labels)) == own - LABELS_OF_THE_SCRAPE, names


def test_panels_have_places_of_their_own_and_ids() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_panels_are_whole_and_name_no_data_source_of_somebody() -> None:
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert (DASHBOARD["uid"], DASHBOARD["schemaVersion"] >= 36) == ("memalign", True)
    for panel in panels():
        assert panel["title"]
        assert panel["type"] in ("stat", "timeseries")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)) > 0
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= variables


def test_alerts_are_sentences() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["alert"].startswith("Memalign")
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["annotations"]["summary"].endswith(".")
