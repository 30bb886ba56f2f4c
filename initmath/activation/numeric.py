"""Vectorised evaluation of an activation, without overflow and without needless cancellation.

Each analytic piece becomes a tape: a list of array operations, common subexpressions shared.  On the way to
the tape a sum or product is recognised where its plain evaluation would lose digits or overflow:

    1/(1 + eᵛ) → expit(−v)        log(1 + eᵛ) → logaddexp(0, v)      eᵛ − 1 → expm1(v)
    1 − tanh²u → sech²u           1 ± tanh u → 2 expit(±2u)          u − tanh u → its series where u is small

and a product of exponentials that overflow against factors that underflow is carried as a mantissa times
exp(exponent).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.special as special
from sympy import (
    Add,
    Integer,
    Mul,
    Pow,
    S,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    oo,
    pi,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from initmath.activation.floats import compile_floats
from initmath.errors import InputError
from initmath.integral import Phi
from initmath.piecewise import Piece, sign_changes

__all__ = ["vectorised"]

Array = Any
Slot = int

_PLAIN: dict[Any, Callable[[Array], Array]] = {
    sin: np.sin,
    cos: np.cos,
    tan: np.tan,
    sinh: np.sinh,
    cosh: np.cosh,
    tanh: np.tanh,
    atan: np.arctan,
    asinh: np.arcsinh,
    erf: special.erf,
    erfc: special.erfc,
    Phi: special.ndtr,
    exp: np.exp,
}


def vectorised(activation: Any, order: int = 0) -> Callable[[Any], Any]:
    """Return g (order 0) or g' almost everywhere (order 1) of arrays; the kind of float is kept.

    At a jump itself g has the value of its expression (sign(0) = 0), g' that of the piece to the right.
    """
    if order not in (0, 1):
        raise ValueError("order must be 0 or 1")
    if activation.expr is None:
        return _numeric_only(activation.numeric, order)
    if activation.is_symbolic:
        symbols = ", ".join(
            sorted(s.name for s in activation.expr.free_symbols - {activation.pieces.variable})
        )
        raise InputError(f"{activation.name} has no numbers for {symbols}: give them with --param")
    smooth = activation.pieces if order == 0 else activation.derivative
    points = {}
    if order == 0:
        for point in activation.jumps:
            value = activation.expr.subs(smooth.variable, point)
            if value.is_number and value.is_finite:
                points[float(point)] = float(value)
    return _Function(smooth, points)


class _Function:
    """A piecewise function of arrays; the tapes are made for each kind of float when first needed."""

    def __init__(self, smooth: Any, points: dict[float, float]) -> None:
        self.smooth = smooth
        self.points = points
        self.tapes: dict[Any, tuple[Array, list[Callable[[Array], Array]]]] = {}

    def __call__(self, values: Any) -> Any:
        given = np.asarray(values)
        if given.dtype.kind != "f":
            given = given.astype(np.float64)
        narrow = given.dtype == np.float16
        work = given.astype(np.float32) if narrow else given
        breaks, pieces = self.tape(work.dtype)
        with np.errstate(all="ignore"):
            result = self.evaluate(np.atleast_1d(work), breaks, pieces).reshape(work.shape)
        result = result.astype(np.float16) if narrow else result
        return result if isinstance(values, np.ndarray) else result[()]

    def evaluate(self, x: Array, breaks: Array, pieces: list[Callable[[Array], Array]]) -> Array:
        if len(pieces) == 1:
            return pieces[0](x)
        # Every piece everywhere, then chosen: gathering x by piece costs more than evaluating it, and so a
        # value does not depend on its neighbours.  A NaN is not ≥ anything and stays.
        result = np.array(pieces[0](x))
        for edge, piece in zip(breaks, pieces[1:], strict=True):
            np.copyto(result, piece(x), where=x >= edge)
        for point, value in self.points.items():
            result[x == point] = value
        return result

    def tape(self, dtype: Any) -> tuple[Array, list[Callable[[Array], Array]]]:
        if dtype not in self.tapes:
            number = _constant(dtype)
            breaks = np.array([number(point) for point in self.smooth.breakpoints], dtype=dtype)
            pieces = [_compile(piece, self.smooth.variable, dtype) for piece in self.smooth.pieces]
            self.tapes[dtype] = breaks, pieces
        return self.tapes[dtype]


def _constant(dtype: Any) -> Callable[[Any], Any]:
    """Return a converter of exact constants: Python floats do not widen float32, longdouble needs its own."""
    if dtype == np.longdouble and np.longdouble is not np.float64:
        return lambda value: np.longdouble(str(value.evalf(30)))
    return lambda value: float(value)


def _compile(piece: Piece, x: Any, dtype: Any) -> Callable[[Array], Array]:
    tape = _Tape(x, _constant(dtype))
    result = tape.plain(piece.expr)
    steps, size = tuple(tape.steps), tape.size
    initial = tuple(tape.constants.items())

    def evaluate(values: Array) -> Array:
        slots: list[Any] = [None] * size
        slots[0] = values
        for slot, constant in initial:
            slots[slot] = constant
        for function, arguments, slot in steps:
            slots[slot] = function(*[slots[a] for a in arguments])
        found = np.asarray(slots[result], dtype=values.dtype)
        if found.shape != values.shape:
            found = np.where(np.isnan(values), values, found)
        return found

    patches = [] if piece.expr.is_polynomial(x) else _removable(piece, x, evaluate)
    return _patched(evaluate, patches) if patches else evaluate


class _Tape:
    """Array operations in order; slot 0 is the argument."""

    def __init__(self, x: Any, number: Callable[[Any], Any]) -> None:
        self.x = x
        self.number = number
        self.size = 1
        self.steps: list[tuple[Callable[..., Array], tuple[Slot, ...], Slot]] = []
        self.constants: dict[Slot, Any] = {}
        self.known: dict[Any, Any] = {}

    # -- slots

    def emit(self, function: Callable[..., Array], *arguments: Slot) -> Slot:
        slot = self.size
        self.size += 1
        self.steps.append((function, arguments, slot))
        return slot

    def constant(self, value: Any) -> Slot:
        if ("constant", value) not in self.known:
            slot = self.size
            self.size += 1
            self.constants[slot] = self.number(value)
            self.known["constant", value] = slot
        return int(self.known["constant", value])

    def times(self, coefficient: Any, slot: Slot) -> Slot:
        if coefficient == 1:
            return slot
        return (
            self.emit(np.negative, slot)
            if coefficient == -1
            else self.emit(np.multiply, self.constant(coefficient), slot)
        )

    def sum(self, slots: list[Slot]) -> Slot:
        total = slots[0]
        for slot in slots[1:]:
            total = self.emit(np.add, total, slot)
        return total

    # -- plain evaluation

    def plain(self, expr: Any) -> Slot:
        if expr not in self.known:
            self.known[expr] = self._plain(expr)
        return int(self.known[expr])

    def _plain(self, expr: Any) -> Slot:
        if expr == self.x:
            return 0
        if self.x not in expr.free_symbols:
            return self.constant(expr)
        if isinstance(expr, Add):
            return self.add(expr)
        if isinstance(expr, Mul):
            return self.mul(expr)
        if isinstance(expr, Pow):
            return self.pow(expr.base, expr.exp)
        if isinstance(expr, log):
            return self.log(expr.args[0])
        for kind, function in _PLAIN.items():
            if isinstance(expr, kind):
                return self.emit(function, self.plain(expr.args[0]))
        raise InputError(f"{type(expr).__name__} cannot be evaluated in double precision")

    def add(self, expr: Any) -> Slot:
        constant, rest = expr.as_independent(self.x, as_Add=True)
        terms = [term.as_independent(self.x, as_Add=False) for term in Add.make_args(rest)]
        slots: list[Slot] = []
        while constant != 0:
            found = next((s for s in (_absorb(constant, *term) for term in terms) if s is not None), None)
            if found is None:
                slots.append(self.constant(constant))
                break
            term, factor, function, argument = found
            terms.remove(term)
            slots.append(self.times(factor, self.emit(function, self.plain(argument))))
            break
        slots += self.minus_tanh(terms)
        slots += [self.times(coefficient, self.plain(core)) for coefficient, core in terms]
        return self.sum(slots)

    def minus_tanh(self, terms: list[tuple[Any, Any]]) -> list[Slot]:
        """Take a·x − b·tanh(kx) with a = bk out of the terms: it vanishes to third order at 0."""
        linear = next((t for t in terms if t[1] == self.x), None)
        for term in terms:
            if linear is None or not isinstance(term[1], tanh):
                continue
            slope, core = term[1].args[0].as_independent(self.x, as_Add=False)
            if core == self.x and term[0] * slope == -linear[0]:
                terms.remove(linear)
                terms.remove(term)
                return [self.times(-term[0], self.emit(_minus_tanh, self.plain(term[1].args[0])))]
        return []

    def mul(self, expr: Any) -> Slot:
        coefficient, core = expr.as_independent(self.x, as_Add=False)
        factors = Mul.make_args(core)
        if sum(_scalable(f, self.x) for f in factors) > 1 and any(_explosive(f, self.x) for f in factors):
            mantissa, exponent = self.scaled(core)
            if exponent is not None:
                mantissa = self.emit(np.multiply, mantissa, self.emit(np.exp, exponent))
            return self.times(coefficient, mantissa)
        above: Slot | None = None
        below: Slot | None = None
        for factor in factors:
            inverse = (
                isinstance(factor, Pow)
                and factor.exp.is_Rational
                and factor.exp < 0
                and not _logistic(factor.base)
            )
            slot = self.pow(factor.base, -factor.exp) if inverse else self.plain(factor)
            if inverse:
                below = slot if below is None else self.emit(np.multiply, below, slot)
            else:
                above = slot if above is None else self.emit(np.multiply, above, slot)
        if below is None:
            assert above is not None
            return self.times(coefficient, above)
        if above is None:
            return self.emit(np.divide, self.constant(coefficient), below)
        return self.times(coefficient, self.emit(np.divide, above, below))

    def pow(self, base: Any, exponent: Any) -> Slot:
        argument = _logistic(base)
        if argument is not None and self.x not in exponent.free_symbols:
            expit = self.emit(special.expit, self.plain(-argument))
            return self.raised(expit, -exponent)
        if self.x in exponent.free_symbols:
            return self.emit(np.power, self.plain(base), self.plain(exponent))
        return self.raised(self.plain(base), exponent)

    def raised(self, slot: Slot, exponent: Any) -> Slot:
        if exponent == 1:
            return slot
        if exponent == -1:
            return self.emit(np.reciprocal, slot)
        if exponent == Fraction(1, 2) or exponent == S.Half:
            return self.emit(np.sqrt, slot)
        if exponent.is_Integer:
            if exponent < 0:
                return self.emit(np.reciprocal, self.raised(slot, -exponent))
            power = int(exponent)
            half = self.raised(slot, Integer(power // 2)) if power > 3 else slot
            if power > 3:
                square = self.emit(np.multiply, half, half)
                return square if power % 2 == 0 else self.emit(np.multiply, square, slot)
            square = self.emit(np.multiply, slot, slot)
            return square if power == 2 else self.emit(np.multiply, square, slot)
        return self.emit(np.power, slot, self.constant(exponent))

    def log(self, argument: Any) -> Slot:
        exponent = _logistic(argument)
        if exponent is not None:
            return self.emit(_softplus, self.plain(exponent))
        if isinstance(argument, Add):
            constant, rest = argument.as_independent(self.x, as_Add=True)
            if constant == 1 or (constant == 2 and rest.has(exp)):
                return self.emit(np.log1p, self.plain(argument - 1))
        if isinstance(argument, Mul | Pow) and argument.has(exp):
            mantissa, scale = self.scaled(argument)
            logarithm = self.emit(np.log, mantissa)
            return logarithm if scale is None else self.emit(np.add, logarithm, scale)
        return self.emit(np.log, self.plain(argument))

    # -- evaluation as a mantissa and an exponent

    def scaled(self, expr: Any) -> tuple[Slot, Slot | None]:
        key = ("scaled", expr)
        if key not in self.known:
            self.known[key] = self._scaled(expr)
        found: tuple[Slot, Slot | None] = self.known[key]
        return found

    def _scaled(self, expr: Any) -> tuple[Slot, Slot | None]:
        if self.x not in expr.free_symbols:
            return self.constant(expr), None
        if isinstance(expr, exp):
            return self.constant(S.One), self.plain(expr.args[0])
        if isinstance(expr, Mul):
            return self.scaled_product([self.scaled(factor) for factor in expr.args])
        if isinstance(expr, Pow) and expr.exp.is_Rational:
            mantissa, exponent = self.scaled(expr.base)
            return self.raised(mantissa, expr.exp), None if exponent is None else self.times(
                expr.exp, exponent
            )
        if isinstance(expr, Add):
            argument = _sech_squared(expr)
            if argument is not None:
                size = self.emit(np.abs, self.plain(argument[1]))
                return self.times(argument[0], self.emit(_sech_mantissa, size)), self.times(Integer(-2), size)
            if len(expr.args) == 2 and expr.args[0] == -1 and isinstance(expr.args[1], exp):
                slot = self.plain(expr.args[1].args[0])
                return self.emit(_expm1_mantissa, slot), self.emit(_positive_part, slot)
            return self.scaled_sum(expr)
        if isinstance(expr, erfc | Phi):
            inner = expr.args[0] if isinstance(expr, erfc) else -expr.args[0] / sqrt(2)
            slot = self.plain(inner)
            mantissa = self.emit(_erfc_mantissa, slot)
            return (
                mantissa if isinstance(expr, erfc) else self.times(S.Half, mantissa),
                self.emit(_erfc_exponent, slot),
            )
        return self.plain(expr), None

    def scaled_product(self, parts: list[tuple[Slot, Slot | None]]) -> tuple[Slot, Slot | None]:
        mantissa = parts[0][0]
        for part, _ in parts[1:]:
            mantissa = self.emit(np.multiply, mantissa, part)
        exponents = [exponent for _, exponent in parts if exponent is not None]
        return mantissa, self.sum(exponents) if exponents else None

    def scaled_sum(self, expr: Any) -> tuple[Slot, Slot | None]:
        parts = [self.scaled(term) for term in expr.args]
        if all(exponent is None for _, exponent in parts):
            return self.plain(expr), None
        zero = self.constant(S.Zero)
        exponents = [zero if exponent is None else exponent for _, exponent in parts]
        top = exponents[0]
        for exponent in exponents[1:]:
            top = self.emit(np.maximum, top, exponent)
        top = self.emit(_finite, top)
        terms = [
            self.emit(_shifted, mantissa, exponent, top)
            for (mantissa, _), exponent in zip(parts, exponents, strict=True)
        ]
        return self.sum(terms), top


# ------------------------------------------------------------------------------
# Recognition


def _logistic(base: Any) -> Any:
    """Return v if the expression is 1 + exp(v), else None."""
    if isinstance(base, Add) and len(base.args) == 2 and base.args[0] == 1 and isinstance(base.args[1], exp):
        return base.args[1].args[0]
    return None


def _sech_squared(expr: Any) -> tuple[Any, Any] | None:
    """Return (c, u) if the expression is c − c·tanh(u)², else None."""
    if len(expr.args) != 2 or not expr.args[0].is_number:
        return None
    coefficient, core = expr.args[1].as_coeff_Mul()
    if (
        coefficient == -expr.args[0]
        and isinstance(core, Pow)
        and core.exp == 2
        and isinstance(core.base, tanh)
    ):
        return expr.args[0], core.base.args[0]
    return None


def _scalable(factor: Any, x: Any) -> bool:
    """Tell whether a factor may overflow or underflow exponentially."""
    return x in factor.free_symbols and bool(factor.has(exp, tanh, erfc, Phi))


def _explosive(factor: Any, x: Any) -> bool:
    """Tell whether a factor may overflow: an exponential, or a sum with one that has no known form."""
    base = factor.base if isinstance(factor, Pow) and not isinstance(factor, exp) else factor
    if isinstance(base, exp):
        return True
    exponentials = isinstance(base, Add) and any(e.has(exp) and not e.has(tanh) for e in base.args)
    return exponentials and (_logistic(base) is None or base is factor)


_Absorbed = tuple[tuple[Any, Any], Any, Callable[[Array], Array], Any]


def _absorb(constant: Any, coefficient: Any, core: Any) -> _Absorbed | None:
    """Return (term, factor, function, argument) if constant + coefficient·core can avoid cancellation."""
    term = (coefficient, core)
    if coefficient == -constant:
        found = _one_minus(core)
        if found is not None:
            return term, constant, *found
    if isinstance(core, tanh | erf) and coefficient in (constant, -constant):
        turned = coefficient / constant * core.args[0]
        if isinstance(core, tanh):
            return term, 2 * constant, special.expit, 2 * turned
        return term, constant, special.erfc, -turned
    if isinstance(core, atan) and 2 * constant in (pi * coefficient, -pi * coefficient):
        side = 2 * constant / (pi * coefficient)
        return term, side * coefficient, _half_turn_plus_atan, side * core.args[0]
    if coefficient == -2 * constant and _expit_argument(core) is not None:
        return term, constant, np.tanh, -_expit_argument(core) / 2
    if isinstance(core, log) and constant == -coefficient * log(2) and _logistic(core.args[0]) is not None:
        return term, coefficient, _shifted_softplus, _logistic(core.args[0])
    return None


def _one_minus(core: Any) -> tuple[Callable[[Array], Array], Any] | None:
    """Return (function, argument) for 1 − core, if it has a form without cancellation."""
    if isinstance(core, exp):
        return _minus_expm1, core.args[0]
    if isinstance(core, cos):
        return _one_minus_cos, core.args[0]
    if isinstance(core, Phi):
        return special.ndtr, -core.args[0]
    if _expit_argument(core) is not None:
        return special.expit, -_expit_argument(core)
    if isinstance(core, Pow) and core.exp == 2 and isinstance(core.base, tanh):
        return _sech2, core.base.args[0]
    if isinstance(core, Pow) and core.exp == S.Half and isinstance(core.base, Add) and 1 in core.base.args:
        return _one_minus_sqrt1p, core.base - 1
    return None


def _expit_argument(core: Any) -> Any:
    """Return u if the expression is 1/(1 + exp(−u)), else None."""
    if isinstance(core, Pow) and core.exp == -1 and _logistic(core.base) is not None:
        return -_logistic(core.base)
    return None


# ------------------------------------------------------------------------------
# Stable elementary combinations


def _softplus(v: Array) -> Array:
    return np.maximum(v, 0) + np.log1p(np.exp(-np.abs(v)))


def _shifted_softplus(v: Array) -> Array:
    # log((1 + eᵛ)/2); the first form keeps the simple zero at v = 0 exact
    return np.where(np.abs(v) < 1, np.log1p(np.expm1(v) / 2), _softplus(v) - np.asarray(np.log(2.0), v.dtype))


def _sech2(u: Array) -> Array:
    found = np.asarray(np.cosh(u))  # then in its place: fresh memory is slow to touch
    np.reciprocal(found, out=found)
    return np.square(found, out=found)


def _sech_mantissa(size: Array) -> Array:
    return 4 / (1 + np.exp(-2 * size)) ** 2


def _one_minus_sqrt1p(w: Array) -> Array:
    return -w / (1 + np.sqrt(1 + w))


def _minus_expm1(v: Array) -> Array:
    return -np.expm1(v)


def _half_turn_plus_atan(u: Array) -> Array:
    # π/2 plus the arcus tangens of u
    return np.arctan2(np.ones_like(u), -u)


def _one_minus_cos(u: Array) -> Array:
    return 2 * np.sin(u / 2) ** 2


def _expm1_mantissa(v: Array) -> Array:
    return np.sign(v) * -np.expm1(-np.abs(v))


def _positive_part(v: Array) -> Array:
    return np.maximum(v, 0)


def _erfc_mantissa(u: Array) -> Array:
    return np.where(u > 0, special.erfcx(np.maximum(u, 0)), special.erfc(u))


def _erfc_exponent(u: Array) -> Array:
    return -(np.maximum(u, 0) ** 2)


def _finite(exponent: Array) -> Array:
    return np.where(np.isneginf(exponent), 0, exponent)


def _shifted(mantissa: Array, exponent: Array, top: Array) -> Array:
    return mantissa * np.exp(exponent - top)


def _tanh_coefficients(count: int) -> tuple[float, ...]:
    """Coefficients of (u − tanh u)/u³ in powers of u², exact before they are rounded."""
    # tanh' = 1 − tanh², coefficient by coefficient
    tangent = [Fraction(1)]
    for n in range(1, count + 1):
        square = sum((tangent[i] * tangent[n - 1 - i] for i in range(n)), Fraction(0))
        tangent.append(-square / (2 * n + 1))
    return tuple(float(-c) for c in tangent[1:])


_MINUS_TANH = _tanh_coefficients(24)


def _minus_tanh(u: Array) -> Array:
    small = np.abs(u) < 0.5
    square = np.where(small, u * u, 0)
    series = np.zeros_like(u)
    for coefficient in reversed(_MINUS_TANH):
        series = series * square + coefficient
    return np.where(small, series * square * u, u - np.tanh(u))


# ------------------------------------------------------------------------------
# Removable singularities, such as sin(x)/x and its derivative at 0

_CIRCLE = 64
_INSIDE = 0.35


def _removable(
    piece: Piece, x: Any, evaluate: Callable[[Array], Array]
) -> list[tuple[float, float, list[float]]]:
    """Find the poles that cancel, each with the Taylor polynomial (Cauchy's formula) to use near it."""
    centres: set[Any] = set()
    for node in piece.expr.atoms(Pow):
        if node.exp.is_Integer and node.exp < 0 and x in node.base.free_symbols:
            try:
                centres |= set(sign_changes(node.base, x))
            except InputError:
                continue
    function = compile_floats(piece.expr, (x,))
    lower = -math.inf if piece.lower == -oo else float(piece.lower)
    upper = math.inf if piece.upper == oo else float(piece.upper)
    patches = []
    for centre in (float(c) for c in centres):
        if lower <= centre <= upper:
            patch = _taylor(function, centre, evaluate)
            if patch is not None:
                patches.append(patch)
    return patches


def _taylor(
    function: Callable[..., Any], centre: float, evaluate: Callable[[Array], Array]
) -> tuple[float, float, list[float]] | None:
    for radius in (1.0, 0.5, 0.25, 0.125):
        angles = [2 * math.pi * (k + 0.5) / _CIRCLE for k in range(_CIRCLE)]
        samples = np.array(
            [complex(function(centre + radius * complex(math.cos(t), math.sin(t)))) for t in angles]
        )
        if not np.isfinite(samples).all():
            continue
        scale = np.abs(samples).max()
        coefficients = [
            float((samples * np.exp(-1j * n * np.array(angles))).real.mean())
            for n in range(-_CIRCLE // 4, _CIRCLE // 2)
        ]
        principal, regular = coefficients[: _CIRCLE // 4], coefficients[_CIRCLE // 4 :]
        if max(map(abs, principal)) > 1e-12 * scale:
            return None  # a true pole
        regular = [c if abs(c) > 4e-16 * scale else 0.0 for c in regular]
        probe = centre + radius * _INSIDE * np.array([-1.0, 0.97])
        near = _polynomial(regular, (probe - centre) / radius)
        if np.allclose(near, evaluate(probe), rtol=1e-12, atol=1e-13 * scale):
            return centre, radius, regular
    return None


def _polynomial(coefficients: list[float], t: Array) -> Array:
    total = np.zeros_like(t)
    for coefficient in reversed(coefficients):
        total = total * t + coefficient
    return total


def _patched(
    evaluate: Callable[[Array], Array], patches: list[tuple[float, float, list[float]]]
) -> Callable[[Array], Array]:
    def function(values: Array) -> Array:
        result = evaluate(values)
        for centre, radius, coefficients in patches:
            near = np.abs(values - centre) < _INSIDE * radius
            if near.any():
                result[near] = _polynomial(coefficients, (values[near] - centre) / radius)
        return result

    return function


# ------------------------------------------------------------------------------


_FOURTH_DIFFERENCE = np.array([1, -4, 6, -4, 1])
_DIFFERENCES = np.array([[1, -8, 0, 8, -1], [3, -16, 36, -48, 25], [-25, 48, -36, 16, -3]]) / 12


def _numeric_only(function: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    """Wrap a callable that could not be traced; its derivative is a five-point difference quotient.

    Next to a jump or a kink the five points are taken on one side of it.  The callable gets
    whole arrays only where some of its values on them are those that it gives one by one.
    """

    def one_by_one(given: Array) -> Array:
        return np.array([float(function(v)) for v in given.ravel()]).reshape(given.shape)

    def value(values: Any) -> Any:
        given = np.asarray(values)
        given = given.astype(np.float64) if given.dtype.kind != "f" else given
        with np.errstate(all="ignore"):
            try:
                result = np.asarray(function(given))
                probe = np.linspace(0, given.size - 1, min(given.size, 8)).astype(int)
                trusted = result.shape == given.shape and np.allclose(
                    result.ravel()[probe], one_by_one(given.ravel()[probe]), rtol=1e-9, atol=0, equal_nan=True
                )
            except (TypeError, ValueError):
                trusted = False
            result = result if trusted else one_by_one(given)
        return (
            result.astype(given.dtype) if isinstance(values, np.ndarray) else result.astype(given.dtype)[()]
        )

    if order == 0:
        return value

    def slope(values: Any) -> Any:
        given = np.asarray(values, dtype=np.float64)
        step = 1e-3 * (1 + np.abs(given) / 10)
        at = np.stack([value(given + k * step) for k in range(-4, 5)])
        # Of the points to the left, around and to the right: those between which nothing breaks.
        windows = np.stack([at[2:7], at[0:5], at[4:9]]) - at[4]  # exactly 0 where g is constant
        rough = np.abs(np.einsum("k,wk...->w...", _FOURTH_DIFFERENCE, windows))
        rough[0] = np.where(rough[0] > 1e-9 * np.abs(at).max(axis=0), rough[0] / 100, 0)
        chosen = rough.argmin(axis=0)
        slopes = np.einsum("wk,wk...->w...", _DIFFERENCES, windows) / step
        return np.take_along_axis(slopes, chosen[None], axis=0)[0]

    return slope
