"""The templates are whole: everything declared is described, used and passed on."""

import re

import pytest

from tests.unit.infra.bicep import (
    DEPLOYER_TEMPLATES,
    INFRA,
    TEMPLATES,
    Template,
    description,
    template,
)


@pytest.fixture(params=[*TEMPLATES, *DEPLOYER_TEMPLATES])
def file(request: pytest.FixtureRequest) -> Template:
    return template(request.param)


def test_every_parameter_says_whether_it_is_required(file: Template) -> None:
    """A parameter without a default is "Required.", one with a default "Optional."."""
    wrong = [
        name
        for name, parameter in file.parameters.items()
        if not description(parameter).startswith(
            "Required. "
            if parameter["default"] is None and not _nullable(file, name)
            else "Optional. "
        )
    ]
    assert [] == wrong


def test_every_output_is_described(file: Template) -> None:
    """An output has a description."""
    assert [] == [name for name, output in file.outputs.items() if not description(output)]


def test_nothing_is_declared_in_vain(file: Template) -> None:
    """Each parameter, variable and existing resource is used; the compiler warns of others."""
    existing = [resource.symbol for resource in file.resources.values() if resource.existing]
    declared = [*file.parameters, *file.variables, *existing]
    unused = [name for name in declared if len(re.findall(rf"\b{name}\b", _code(file))) < 2]
    assert [] == unused


def test_no_address_of_one_cloud_is_spelled_out(file: Template) -> None:
    """Addresses that differ between Azure clouds come from environment() or a resource."""
    assert not re.search(
        r"core\.windows\.net|login\.microsoftonline|management\.azure|vault\.azure", file.text
    )


def test_modules_get_exactly_their_parameters() -> None:
    """Every module is given all parameters that it requires, and none that it lacks."""
    main = template("main")
    for symbol, module in main.modules.items():
        declared = template(module.template).parameters
        assert declared.keys() == module.parameters.keys(), symbol


def test_module_outputs_that_are_read_exist() -> None:
    """No reference to a module's output is misspelled."""
    main = template("main")
    for symbol, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", main.text):
        assert output in template(main.modules[symbol].template).outputs, f"{symbol}.{output}"


def test_loaded_files_exist(file: Template) -> None:
    """Every file that a template embeds is there."""
    folder = (INFRA / f"{file.name}.bicep").parent
    for path in re.findall(r"load\w+Content\('([^']+)'\)", file.text):
        assert (folder / path).is_file(), path


OF_AZURE_OR_ELSEWHERE = {
    *("enableMultipleWriteLocations", "failoverPriority", "siteUpdateStrategy"),
    *("logLevel", "functionTimeout", "maxConcurrentRequests", "maxOutstandingRequests"),
}


@pytest.mark.parametrize("page", ["azure", "region-loss"])
def test_parameters_that_the_pages_name_exist(page: str) -> None:
    """What docs/ tells an operator to set is a parameter, or output, of the templates."""
    text = (INFRA.parent / "docs" / f"{page}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z]+(?:[A-Z]\w*)+)(?:=\w+| = '\w+')?`", text))
    known = {
        name
        for file in (template("main"), template("deployer/main"))
        for name in (*file.parameters, *file.outputs)
    }
    assert named
    assert set() == named - known - OF_AZURE_OR_ELSEWHERE


def _nullable(file: Template, name: str) -> bool:
    return bool(re.search(rf"^param {name} \w+\?$", file.text, re.MULTILINE))


def _code(file: Template) -> str:
    """The text without comments and descriptions, where a name is no use of it."""
    return re.sub(r"//.*|@description\(.*\)", "", file.text)
