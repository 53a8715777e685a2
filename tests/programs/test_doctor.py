"""What the doctor finds, and what it says to do."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from local.bootstrap.ports import listen
from tests.programs.conftest import Run


def test_a_sound_project_has_no_fault(run: Run, project: Path) -> None:
    """On a fresh checkout nothing needs mending, and nothing is installed to find that out."""
    doctor = run("dev.py", "doctor")

    assert 0 == doctor.wait()
    assert f"ok     Python {sys.version.split()[0]}" in doctor.output
    assert "note   .venv is not complete" in doctor.output
    assert "ok     There is no local.settings.json" in doctor.output
    assert not (project / ".venv").exists()


def test_a_python_without_wheels_is_a_fault(run: Run) -> None:
    """Windows for Arm runs Python for x86-64 too, and that has wheels of everything."""
    doctor = run(
        "-c",
        "import sys, sysconfig; sysconfig.get_platform = lambda: 'win-arm64'\n"
        "from local.doctor.doctor import main; sys.exit(main([]))",
    )

    assert 1 == doctor.wait()
    assert "install Python for x86-64" in doctor.output


def test_every_line_has_a_verdict(run: Run) -> None:
    """The report is one line for each finding, without colours in a pipe."""
    doctor = run("dev.py", "doctor")
    doctor.wait()

    assert {"ok", "note"} == {line.split()[0] for line in doctor.output.splitlines()}


def test_all_faults_of_the_settings_are_listed(run: Run, project: Path) -> None:
    """Every fault has its own line, and the exit code tells that there are some."""
    values = {"MicrosoftAppType": "Sorcerer", "CosmosDbEndpoint": "http://example.com"}
    (project / "local.settings.json").write_text(json.dumps({"Values": values}))

    doctor = run("dev.py", "doctor")

    assert 1 == doctor.wait()
    faults = [line for line in doctor.output.splitlines() if line.startswith("fault")]
    assert any("MicrosoftAppId is missing" in fault for fault in faults)
    assert any("MicrosoftAppType is 'Sorcerer'" in fault for fault in faults)
    assert any("CosmosDbEndpoint is 'http://example.com'" in fault for fault in faults)


def test_a_settings_file_that_is_no_json_is_a_fault(run: Run, project: Path) -> None:
    """The line and column of the mistake are told."""
    (project / "local.settings.json").write_text('{"Values": {"a": "b", c}}')

    doctor = run("dev.py", "doctor")

    assert 1 == doctor.wait()
    assert "is not JSON at line 1" in doctor.output


def test_a_taken_port_is_noted(run: Run, project: Path) -> None:
    """The bot's port, as local.settings.json has it, may be in use."""
    with listen(0) as listener:
        port = listener.getsockname()[1]
        (project / "local.settings.json").write_text(json.dumps({"Host": {"LocalHttpPort": port}}))
        doctor = run("dev.py", "doctor")
        doctor.wait()

    assert f"note   Port {port} is taken; stop the program" in doctor.output


def test_a_broken_environment_is_a_fault(run: Run, project: Path) -> None:
    """A .venv that does not work any more is told, with what to do."""
    bin_folder = project / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "python").symlink_to("/no/such/python")

    doctor = run("dev.py", "doctor")

    assert 1 == doctor.wait()
    assert "fault  " in doctor.output
    assert "delete that folder" in doctor.output


def test_missing_node_is_only_a_note(run: Run, tmp_path: Path) -> None:
    """Without Node the bot runs; what is lost is said."""
    doctor = run("dev.py", "doctor", PATH=str(tmp_path))

    assert 0 == doctor.wait()
    assert "note   Node is not installed" in doctor.output


def test_a_store_that_answers_is_fine(run: Run) -> None:
    """Any HTTP answer shows that the endpoint can be reached."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}/"
        doctor = run("dev.py", "doctor", CosmosDbEndpoint=endpoint)
        exit_code = doctor.wait()
        server.shutdown()

    assert 0 == exit_code
    assert f"ok     Cosmos DB answers at {endpoint}" in doctor.output


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_store_that_does_not_answer_is_a_fault(run: Run, scheme: str) -> None:
    """An endpoint that nobody listens at would fail every turn."""
    with listen(0) as listener:
        port = listener.getsockname()[1]

    doctor = run("dev.py", "doctor", CosmosDbEndpoint=f"{scheme}://127.0.0.1:{port}/")

    assert 1 == doctor.wait()
    assert "does not answer" in doctor.output


@pytest.mark.parametrize(
    "endpoint",
    [
        "{place};AccountKey=c2VjcmV0;",
        "{place};AccountKey=a/b@c2VjcmV0;",
        "{place}?key=c2VjcmV0",
        "{place}#c2VjcmV0",
        "http://user:c2VjcmV0@{host}/",
    ],
)
def test_no_key_in_the_endpoint_is_shown(run: Run, endpoint: str) -> None:
    """Whatever else was pasted with the endpoint stays out of what is told about it."""
    with listen(0) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    value = endpoint.format(host=host, place=f"http://{host}/")

    doctor = run("dev.py", "doctor", CosmosDbEndpoint=value)

    assert 1 == doctor.wait()
    assert "CosmosDbEndpoint" in doctor.output
    assert "c2VjcmV0" not in doctor.output
