"""local.settings.json and the environment."""

import json
from pathlib import Path

import pytest

from local.bootstrap.errors import LocalError
from local.functions_host.settings import LocalSettings
from shared.errors import SettingsError
from shared.settings import AZURE_MARKERS, Settings

ROOT = Path(__file__).resolve().parents[3]


def write(root: Path, content: object) -> Path:
    """Write local.settings.json."""
    (root / "local.settings.json").write_text(json.dumps(content), encoding="utf-8")
    return root


def test_the_file_may_be_missing(tmp_path: Path) -> None:
    """Without the file, the bot is in development on port 7071."""
    settings = LocalSettings.read(tmp_path)

    assert 7071 == settings.port
    assert {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"} == settings.over({})


def test_values_become_environment_variables(tmp_path: Path) -> None:
    """`Values` are what the app finds in its environment, as text."""
    write(tmp_path, {"Values": {"Text": "a", "Truth": True, "Number": 7, "Nothing": None}})

    environ = LocalSettings.read(tmp_path).over({"Path": "x"})

    assert {"Text": "a", "Truth": "true", "Number": "7", "Nothing": "", "Path": "x"}.items() <= (
        environ.items()
    )


def test_the_environment_wins(tmp_path: Path) -> None:
    """What is set in the shell stands, whatever the file says."""
    write(tmp_path, {"Values": {"Name": "file", "AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}})

    environ = LocalSettings.read(tmp_path).over({"Name": "shell"})

    assert "shell" == environ["Name"]
    assert "Staging" == environ["AZURE_FUNCTIONS_ENVIRONMENT"]


@pytest.mark.parametrize("marker", AZURE_MARKERS)
def test_what_marks_azure_does_not_reach_the_app(tmp_path: Path, marker: str) -> None:
    """A developer's container may be one of a cluster; the app must not think it is deployed."""
    environ = LocalSettings.read(tmp_path).over({marker: "x", marker.upper(): "x"})

    assert Settings.from_environ(environ).development
    assert {"AZURE_FUNCTIONS_ENVIRONMENT"} == environ.keys()


def test_the_port_is_in_the_host_section(tmp_path: Path) -> None:
    """Where Core Tools look for it too."""
    write(tmp_path, {"Host": {"LocalHttpPort": 7075}})

    assert 7075 == LocalSettings.read(tmp_path).port


def test_values_are_not_shown(tmp_path: Path) -> None:
    """Settings hold secrets, so no representation has them."""
    write(tmp_path, {"Values": {"MicrosoftAppPassword": "hush"}})

    assert "hush" not in repr(LocalSettings.read(tmp_path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"IsEncrypted": True}, "func settings decrypt"),
        ({"Values": {"Name": {}}}, "Name must be a string"),
        ({"Values": []}, "Values and Host must be"),
        ({"Host": {"LocalHttpPort": "7071"}}, "LocalHttpPort must be a number"),
        ({"Host": {"LocalHttpPort": 70710}}, "LocalHttpPort must be a number"),
        ([], "JSON object"),
    ],
)
def test_an_unusable_file_is_an_error(tmp_path: Path, content: object, complaint: str) -> None:
    """The error says what to change, in one sentence."""
    write(tmp_path, content)

    with pytest.raises(LocalError) as caught:
        LocalSettings.read(tmp_path)

    assert complaint in str(caught.value)


def test_the_example_is_usable_as_it_is(tmp_path: Path) -> None:
    """A copy of the example runs the bot in development, with state in memory."""
    example = (ROOT / "local.settings.json.example").read_text(encoding="utf-8")
    (tmp_path / "local.settings.json").write_text(example, encoding="utf-8")

    settings = Settings.from_environ(LocalSettings.read(tmp_path).over({}))

    assert settings.development
    assert settings.identity is None
    assert settings.cosmos is None


def test_the_example_is_complete() -> None:
    """It names what the bot reads, save what Azure sets, and besides only what the host reads."""
    read = set()

    class Recorder(dict[str, str]):
        def get(self, key: str, default: str = "") -> str:  # type: ignore[override]  # one of two
            read.add(key)
            return {"CosmosDbEndpoint": "https://x", "MicrosoftAppId": "x"}.get(key, default)

    with pytest.raises(SettingsError, match="not usable"):
        Settings.from_environ(Recorder())
    named = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))[
        "Values"
    ].keys()

    set_by_infra = {name for name in read if name.startswith("AzureWebJobsStorage__")}
    assert read - {*AZURE_MARKERS, "AZURE_FUNCTIONS_ENVIRONMENT"} - set_by_infra <= named
    assert {"FUNCTIONS_WORKER_RUNTIME", "SweepSchedule"} == named - read
