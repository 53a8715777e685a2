"""The Bicep files, parsed, with what the tests ask of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

INFRA = Path(__file__).parents[3] / "infra"
TEMPLATES = ("main", *sorted(f"modules/{path.stem}" for path in INFRA.glob("modules/*.bicep")))
"""What makes the bot."""

DEPLOYER_TEMPLATES = tuple(
    sorted(f"deployer/{path.stem}" for path in INFRA.glob("deployer/*.bicep"))
)
"""What makes the identity that deploys it."""


@dataclass(frozen=True)
class Resource:
    """One resource, or one loop over resources."""

    symbol: str
    type: str
    existing: bool
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("properties", {})
        return properties


@dataclass(frozen=True)
class Module:
    """One use of a template in another."""

    template: str
    parameters: dict[str, Any]
    waits_for: frozenset[str]
    """Symbols of the modules that must be there before, said by hand or implied by an output."""
    text: str
    """Its declaration, up to the body."""


@cache
def _parser() -> BicepParser:
    # Reading the grammar takes longer than reading a file with it.
    return BicepParser()


class Template:
    """One Bicep file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = (INFRA / f"{name}.bicep").read_text(encoding="utf-8")
        parsed: dict[str, Any] = dict(_parser().parse(text=self.text))
        self.parameters: dict[str, dict[str, Any]] = parsed.get("parameters", {})
        self.variables: dict[str, dict[str, Any]] = parsed.get("variables", {})
        self.modules: dict[str, Module] = {
            symbol: self._module(symbol, found)
            for symbol, found in parsed.get("modules", {}).items()
        }
        self.outputs: dict[str, dict[str, Any]] = parsed.get("outputs", {})
        self.resources: dict[str, Resource] = {
            symbol: Resource(symbol, found["type"], found["existing"], _body(found["config"]))
            for symbol, found in parsed.get("resources", {}).items()
        }

    def _module(self, symbol: str, found: dict[str, Any]) -> Module:
        body = _body(found["config"])
        declaration, _, rest = self.text.partition(f"\nmodule {symbol} ")[2].partition(" {\n")
        implied = re.findall(r"\b(\w+)!?\.outputs\.", rest.partition("\n}\n")[0])
        return Module(
            found["detail"]["path"].removesuffix(".bicep"),
            body["params"],
            frozenset([*body.get("dependsOn", []), *implied]),
            declaration,
        )

    def only(self, type_: str) -> Resource:
        """The one resource of that type that the file makes."""
        (found,) = (
            resource
            for resource in self.resources.values()
            if resource.type == type_ and not resource.existing
        )
        return found


@cache
def template(name: str) -> Template:
    """The file `infra/{name}.bicep`."""
    return Template(name)


def made_resources() -> Iterator[tuple[Template, Resource]]:
    """Every resource that a deployment makes."""
    for name in TEMPLATES:
        file = template(name)
        for resource in file.resources.values():
            if not resource.existing:
                yield file, resource


def reference(value: Any) -> str:
    """What an expression refers to, as it is written: `identity.properties.clientId`."""
    if isinstance(value, dict) and "operator" in value:
        operands = value["operator"]["operands"]
        if value["operator"]["type"] == "property_accessor":
            return f"{reference(operands['operand_1'])}.{reference(operands['operand_2'])}"
    return value if isinstance(value, str) else ""


def value_of(expression: Any) -> Any:
    """What a name in a module comes to by default: `names.app` is "func-${token}"."""
    table, _, name = reference(expression).partition(".")
    if table != "names":
        return expression
    main = template("main")
    value = main.variables["names"]["value"][name]
    return main.parameters[value]["default"] if str(value) in main.parameters else value


def alternatives(conditional: dict[str, Any]) -> list[Any]:
    """Both results of `condition ? one : other`."""
    operands = conditional["operator"]["operands"]
    if conditional["operator"]["type"] == "conditional":
        return [operands["true_value"], operands["false_value"]]
    # The parser takes `a == b ? c : d` for `a == (b ? c : d)`.
    return alternatives(operands["operand_2"])


def description(declaration: dict[str, Any]) -> str:
    """The text of its @description; empty without one."""
    return next(
        (
            str(decorator["argument"])
            for decorator in declaration["decorators"]
            if decorator["type"] == "description"
        ),
        "",
    )


def _body(config: dict[str, Any]) -> dict[str, Any]:
    # A loop or a condition wraps the body in a "config" of its own.
    while "config" in config:
        config = config["config"]
    return config
