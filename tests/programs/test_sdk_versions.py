"""Whether a lock with two versions of the SDK is noticed."""

from pathlib import Path

import pytest

from local.bootstrap.commands import COMMANDS, SDK_VERSIONS
from local.sdk_versions import odd_ones
from tests.programs.conftest import ROOT, Run

CORE = "botbuilder-core==4.17.1 \\\n    --hash=sha256:0\n"


def test_dialogs_stand_beside_the_sample_in_one_version() -> None:
    """What the sample bot needs leaves botbuilder-dialogs the version of botbuilder-core."""
    locked = (ROOT / "tests" / "requirements.txt").read_text("utf-8")

    assert "\nbotbuilder-dialogs==" in locked
    assert [] == odd_ones(locked)


@pytest.mark.parametrize(
    "line",
    [
        "botbuilder-dialogs==4.9.3 \\\n",
        "botframework-connector==4.16.0\n",
        "botbuilder-ai==4.14.0 ; python_full_version < '3.12' \\\n",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_each_package_of_another_version_is_found(line: str, first: bool) -> None:
    """Wherever it stands, and with or without a marker and hashes."""
    name, version = line.split(maxsplit=1)[0].split("==")

    assert [(name, version, "4.17.1")] == odd_ones(line + CORE if first else CORE + line)


def test_packages_of_others_have_versions_of_their_own() -> None:
    """A name that begins like the SDK's makes no package one of it."""
    assert [] == odd_ones(f"{CORE}botbuilder-community-dialogs-prompts==0.1.3\n")


@pytest.mark.parametrize("lock", ["requirements.txt", "tests/requirements.txt"])
def test_a_lock_of_two_versions_is_an_error_that_says_what_to_do(
    run: Run, project: Path, lock: str
) -> None:
    """The app's lock and the tests' are looked at."""
    (project / lock).write_text(f"{CORE}botbuilder-dialogs==4.9.3\n")
    program = run("-m", "local", "sdk-versions")

    assert 1 == program.wait()
    assert (
        f"{lock} has botbuilder-dialogs 4.9.3 but botbuilder-core 4.17.1, which do not work "
        f"together; add botbuilder-dialogs==4.17.1 to {lock.replace('.txt', '.in')} and run "
        "python3 dev.py lock, which says what stands in the way.\n"
    ) == " ".join(program.output.split()) + "\n"


def test_one_version_is_none(run: Run, project: Path) -> None:
    """The command ends well."""
    (project / "requirements.txt").write_text(f"{CORE}botbuilder-dialogs==4.17.1\n")
    program = run("-m", "local", "sdk-versions")

    assert 0 == program.wait()
    assert "One version of the Bot Framework SDK.\n" == program.output


@pytest.mark.parametrize("command", ["lock", "check"])
def test_dev_py_looks_at_the_versions(command: str) -> None:
    """Whoever locks is told, and so is whoever merges."""
    assert SDK_VERSIONS in COMMANDS[command].steps
