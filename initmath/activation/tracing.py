"""A Python, NumPy or SciPy function to an expression, by running it on a symbol.

The function is called with a stand-in for the number x that records what is done to it.  Where it branches
(``if``, ``max``) it is run again with every outcome, and the outcomes become cases.  The trace is then
compared with the function at random points and on both sides of every kink; a trace that does not agree is
dropped, and the function is used numerically, labelled so.  Nothing is guessed.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

from sympy import (
    Abs,
    And,
    Expr,
    Heaviside,
    Integer,
    Max,
    Min,
    Not,
    Or,
    Piecewise,
    Pow,
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
from sympy.core.function import FunctionClass
from sympy.core.relational import Ge, Gt, Le, Lt, Ne, Relational

from initmath.activation.core import Activation
from initmath.activation.floats import SAMPLES
from initmath.errors import InitmathError, InputError
from initmath.integral import Phi, x
from initmath.piecewise import PiecewiseSmooth

__all__ = ["TRACERS", "from_callable", "trace_by_running", "trace_known"]

MAX_PATHS = 64


class _NotTraceableError(Exception):
    """The function did something with its argument that has no expression."""


# ------------------------------------------------------------------------------
# Exact constants


_RECOGNISED = (
    sqrt(2),
    1 / sqrt(2),
    sqrt(3),
    pi,
    pi / 2,
    pi / 4,
    1 / pi,
    2 / pi,
    2 * pi,
    sqrt(pi),
    1 / sqrt(pi),
    2 / sqrt(pi),
    sqrt(2 / pi),
    sqrt(pi / 2),
    sqrt(2 * pi),
    1 / sqrt(2 * pi),
    exp(1),
    log(2),
)


def exact(value: Any) -> Any:
    """Return the exact constant that a float stands for: √2, π, … within 2 ulp, else its decimals.

    Examples
    --------
    >>> import math
    >>> from initmath.activation.tracing import exact
    >>> exact(0.1), exact(math.sqrt(2 / math.pi))
    (1/10, sqrt(2)/sqrt(pi))
    """
    if isinstance(value, bool | int):
        return Integer(int(value))
    if isinstance(value, Expr):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
        if isinstance(value, bool | int):
            return Integer(int(value))
    if not isinstance(value, float) or not math.isfinite(value):
        raise _NotTraceableError(f"{value!r} is not a finite real number")
    for constant in _RECOGNISED:
        known = float(constant)
        if abs(abs(value) - known) <= 2 * math.ulp(known):
            return constant if value > 0 else -constant
    return Rational(repr(value))


# ------------------------------------------------------------------------------
# The stand-ins


class _Paths:
    """Decides branches: follows a prescribed beginning, then takes True, and records what was asked."""

    def __init__(self, prescribed: list[bool]) -> None:
        self.prescribed = prescribed
        self.taken: list[tuple[Any, bool]] = []

    def decide(self, condition: Any) -> bool:
        for known, outcome in self.taken:
            if known == condition:
                return outcome
        if condition in (S.true, S.false):
            return bool(condition)
        if len(self.taken) >= MAX_PATHS:
            raise _NotTraceableError("too many branches")
        position = len(self.taken)
        outcome = self.prescribed[position] if position < len(self.prescribed) else True
        self.taken.append((condition, outcome))
        return outcome


class _Recorder:
    """What numbers and conditions share: NumPy's dispatch."""

    __slots__ = ("paths", "value")
    __hash__ = None  # type: ignore[assignment]
    shape = ()
    ndim = 0
    size = 1

    def __init__(self, value: Any, paths: _Paths) -> None:
        self.value = value
        self.paths = paths

    def number(self, value: Any) -> _Number:
        return _Number(value, self.paths)

    def condition(self, value: Any) -> _Condition:
        return _Condition(value, self.paths)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        rule = _UFUNCS.get(ufunc.__name__)
        if method != "__call__" or rule is None or any(v is not None for v in options.values()):
            raise _NotTraceableError(f"numpy's {ufunc.__name__} has no expression here")
        if ufunc.__name__.startswith("logical") or ufunc.__name__.startswith("bitwise"):
            return self.condition(rule(*map(_condition_of, inputs)))
        result = rule(*map(_expression_of, inputs))
        return self.condition(result) if isinstance(result, Relational) else self.number(result)

    def __array_function__(self, function: Any, kinds: Any, arguments: Any, options: Any) -> Any:
        rule = _ARRAY_FUNCTIONS.get(function.__name__)
        if rule is None or options:
            raise _NotTraceableError(f"numpy's {function.__name__} has no expression here")
        return self.number(rule(*arguments))

    @property
    def dtype(self) -> Any:
        import numpy as np

        return np.dtype(np.float64)

    def astype(self, *_: Any, **__: Any) -> Any:
        return self

    def copy(self) -> Any:
        return self


def _binary(operation: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: _Recorder, other: Any) -> Any:
        return self.number(operation(_expression_of(self), _expression_of(other)))

    def backward(self: _Recorder, other: Any) -> Any:
        return self.number(operation(_expression_of(other), _expression_of(self)))

    return forward, backward


def _comparison(relation: Any) -> Callable[..., Any]:
    def compare(self: _Recorder, other: Any) -> Any:
        return self.condition(relation(_expression_of(self), _expression_of(other), evaluate=False))

    return compare


class _Arithmetic(_Recorder):
    __slots__ = ()
    __add__, __radd__ = _binary(lambda a, b: a + b)
    __sub__, __rsub__ = _binary(lambda a, b: a - b)
    __mul__, __rmul__ = _binary(lambda a, b: a * b)
    __truediv__, __rtruediv__ = _binary(lambda a, b: a / b)
    __pow__, __rpow__ = _binary(lambda a, b: a**b)


class _Number(_Arithmetic):
    """Stands for a real number."""

    __slots__ = ()
    __lt__ = _comparison(Lt)
    __le__ = _comparison(Le)
    __gt__ = _comparison(Gt)
    __ge__ = _comparison(Ge)

    def __neg__(self) -> Any:
        return self.number(-self.value)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self.number(Abs(self.value))

    def __eq__(self, other: object) -> Any:
        raise _NotTraceableError("equality of real numbers")

    def __ne__(self, other: object) -> Any:
        raise _NotTraceableError("equality of real numbers")

    def __bool__(self) -> bool:
        return self.paths.decide(Ne(self.value, 0, evaluate=False))

    def __float__(self) -> float:
        raise _NotTraceableError("the function needs a float")

    def clip(self, low: Any = None, high: Any = None) -> Any:
        return self.number(_clip(self, low, high))


class _Condition(_Arithmetic):
    """Stands for a comparison; as a number it is 1 or 0."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.paths.decide(self.value)

    def __and__(self, other: Any) -> Any:
        return self.condition(And(self.value, _condition_of(other), evaluate=False))

    def __or__(self, other: Any) -> Any:
        return self.condition(Or(self.value, _condition_of(other), evaluate=False))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Any:
        return self.condition(_negated(self.value))


def _negated(condition: Any) -> Any:
    if isinstance(condition, Relational):
        return condition.negated
    return Not(condition)


def _expression_of(value: Any) -> Any:
    if isinstance(value, _Condition):
        return _cases((S.One, value.value), (S.Zero, S.true))
    return value.value if isinstance(value, _Number) else exact(value)


def _condition_of(value: Any) -> Any:
    if isinstance(value, _Condition):
        return value.value
    if isinstance(value, bool):
        return S.true if value else S.false
    raise _NotTraceableError("a condition is needed")


def _cases(*cases: tuple[Any, Any]) -> Any:
    if cases[0][1] is S.true:
        return cases[0][0]
    return Piecewise(*cases, evaluate=False)


# ------------------------------------------------------------------------------
# What is known of NumPy, SciPy and math


def _softplus(v: Any) -> Any:
    return log(1 + exp(v))


_ELEMENTARY: dict[str, Callable[..., Any]] = {
    "exp": exp,
    "expm1": lambda v: exp(v) - 1,
    "exp2": lambda v: 2**v,
    "log": log,
    "log1p": lambda v: log(1 + v),
    "log2": lambda v: log(v) / log(2),
    "log10": lambda v: log(v) / log(10),
    "sqrt": sqrt,
    "cbrt": lambda v: sign(v) * Abs(v) ** Rational(1, 3),
    "sin": sin,
    "cos": cos,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "erf": erf,
    "erfc": erfc,
    "fabs": Abs,
    "pow": Pow,
    "asinh": asinh,
    "atan": atan,
    "copysign": lambda a, b: Abs(a) * sign(b),
}

_UFUNCS: dict[str, Callable[..., Any]] = {
    **{name: rule for name, rule in _ELEMENTARY.items() if name not in ("pow", "asinh", "atan")},
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "true_divide": lambda a, b: a / b,
    "power": Pow,
    "float_power": Pow,
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "reciprocal": lambda a: 1 / a,
    "square": lambda a: a**2,
    "absolute": Abs,
    "sign": sign,
    "arctan": atan,
    "arcsinh": asinh,
    "maximum": Max,
    "minimum": Min,
    "fmax": Max,
    "fmin": Min,
    "heaviside": lambda a, b: Heaviside(a, b),
    "logaddexp": lambda a, b: _softplus(a) if b == 0 else (_softplus(b) if a == 0 else log(exp(a) + exp(b))),
    "greater": lambda a, b: Gt(a, b, evaluate=False),
    "greater_equal": lambda a, b: Ge(a, b, evaluate=False),
    "less": lambda a, b: Lt(a, b, evaluate=False),
    "less_equal": lambda a, b: Le(a, b, evaluate=False),
    "logical_and": lambda a, b: And(a, b, evaluate=False),
    "logical_or": lambda a, b: Or(a, b, evaluate=False),
    "logical_not": _negated,
    "expit": lambda v: 1 / (1 + exp(-v)),
    "log_expit": lambda v: -log(1 + exp(-v)),
    "ndtr": Phi,
    "log_ndtr": lambda v: log(Phi(v)),
    "clip": lambda v, low, high: Min(Max(v, low), high),
}


def _clip(value: Any, low: Any = None, high: Any = None) -> Any:
    result = _expression_of(value)
    if low is not None:
        result = Max(result, _expression_of(low))
    return result if high is None else Min(result, _expression_of(high))


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return _cases((_expression_of(yes), _condition_of(condition)), (_expression_of(no), S.true))


def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    cases = [(_expression_of(v), _condition_of(c)) for c, v in zip(conditions, choices, strict=True)]
    return _cases(*cases, (_expression_of(default), S.true))


def _piecewise(value: Any, conditions: Any, functions: Any) -> Any:
    values = [f(value) if callable(f) else f for f in functions]
    default = values[len(conditions)] if len(values) > len(conditions) else 0
    return _select(list(reversed(conditions)), list(reversed(values[: len(conditions)])), default)


_ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "where": _where,
    "select": _select,
    "piecewise": _piecewise,
    "sinc": lambda v: sin(pi * _expression_of(v)) / (pi * _expression_of(v)),
    "zeros_like": lambda v: S.Zero,
    "ones_like": lambda v: S.One,
    "full_like": lambda v, fill: _expression_of(fill),
    "copy": _expression_of,
}


class _MathShim(types.ModuleType):
    """Stands in for the module math while a function is traced: its functions also take stand-ins."""

    def __getattr__(self, name: str) -> Any:
        original = getattr(math, name)
        rule = _ELEMENTARY.get(name)
        return _shimmed(original, rule) if callable(original) else original


def _shimmed(original: Callable[..., Any], rule: Callable[..., Any] | None) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        stand_in = next((a for a in arguments if isinstance(a, _Recorder)), None)
        if stand_in is None:
            return original(*arguments)
        if rule is None:
            raise _NotTraceableError(f"math.{original.__name__} has no expression here")
        return stand_in.number(rule(*map(_expression_of, arguments)))

    return function


_MATH = {
    id(value): _shimmed(value, _ELEMENTARY.get(name))
    for name, value in vars(math).items()
    if callable(value) and not name.startswith("_")
}


def _with_shim(function: Any, seen: dict[int, Any]) -> Any:
    """Copy a Python function with math replaced, in it and in the Python functions that it calls."""
    if id(function) in seen:
        return seen[id(function)]
    scope = dict(function.__globals__)
    copied = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, _cells(function, seen)
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    seen[id(function)] = copied
    for name in _global_names(function.__code__):
        if name in scope:
            scope[name] = _replaced(scope[name], seen)
    return copied


def _global_names(code: Any) -> set[str]:
    """Names used by a function and by the functions inside it."""
    nested = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_global_names(c) for c in nested))


def _cells(function: Any, seen: dict[int, Any]) -> Any:
    if function.__closure__ is None:
        return None
    cells = []
    for cell in function.__closure__:
        try:
            content = cell.cell_contents
        except ValueError:
            cells.append(cell)
            continue
        cells.append(types.CellType(_replaced(content, seen)) if content is not function else cell)
    return tuple(cells)


def _replaced(value: Any, seen: dict[int, Any]) -> Any:
    if value is math:
        return _MathShim("math")
    if isinstance(value, types.BuiltinFunctionType) and id(value) in _MATH:
        return _MATH[id(value)]
    if (
        isinstance(value, types.FunctionType)
        and value.__module__ not in ("numpy", "scipy")
        and len(seen) < 50
    ):
        root = (value.__module__ or "").split(".")[0]
        return value if root in ("numpy", "scipy", "sympy") else _with_shim(value, seen)
    return value


# ------------------------------------------------------------------------------
# Tracers: each gives an expression or None.  Those of other frameworks join this tuple.


def trace_known(function: Any) -> Any:
    """Return the expression of a function of SymPy or of math."""
    if isinstance(function, FunctionClass):
        return function(x)
    if isinstance(function, types.BuiltinFunctionType) and id(function) in _MATH:
        return _run(_MATH[id(function)])
    return None


def trace_by_running(function: Any) -> Any:
    """Run the function on a stand-in, once for every outcome of its branches."""
    if isinstance(function, types.FunctionType):
        function = _with_shim(function, {})
    return _run(function)


def _run(function: Callable[..., Any]) -> Any:
    cases: list[tuple[Any, Any]] = []
    waiting: list[list[bool]] = [[]]
    while waiting:
        if len(cases) >= MAX_PATHS:
            raise _NotTraceableError(f"more than {MAX_PATHS} paths through its branches")
        prescribed = waiting.pop()
        paths = _Paths(prescribed)
        value = _expression_of(function(_Number(x, paths)))
        guards = [c if outcome else _negated(c) for c, outcome in paths.taken]
        cases.append((value, And(*guards, evaluate=False) if len(guards) > 1 else (guards or [S.true])[0]))
        for position in range(len(prescribed), len(paths.taken)):
            waiting.append([o for _, o in paths.taken[:position]] + [False])
    if len(cases) == 1:
        return cases[0][0]
    # The paths exclude each other and cover the line, so the last needs no condition.
    return PiecewiseSmooth.from_expr(_cases(*cases[:-1], (cases[-1][0], S.true)), x).as_expr()


TRACERS: tuple[Callable[[Any], Any], ...] = (trace_known, trace_by_running)


def from_callable(function: Any) -> Activation:
    """Return the activation of a callable: traced and compared with it, else numeric only.

    Examples
    --------
    >>> import math
    >>> from initmath.activation.tracing import from_callable
    >>> from_callable(lambda v: v / (1 + math.exp(-v)) if v > -50 else 0.0).kinks
    (-50,)
    >>> from_callable(math.sqrt)
    Traceback (most recent call last):
    ...
    initmath.errors.InputError: sqrt cannot be evaluated at x = -37.1: math domain error
    """
    from initmath.activation.resolve import checked

    name = getattr(function, "__name__", type(function).__name__)
    samples = _numeric_check(function, name)
    for tracer in TRACERS:
        try:
            expr = tracer(function)
        except InputError:
            raise
        except Exception:  # whatever a person's function does with a stand-in: it is then not traceable
            continue
        if expr is None or not expr.free_symbols <= {x}:
            continue
        label = str(expr) if name == "<lambda>" else name
        try:
            activation = checked(Activation(label, expr))
            if _agree(activation, function):
                return activation
        except InitmathError:
            continue
    if max(samples) == min(samples):
        raise InputError(f"{name} is a constant function: it has no gain")
    return Activation(name, None, numeric=function)


def _numeric_check(function: Any, name: str) -> list[float]:
    import numpy as np

    found = []
    for point in SAMPLES:
        try:
            with np.errstate(all="ignore"):
                value = function(np.float64(point))
            number = float(value)
        except (OverflowError, FloatingPointError):
            continue
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{name} cannot be evaluated at x = {point}: {reason}") from None
        if math.isnan(number) or isinstance(value, complex):
            raise InputError(f"{name} does not give a real number at x = {point}")
        if math.isfinite(number):
            found.append(number)
    if not found:
        raise InputError(f"{name} has no finite value at any sample point")
    return found


def _agree(activation: Activation, function: Callable[[Any], Any]) -> bool:
    """Compare the trace with the function at random points and on both sides of every kink."""
    import numpy as np

    rng = np.random.default_rng(0)
    near = [float(c) for c in activation.pieces.breakpoints]
    points = np.concatenate(
        [
            3 * rng.standard_normal(96),
            30 * rng.standard_normal(32),
            [c + s * d for c in (*near, 0.0) for d in (1e-7, 1e-4, 1e-2) for s in (-1 - abs(c), 1 + abs(c))],
        ]
    )
    traced = activation.numpy()(points)
    for point, ours in zip(points.tolist(), traced.tolist(), strict=True):
        try:
            with np.errstate(all="ignore"):
                theirs = float(function(np.float64(point)))
        except (OverflowError, FloatingPointError, ZeroDivisionError):
            continue
        if not math.isfinite(theirs):
            continue
        if not abs(ours - theirs) <= 1e-10 * abs(theirs) + 1e-11:
            return False
    return True
