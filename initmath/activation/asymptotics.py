"""Limits at ±∞ and boundedness, from the orders of growth of an expression.

Every expression is compared with c·exp(E)·tᵖ·log(t)ᵏ as t = |x| → ∞.  Sums keep their dominant part; where
the dominant parts cancel and no rule knows what is left, the answer is None, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import (
    Add,
    Mul,
    Pow,
    Rational,
    S,
    Symbol,
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
    tanh,
    together,
)

from initmath.errors import InputError
from initmath.integral import Phi
from initmath.piecewise import Piece, PiecewiseSmooth, sign_changes, sign_of

__all__ = ["bounded", "limit_at"]

_T = Symbol("t", positive=True)


@dataclass(frozen=True)
class _Growth:
    """c·exp(super·∞)·exp(exponent)·tᵖ·log(t)ᵏ; an oscillation keeps its envelope and has no coefficient."""

    coefficient: Any  # None: oscillates between two multiples of the rest
    tower: int = 0  # +1 / −1: beyond every exp of a polynomial
    exponent: tuple[tuple[Any, Any], ...] = ()  # ((power, coefficient), …), falling positive powers of t
    power: Any = S.Zero
    logs: Any = S.Zero


_ZERO = _Growth(S.Zero)


class _Undecided(Exception):
    """The order of growth is not known."""


def _sign(value: Any) -> int:
    decided = sign_of(value)
    if decided is None:
        raise _Undecided
    return decided


def _direction(growth: _Growth) -> int:
    """Return +1 if the envelope grows without bound, 0 if it stays of order one, −1 if it vanishes."""
    if growth.coefficient == 0:
        return -1
    if growth.tower:
        return growth.tower
    for value in (*(c for _, c in growth.exponent), growth.power, growth.logs):
        decided = _sign(value)
        if decided:
            return decided
    return 0


def _product(first: _Growth, second: _Growth) -> _Growth:
    if 0 in (first.coefficient, second.coefficient):
        return _ZERO
    if first.tower * second.tower < 0:
        raise _Undecided
    exponents = dict(first.exponent)
    for power, coefficient in second.exponent:
        exponents[power] = exponents.get(power, S.Zero) + coefficient
    kept = sorted(((p, c) for p, c in exponents.items() if c != 0), key=lambda item: -float(item[0]))
    oscillates = first.coefficient is None or second.coefficient is None
    return _Growth(
        None if oscillates else first.coefficient * second.coefficient,
        first.tower or second.tower,
        tuple(kept),
        first.power + second.power,
        first.logs + second.logs,
    )


def _raised(growth: _Growth, exponent: Any) -> _Growth:
    if growth.coefficient is None:
        if _sign(exponent) < 0:
            raise _Undecided
        coefficient = None
    else:
        if growth.coefficient == 0:
            if _sign(exponent) < 0:
                raise _Undecided
            return _ZERO
        coefficient = growth.coefficient**exponent
    turned = _sign(exponent)
    return _Growth(
        coefficient,
        growth.tower * turned,
        tuple((p, c * exponent) for p, c in growth.exponent),
        growth.power * exponent,
        growth.logs * exponent,
    )


def _sum(terms: list[_Growth]) -> _Growth:
    live = [t for t in terms if t.coefficient != 0]
    if not live:
        return _ZERO
    top = live[0]
    for term in live[1:]:
        ratio = _product(
            term, _raised(_Growth(S.One, top.tower, top.exponent, top.power, top.logs), S.NegativeOne)
        )
        compared = _direction(_Growth(S.One, ratio.tower, ratio.exponent, ratio.power, ratio.logs))
        if compared > 0:
            top = term
        elif compared == 0:
            if top.tower:
                raise _Undecided
            if top.coefficient is None or term.coefficient is None:
                top = _Growth(None, top.tower, top.exponent, top.power, top.logs)
                continue
            total = top.coefficient + term.coefficient
            if _sign(total) == 0:
                raise _Undecided
            top = _Growth(total, top.tower, top.exponent, top.power, top.logs)
    return top


def _polynomial_in_t(expr: Any, t: Any) -> tuple[tuple[Any, Any], ...] | None:
    """Return the growing part of a sum of powers of t, or None if it is not one."""
    found: dict[Any, Any] = {}
    for term in Add.make_args(expr.expand()):
        coefficient, core = term.as_independent(t, as_Add=False)
        if core == 1:
            continue
        base, power = core.as_base_exp()
        if base != t or t in power.free_symbols:
            return None
        if _sign(power) > 0:
            found[power] = found.get(power, S.Zero) + coefficient
    return tuple(sorted(found.items(), key=lambda item: -float(item[0])))


def _growth(expr: Any, t: Any) -> _Growth:
    """Return the order of growth of an expression in the positive symbol t → ∞."""
    if t not in expr.free_symbols:
        return _Growth(expr)
    if expr == t:
        return _Growth(S.One, power=S.One)
    if isinstance(expr, Add):
        return _growth_of_sum(expr, t)
    if isinstance(expr, Mul):
        result = _Growth(S.One)
        for factor in expr.args:
            result = _product(result, _growth(factor, t))
        return result
    if isinstance(expr, exp):
        return _growth_of_exp(expr.args[0], t)
    if isinstance(expr, Pow):
        if t in expr.exp.free_symbols:
            return _growth_of_exp(expr.exp * log(expr.base), t)
        return _raised(_growth(expr.base, t), expr.exp)
    if isinstance(expr, log):
        return _growth_of_log(expr.args[0], t)
    return _growth_of_function(expr, t)


def _growth_of_sum(expr: Any, t: Any) -> _Growth:
    try:
        return _sum([_growth(term, t) for term in expr.args])
    except _Undecided:
        return _cancelled(expr, t)


def _cancelled(expr: Any, t: Any) -> _Growth:
    """Resolve a·t ± b·√(c·t² + …) by its conjugate, and constants against functions that tend to them."""
    roots = [term for term in expr.args if _is_root(term, t)]
    if len(roots) == 1:
        rest = expr - roots[0]
        conjugate = rest - roots[0]
        numerator = (rest**2 - roots[0] ** 2).expand()
        if numerator == 0:
            return _ZERO
        return _product(_growth(numerator, t), _raised(_growth(conjugate, t), S.NegativeOne))
    if expr.is_rational_function(t):
        above, below = (part.expand() for part in together(expr).as_numer_denom())
        return _ZERO if above == 0 else _product(_growth(above, t), _raised(_growth(below, t), S.NegativeOne))
    remainder = Add(*(_first_order(term, t) for term in expr.args)).expand()
    if remainder == expr.expand():
        raise _Undecided
    return _sum([_growth(term, t) for term in Add.make_args(remainder)])


def _first_order(term: Any, t: Any) -> Any:
    """Replace the factors of a term by their limits plus what remains, to leading order."""
    return Mul(*(_beyond_limit(factor, t) for factor in Mul.make_args(term)))


def _is_root(term: Any, t: Any) -> bool:
    _, core = term.as_independent(t, as_Add=False)
    return isinstance(core, Pow) and core.exp == S.Half and core.base.is_polynomial(t)


def _beyond_limit(core: Any, t: Any) -> Any:
    """Replace a function by its limit plus what remains, to leading order; itself where no rule is known."""
    if t not in core.free_symbols or not core.args:
        return core
    if isinstance(core, Pow) and not isinstance(core, exp) and t not in core.exp.free_symbols:
        return _beyond_power(core, t)
    argument = core.args[0]
    if isinstance(core, log):
        return _beyond_log(core, argument, t)
    inner = _growth(argument, t)
    direction = _direction(inner)
    if isinstance(core, exp):
        return 1 + argument if direction < 0 else core
    if direction <= 0 or inner.coefficient is None:
        return core
    side = _sign(inner.coefficient)
    if isinstance(core, tanh):
        return side * (1 - 2 * exp(-2 * side * argument))
    if isinstance(core, atan):
        return side * pi / 2 - 1 / argument
    if isinstance(core, erf):
        return side - exp(-(argument**2)) / (sqrt(pi) * argument)
    if isinstance(core, Phi) and side > 0:
        return 1 - exp(-(argument**2) / 2) / (sqrt(2 * pi) * argument)
    return core


def _beyond_power(core: Any, t: Any) -> Any:
    """(lead + rest)ʳ = leadʳ + r·leadʳ⁻¹·rest, to leading order."""
    if not isinstance(core.base, Add):
        return core
    top = _growth(core.base, t)
    if top.coefficient is None or top.exponent or top.tower or top.logs != 0:
        return core
    lead = top.coefficient * t**top.power
    return lead**core.exp + core.exp * lead ** (core.exp - 1) * (core.base - lead)


def _beyond_log(core: Any, argument: Any, t: Any) -> Any:
    """log(big + small) = log(big) + small/big, to leading order, for an exponential that is big."""
    if isinstance(argument, Add):
        for term in argument.args:
            if isinstance(term, exp) and _direction(_growth(term, t)) > 0:
                return term.args[0] + (argument - term) / term
    return core


def _growth_of_exp(argument: Any, t: Any) -> _Growth:
    polynomial = _polynomial_in_t(argument, t)
    if polynomial is not None:
        constant, _ = argument.expand().as_independent(t, as_Add=True)
        return _Growth(exp(constant), exponent=polynomial)
    inner = _growth(argument, t)
    direction = _direction(inner)
    if direction < 0:
        return _Growth(S.One)
    if direction == 0:
        return _Growth(None if inner.coefficient is None else exp(inner.coefficient))
    if inner.coefficient is None:
        raise _Undecided
    side = _sign(inner.coefficient)
    if inner.exponent or inner.tower:
        return _Growth(S.One, tower=side)
    if inner.power == 0:  # exp of c·log(t)ᵏ: a power of t when k = 1
        if inner.logs == 1 and isinstance(argument, Mul | log):
            return _Growth(S.One, power=inner.coefficient)
        raise _Undecided
    return _Growth(S.One, exponent=((inner.power, inner.coefficient),))


def _growth_of_log(argument: Any, t: Any) -> _Growth:
    inner = _growth(argument, t)
    if inner.coefficient is None or inner.tower:
        raise _Undecided
    direction = _direction(inner)
    if direction == 0:
        if inner.coefficient != 1:
            return _Growth(log(inner.coefficient))
        return _growth((argument - 1).expand(), t)  # log(1 + w) ~ w
    if inner.exponent:
        power, coefficient = inner.exponent[0]
        return _Growth(coefficient, power=power)
    if inner.power != 0:
        return _Growth(inner.power, logs=S.One)
    raise _Undecided


_AT_INFINITY = {tanh: S.One, erf: S.One, atan: pi / 2}


def _growth_of_function(expr: Any, t: Any) -> _Growth:
    argument = expr.args[0]
    inner = _growth(argument, t)
    if inner.coefficient is None:
        if isinstance(expr, sin | cos | tanh | atan | erf | erfc | Phi):
            return _Growth(None)
        raise _Undecided
    direction = _direction(inner)
    if direction == 0:
        return _Growth(expr.func(inner.coefficient))
    if direction < 0:
        if isinstance(expr, sin | tanh | atan | asinh | sinh):
            return inner
        return _product(_Growth(2 / sqrt(pi)), inner) if isinstance(expr, erf) else _Growth(expr.func(S.Zero))
    return _growth_at_infinity(expr, argument, _sign(inner.coefficient), t)


def _growth_at_infinity(expr: Any, argument: Any, side: int, t: Any) -> _Growth:
    """Return the growth of a function whose argument tends to side·∞."""
    if isinstance(expr, sin | cos):
        return _Growth(None)
    for kind, value in _AT_INFINITY.items():
        if isinstance(expr, kind):
            return _Growth(side * value)
    if isinstance(expr, sinh | cosh):
        growing = _growth_of_exp(side * argument, t)
        odd = side if isinstance(expr, sinh) else 1
        return _product(_Growth(Rational(odd, 2)), growing)
    if isinstance(expr, asinh):
        return _product(_Growth(S(side)), _growth_of_log(2 * side * argument, t))
    if isinstance(expr, erfc):
        return _Growth(S(2)) if side < 0 else _gaussian_tail(argument, t, S.One, 1 / sqrt(pi))
    if isinstance(expr, Phi):
        if side > 0:
            return _Growth(S.One)
        return _gaussian_tail(-argument, t, S.Half, 1 / sqrt(2 * pi))
    raise _Undecided


def _gaussian_tail(argument: Any, t: Any, rate: Any, constant: Any) -> _Growth:
    """Return the growth of constant·exp(−rate·u²)/u for u → +∞."""
    decay = _growth_of_exp(-rate * argument**2, t)
    return _product(_product(_Growth(constant), decay), _raised(_growth(argument, t), S.NegativeOne))


# ------------------------------------------------------------------------------


def _outermost(pieces: PiecewiseSmooth, side: int) -> Any:
    piece = pieces.pieces[-1 if side > 0 else 0]
    return piece.expr.subs(pieces.variable, side * _T)


def limit_at(pieces: PiecewiseSmooth, side: int) -> Any:
    """Return lim g(x) as x → side·∞ (±oo allowed); None if there is none or none was found."""
    try:
        growth = _growth(_outermost(pieces, side), _T)
        direction = _direction(growth)
        if direction < 0:
            return S.Zero
        if growth.coefficient is None:
            return None
        return growth.coefficient if direction == 0 else _sign(growth.coefficient) * oo
    except (_Undecided, InputError):
        return None


def bounded(pieces: PiecewiseSmooth) -> bool | None:
    """Tell whether g is bounded on the line; None if that was not decided."""
    if _has_pole(pieces):
        return False
    answers: list[bool | None] = []
    for side in (-1, 1):
        try:
            answers.append(_direction(_growth(_outermost(pieces, side), _T)) <= 0)
        except (_Undecided, InputError):
            answers.append(None)
    if False in answers:
        return False
    return None if None in answers else True


def _has_pole(pieces: PiecewiseSmooth) -> bool:
    """Tell whether a piece is unbounded near a zero of a denominator or of a logarithm's argument."""
    x = pieces.variable
    return any(_unbounded_near(piece, point, x) for piece in pieces.pieces for point in _suspects(piece, x))


def _suspects(piece: Piece, x: Any) -> set[Any]:
    points: set[Any] = set()
    for node in piece.expr.atoms(Pow, log):
        argument = node.args[0]
        if x not in argument.free_symbols or (isinstance(node, Pow) and sign_of(node.exp) != -1):
            continue
        try:
            points |= set(sign_changes(argument, x))
        except InputError:
            continue
    return {p for p in points if sign_of(p - piece.lower) != -1 and sign_of(piece.upper - p) != -1}


def _unbounded_near(piece: Piece, point: Any, x: Any) -> bool:
    """Look at the growth in t = 1/|x − point| on the sides that belong to the piece."""
    sides = [s for s, end in ((1, piece.upper), (-1, piece.lower)) if sign_of(s * (end - point)) == 1]
    for side in sides:
        near = piece.expr.subs(x, point + side / _T)
        try:
            if _direction(_growth(near, _T)) > 0:
                return True
        except (_Undecided, InputError):
            continue
    return False
