"""checkov, the scanner of infrastructure code, finds nothing in infra/."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.deployment import environment
from tests.unit.infra.bicep import DEPLOYER_TEMPLATES, INFRA, TEMPLATES, template

ROOT = INFRA.parent
REQUIREMENTS = "tests/requirements-checkov.txt"

SCANNED = (*TEMPLATES, *DEPLOYER_TEMPLATES)

SKIP = re.compile(r"checkov:skip=(CKV\w+):(.*)")


@pytest.fixture(scope="module")
def checkov() -> Path:
    """The scanner in an environment of its own, because it pins what nothing else here wants."""
    python = environment(Path(sys.executable), REQUIREMENTS, as_azure_does=False)
    return python.with_name("checkov")


@pytest.fixture(scope="module")
def report(checkov: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the scanner says of infra/, without a network."""
    copy = tmp_path_factory.mktemp("infra")
    for name in SCANNED:
        target = copy / f"{name}.bicep"
        target.parent.mkdir(exist_ok=True)
        target.write_text(_in_older_bicep(template(name).text), encoding="utf-8")
    scan = _run(
        [
            *(str(checkov), "--directory", str(copy), "--framework", "bicep"),
            *("--skip-download", "--output", "json", "--compact"),
        ]
    )
    parsed: dict[str, Any] = json.loads(scan)
    return parsed


def test_every_template_is_scanned(report: dict[str, Any]) -> None:
    """A template that the scanner cannot read would pass unseen; there is none."""
    assert 0 == report["summary"]["parsing_errors"]
    assert 20 <= report["summary"]["passed"]


def test_nothing_is_found(report: dict[str, Any]) -> None:
    """No rule of the scanner is broken, but for those that are skipped where they do not fit."""
    found = [
        f"{failed['check_id']} {failed['resource']}: {failed['check_name']}"
        for failed in report["results"]["failed_checks"]
    ]
    assert [] == found


def test_every_skip_is_needed_and_has_a_reason(report: dict[str, Any]) -> None:
    """A skip stands beside its resource with its reason, and the rule would have complained."""
    written = [skip for name in SCANNED for skip in SKIP.findall(template(name).text)]
    assert [] == [rule for rule, reason in written if len(reason.split()) < 5]
    skipped = [skipped["check_id"] for skipped in report["results"]["skipped_checks"]]
    assert sorted(rule for rule, _ in written) == sorted(skipped)


def _in_older_bicep(text: str) -> str:
    """The same resources for the scanner, whose parser knows neither imports nor types of ours."""
    text = re.sub(r"^import .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(param \w+) [A-Z]\w*\??", r"\1 object", text, flags=re.MULTILINE)
    text = re.sub(r"^(param \w+) \w+\[\]", r"\1 array", text, flags=re.MULTILINE)
    text = re.sub(r"^(var \w+) \w+ =", r"\1 =", text, flags=re.MULTILINE)
    return re.sub(r"\bfail\(", "string(", text)


def _run(command: list[str]) -> str:
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    # checkov exits with 1 when it has found something, which the report tells better.
    assert outcome.stdout or outcome.returncode == 0, outcome.stderr
    return outcome.stdout
