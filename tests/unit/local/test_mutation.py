"""Faults that are put into the product to see whether a test notices: `dev.py mutate`."""

from pathlib import Path
from textwrap import dedent

import pytest

from local.mutation.__main__ import main
from local.mutation.coverage import Coverage
from local.mutation.mutants import mutants_of

ROOT = Path(__file__).parents[3]


def faults(source: str) -> set[str]:
    """The sources that stand in the place of this one."""
    return {mutant.source for mutant in mutants_of("file.py", source)}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("close()", "pass"),
        ("x = deepcopy(y)", "x = (y)"),
        ("x = min(a, b)", "x = (a)"),
        ("x = min(a, b)", "x = (b)"),
        ("x = f(a, b=c)", "x = (f(a))"),
        ("if a: b()", "if True: b()"),
        ("if a: b()", "if False: b()"),
        ("x = a and b or c", "x = (a and b)"),
        ("x = a and b or c", "x = (b) or c"),
        ("x = a <= b", "x = (a < b)"),
        ("x = y[-LIMIT:]", "x = (y)"),
        ("x = [y for y in z if y]", "x = [y for y in z if True]"),
        ("try: pass\nexcept (A, B): pass", "try: pass\nexcept ((A,)): pass"),
        ("LIMIT = 3", "LIMIT = (4)"),
        ("x = 'ä' * 3", "x = 'ä' * (4)"),
    ],
)
def test_a_safeguard_is_taken_out(source: str, fault: str) -> None:
    """One at a time, in the place where it stands."""
    assert fault in faults(source)


@pytest.mark.parametrize(
    "source",
    ['"""What it is."""', "_logger.info('said', stacklevel=2)", "import a", "def f(x: int): ..."],
)
def test_what_nobody_can_notice_is_left_alone(source: str) -> None:
    """Docstrings, the log, imports and annotations."""
    assert set() == faults(source)


@pytest.mark.parametrize(
    "file",
    ["mailbox/lease.py", pytest.param("state/unit_of_work.py", marks=pytest.mark.takes_seconds)],
)
def test_every_fault_is_another_program(file: str) -> None:
    """It can be compiled, and is not the original in other words."""
    source = (ROOT / "shared/turns" / file).read_text(encoding="utf-8")
    programs = [compile(mutant.source, file, "exec") for mutant in mutants_of(file, source)]

    assert programs
    assert compile(source, file, "exec") not in programs


def test_a_fault_is_shown_as_a_diff() -> None:
    """With a line around it, so that it is found and understood."""
    (mutant,) = mutants_of(
        "file.py",
        dedent("""\
        import a
        a.close()
        import b
        """),
    )
    assert mutant.diff.splitlines() == [
        "--- file.py",
        "+++ file.py",
        "@@ -1,3 +1,3 @@",
        " import a",
        "-a.close()",
        "+pass",
        " import b",
    ]


def test_of_a_long_place_only_the_fault_is_shown() -> None:
    """Whoever reads it need not compare ten lines with one."""
    source = dedent("""\
        call(
            first=1,
            second=two,
            third=three,
        )
        """)
    shown = {mutant.diff for mutant in mutants_of("file.py", source)}
    assert "--- file.py\n+++ file.py\n@@ -1 @@\n-second=two, \n+" in shown


def test_who_has_noticed_a_fault_is_asked_first() -> None:
    """It often notices the next one of the same line, too; else the quickest is first."""
    (mutant,) = mutants_of("file.py", "close()")
    run = {"file.py": [1]}
    coverage = Coverage({"slow": run, "quick": run}, {"slow": 2.0, "quick": 1.0}, [])
    before = coverage.tests_of(mutant)
    coverage.note("slow")
    assert (["quick", "slow"], ["slow", "quick"]) == (before, coverage.tests_of(mutant))


def test_nothing_to_do_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And not a success: a misspelt path would pass for well tested."""
    assert 2 == main([str(tmp_path)])
    assert "no Python file" in capsys.readouterr().out
