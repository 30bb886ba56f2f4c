"""An expression as a plain Python function, complex where it is not real: for quick looks at sample points.

No NumPy here: the exact path must start fast.  Results are never reported, they only disprove (parity,
realness).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

from sympy import (
    Abs,
    Add,
    Function,
    Heaviside,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    sign,
    sin,
    sinh,
    tan,
    tanh,
)
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanTrue, Not, Or

from initmath.errors import InputError
from initmath.integral import Phi

__all__ = ["SAMPLES", "compile_floats"]

Value = Any  # float or complex
Closure = Callable[..., Value]

SAMPLES = (-37.1, -8.3, -3.7, -2.3, -1.37, -0.77, -0.31, -0.013, 0.017, 0.29, 0.83, 1.41, 2.1, 3.3, 7.9, 41.3)
"""Generic points on the line: none is a kink of anything that people write."""


def compile_floats(expr: Any, symbols: tuple[Any, ...]) -> Closure:
    """Return a function of floats in the order of the symbols; complex where not real, NaN on failure.

    Examples
    --------
    >>> from sympy import sqrt
    >>> from initmath.integral import x
    >>> from initmath.activation.floats import compile_floats
    >>> compile_floats(sqrt(x), (x,))(-4.0).imag
    2.0
    """
    inner = _build(expr, {s: i for i, s in enumerate(symbols)})

    def evaluate(*values: float) -> Value:
        try:
            result = inner(values)
        except (OverflowError, ZeroDivisionError, ValueError):
            return math.nan
        if isinstance(result, complex) and abs(result.imag) <= 1e-12 * abs(result.real):
            return result.real
        return result

    return evaluate


def _build(expr: Any, index: dict[Any, int]) -> Callable[[tuple[float, ...]], Value]:
    if expr.is_Symbol:
        if expr not in index:
            raise InputError(f"no value for the parameter {expr}")
        position = index[expr]
        return lambda values: values[position]
    if expr.is_Number or expr.is_NumberSymbol:
        constant = float(expr)
        return lambda values: constant
    if isinstance(expr, Piecewise):
        return _build_cases(expr, index)
    for kind, function in _FUNCTIONS.items():
        if isinstance(expr, kind):
            if kind is Heaviside:
                inner = [_build(expr.args[0], index)]
            else:
                inner = [_build(argument, index) for argument in expr.args]
            if len(inner) == 1:
                only = inner[0]
                return lambda values: function(only(values))
            return lambda values: function(*[part(values) for part in inner])
    if not expr.free_symbols:
        return _constant(expr)
    raise InputError(f"{type(expr).__name__} is not a function that can be used in an activation")


def _constant(expr: Any) -> Callable[[tuple[float, ...]], Value]:
    """Evaluate a number such as K₀(1/4) in a constant: any function that SymPy evaluates will do."""
    number = expr.evalf(17)
    if not number.is_number or number.atoms(Function):
        raise InputError(f"{type(expr).__name__} is not a function that can be used in an activation")
    number = complex(number)
    constant: Value = number if number.imag else number.real
    return lambda values: constant


def _build_cases(expr: Any, index: dict[Any, int]) -> Callable[[tuple[float, ...]], Value]:
    cases = [(_build(case.expr, index), _build_condition(case.cond, index)) for case in expr.args]

    def choose(values: tuple[float, ...]) -> Value:
        for value, condition in cases:
            if condition(values):
                return value(values)
        return math.nan

    return choose


def _build_condition(condition: Any, index: dict[Any, int]) -> Callable[[tuple[float, ...]], bool]:
    if isinstance(condition, Relational):
        left, right = _build(condition.lhs, index), _build(condition.rhs, index)
        compare = _COMPARE[condition.rel_op]
        return lambda values: compare(left(values), right(values))
    if isinstance(condition, And | Or):
        parts = [_build_condition(c, index) for c in condition.args]
        join = all if isinstance(condition, And) else any
        return lambda values: join(part(values) for part in parts)
    if isinstance(condition, Not):
        inner = _build_condition(condition.args[0], index)
        return lambda values: not inner(values)
    truth = isinstance(condition, BooleanTrue)
    return lambda values: truth


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def _real_or_complex(real: Callable[[float], float], other: Callable[[complex], complex]) -> Closure:
    return lambda u: other(u) if isinstance(u, complex) else real(u)


def _exp(u: Value) -> Value:
    if isinstance(u, complex):
        return cmath.exp(u)
    return math.exp(u) if u < 709.0 else math.inf


def _log(u: Value) -> Value:
    if isinstance(u, complex) or u < 0:
        return cmath.log(u)
    return math.log(u) if u > 0 else -math.inf


def _power(base: Value, exponent: Value) -> Value:
    if base == 0 and not isinstance(exponent, complex) and exponent < 0:
        return math.inf
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def _special(name: str) -> Callable[[complex], complex]:
    def evaluate(u: complex) -> complex:
        import mpmath

        return complex(getattr(mpmath, name)(u))

    return evaluate


def _tanh(u: Value) -> Value:
    return cmath.tanh(u) if isinstance(u, complex) else math.tanh(u)


def _hyperbolic(real: Callable[[float], float], other: Callable[[complex], complex], odd: bool) -> Closure:
    def evaluate(u: Value) -> Value:
        if isinstance(u, complex):
            return other(u)
        if abs(u) > 709.0:
            return math.copysign(math.inf, u) if odd else math.inf
        return real(u)

    return evaluate


def _phi(u: Value) -> Value:
    if isinstance(u, complex):
        return _special("ncdf")(u)
    return 0.5 * math.erfc(-u / math.sqrt(2.0))


_FUNCTIONS: dict[Any, Closure] = {
    Add: lambda *terms: sum(terms),
    Mul: lambda *factors: math.prod(factors),
    exp: _exp,
    Pow: _power,
    log: _log,
    tanh: _tanh,
    erf: _real_or_complex(math.erf, _special("erf")),
    erfc: _real_or_complex(math.erfc, _special("erfc")),
    Phi: _phi,
    sin: _real_or_complex(math.sin, cmath.sin),
    cos: _real_or_complex(math.cos, cmath.cos),
    tan: _real_or_complex(math.tan, cmath.tan),
    sinh: _hyperbolic(math.sinh, cmath.sinh, odd=True),
    cosh: _hyperbolic(math.cosh, cmath.cosh, odd=False),
    atan: _real_or_complex(math.atan, cmath.atan),
    asinh: _real_or_complex(math.asinh, cmath.asinh),
    Abs: abs,
    Max: max,
    Min: min,
    sign: lambda u: (u > 0) - (u < 0) if not isinstance(u, complex) else math.nan,
    Heaviside: lambda u: 0.5 * ((u > 0) - (u < 0) + 1) if not isinstance(u, complex) else math.nan,
}
