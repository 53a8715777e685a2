"""Whether the lock can be installed wherever the README says: asked of an index in a folder."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from local.bootstrap.errors import LocalError
from local.wheels import PLATFORMS, PYTHONS, missing
from tests.programs.conftest import Run

EVERYWHERE = {
    "cp311-abi3-manylinux_2_28_x86_64",
    "cp311-abi3-manylinux_2_28_aarch64",
    "cp311-abi3-macosx_11_0_arm64",
    "cp311-abi3-macosx_10_12_x86_64",
    "cp311-abi3-win_amd64",
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder that uv takes for the index."""
    index = tmp_path / "index"
    index.mkdir()
    return index


def publish(index: Path, name: str, *tags: str) -> str:
    """Publish wheels of version 1 with these tags; return what a lock file says of it."""
    folder = index / name
    folder.mkdir()
    for tag in tags:
        with ZipFile(folder / f"{name}-1-{tag}.whl", "w") as wheel:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
            wheel.writestr(f"{name}-1.dist-info/METADATA", metadata)
            wheel.writestr(f"{name}-1.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in folder.iterdir())
    (folder / "index.html").write_text(links)
    return f"{name}==1 \\\n    --hash=sha256:{64 * '0'}\n"


@pytest.fixture(autouse=True)
def only_this_index(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let uv ask it and no other."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.as_uri())
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS.keys())
def test_what_has_all_wheels_misses_none(index: Path, platform: str) -> None:
    """One wheel that is the same everywhere, one for each platform, one for one platform only."""
    windows = publish(index, "windows", "py3-none-win_amd64")
    locked = [
        publish(index, "pure", "py3-none-any"),
        publish(index, "compiled", *EVERYWHERE),
        windows.replace("==1", "==1 ; sys_platform == 'win32'"),
    ]

    assert [] == list(missing("".join(locked), platform, PYTHONS[0]))


@pytest.mark.parametrize(
    ("tag", "platform"),
    [
        ("cp311-abi3-manylinux_2_28_aarch64", "Linux on Arm"),
        ("cp311-abi3-macosx_10_12_x86_64", "macOS on Intel"),
        ("cp311-abi3-win_amd64", "Windows on x86-64"),
    ],
)
def test_each_package_without_a_wheel_is_named(index: Path, tag: str, platform: str) -> None:
    """Not only the first one, and not those that have one."""
    locked = [
        publish(index, "compiled", *EVERYWHERE - {tag}),
        publish(index, "another", *EVERYWHERE - {tag}),
        publish(index, "complete", *EVERYWHERE),
    ]

    found = missing("".join(locked), PLATFORMS[platform], PYTHONS[0])

    assert {"compiled", "another"} == set(found)


def test_a_wheel_of_one_python_is_none_for_the_others(index: Path) -> None:
    """A package may be compiled for each Python."""
    locked = publish(index, "compiled", "cp311-cp311-win_amd64")
    windows = PLATFORMS["Windows on x86-64"]

    assert [] == list(missing(locked, windows, "3.11"))
    assert ["compiled"] == list(missing(locked, windows, "3.12"))


def test_an_index_that_does_not_answer_is_an_error() -> None:
    """What cannot be looked up is not complete."""
    with pytest.raises(LocalError) as caught:
        list(missing("compiled==1\n", PLATFORMS["Linux on Arm"], PYTHONS[0]))

    assert str(caught.value).endswith("uv cannot say which wheels there are.")


def test_the_command_fails_until_nothing_is_missing(run: Run, project: Path, index: Path) -> None:
    """Each gap is a line; what was found complete is not looked up again."""
    lock = project / "tests" / "requirements.txt"
    lock.write_text(publish(index, "compiled", *EVERYWHERE - {"cp311-abi3-win_amd64"}))
    incomplete = run("-m", "local", "wheels")
    assert 1 == incomplete.wait()

    lock.write_text(publish(index, "complete", *EVERYWHERE))
    complete = run("-m", "local", "wheels")
    assert 0 == complete.wait()
    again = run("-m", "local", "wheels", UV_DEFAULT_INDEX="file:///nowhere")
    assert 0 == again.wait()

    assert "compiled has no wheel for Windows on x86-64, Python 3.11." in incomplete.output
    assert complete.output == again.output
