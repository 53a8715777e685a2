"""GitHub's workflow files, as far as the tests ask about them."""

import re
from pathlib import Path

WORKFLOWS = Path(__file__).parents[3] / ".github" / "workflows"


def text_of(workflow: str) -> str:
    """The file `.github/workflows/{workflow}.yml`."""
    return (WORKFLOWS / f"{workflow}.yml").read_text(encoding="utf-8")


def job(workflow: str, name: str) -> str:
    """The lines of one job, without its name."""
    jobs = text_of(workflow).partition("\njobs:\n")[2]
    return re.split(r"^  (?=\w+:$)", jobs, flags=re.MULTILINE)[_order(jobs).index(name) + 1]


def steps(workflow: str, name: str) -> list[str]:
    """The steps of one job, in order."""
    return re.split(r"^      - ", job(workflow, name), flags=re.MULTILINE)[1:]


def _order(jobs: str) -> list[str]:
    return re.findall(r"^  (\w+):$", jobs, re.MULTILINE)
