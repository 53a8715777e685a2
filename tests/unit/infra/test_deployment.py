"""azd and GitHub deploy what infra/ describes, without a stored credential."""

import re
from pathlib import Path

from tests.unit.infra.bicep import template

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "azure-dev.yml"


def test_azd_finds_the_app_by_its_tag() -> None:
    """The service in azure.yaml has the name that the function app is tagged with."""
    services = (ROOT / "azure.yaml").read_text(encoding="utf-8").partition("services:\n")[2]
    (service,) = re.findall(r"^  (\w+):$", services, re.MULTILINE)
    assert f"'azd-service-name': '{service}'" in template("modules/function-app").text


def test_the_deployment_stores_no_credential() -> None:
    """GitHub signs in with OpenID Connect; the workflow reads no secret."""
    text = WORKFLOW.read_text(encoding="utf-8")
    assert "id-token: write" in text
    assert "secrets." not in text


def test_the_deployment_runs_only_known_actions() -> None:
    """Each action is pinned to a commit, which nobody can move."""
    used = re.findall(r"uses: (\S+)", WORKFLOW.read_text(encoding="utf-8"))
    assert used
    assert [] == [
        action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
    ]
