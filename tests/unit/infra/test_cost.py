"""What is paid for is asked for, and can be bounded."""

import json
from typing import Any

import pytest

from tests.unit.infra.bicep import INFRA, alternatives, reference, template

ROOT = INFRA.parent

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("*/function.json"))


@pytest.fixture
def levels() -> dict[str, str]:
    """The log levels of host.json, by category."""
    host: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    found: dict[str, str] = host["logging"]["logLevel"]
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_host_does_not_log_each_run(levels: dict[str, str], function: str) -> None:
    """ "Executing" and "Executed", of category Function.<name> at Information, are left out."""
    assert "Warning" == _level(levels, f"Function.{function}")


@pytest.mark.parametrize(
    "category",
    [
        *(f"Function.{function}.User" for function in FUNCTIONS),
        "Host.Results",
        "Host.Function.Console",
    ],
)
def test_what_the_app_says_is_logged(levels: dict[str, str], category: str) -> None:
    """The app's own lines, requests, and what is written to stderr are kept, and named."""
    assert "Information" == levels[category]


def test_a_bot_may_be_kept_small() -> None:
    """One instance is allowed: the fewest bound the bill best."""
    decorators = template("main").parameters["maximumInstanceCount"]["decorators"]
    assert {"type": "min_value", "argument": 1} in decorators


def test_ingestion_is_capped_only_if_asked() -> None:
    """-1 is Azure's word for no limit."""
    assert 0 == template("main").parameters["logDailyCapGB"]["default"]
    workspace = template("modules/monitoring").resources["workspace"]
    quota = workspace.properties["workspaceCapping"]["dailyQuotaGb"]
    assert "dailyCapGB" == alternatives(quota)[0]
    assert "dailyQuotaGb: (dailyCapGB > 0) ? dailyCapGB : -1" in template("modules/monitoring").text


def test_a_budget_is_made_only_if_asked() -> None:
    """Without an amount there is none."""
    assert 0 == template("main").parameters["monthlyBudget"]["default"]
    assert "if (monthlyBudget > 0)" in template("main").modules["budget"].text


def test_another_start_is_another_budget() -> None:
    """Azure refuses to change a budget's start, so the date is a part of its name."""
    assert "${budgetStartDate}" in template("main").variables["names"]["value"]["budget"]
    budget = template("modules/budget").resources["budget"]
    assert "names.budget" == reference(budget.body["name"])
    assert "startDate" == budget.properties["timePeriod"]["startDate"]
    assert "utcNow" not in template("main").text


@pytest.mark.parametrize(
    ("parameter", "needed"), [("startDate", "budgetStartDate"), ("email", "alertEmail")]
)
def test_a_budget_without_start_or_reader_ends_the_deployment(parameter: str, needed: str) -> None:
    """What a budget needs is asked for before anything is made."""
    failure, given = alternatives(template("main").modules["budget"].parameters[parameter])
    assert "fail" == failure["function"]["type"]
    assert needed == given


def test_the_costs_of_the_worst_day_are_calculated_right() -> None:
    """The figures in docs/azure.md follow from the prices and defaults beside them."""
    page = (ROOT / "docs" / "azure.md").read_text(encoding="utf-8")
    worst_day = page.partition("### The worst day")[2].partition("\n## ")[0]
    instances = template("main").parameters["maximumInstanceCount"]["default"]
    refused = 1_000 * 86_400
    assert f"`maximumInstanceCount` {instances} " in worst_day
    for dollars in (instances * 2 * 86_400 * 26e-6, refused * 0.4e-6, refused * 1400e-9 * 2.3):
        assert f"| ${dollars:.2f} |" in worst_day


def _level(levels: dict[str, str], category: str) -> str:
    """The level of a category: that of the longest name which it begins with."""
    matching = [name for name in levels if category == name or category.startswith(f"{name}.")]
    return levels[max(matching, key=len)] if matching else "Information"
