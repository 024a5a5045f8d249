"""Each operator makes exactly its mutants, on the exact spans of the source."""

from importlib import import_module

import pytest

from relever.mutants.operators import OPERATORS, Mutant, Source, mutants

PATH = "contracts/modules/one.vy"
HEAD = "# pragma version 0.4.3\n"


def made(
    body: str, operator: str | None = None, more: dict[str, str] | None = None
) -> list[Mutant]:
    """The mutants of a file with this text, by one operator or all."""
    sources = {PATH: HEAD + body, **(more or {})}
    return mutants(sources, [PATH], None if operator is None else [operator])


def function(*lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"s: uint256\n\n\n@internal\ndef _f(a: uint256, b: uint256) -> uint256:\n{body}"


def after(mutant: Mutant) -> str:
    """The line that the mutant changes, as it is afterwards."""
    return mutant.files[0][1].splitlines()[mutant.line - 1].strip()


@pytest.mark.parametrize(
    ("operator", "line", "expected"),
    [
        ("comparison", "return 1 if a < b else 2", ["return 1 if a >= b else 2"]),
        ("comparison", "return 1 if (a) == (b) else 2", ["return 1 if (a) != (b) else 2"]),
        ("boundary", "return 1 if a <= b else 2", ["return 1 if a < b else 2"]),
        ("boundary", "return 1 if a != b else 2", []),
        ("arithmetic", "return a + (b * 2)", ["return a - (b * 2)", "return a + (b // 2)"]),
        ("arithmetic", "return a << 3 | b", ["return a >> 3 | b", "return a << 3 & b"]),
        ("arithmetic", "return min(a, b)", ["return max(a, b)"]),
        ("arithmetic", "return unsafe_sub(a, b)", ["return unsafe_add(a, b)"]),
        ("arithmetic", "self.s += a", ["self.s -= a"]),
        ("rounding", "return a * 3 // b", ["return (a * 3 + b - 1) // b"]),
        ("rounding", "return a // (b + 1)", ["return (a + (b + 1) - 1) // (b + 1)"]),
        ("rounding", "return (a + b - 1) // b", ["return (a + b - b) // b"]),
        ("check", 'assert a > b, "one: less"', ["pass"]),
        ("check", "self._check_it(a)", ["pass"]),
        ("check", "self._do_it(a)", []),
        ("update", "self.s = a", ["pass"]),
        ("update", "self.s += a", ["pass"]),
        ("update", "self._do_it(a)", ["pass"]),
        ("update", "c: uint256 = a", []),
        ("constant", "return a + 2", ["return a + 3", "return a + 0"]),
        ("constant", "c: Bytes[8] = b''", []),
        ("constant", "return a + 0", ["return a + 1"]),
        ("boolean", "return a if not self.t else b", None),
        ("boolean", "return self.t and a > b or b > a", None),
        ("boolean", "return True", ["return False"]),
        ("argument", "return self._g(a, b)", ["return self._g(b, a)"]),
        ("argument", "return self._g(a, self)", []),
        ("argument", "return self._g(a, a)", []),
        ("argument", "return max(a, b)", []),
        ("argument", "log E(one=a, two=b)", ["log E(one=b, two=a)"]),
    ],
)
def test_mutants__one_line__are_exactly_these(
    operator: str, line: str, expected: list[str] | None
) -> None:
    if expected is None:
        expected = BOOLEAN[line]
    assert sorted(after(mutant) for mutant in made(function(line), operator)) == sorted(expected)


BOOLEAN = {
    "return a if not self.t else b": [
        "return a if self.t else b",
        "return a if True else b",
        "return a if False else b",
    ],
    "return self.t and a > b or b > a": [
        "return self.t or a > b or b > a",
        "return self.t and a > b and b > a",
    ],
}


def test_mutants__guard__is_dropped_and_not_merely_turned() -> None:
    (mutant,) = made(function("if a > b:", '    checks._fail("one: less")', "return a"), "check")
    assert mutant.files[0][1] == HEAD + function("pass", "return a")
    assert mutant.before.startswith("if a > b:")
    assert made(function("if a > b:", '    checks._fail("x")', "return a"), "boolean") == []


def test_mutants__branch_that_goes_on__is_always_and_never_taken() -> None:
    found = made(function("if a > b:", "    return b", "return a"), "boolean")
    assert sorted(after(mutant) for mutant in found) == ["if False:", "if True:"]


@pytest.mark.parametrize(
    "lines",
    [
        ("c = a",),
        ("d: uint256 = a", "c, d = self._g()"),
        ("if a > b:", "    c = a", "else:", "    self._do_it(a)", "    c = b"),
        ("if a > b:", "    c = a", "elif a < b:", "    c = b", "else:", "    c = a"),
    ],
)
def test_mutants__start_value_that_is_always_lost__is_left_alone(lines: tuple[str, ...]) -> None:
    assert made(function("c: uint256 = 0", *lines, "return c"), "constant") == []


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("c += a",),
        ("c = c // a",),
        ("self.s = c", "c = a"),
        ("self.m[c] = a", "c = a"),
        ("c, self.m[c] = self._g()",),
        ("if a > b:", "    c = a"),
        ("if a > c:", "    c = a", "else:", "    c = b"),
        ("if a > b:", "    c = a", "else:", "    self._do_it(a)"),
        ("for i: uint256 in range(a, bound=b):", "    c = a"),
    ],
)
def test_mutants__start_value_that_may_be_read__is_changed(lines: tuple[str, ...]) -> None:
    found = made(function("c: uint256 = 0", *lines, "return c"), "constant")
    assert [after(mutant) for mutant in found] == ["c: uint256 = 1"]


def test_mutants__call_rounded_down__goes_up_where_there_is_such_a_function() -> None:
    other = {"contracts/modules/shares.vy": HEAD + "@internal\ndef _in_up():\n    pass\n"}
    calls = function("return shares._in_down(a) + shares._out_down(b)")
    (mutant,) = made(calls, "rounding", other)
    assert after(mutant) == "return shares._in_up(a) + shares._out_down(b)"


def test_mutants__constants_of_a_module__are_mutated_and_storage_is_not() -> None:
    text = "ONE: constant(uint256) = 3\ns: uint256[4]\nT: immutable(uint256)\n"
    assert sorted(after(mutant) for mutant in made(text, "constant")) == [
        "ONE: constant(uint256) = 0",
        "ONE: constant(uint256) = 4",
    ]


TOTALS = """# pragma version 0.4.3
stored: uint256
updated: uint256


@view
@internal
def _accrued() -> uint256:
    s: uint256 = self.stored
    if block.timestamp == self.updated:
        return s
    return 2 * s
"""


def test_mutants__accrual__is_answered_with_what_is_stored() -> None:
    totals = {"contracts/modules/totals.vy": TOTALS}
    text = "from . import totals\n\nuses: totals\n\n\n@view\n@external\ndef now() -> uint256:\n"
    (mutant,) = made(text + "    return totals._accrued()\n", "accrual", totals)
    files = dict(mutant.files)
    assert "return totals._stored_words()" in files[PATH]
    changed = files["contracts/modules/totals.vy"]
    assert changed.startswith(TOTALS)
    twin = changed.removeprefix(TOTALS)
    assert "def _stored_words() -> uint256:" in twin
    assert "    if True:\n        return s\n" in twin
    import_module("vyper.ast").parse_to_ast(changed)


def test_mutants__several_lines__keep_what_is_around_the_operator() -> None:
    (mutant,) = made(function("return (", "    a", "    -", "    b", ")"), "arithmetic")
    assert mutant.files[0][1] == HEAD + function("return (", "    a", "    +", "    b", ")")


def test_mutants__all_operators__each_make_some_and_no_two_the_same() -> None:
    body = [
        "if a > b:",
        '    raise "one: less"',
        "self.s = self._g(a, b) // 2",
        "c: bool = a < b and b < 5",
        "return self._accrued()",
    ]
    text = function(*body) + "\n\n@internal\ndef _accrued() -> uint256:\n    if True:\n"
    found = made(text + "        return 1\n    return 2\n")
    assert {mutant.operator for mutant in found} == set(OPERATORS)
    assert len({mutant.key for mutant in found}) == len(found)


def test_mutants__again__are_the_same_in_the_same_order() -> None:
    text = function("self.s = a + b", "return a - 3")
    assert made(text) == made(text)
    assert [mutant.line for mutant in made(text)] == sorted(mutant.line for mutant in made(text))


def test_diff__mutant__shows_the_line_before_and_after() -> None:
    text = function("return a + b")
    (mutant,) = made(text, "arithmetic")
    lines = mutant.diff({PATH: HEAD + text}).splitlines()
    assert f"--- a/{PATH}" in lines
    assert "-    return a + b" in lines
    assert "+    return a - b" in lines


def test_source__not_vyper__says_what_the_compiler_says() -> None:
    with pytest.raises(import_module("vyper.exceptions").SyntaxException):
        Source(PATH, "def (")
