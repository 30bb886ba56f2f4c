"""Text to a SymPy expression, by a whitelist on Python's syntax tree: text never becomes code.

Decimals stay exact (``0.1`` is 1/10).  Length, nesting, exponents and the size of numbers are capped, so that
no text can exhaust time or memory.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sympy import (
    Abs,
    And,
    E,
    Expr,
    Heaviside,
    Max,
    Min,
    Not,
    Or,
    Piecewise,
    Rational,
    S,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tanh,
)
from sympy.core.relational import Eq, Ge, Gt, Le, Lt, Ne

from initmath.activation.catalogue import Entry, find, names
from initmath.activation.floats import compile_floats
from initmath.errors import InputError
from initmath.integral import Phi, x

__all__ = ["parse", "parse_constant", "suggestions"]

MAX_LENGTH = 4096
MAX_NESTING = 60
MAX_DEPTH = 120
MAX_NODES = 1500
MAX_EXPONENT = 64
MAX_DEGREE = 128
MAX_BITS = 4096
MAX_ARGUMENTS = 12
MAX_CONSTANT_EXPONENT = 1000

_NUMERAL = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z")
_RESERVED = frozenset({"x", "q", "pi", "π", "E", "True", "False"})
_CONSTANTS: dict[str, Any] = {"pi": pi, "π": pi, "E": E, "True": S.true, "False": S.false}
_NOT_NUMBERS = {"nan": "is not a number", "inf": "is not finite", "oo": "is not finite", "I": "is not real"}
_PERIODIC = {"floor", "ceil", "ceiling", "round", "frac", "Mod", "mod"}


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "exp": (1, exp),
    "log": (1, log),
    "ln": (1, log),
    "log1p": (1, lambda u: log(1 + u)),
    "expm1": (1, lambda u: exp(u) - 1),
    "sqrt": (1, sqrt),
    "sin": (1, sin),
    "cos": (1, cos),
    "sinh": (1, sinh),
    "cosh": (1, cosh),
    "tanh": (1, tanh),
    "sech": (1, lambda u: 1 / cosh(u)),
    "atan": (1, atan),
    "arctan": (1, atan),
    "asinh": (1, asinh),
    "arcsinh": (1, asinh),
    "erf": (1, erf),
    "erfc": (1, erfc),
    "Phi": (1, Phi),
    "Abs": (1, Abs),
    "abs": (1, Abs),
    "sign": (1, sign),
    "clip": (3, lambda u, low, high: Min(Max(u, low), high)),
}
_COMPARE = {ast.Lt: Lt, ast.LtE: Le, ast.Gt: Gt, ast.GtE: Ge, ast.Eq: Eq, ast.NotEq: Ne}
_WORDS = {
    ast.Attribute: "attribute access",
    ast.Lambda: "lambda",
    ast.ListComp: "comprehensions",
    ast.GeneratorExp: "comprehensions",
    ast.SetComp: "comprehensions",
    ast.DictComp: "comprehensions",
    ast.Subscript: "indexing",
    ast.JoinedStr: "strings",
    ast.NamedExpr: "assignment",
    ast.List: "lists",
    ast.Dict: "dictionaries",
    ast.Set: "sets",
    ast.Await: "await",
    ast.Starred: "unpacking",
}


def parse(text: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """Return the expression in the real symbol x that a text stands for.

    Parameters
    ----------
    text : str
        Python or SymPy spelling: ``+ - * / **``, comparisons, ``a if x > 0 else b``, the usual functions,
        catalogue names as functions, the constants ``pi`` and ``E``.
    parameters : mapping of str to Expr, optional
        Further names: numbers, or positive symbols.

    Returns
    -------
    Expr

    Raises
    ------
    InputError
        One line that points at the column and says what is wrong.

    Examples
    --------
    >>> from initmath.activation.parser import parse
    >>> parse("x*tanh(log(1 + exp(x)))")
    x*tanh(log(exp(x) + 1))
    >>> parse("max(0.1*x, x)")
    Max(x/10, x)
    >>> parse("x^2")
    Traceback (most recent call last):
    ...
    initmath.errors.InputError: column 2: '^' is not a power here; write ** (as in x**2)
    """
    bindings = dict(parameters or {})
    for name in bindings:
        if name in _RESERVED or name in _FUNCTIONS or not name.isidentifier():
            raise InputError(f"{name!r} cannot be the name of a parameter")
    return _Reader(text, bindings, x).read()


def parse_constant(text: str) -> Any:
    """Return an exact constant, e.g. ``0.2`` or ``sqrt(2/pi)``.

    Examples
    --------
    >>> from initmath.activation.parser import parse_constant
    >>> parse_constant("0.2"), parse_constant("1e-3")
    (1/5, 1/1000)
    """
    return _Reader(text, {}, None).read()


def suggestions(name: str, candidates: list[str]) -> str:
    """Return "; did you mean …?" with the nearest names, or the empty string."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower()[:80], sorted(set(candidates)), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


@lru_cache(maxsize=256)
def _syntax_tree(text: str) -> ast.expr:
    """Parse to Python's syntax tree, nothing more; every failure is an InputError."""
    if not text.strip():
        raise InputError("the expression is empty; an example is x*tanh(x)")
    if len(text) > MAX_LENGTH:
        raise InputError(f"the expression is too long: {len(text)} characters, at most {MAX_LENGTH}")
    depth = 0
    for column, character in enumerate(text, 1):
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_NESTING:
            raise InputError(f"column {column}: more than {MAX_NESTING} nested brackets")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        if text[-1] in "+-*/(,<>=":
            raise InputError(
                f"syntax error at column {len(text) + 1}: the expression ends too early"
            ) from None
        column = min(max(error.offset or 1, 1), len(text))
        raise InputError(f"syntax error at column {column}: {error.msg or 'invalid syntax'}") from None
    except (ValueError, MemoryError, RecursionError):
        raise InputError(
            "the expression cannot be read: too deeply nested, or an illegal character"
        ) from None


class _Reader:
    """Walks the syntax tree of one text; `variable` is what x stands for (None: constants only)."""

    def __init__(self, text: str, bindings: dict[str, Any], variable: Any) -> None:
        self.text = " ".join(text.split()) if "\n" in text or "\r" in text else text.strip()
        self.bindings = bindings
        self.variable = variable
        self.nodes = 0

    def read(self) -> Any:
        tree = _syntax_tree(self.text)
        try:
            value = self.visit(tree, 0)
        except (RecursionError, MemoryError, OverflowError, ZeroDivisionError):
            raise InputError("the expression is too large to be read") from None
        if not isinstance(value, Expr):
            raise InputError("a comparison is not a function; write a if x > 0 else b")
        return value

    # -- helpers

    def fail(self, node: ast.AST, message: str) -> InputError:
        return InputError(f"column {getattr(node, 'col_offset', 0) + 1}: {message}")

    def source(self, node: ast.expr) -> str:
        raw = self.text.encode()
        return raw[node.col_offset : node.end_col_offset].decode(errors="replace")

    def checked(self, node: ast.AST, value: Any) -> Any:
        if value.is_Rational and max(value.p.bit_length(), value.q.bit_length()) > MAX_BITS:
            raise self.fail(node, "the number is too large")
        if value.has(S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity):
            raise self.fail(node, "division by zero, or a value that is not finite")
        if value.has(S.ImaginaryUnit):
            raise self.fail(node, "the value is not real")
        return value

    # -- the grammar

    def visit(self, node: ast.expr, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise self.fail(node, "the expression is too deeply nested or too long")
        method = getattr(self, "visit_" + type(node).__name__, None)
        if method is None:
            word = _WORDS.get(type(node), type(node).__name__)
            raise self.fail(node, f"{word} cannot occur in an expression")
        return method(node, depth + 1)

    def number(self, node: ast.expr, depth: int) -> Any:
        """Visit where a value, not a condition, is needed."""
        value = self.visit(node, depth)
        if (
            value in (S.true, S.false)
            or getattr(value, "is_Relational", False)
            or getattr(value, "is_Boolean", False)
        ):
            raise self.fail(node, "a condition cannot be a value; write a if x > 0 else b")
        return value

    def condition(self, node: ast.expr, depth: int) -> Any:
        value = self.visit(node, depth)
        if not (getattr(value, "is_Relational", False) or getattr(value, "is_Boolean", False)):
            raise self.fail(node, "a comparison is needed here, such as x > 0")
        return value

    def visit_Constant(self, node: ast.Constant, depth: int) -> Any:
        if isinstance(node.value, bool):
            return S.true if node.value else S.false
        if not isinstance(node.value, int | float):
            raise self.fail(node, f"{self.source(node)[:40]} is not a real number")
        text = self.source(node).replace("_", "")
        if not _NUMERAL.match(text) or len(text) > 400:
            raise self.fail(node, f"{text[:40]} is not a decimal number that can be used")
        return self.checked(node, Rational(text))

    def visit_Name(self, node: ast.Name, depth: int) -> Any:
        name = node.id
        if name in self.bindings:
            return self.bindings[name]
        if name == "x" and self.variable is not None:
            return self.variable
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name in _NOT_NUMBERS:
            raise self.fail(node, f"{name} {_NOT_NUMBERS[name]}")
        if name in _FUNCTIONS or name in _VARIADIC or find(name) is not None:
            raise self.fail(node, f"{name} is a function; write {name}(x)")
        if self.variable is None:
            raise self.fail(node, f"{name!r} is not a number")
        near = suggestions(name, [*names(), *_FUNCTIONS, *_CONSTANTS, *self.bindings])
        raise self.fail(
            node, f"unknown name {name[:40]!r}{near} (--param {name[:40]}=… declares a parameter)"
        )

    def visit_UnaryOp(self, node: ast.UnaryOp, depth: int) -> Any:
        if isinstance(node.op, ast.Not):
            return Not(self.condition(node.operand, depth))
        if isinstance(node.op, ast.Invert):
            raise self.fail(node, "~ cannot occur in an expression")
        value = self.number(node.operand, depth)
        return -value if isinstance(node.op, ast.USub) else value

    def visit_BinOp(self, node: ast.BinOp, depth: int) -> Any:
        if isinstance(node.op, ast.BitXor):
            raise InputError(
                f"column {self.operator_column(node, '^')}: '^' is not a power here; write ** (as in x**2)"
            )
        if not isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
            raise self.fail(node, "only + - * / ** can join two terms")
        left, right = self.number(node.left, depth), self.number(node.right, depth)
        if isinstance(node.op, ast.Pow):
            return self.power(node, left, right)
        if isinstance(node.op, ast.Add):
            return self.checked(node, left + right)
        if isinstance(node.op, ast.Sub):
            return self.checked(node, left - right)
        if isinstance(node.op, ast.Mult):
            return self.checked(node, left * right)
        if right.is_zero:
            raise self.fail(node.right, "division by zero")
        return self.checked(node, left / right)

    def operator_column(self, node: ast.BinOp, operator: str) -> int:
        end = node.left.end_col_offset or 0
        return self.text.encode().find(operator.encode(), end) + 1

    def power(self, node: ast.BinOp, base: Any, exponent: Any) -> Any:
        variables = exponent.free_symbols
        if not variables:
            size = _approximate(exponent)
            if size is None or abs(size) > MAX_EXPONENT:
                raise self.fail(
                    node.right, f"the exponent is too large: at most {MAX_EXPONENT} in absolute value"
                )
            if base.is_Rational and exponent.is_Rational:
                bits = max(base.p.bit_length(), base.q.bit_length()) * max(1, abs(exponent))
                if bits > MAX_BITS:
                    raise self.fail(node, "the number is too large")
            if base.is_zero and size < 0:
                raise self.fail(node, "division by zero")
            if base.free_symbols and _degree(base) * abs(size) > MAX_DEGREE:
                raise self.fail(node, f"the degree is too large: at most {MAX_DEGREE}")
        return self.checked(node, base**exponent)

    def visit_Compare(self, node: ast.Compare, depth: int) -> Any:
        sides = [self.number(side, depth) for side in (node.left, *node.comparators)]
        relations = []
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            relation = _COMPARE.get(type(operator))
            if relation is None:
                raise self.fail(node, "only < <= > >= == != can compare")
            relations.append(relation(left, right, evaluate=False))
        return relations[0] if len(relations) == 1 else And(*relations, evaluate=False)

    def visit_BoolOp(self, node: ast.BoolOp, depth: int) -> Any:
        parts = [self.condition(value, depth) for value in node.values]
        return (And if isinstance(node.op, ast.And) else Or)(*parts, evaluate=False)

    def visit_IfExp(self, node: ast.IfExp, depth: int) -> Any:
        test = self.condition(node.test, depth)
        return _cases((self.number(node.body, depth), test), (self.number(node.orelse, depth), S.true))

    def visit_Tuple(self, node: ast.Tuple, depth: int) -> Any:
        raise self.fail(node, "a tuple can only be a case of Piecewise((value, condition), …)")

    def visit_Call(self, node: ast.Call, depth: int) -> Any:
        if not isinstance(node.func, ast.Name):
            raise self.fail(node, "only functions with a known name can be called")
        name = node.func.id
        if len(node.args) > MAX_ARGUMENTS:
            raise self.fail(node, f"{name} has too many arguments")
        if name in _PERIODIC:
            raise self.fail(node, f"{name} has infinitely many kinks")
        if name == "tan":
            raise self.fail(node, "tan has poles on the line: no Gaussian moment exists")
        if name in _VARIADIC or name in _FUNCTIONS:
            if node.keywords:
                raise self.fail(node, f"{name} takes no named arguments")
            return self.checked(node, self.call_known(node, name, depth))
        entry = find(name)
        if entry is None:
            near = suggestions(name, [*names(), *_FUNCTIONS, *_VARIADIC])
            raise self.fail(node, f"unknown function {name[:40]!r}{near}")
        return self.checked(node, self.call_entry(node, entry, depth))

    def call_known(self, node: ast.Call, name: str, depth: int) -> Any:
        if name == "Piecewise":
            return self.piecewise(node, depth)
        if name == "where":
            if len(node.args) != 3:
                raise self.fail(node, "where needs a condition and two values")
            test = self.condition(node.args[0], depth)
            return _cases(
                (self.number(node.args[1], depth), test), (self.number(node.args[2], depth), S.true)
            )
        arguments = [self.number(argument, depth) for argument in node.args]
        count, function = _FUNCTIONS.get(name, (len(arguments), None))
        if len(arguments) != count:
            raise self.fail(node, f"{name} takes {count} argument{'s' * (count > 1)}, not {len(arguments)}")
        if not arguments:
            raise self.fail(node, f"{name} needs arguments")
        if function is None:
            return self.call_variadic(node, name, arguments)
        if not arguments[0].free_symbols and name in ("exp", "expm1", "sinh", "cosh"):
            size = _approximate(arguments[0])
            if size is None or abs(size) > MAX_CONSTANT_EXPONENT:
                raise self.fail(node, "the number is too large")
        if name in ("log", "ln") and arguments[0].is_zero:
            raise self.fail(node, "log(0) is not finite")
        return function(*arguments)

    def call_variadic(self, node: ast.Call, name: str, arguments: list[Any]) -> Any:
        if name in ("Max", "max"):
            return Max(*arguments)
        if name in ("Min", "min"):
            return Min(*arguments)
        if name == "Heaviside":
            if len(arguments) > 2:
                raise self.fail(node, "Heaviside takes one argument")
            return Heaviside(arguments[0], Rational(1, 2))
        if len(arguments) != 2 or not all(a.is_Integer for a in arguments) or arguments[1] == 0:
            raise self.fail(node, "Rational needs two integers, the second not 0")
        return arguments[0] / arguments[1]

    def piecewise(self, node: ast.Call, depth: int) -> Any:
        cases = []
        for case in node.args:
            if not isinstance(case, ast.Tuple) or len(case.elts) != 2:
                raise self.fail(case, "each case of Piecewise is a pair (value, condition)")
            cases.append((self.number(case.elts[0], depth), self.condition(case.elts[1], depth)))
        if not cases:
            raise self.fail(node, "Piecewise needs cases (value, condition)")
        return _cases(*cases)

    def call_entry(self, node: ast.Call, entry: Entry, depth: int) -> Any:
        if len(node.args) != 1:
            raise self.fail(node, f"{entry.name} takes one argument (and its parameters by name)")
        given = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in {p.name for p in entry.parameters}:
                known = ", ".join(p.name for p in entry.parameters) or "none"
                raise self.fail(
                    node, f"{entry.name} has no parameter {keyword.arg!r}; its parameters: {known}"
                )
            given[keyword.arg] = self.number(keyword.value, depth)
        return entry_expression(entry, given, self.number(node.args[0], depth))


_VARIADIC = ("Max", "max", "Min", "min", "Heaviside", "Rational", "Piecewise", "where")


def entry_expression(entry: Entry, given: Mapping[str, Any], argument: Any) -> Any:
    """Return a catalogue formula at an argument, with the given parameters and the defaults of the others."""
    bindings = {
        p.name: given[p.name] if p.name in given else parse_constant(p.default) for p in entry.parameters
    }
    return _Reader(entry.formula, bindings, argument).read()


def _cases(*cases: tuple[Any, Any]) -> Any:
    if cases[0][1] is S.true:
        return cases[0][0]
    return Piecewise(*cases, evaluate=False)


def _approximate(value: Any) -> float | None:
    """Return a constant in double precision; None if it overflows."""
    number = compile_floats(value, ())()
    if isinstance(number, complex) or number != number or number in (float("inf"), float("-inf")):
        return None
    return float(number)


def _degree(expr: Any) -> float:
    """Bound the number of factors that an expansion of nested powers could give."""
    if not expr.args or not expr.free_symbols:
        return 1.0 if expr.free_symbols else 0.0
    if expr.is_Add:
        return max(_degree(a) for a in expr.args)
    if expr.is_Mul:
        return sum(_degree(a) for a in expr.args)
    if expr.is_Pow and expr.exp.is_Rational:
        return _degree(expr.base) * abs(float(expr.exp))
    return max(1.0, *(_degree(a) for a in expr.args if hasattr(a, "is_Add")))
