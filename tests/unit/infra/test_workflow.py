"""GitHub compiles the templates, and shows what a pull request changes in Azure."""

import json
import re
from typing import Any

import pytest

from tests.unit.infra.bicep import INFRA, template
from tests.unit.infra.workflows import job, steps, text_of

PARAMETER_FILES = ["main", "everything-on"]


@pytest.fixture
def levels() -> dict[str, str]:
    """Each rule of bicepconfig.json, with its level."""
    config: dict[str, Any] = json.loads((INFRA / "bicepconfig.json").read_text(encoding="utf-8"))
    rules: dict[str, dict[str, str]] = config["analyzers"]["core"]["rules"]
    return {name: rule["level"] for name, rule in rules.items()}


def test_broken_rules_are_errors(levels: dict[str, str]) -> None:
    """Also those that the compiler has off, but the one that wants each variable described."""
    assert {"error"} == set(levels.values())
    off_by_default = {
        *("no-module-name", "use-recent-api-versions", "use-resource-id-functions"),
        *("use-user-defined-types", "what-if-short-circuiting"),
    }
    assert off_by_default <= levels.keys()
    assert "use-description-vars" not in levels


@pytest.mark.parametrize("command", ["build", "lint", "format", "snapshot"])
def test_the_compiler_judges_each_pull_request(command: str) -> None:
    """Without any sign-in the templates are compiled, linted, held to their form, and evaluated."""
    templates = job("infra", "templates")
    assert re.search(rf"\bbicep {command} ", templates)
    assert "id-token" not in templates


def test_the_compiler_is_one_version() -> None:
    """What is checked is what is deployed."""
    checked = re.findall(r"BICEP_VERSION: (\S+)", text_of("infra"))
    installed = re.findall(r"az bicep install --version (\S+)", text_of("deploy-to"))
    assert checked == installed
    assert re.fullmatch(r"v\d+\.\d+\.\d+", checked[0])


def test_any_diagnostic_fails() -> None:
    """Warnings end the compiler with 0, so what it found is read, whatever it ended with."""
    (lint,) = [step for step in steps("infra", "templates") if "bicep lint" in step]
    assert '!= "note"' in lint
    assert '[ ! -s "$RUNNER_TEMP/found" ]' in lint
    for name in PARAMETER_FILES:
        assert f"{name}.bicepparam" in lint


def test_a_reviewer_sees_what_changes() -> None:
    """Base and head are evaluated with both parameter files; the difference is in the summary."""
    (show,) = [step for step in steps("infra", "templates") if "bicep snapshot" in step]
    assert "for parameters in main everything-on; do" in show
    assert "predict base" in show
    assert "predict head" in show
    assert '>> "$GITHUB_STEP_SUMMARY"' in show


def test_only_pull_requests_of_this_repository_ask_azure() -> None:
    """A fork gets no token, and what asks can only read."""
    preview = job("infra", "preview")
    assert "github.event.pull_request.head.repo.full_name == github.repository" in preview
    assert "client-id: ${{ vars.AZURE_PLANNER_CLIENT_ID }}" in preview
    assert "az deployment group what-if" in preview
    assert "needs: templates" in preview


@pytest.mark.parametrize("name", PARAMETER_FILES)
def test_parameter_files_set_parameters_that_exist(name: str) -> None:
    """Each `param` is one of main.bicep's."""
    assert _set_by(name) < set(template("main").parameters)


def test_everything_that_is_optional_is_looked_at() -> None:
    """Each conditional module is made by one of the two parameter files."""
    switches = {
        found
        for module in template("main").modules.values()
        for found in re.findall(r"if \(.*?\b([a-z]\w+[A-Z]\w+|signIn)\b", module.text)
    } - {"existingAccountId"}
    assert {"networkAccess", "signIn", "alertEmail", "monthlyBudget"} == switches
    assert switches <= _set_by("everything-on")


def _set_by(name: str) -> set[str]:
    text = (INFRA / f"{name}.bicepparam").read_text(encoding="utf-8")
    return set(re.findall(r"^param (\w+) =", text, re.MULTILINE))
