"""Vyper mutants: one small wrong change each, made on the exact spans of the compiler's AST.

Candidates only: those that do not compile, or compile to the same code, are dropped later. A start
value that nothing reads is left alone: the compiler keeps it, but no test can tell it from another.
"""

import difflib
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

# What each operator gets wrong.
OPERATORS = {
    "comparison": "a comparison turned round",
    "boundary": "a bound moved by one",
    "rounding": "a division or a call rounded the other way",
    "arithmetic": "an operator exchanged",
    "check": "a check dropped",
    "argument": "two arguments of one type swapped",
    "accrual": "stored totals in place of those with interest",
    "update": "an assignment, a call or an event dropped",
    "constant": "a number one larger, or zero",
    "boolean": "a condition changed",
}

_OPPOSITE = {"Eq": "!=", "NotEq": "==", "Lt": ">=", "LtE": ">", "Gt": "<=", "GtE": "<"}
_OPPOSITE |= {"In": "not in", "NotIn": "in"}
_NEIGHBOUR = {"Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">"}
_EXCHANGED = {"Add": "-", "Sub": "+", "Mult": "//", "FloorDiv": "*", "Mod": "*", "Pow": "*"}
_EXCHANGED |= {"LShift": ">>", "RShift": "<<", "BitAnd": "|", "BitOr": "&", "BitXor": "&"}
_TOKENS = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">="}
_TOKENS |= {"In": "in", "NotIn": r"not\s+in", "And": "and", "Or": "or"}
_TOKENS |= {"Add": r"\+", "Sub": "-", "Mult": r"\*", "FloorDiv": "//", "Mod": "%", "Pow": r"\*\*"}
_TOKENS |= {"LShift": "<<", "RShift": ">>", "BitAnd": "&", "BitOr": r"\|", "BitXor": r"\^"}
_TWINS = {"min": "max", "unsafe_add": "unsafe_sub", "unsafe_mul": "unsafe_div"}
_TWINS |= {twin: name for name, twin in _TWINS.items()}
# Swapping their arguments changes nothing, or makes another operator's mutant.
_COMMUTATIVE = {"min", "max", "unsafe_add", "unsafe_mul", "convert", "empty", "slice", "range"}
_LITERALS = ("Int", "NameConstant")
# Functions that add interest to what is stored, unless no time has passed.
_ACCRUALS = {"_accrued"}
_STORED = "_stored_words"


@dataclass(frozen=True)
class Mutant:
    """One wrong change: where, what, and the files as it leaves them, by path in the repository."""

    path: str
    operator: str
    function: str
    line: int
    before: str
    after: str
    files: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """Names the mutant by what it leaves behind, the same in every run."""
        content = "\0".join(part for file in self.files for part in file)
        return hashlib.sha256(f"{self.path}\0{content}".encode()).hexdigest()[:20]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.function} [{self.operator}] {self.change}"

    @property
    def change(self) -> str:
        """Before and after in a line."""
        return f"{_one_line(self.before)} -> {_one_line(self.after)}"

    def diff(self, sources: Mapping[str, str]) -> str:
        """What it changes in `sources`, as a unified diff."""
        parts: list[str] = []
        for path, text in self.files:
            old, new = sources[path].splitlines(True), text.splitlines(True)
            parts += difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=2)
        return "".join(parts)


@dataclass(frozen=True)
class _Edit:
    operator: str
    start: int
    end: int
    text: str


class Source:
    """A Vyper file and its syntax tree, by offsets into the text."""

    def __init__(self, path: str, text: str) -> None:
        """Parse `text`. Raises what the compiler raises."""
        self.path, self.text = path, text
        self.tree = import_module("vyper.ast").parse_to_ast(text)
        self.functions = {
            node.name: node for node in self.tree.body if _kind(node) == "FunctionDef"
        }
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends."""
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def of(self, node: Any) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    def token(self, left: Any, operator: str, right: Any) -> tuple[int, int]:
        """Where the operator between two nodes stands; only brackets may be there beside it."""
        start, end = self.span(left)[1], self.span(right)[0]
        found = re.search(_TOKENS[operator], self.text[start:end])
        if found is None:
            raise ValueError(f"{self.path}: no {operator} in {self.text[start:end]!r}")
        return start + found.start(), start + found.end()

    def _offset(self, line: int, column: int) -> int:
        # Columns count bytes, but Vyper takes only ASCII outside of comments and docstrings.
        return self._starts[line - 1] + column


def mutants(
    sources: Mapping[str, str], paths: list[str], operators: list[str] | None = None
) -> list[Mutant]:
    """Every mutant of `paths` by the operators, all of them when None, in the order of the text.

    `sources` holds all Vyper files by path: a call that is rounded the other way needs to know
    what there is.
    """
    names = {name for text in sources.values() for name in re.findall(r"^def (\w+)", text, re.M)}
    made: list[Mutant] = []
    for path in paths:
        source = Source(path, sources[path])
        for function, edit in _edits(source, names):
            made.append(_applied(source, function, edit))
        made.extend(_accruals(source, sources))
    wanted = set(OPERATORS if operators is None else operators)
    chosen = {mutant.key: mutant for mutant in reversed(made) if mutant.operator in wanted}
    return sorted(chosen.values(), key=lambda m: (paths.index(m.path), m.line, m.operator, m.key))


def _applied(source: Source, function: str, edit: _Edit) -> Mutant:
    text = source.text
    after = text[: edit.start] + edit.text + text[edit.end :]
    line = text.count("\n", 0, edit.start) + 1
    before = text[edit.start : edit.end]
    files = ((source.path, after),)
    return Mutant(source.path, edit.operator, function, line, before, edit.text, files)


def _edits(source: Source, names: set[str]) -> Iterator[tuple[str, _Edit]]:
    for node in source.tree.body:
        if _kind(node) == "FunctionDef":
            types, unread = _types(source, node), set(_unread(node))
            for inner in _walk(node):
                if id(inner) in unread:
                    continue
                for edit in _edits_of(source, inner, names, types):
                    yield node.name, edit
        elif _kind(node) == "VariableDecl" and node.is_constant:
            for inner in _walk(node):
                for edit in _edits_of(source, inner, names, {}):
                    yield node.target.id, edit


def _walk(node: Any) -> Iterator[Any]:
    """A function's or a constant's nodes, without the names of types."""
    kind = _kind(node)
    yield node
    if kind == "FunctionDef":
        children = node.body
    elif kind in ("AnnAssign", "VariableDecl"):
        children = [] if node.value is None else [node.value]
    elif kind == "For":
        children = [node.iter, *node.body]
    elif kind == "Call" and _name(node.func) in ("convert", "empty"):
        children = node.args[:1] if _name(node.func) == "convert" else []
    else:
        children = sorted(node.get_children(), key=lambda n: (n.lineno, n.col_offset))
    for child in children:
        yield from _walk(child)


def _unread(function: Any) -> Iterator[int]:
    """Identities of literals that variables start with and lose before anything reads them."""
    for node in (function, *function.get_descendants()):
        for block in _blocks(node):
            for place, statement in enumerate(block, 1):
                starts = _kind(statement) == "AnnAssign" and _kind(statement.value) in _LITERALS
                if starts and _overwritten(block[place:], statement.target.id):
                    yield id(statement.value)


def _overwritten(block: list[Any], name: str) -> bool:
    """Whether the first statement that mentions a variable assigns it, on every way through."""
    for statement in block:
        if _mentions(statement, name):
            return _overwrites(statement, name)
    return False


def _overwrites(statement: Any, name: str) -> bool:
    if _kind(statement) == "Assign":
        target = statement.target
        parts = target.elements if _kind(target) == "Tuple" else [target]
        others = [part for part in parts if getattr(part, "id", None) != name]
        read = any(_mentions(node, name) for node in (statement.value, *others))
        return len(others) < len(parts) and not read
    if _kind(statement) == "If" and not _mentions(statement.test, name):
        return all(_overwritten(block, name) for block in _blocks(statement))
    return False


def _blocks(node: Any) -> list[list[Any]]:
    if _kind(node) == "If":
        return [node.body, node.orelse]
    return [node.body] if _kind(node) in ("FunctionDef", "For") else []


def _mentions(node: Any, name: str) -> bool:
    return any(one.id == name for one in (node, *node.get_descendants()) if _kind(one) == "Name")


def _edits_of(
    source: Source, node: Any, names: set[str], types: Mapping[str, str]
) -> Iterator[_Edit]:
    make = _MAKERS.get(_kind(node))
    if make is not None:
        yield from make(source, node, names, types)


def _compare(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    operator = _kind(node.op)
    start, end = source.token(node.left, operator, node.right)
    yield _Edit("comparison", start, end, _OPPOSITE[operator])
    if operator in _NEIGHBOUR:
        yield _Edit("boundary", start, end, _NEIGHBOUR[operator])


def _binary(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    operator = _kind(node.op)
    start, end = source.token(node.left, operator, node.right)
    yield _Edit("arithmetic", start, end, _EXCHANGED[operator])
    if operator != "FloorDiv":
        return
    whole, left, right = source.span(node), node.left, node.right
    divisor = source.text[end : whole[1]].strip()
    if _kind(left) == "BinOp" and _kind(left.op) == "Sub" and _is_one(left.right):
        # (x + d - 1) // d
        yield _Edit("rounding", *source.span(left.right), divisor)
    else:
        divided = source.text[whole[0] : start].strip()
        up = f"({divided} + {_bracketed(divisor, right)} - 1) // {divisor}"
        yield _Edit("rounding", *whole, up)


def _unary(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    operator = "boolean" if _kind(node.op) == "Not" else "arithmetic"
    start, end = source.span(node)
    text = source.text[start:end].removeprefix("not").lstrip("-~ ")
    yield _Edit(operator, start, end, text)


def _bool_op(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    operator = _kind(node.op)
    for left, right in pairwise(node.values):
        start, end = source.token(left, operator, right)
        yield _Edit("boolean", start, end, "or" if operator == "And" else "and")


def _choice(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    yield _Edit("boolean", *source.span(node.test), "True")
    yield _Edit("boolean", *source.span(node.test), "False")


def _literal(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    if node.value in (True, False):
        yield _Edit("boolean", *source.span(node), str(not node.value))


def _number(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    yield _Edit("constant", *source.span(node), str(node.value + 1))
    if node.value != 0:
        yield _Edit("constant", *source.span(node), "0")


def _if(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    start, end = source.span(node)
    if node.orelse or not _fails(node.body[-1]):
        yield from _choice(source, node)
    elif source.text.startswith("if", start):
        yield _Edit("check", start, end, "pass")


def _assertion(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    yield _Edit("check", *source.span(node), "pass")


def _expression(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    call = node.value
    if _kind(call) in ("ExtCall", "StaticCall"):
        call = call.value
    if _kind(call) == "Call" and not _fails(node):
        operator = "check" if _name(call.func).startswith("_check") else "update"
        yield _Edit(operator, *source.span(node), "pass")


def _dropped(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    yield _Edit("update", *source.span(node), "pass")


def _augmented(source: Source, node: Any, *_: Any) -> Iterator[_Edit]:
    operator = _kind(node.op)
    start, end = source.token(node.target, operator, node.value)
    yield _Edit("arithmetic", start, end, _EXCHANGED[operator])
    yield _Edit("update", *source.span(node), "pass")


def _call(source: Source, node: Any, names: set[str], types: Mapping[str, str]) -> Iterator[_Edit]:
    name = _name(node.func)
    end = source.span(node.func)[1]
    if name in _TWINS and _kind(node.func) == "Name":
        yield _Edit("arithmetic", end - len(name), end, _TWINS[name])
    for way, other in (("_down", "_up"), ("_up", "_down")):
        twin = name.removesuffix(way) + other
        if name.endswith(way) and twin in names:
            yield _Edit("rounding", end - len(name), end, twin)
    if name in _COMMUTATIVE and _kind(node.func) == "Name":
        return
    for given in (node.args, [keyword.value for keyword in node.keywords]):
        for one, two in pairwise(given):
            if source.of(one) != source.of(two) and _alike(source, one, two, types):
                start, end = source.span(one)[0], source.span(two)[1]
                between = source.text[source.span(one)[1] : source.span(two)[0]]
                yield _Edit("argument", start, end, source.of(two) + between + source.of(one))


_MAKERS: dict[str, Callable[..., Iterator[_Edit]]] = {
    "Compare": _compare,
    "BinOp": _binary,
    "UnaryOp": _unary,
    "BoolOp": _bool_op,
    "IfExp": _choice,
    "NameConstant": _literal,
    "Int": _number,
    "If": _if,
    "Assert": _assertion,
    "Expr": _expression,
    "Assign": _dropped,
    "Log": _dropped,
    "AugAssign": _augmented,
    "Call": _call,
}


def _accruals(source: Source, sources: Mapping[str, str]) -> Iterator[Mutant]:
    """Each call of an accrual, answered with what is stored.

    The module of the accrual gets a twin of it which believes that no time has passed.
    """
    for function in source.functions.values():
        for node in function.get_descendants():
            if _kind(node) != "Call" or _name(node.func) not in _ACCRUALS:
                continue
            name, owner = _name(node.func), source.of(node.func).split(".")[0]
            home = source.path if owner == "self" else _imported(source, owner)
            end = source.span(node.func)[1]
            edit = _Edit("accrual", end - len(name), end, _STORED)
            one = _applied(source, function.name, edit)
            text = one.files[0][1] if home == source.path else sources[home]
            with_twin = f"{text.rstrip()}\n\n\n{_twin(Source(home, sources[home]), name)}\n"
            files = {**dict(one.files), home: with_twin}
            yield Mutant(
                *(one.path, one.operator, one.function, one.line, one.before, one.after),
                files=tuple(files.items()),
            )


def _twin(source: Source, name: str) -> str:
    function = source.functions[name]
    early = next(node for node in function.body if _kind(node) == "If")
    start = min(source.span(node)[0] for node in (function, *function.decorator_list))
    start = source.text.rindex("\n", 0, start) + 1
    test, end = source.span(early.test), source.span(function)[1]
    text = f"{source.text[start : test[0]]}True{source.text[test[1] : end]}"
    return text.replace(f"def {name}(", f"def {_STORED}(", 1)


def _imported(source: Source, alias: str) -> str:
    """Where a module that is imported by `from ..x import y` lies."""
    for node in source.tree.body:
        if _kind(node) == "ImportFrom" and (node.alias or node.name) == alias:
            folder = PurePosixPath(source.path).parent
            for _ in range(node.level - 1):
                folder = folder.parent
            steps = [] if node.module is None else node.module.split(".")
            return str(folder.joinpath(*steps, f"{node.name}.vy"))
    raise ValueError(f"{source.path} imports no {alias}")


def _types(source: Source, function: Any) -> dict[str, str]:
    """The declared types of the names that a function knows."""
    known: dict[str, str] = {}
    for node in source.tree.body:
        if _kind(node) == "VariableDecl":
            target = node.target.id
            known[target] = known[f"self.{target}"] = source.of(node.annotation)
    for argument in function.args.args:
        known[argument.arg] = source.of(argument.annotation)
    for node in function.get_descendants():
        if _kind(node) == "AnnAssign":
            known[node.target.id] = source.of(node.annotation)
    known |= {"self": "address", "msg.sender": "address"}
    return {name: re.sub(r"^\w+\((.*)\)$", r"\1", text) for name, text in known.items()}


def _alike(source: Source, one: Any, two: Any, types: Mapping[str, str]) -> bool:
    """Whether two arguments may be of one type; the compiler judges those that nothing tells."""
    first, second = (_type(source, node, types) for node in (one, two))
    return first is None or second is None or first == second


def _type(source: Source, node: Any, types: Mapping[str, str]) -> str | None:
    kind = _kind(node)
    if kind in ("Str", "Bytes", "Hex", "HexBytes"):
        return kind
    if kind in ("Compare", "BoolOp", "NameConstant"):
        return "bool"
    if kind == "Call" and _name(node.func) in ("empty", "convert"):
        return source.of(node.args[-1])
    return types.get(source.of(node))


def _fails(statement: Any) -> bool:
    """Whether a statement does nothing but revert."""
    if _kind(statement) == "Raise":
        return True
    return (
        _kind(statement) == "Expr"
        and _kind(statement.value) == "Call"
        and _name(statement.value.func) == "_fail"
    )


def _name(function: Any) -> str:
    return str(getattr(function, "attr", None) or getattr(function, "id", ""))


def _kind(node: Any) -> str:
    return str(type(node).__name__)


def _is_one(node: Any) -> bool:
    return _kind(node) == "Int" and node.value == 1


def _bracketed(text: str, node: Any) -> str:
    return text if _kind(node) != "BinOp" or text.startswith("(") else f"({text})"


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "nothing"
