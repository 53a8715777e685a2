"""`dev.py check` says of which packages flaws are known, and of which nothing is."""

from typing import Any

from local.audit import verdict

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["1.1", "2.0"], "aliases": [], "description": ""}


def package(name: str, *flaws: dict[str, Any]) -> dict[str, Any]:
    """Make what pip-audit says of a package that it has audited."""
    return {"name": name, "version": "1.0", "vulns": [*flaws]}


def unaudited(name: str) -> dict[str, Any]:
    """Make what it says of one that PyPI told it nothing about."""
    return {"name": name, "skip_reason": "Dependency not found on PyPI"}


def test_packages_without_flaws_are_counted() -> None:
    """What is said is of so many packages, which are those of the deployed app."""
    said, is_flawed = verdict([package("aiohttp"), package("six")])

    assert [
        "requirements.txt, as it is installed here: of 2 packages 2 were audited, and 0 have "
        "known flaws."
    ] == said
    assert not is_flawed


def test_a_known_flaw_fails_the_check() -> None:
    """Each flaw is named, with the versions that do not have it."""
    lasting = {**FLAW, "id": "GHSA-x", "fix_versions": []}
    said, is_flawed = verdict([package("aiohttp", FLAW, lasting), package("six")])

    assert "aiohttp 1.0: PYSEC-2026-1, fixed in 1.1 or 2.0" == said[0]
    assert "aiohttp 1.0: GHSA-x, not fixed in any version" == said[1]
    assert said[2].endswith("of 2 packages 2 were audited, and 1 have known flaws.")
    assert is_flawed


def test_what_could_not_be_audited_is_not_called_good() -> None:
    """Without advisories, behind a mirror of PyPI for instance, it says that nothing is known."""
    said, is_flawed = verdict([unaudited("aiohttp"), unaudited("six")])

    assert said[0].endswith("of 2 packages 0 were audited, and 0 have known flaws.")
    assert (
        "Nothing is known about these 2, as PyPI has no advisory data for them: aiohttp, six."
    ) == said[1]
    assert not is_flawed
