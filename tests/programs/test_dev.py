"""dev.py on machines that are not as they should be: one sentence, and what to do."""

import ast
import hashlib
import json
import shutil
import sys
from pathlib import Path
from venv import EnvBuilder

import pytest

from local.bootstrap.commands import COMMANDS
from tests.programs.conftest import ROOT, Run
from tests.programs.programs import eventually

# A package that no index has, so that pip has to ask for it.
MISSING_PACKAGE = "no-such-package==1 --hash=sha256:" + 64 * "0" + "\n"

PRETEND = """
import runpy, sys
{pretence}
sys.argv = ["dev.py", *sys.argv[1:]]
sys.path.insert(0, "")
runpy.run_path("dev.py", run_name="__main__")
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder to put on the PATH."""
    tools = tmp_path / "tools"
    tools.mkdir()
    return tools


@pytest.fixture
def alive(project: Path) -> None:
    """In the place of a command, a program that tells where it runs."""
    (project / "local" / "chat" / "chat.py").write_text(
        "import sys\n"
        "def parse(arguments): pass\n"
        "def main(arguments): print('in', sys.prefix, arguments)"
    )


def fake_uv(tools: Path, install: str) -> Path:
    """Put a `uv` on the PATH that makes environments, and does this to install."""
    uv = tools / "uv"
    uv.write_text(
        f"#!{sys.executable}\n"
        "import sys, time, venv\n"
        "if sys.argv[1] == 'venv': venv.create(sys.argv[-1])\n"
        f"else:\n    {install}\n"
    )
    uv.chmod(0o755)
    return tools


def sentence(output: str) -> str:
    """The last line of the output."""
    return output.splitlines()[-1]


class TestPython:
    def test_an_old_python_is_told_by_its_version(self, run: Run) -> None:
        """Python 3.8 is told what is needed, and what was found."""
        pretence = "sys.version_info = (3, 8, 18, 'final', 0)"
        dev = run("-c", PRETEND.format(pretence=pretence), "start")

        assert 1 == dev.wait()
        assert dev.output.startswith("This needs Python 3.11 or newer, but found Python 3.8. ")

    def test_an_old_python_can_read_dev_py(self) -> None:
        """The file that tells so has no syntax that Python 3.6 does not know."""
        ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 6))

    def test_a_missing_venv_module_is_named(self, run: Run, tools: Path) -> None:
        """Debian's Python without its venv package is told which package that is."""
        pretence = "sys.modules['ensurepip'] = None"
        dev = run("-c", PRETEND.format(pretence=pretence), "chat", PATH=str(tools))

        assert 1 == dev.wait()
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        assert f"sudo apt install {package}" in sentence(dev.output)


@pytest.mark.usefixtures("alive")
class TestEnvironment:
    def test_it_is_made_once(self, run: Run, project: Path, tools: Path) -> None:
        """The first command makes .venv and says so; the next one just runs."""
        first = run("dev.py", "chat", PATH=str(tools))
        assert 0 == first.wait()
        second = run("dev.py", "chat", "--as", "Ada", PATH=str(tools))
        assert 0 == second.wait()

        assert "Making .venv" in first.output
        assert "Installing 0 packages" in first.output
        assert f"in {project / '.venv'} ['--as', 'Ada']\n" == second.output

    def test_changed_requirements_are_installed(self, run: Run, project: Path, tools: Path) -> None:
        """After the file has changed, the next command installs again."""
        path = str(fake_uv(tools, "print('installing')"))
        run("dev.py", "chat", PATH=path).wait()
        (project / "requirements.txt").write_text("# changed")

        again = run("dev.py", "chat", PATH=path)

        assert 0 == again.wait()
        assert "Installing" in again.output

    def test_what_the_tests_need_includes_the_rest(
        self, run: Run, project: Path, tools: Path
    ) -> None:
        """After `test` has installed, `chat` has nothing to install."""
        path = str(fake_uv(tools, "print('installing')"))
        run("dev.py", "test", "--version", PATH=path).wait()

        chat = run("dev.py", "chat", PATH=path)

        assert 0 == chat.wait()
        assert f"in {project / '.venv'} []\n" == chat.output

    def test_ctrl_c_while_it_installs_can_be_made_good(
        self, run: Run, project: Path, tools: Path
    ) -> None:
        """An interrupted installation ends quietly, and the next command goes on from there."""
        path = str(fake_uv(tools, "print('slow', flush=True); time.sleep(60)"))
        interrupted = run("dev.py", "chat", PATH=path)
        interrupted.shows("Installing")

        assert 130 == interrupted.press_ctrl_c()
        assert "Traceback" not in interrupted.output
        eventually(lambda: not interrupted.descendants())

        fake_uv(tools, "print('quick')")
        again = run("dev.py", "chat", PATH=path)
        assert 0 == again.wait()
        assert "Installing" in again.output
        assert f"in {project / '.venv'}" in again.output

    def test_two_commands_do_not_install_at_once(
        self, run: Run, tools: Path, tmp_path: Path
    ) -> None:
        """The second waits for the first, and then has nothing left to install."""
        go = tmp_path / "go"
        waits = f"import os\n    while not os.path.exists({str(go)!r}): time.sleep(0.02)"
        path = str(fake_uv(tools, waits))
        first = run("dev.py", "chat", PATH=path)
        first.shows("Installing")
        second = run("dev.py", "chat", PATH=path)
        second.shows("waiting for it")
        go.touch()

        assert (0, 0) == (first.wait(), second.wait())
        assert "Installing" not in second.output

    def test_pip_is_added_where_it_is_missing(
        self, run: Run, project: Path, tools: Path, tmp_path: Path
    ) -> None:
        """A .venv that uv has made, which brings no pip, serves where uv is gone."""
        run("dev.py", "chat", PATH=str(fake_uv(tools, "print('installing')"))).wait()
        (project / "requirements.txt").write_text("# changed")

        again = run("dev.py", "chat", PATH=str(tmp_path))

        assert 0 == again.wait()
        assert "Adding pip to .venv" in again.output

    @pytest.mark.parametrize(
        ("message", "advice"),
        [
            ("error: No space left on device (os error 28)", "The disk is full"),
            ("error: dns error: failed to lookup address", "check the network"),
        ],
    )
    def test_a_failed_installation_is_explained(
        self, run: Run, tools: Path, message: str, advice: str
    ) -> None:
        """A full disk or a missing network is told in one sentence."""
        dev = run("dev.py", "chat", PATH=str(fake_uv(tools, f"sys.exit({message!r})")))

        assert 1 == dev.wait()
        assert advice in sentence(dev.output)

    def test_any_other_failure_is_shown(self, run: Run, tools: Path) -> None:
        """What nobody has foreseen is shown as the installer told it."""
        dev = run("dev.py", "chat", PATH=str(fake_uv(tools, "sys.exit('out of luck')")))

        assert 1 == dev.wait()
        assert "out of luck\n" in dev.output

    def test_pip_without_a_network_is_explained(self, run: Run, project: Path, tools: Path) -> None:
        """pip's own words for a missing network are understood."""
        (project / "requirements.txt").write_text(MISSING_PACKAGE)
        # Nothing listens on port 9 (discard).
        dev = run("dev.py", "chat", PATH=str(tools), PIP_INDEX_URL="http://127.0.0.1:9/")

        assert 1 == dev.wait()
        assert "check the network" in sentence(dev.output)

    def test_an_environment_of_a_python_that_is_gone_is_told(self, run: Run, project: Path) -> None:
        """A .venv whose Python was removed is to be deleted; dev.py does not do that by itself."""
        bin_folder = project / ".venv" / "bin"
        bin_folder.mkdir(parents=True)
        (bin_folder / "python").symlink_to("/no/such/python")

        dev = run("dev.py", "chat")

        assert 1 == dev.wait()
        assert (
            f"{project / '.venv'} was made by a Python that is no longer there; delete"
            in dev.output
        )

    def test_an_environment_of_another_python_is_told(self, run: Run, project: Path) -> None:
        """A .venv made before Python was upgraded has its packages in the wrong place."""
        bin_folder = project / ".venv" / "bin"
        bin_folder.mkdir(parents=True)
        (bin_folder / "python").symlink_to(sys.executable)
        (project / ".venv" / "lib" / "python3.9" / "site-packages").mkdir(parents=True)

        dev = run("dev.py", "chat")

        assert 1 == dev.wait()
        assert "was made by a Python other than" in dev.output


class TestHelp:
    @pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"bench"}))
    def test_every_command_explains_itself(self, run: Run, project: Path, name: str) -> None:
        """--help says what a command does, and installs nothing for that."""
        dev = run("dev.py", name, "--help")

        assert 0 == dev.wait()
        assert f"usage: python3 dev.py {name}" in dev.output
        assert not (project / ".venv").exists()

    def test_a_command_with_options_of_its_own_explains_them(self, run: Run, project: Path) -> None:
        """`bench --help` is answered by the benchmark, with any Python."""
        shutil.copytree(ROOT / "benchmarks", project / "benchmarks")
        dev = run("dev.py", "bench", "--help")

        assert 0 == dev.wait()
        assert "usage: python3 dev.py bench" in dev.output
        assert "--rounds" in dev.output
        assert not (project / ".venv").exists()

    def test_it_explains_them_once_it_is_installed(self, run: Run, project: Path) -> None:
        """`torture --help` is answered by the simulation where there is one, and nothing else."""
        before = run("dev.py", "torture", "--help")
        assert 0 == before.wait()
        pretend_that_all_is_installed(project)
        (project / "local" / "torture.py").write_text("import sys; print('torture', sys.argv[1:])")
        after = run("dev.py", "torture", "--help")
        assert 0 == after.wait()

        assert "once its requirements are installed" in before.output
        assert "torture ['--help']\n" == after.output

    @pytest.mark.parametrize("arguments", [("errors",), ("__main__",), ("..x",), ()])
    def test_not_every_module_is_a_command(self, run: Run, arguments: tuple[str, ...]) -> None:
        """`python -m local` takes what is one, and says so."""
        local = run("-m", "local", *arguments)

        assert 2 == local.wait()
        assert "usage: python -m local" in local.output
        assert "Traceback" not in local.output

    @pytest.mark.parametrize(
        ("option", "value", "complaint"),
        [
            ("--port", "many", "'many' is not a number from 1 to 65535"),
            ("--allow-host", "http://x", "'http://x' is not a host name"),
            ("--allow-host", "x:80", "'x:80' is not a host name"),
            ("--allow-host", "*", "'*' is not a host name"),
        ],
    )
    def test_a_wrong_option_is_told_at_once(
        self, run: Run, project: Path, option: str, value: str, complaint: str
    ) -> None:
        """A mistake on the command line is found before anything is installed."""
        dev = run("dev.py", "start", option, value)

        assert 2 == dev.wait()
        assert complaint in dev.output
        assert not (project / ".venv").exists()


def test_lock_compiles_each_file_under_the_one_before(run: Run, project: Path) -> None:
    """The requirement files name the same versions of what they share."""
    record = project / "record.jsonl"
    (project / "uv.py").write_text(
        f"import json, sys; print(json.dumps(sys.argv[1:]), file=open({str(record)!r}, 'a'))"
    )
    dev = run("dev.py", "lock")

    assert 0 == dev.wait()
    asked = [json.loads(line) for line in record.read_text().splitlines()]
    compiled = [each for each in asked if "compile" in each]
    assert [
        ["requirements.in", "-o", "requirements.txt"],
        ["requirements.txt", "tests/requirements.in", "-o", "tests/requirements.txt"],
        ["tests/requirements-checkov.in", "-o", "tests/requirements-checkov.txt"],
        ["tests/requirements-runtime.in", "-o", "tests/requirements-runtime.txt"],
        ["tests/requirements-sdk.in", "-o", "tests/requirements-sdk.txt"],
        *(
            [f"benchmarks/requirements-{stack}.in", "-o", f"benchmarks/requirements-{stack}.txt"]
            for stack in ("stock", "agents", "bare", "figure")
        ),
    ] == [each[each.index("python3 dev.py lock") + 1 :] for each in (drop_c(c) for c in compiled)]


def pretend_that_all_is_installed(project: Path) -> None:
    """Make a .venv of this Python that says it holds what the tests need."""
    EnvBuilder(symlinks=True).create(project / ".venv")
    requirements = (project / "tests" / "requirements.txt").read_bytes()
    stamp = {"tests/requirements.txt": hashlib.sha256(requirements).hexdigest()}
    (project / ".venv" / ".installed-requirements.json").write_text(json.dumps(stamp))


def drop_c(arguments: list[str]) -> list[str]:
    """Leave out the option before a constraint."""
    return [argument for argument in arguments if argument != "-c"]
