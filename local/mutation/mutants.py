"""
Small faults that a source file can have: each is the file with one place of it changed.
"""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
_MAY_BE_LEFT_OUT = {"abs", "copy", "deepcopy", "max", "min", "sorted"}
"""Functions whose result is like their first argument."""

_DELETABLE = (ast.Assign, ast.AugAssign, ast.Break, ast.Continue, ast.Delete, ast.Expr, ast.Raise)


_LINES_SHOWN = 3
"""What is longer is not shown as a whole."""


@dataclass(frozen=True)
class Mutant:
    """A source file with one fault."""

    file: str
    lines: range
    """Where the fault is: lines of the original, counted from 1."""
    original: str
    source: str

    @property
    def diff(self) -> str:
        """
        The fault as a unified diff with one line of context.

        Of a place of many lines, only what is different in it, as Python reads it.
        """
        if len(self.lines) > _LINES_SHOWN:
            was, now = _difference(
                *(ast.unparse(ast.parse(s)) for s in (self.original, self.source))
            )
            return f"--- {self.file}\n+++ {self.file}\n@@ -{self.lines.start} @@\n-{was}\n+{now}"
        lines = difflib.unified_diff(
            self.original.splitlines(), self.source.splitlines(), self.file, self.file, "", "", 1
        )
        return "\n".join(line.rstrip("\n") for line in lines)


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Return all faults that are tried in a file, in the order of its lines."""
    found: dict[str, Mutant] = {}
    for node, instead in _changes(ast.parse(source)):
        changed = _replaced(source, node, instead)
        try:
            compile(changed, file, "exec")
        except (SyntaxError, ValueError):
            continue
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        found.setdefault(changed, Mutant(file, lines, source, changed))
    return sorted(found.values(), key=lambda mutant: mutant.lines.start)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Yield places in a tree, each with the code to put there instead."""
    if _is_of_no_interest(tree):
        return
    if isinstance(tree, _DELETABLE):
        yield tree, "pass"
    if isinstance(tree, ast.If | ast.IfExp | ast.While):
        # A loop without an end would only be a slow way to fail.
        for constant in ("False",) if isinstance(tree, ast.While) else ("True", "False"):
            yield tree.test, constant
    if isinstance(tree, ast.comprehension):
        for condition in tree.ifs:
            yield condition, "True"
    if isinstance(tree, ast.expr):
        for instead in _instead(tree):
            yield tree, f"({instead})"
    for child in _children(tree):
        yield from _changes(child)


def _children(tree: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        yield from (
            one
            for one in (value if isinstance(value, list) else [value])
            if isinstance(one, ast.AST)
        )


def _is_of_no_interest(tree: ast.AST) -> bool:
    """Docstrings, what is logged, what errors say, and what only type checkers run."""
    if isinstance(tree, ast.Expr):
        if isinstance(tree.value, ast.Constant):
            return True
        return isinstance(tree.value, ast.Call) and "_logger" in ast.unparse(tree.value.func)
    if isinstance(tree, ast.If):
        return "TYPE_CHECKING" in ast.unparse(tree.test)
    if isinstance(tree, ast.Assign):
        return any(name in ast.unparse(tree) for name in ("__all__", "getLogger", "TypeVar("))
    return isinstance(tree, ast.JoinedStr | ast.Import | ast.ImportFrom)


def _instead(tree: ast.expr) -> Iterator[str]:
    match tree:
        case ast.BoolOp(op, values):
            for number in range(len(values)):
                yield _joined(op, [*values[:number], *values[number + 1 :]])
        case ast.UnaryOp(ast.Not(), operand):
            yield ast.unparse(operand)
        case ast.Compare(left, [op], [right]) if type(op) in _COMPARISONS:
            yield ast.unparse(ast.Compare(left, [_COMPARISONS[type(op)]()], [right]))
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            yield ast.unparse(ast.BinOp(left, _ARITHMETIC[type(op)](), right))
        case ast.Constant(bool(value)):
            yield repr(not value)
        case ast.Constant(int(value) | float(value)):
            yield repr(value + 1)
        case ast.Subscript(value, ast.Slice()):
            yield ast.unparse(value)
        case ast.Call(function, arguments, keywords):
            if ast.unparse(function) in _MAY_BE_LEFT_OUT:
                yield from (ast.unparse(argument) for argument in arguments)
            for number, keyword in enumerate(keywords):
                if keyword.arg is not None:
                    rest = [*keywords[:number], *keywords[number + 1 :]]
                    yield ast.unparse(ast.Call(function, arguments, rest))
        case (
            ast.List(elements, ast.Load()) | ast.Set(elements) | ast.Tuple(elements, ast.Load())
        ) if len(elements) > 1:
            for number in range(len(elements)):
                rest_of_it = [*elements[:number], *elements[number + 1 :]]
                yield _display(tree, rest_of_it)
        case ast.Dict(keys, values) if len(keys) > 1:
            for number in range(len(keys)):
                yield ast.unparse(
                    ast.Dict(
                        [*keys[:number], *keys[number + 1 :]],
                        [*values[:number], *values[number + 1 :]],
                    )
                )


def _difference(was: str, now: str) -> tuple[str, str]:
    """Two texts without what they begin with alike, and end with alike."""
    start = _alike(was, now)
    was, now = was[start:], now[start:]
    end = _alike(was[::-1], now[::-1])
    return was[: len(was) - end], now[: len(now) - end]


def _alike(one: str, other: str) -> int:
    """How many characters are the same before the first that is not."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _display(tree: ast.expr, elements: list[ast.expr]) -> str:
    if isinstance(tree, ast.Set):
        return ast.unparse(ast.Set(elements))
    if isinstance(tree, ast.List):
        return ast.unparse(ast.List(elements, ast.Load()))
    return ast.unparse(ast.Tuple(elements, ast.Load()))


def _joined(op: ast.boolop, values: list[ast.expr]) -> str:
    return ast.unparse(ast.BoolOp(op, values) if len(values) > 1 else values[0])


def _replaced(source: str, node: ast.stmt | ast.expr, instead: str) -> str:
    lines = source.encode().splitlines(keepends=True)
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[end_line - 1][end_column:] + b"".join(lines[end_line:])
    return (before + instead.encode() + after).decode()
