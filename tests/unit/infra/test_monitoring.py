"""Alerts and the workbook look at what the app says."""

import re
from typing import Any

import pytest

from tests.unit.infra.bicep import INFRA, reference, template

QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in INFRA.glob("queries/*.kql")}

ALERTS: list[dict[str, Any]] = template("modules/alerts").variables["queryAlerts"]["value"]


def test_every_query_is_used() -> None:
    """Each query file is part of the alerts or of the workbook."""
    texts = template("modules/alerts").text + template("modules/dashboard").text
    assert QUERIES.keys() == set(re.findall(r"queries/([\w-]+)\.kql", texts))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["name"])
def test_alerts_measure_a_column_of_their_query(alert: dict[str, Any]) -> None:
    """The column that an alert compares with its threshold is one that its query returns."""
    assert f"'../queries/{alert['name']}.kql'" in template("modules/alerts").text
    assert re.search(rf"\b{alert['column']} = ", QUERIES[alert["name"]])


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["name"])
def test_alert_queries_have_no_workbook_parameters(alert: dict[str, Any]) -> None:
    """An alert rule does not fill in what a workbook does."""
    assert "{" not in QUERIES[alert["name"]]


def test_a_dead_bot_is_noticed_from_outside() -> None:
    """Two alerts read what the channels saw, for an app that does not run writes nothing."""
    outside = {alert["name"] for alert in ALERTS if "ABSBotRequests" in QUERIES[alert["name"]]}
    assert {"no-answers", "channel-errors"} == outside
    assert "where Sent > 0 and Answered == 0" in QUERIES["no-answers"]


def test_a_quiet_bot_is_not_too_quiet_for_the_alerts() -> None:
    """Failures count as a part of what was asked, from three on, not as a number for busy bots."""
    assert "where Failures >= 3 and Failures * 10 >= Requests" in QUERIES["failed-requests"]
    assert "where Errors >= 3 and Errors * 10 >= Requests" in QUERIES["channel-errors"]


def test_nobody_is_told_that_a_missing_reply_is_resolved() -> None:
    """Only slow turns end by themselves; the others are muted, since silence mends nothing."""
    assert {"slow-turns"} == {alert["name"] for alert in ALERTS if alert["resolves"]}
    rules = template("modules/alerts").resources["queryRules"].properties
    assert "alert.resolves" == reference(rules["autoMitigate"])


def test_no_alert_both_resolves_and_mutes() -> None:
    """Azure refuses a rule that has autoMitigate and a mute time, which the compiler lets pass."""
    text = template("modules/alerts").text
    assert "muteActionsDuration: alert.resolves ? null : 'PT1H'" in text


@pytest.mark.parametrize("query", ["failed-requests", "server-errors"])
def test_unauthenticated_visitors_raise_no_alarm(query: str) -> None:
    """The endpoint is public: only server errors count as failures."""
    assert "toint(ResultCode) >= 500" in QUERIES[query]


def test_alerts_can_be_made_before_the_first_log() -> None:
    """A workspace that has never seen a table refuses a query on it, unless it is not asked."""
    rules = template("modules/alerts").resources["queryRules"].properties
    assert rules["skipQueryValidation"] is True


def test_no_alert_rule_is_paid_for_unless_asked() -> None:
    """Without somebody to tell there are no alert rules."""
    assert template("main").parameters["alertEmail"]["default"] == ""
    assert "'modules/alerts.bicep' = if (!empty(alertEmail))" in template("main").text


def test_levels_are_read_from_lines_that_have_come_by_stderr() -> None:
    """The host guesses their level, so the query believes the text first."""
    read = re.search(r'extract\(@"(.+)", 1, Message\)', QUERIES["logged-errors"])
    assert read is not None
    line = "An order error was undone. turn=0123456789abcdef level=info"
    assert ["info"] == re.findall(read[1], line)
    assert "isnotempty(Told), Told,\n" in QUERIES["logged-errors"]


def test_turns_are_found_wherever_their_lines_have_come_from() -> None:
    """What stderr adds stands behind the words that the query looks for."""
    assert 'Message startswith "turn.unsettled "' in QUERIES["unsettled-turns"]
    read = re.search(r'Turn = extract\(@"(.+)", 1, Message\)', QUERIES["unsettled-turns"])
    assert read is not None
    assert ["ab12"] == re.findall(read[1], "turn.unsettled turn=ab12 level=warning")
