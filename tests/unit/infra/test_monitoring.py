"""Alerts and the workbook look at what the app says."""

import re

import pytest

from tests.unit.infra.bicep import INFRA, template

QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in INFRA.glob("queries/*.kql")}


def test_every_query_is_used() -> None:
    """Each query file is part of the alerts or of the workbook."""
    texts = template("modules/alerts").text + template("modules/dashboard").text
    assert QUERIES.keys() == set(re.findall(r"queries/([\w-]+)\.kql", texts))


def test_alerts_measure_a_column_of_their_query() -> None:
    """The column that an alert compares with its threshold is one that its query returns."""
    for alert in template("modules/alerts").variables["queryAlerts"]["value"]:
        assert re.search(rf"\b{alert['column']} = ", QUERIES[alert["name"]]), alert["name"]


@pytest.mark.parametrize("name", ["failed-requests", "slow-turns", "unsettled-turns"])
def test_alert_queries_have_no_workbook_parameters(name: str) -> None:
    """An alert rule does not fill in what a workbook does."""
    assert "{" not in QUERIES[name]


def test_unauthenticated_visitors_raise_no_alarm() -> None:
    """The endpoint is public: only server errors count as failures."""
    assert "toint(ResultCode) >= 500" in QUERIES["failed-requests"]


def test_no_alert_rule_is_paid_for_unless_asked() -> None:
    """Without somebody to tell there are no alert rules."""
    assert template("main").parameters["alertEmail"]["default"] == ""
    assert "'modules/alerts.bicep' = if (!empty(alertEmail))" in template("main").text
