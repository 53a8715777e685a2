"""azd and GitHub deploy what infra/ describes, without a stored credential."""

import re
from pathlib import Path

import pytest

from tests.unit.infra.bicep import template
from tests.unit.infra.workflows import WORKFLOWS, job, steps, text_of

ROOT = Path(__file__).parents[3]

ALL_WORKFLOWS = sorted(path.stem for path in WORKFLOWS.glob("*.yml"))


def test_azd_finds_the_app_by_its_tag() -> None:
    """The service in azure.yaml has the name that the function app is tagged with."""
    services = (ROOT / "azure.yaml").read_text(encoding="utf-8").partition("services:\n")[2]
    (service,) = re.findall(r"^  (\w+):$", services, re.MULTILINE)
    assert f"'azd-service-name': '{service}'" in template("modules/function-app").text


def test_an_azd_that_is_too_old_says_so() -> None:
    """azd below the version that knows all of azure.yaml refuses, in place of guessing."""
    assert re.search(
        r'^requiredVersions:\n  azd: ">= 1\.23\.10"',
        (ROOT / "azure.yaml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )


@pytest.mark.parametrize("file", ["README.md", "docs/azure.md", ".github/workflows/deploy-to.yml"])
def test_func_is_told_the_language(file: str) -> None:
    """A fresh clone has no local.settings.json, from which `func` would know that it is Python."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"func azure functionapp publish[^\n`]*", text)
    assert [] == [command for command in commands if "--python" not in command]
    assert commands or file == "docs/azure.md"


def test_the_deployment_stores_no_credential() -> None:
    """GitHub signs in with OpenID Connect; no workflow reads a secret."""
    assert "id-token: write" in job("deploy-to", "deploy")
    assert [] == [name for name in ALL_WORKFLOWS if "secrets." in text_of(name)]


@pytest.mark.parametrize("workflow", ALL_WORKFLOWS)
def test_workflows_run_only_known_actions(workflow: str) -> None:
    """Each action is pinned to a commit, which nobody can move, or is of this repository."""
    used = re.findall(r"uses: (\S+)", text_of(workflow))
    known = re.compile(r"[\w-]+(/[\w-]+)+@[0-9a-f]{40}|\./\.github/workflows/[\w-]+\.yml")
    assert used
    assert [] == [action for action in used if not known.fullmatch(action)]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_what_is_deployed_was_tested(environment: str) -> None:
    """Both deployments wait for all tests and for the package."""
    assert "uses: ./.github/workflows/test.yml" in job("deploy", "test")
    (needed,) = re.findall(r"needs: \[(.*)\]", job("deploy", environment))
    assert {"test", "package"} <= set(needed.split(", "))


def test_production_comes_after_staging() -> None:
    """Production waits for staging, and goes on only if that went well or there is none."""
    production = job("deploy", "production")
    assert "needs: [test, package, staging]" in production
    assert "needs.staging.result == 'success' || needs.staging.result == 'skipped'" in production
    assert "if: vars.AZURE_STAGING == 'true'" in job("deploy", "staging")


def test_the_package_is_built_by_the_apps_python() -> None:
    """GitHub installs what the app requires with the app's Python, and Azure builds nothing."""
    app = template("modules/function-app").only("Microsoft.Web/sites")
    version = app.properties["functionAppConfig"]["runtime"]["version"]
    assert f'python-version: "{version}"' in job("deploy", "package")
    assert "--no-build" in job("deploy-to", "deploy")
    assert ".python_packages/lib/site-packages" in job("deploy-to", "deploy")


def test_github_signs_in_for_an_environment() -> None:
    """The credential is for the environment that the job runs in: tags have none of their own."""
    deployer = template("deployer/main")
    credential = deployer.resources["deployerSignsIn"].properties
    assert "${subjectPrefix}:environment:${environmentName}" == credential["subject"]
    assert "environment: ${{ inputs.environment }}" in job("deploy-to", "deploy")
    default = deployer.parameters["environmentName"]["default"]
    assert f"environment: {default}" in job("deploy", "production")


def test_a_deployment_is_tried_before_it_counts() -> None:
    """The last step asks the deployed bot how it is."""
    assert "dev.py doctor --azure" in steps("deploy-to", "deploy")[-1]


def test_who_deploys_can_assign_the_bots_roles_and_no_others() -> None:
    """A bot that needs another role needs another deployer; a wider one could make itself owner."""
    roles = template("modules/roles")
    rights = template("deployer/deployer-rights")
    assignable = rights.variables["assignableRoleIds"]["value"]
    assert roles.variables["roleIds"]["value"] == assignable
    listed = rights.variables["storageRoles"]["value"] + rights.variables["roleList"]["value"]
    assert "${storageRoles}, " in listed
    for name in assignable:
        assert f"${{assignableRoleIds.{name}}}" in listed
    for right in ("writesOneOfThem", "deletesOneOfThem"):
        assert "GuidEquals {${roleList}}" in rights.variables[right]["value"]
    condition = rights.resources["assignsTheBotsRoles"].properties["condition"]
    assert "(${mayWrite}) AND (${mayDelete})" == condition


def test_the_bot_does_not_deploy_itself() -> None:
    """The identity that deploys is another one; the bot's gets no right over the group."""
    assert "deployer/" not in template("main").text
    assert "resourceGroup()" not in template("modules/roles").text


def test_a_pull_request_can_read_but_change_nothing() -> None:
    """Of all actions, the role for pull requests has those that ask what would change."""
    (permissions,) = (
        template("deployer/planner-rights").resources["planner"].properties["permissions"]
    )
    changing = [action for action in permissions["actions"] if not action.endswith("/read")]
    assert {
        "Microsoft.Resources/deployments/validate/action",
        "Microsoft.Resources/deployments/whatIf/action",
    } == set(changing)
