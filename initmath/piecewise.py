"""A function that is smooth between finitely many kinks, as ordered pieces with exact breakpoints.

Every route needs the same split: the rules integrate piece by piece, the quadrature puts panels at the
kinks, the certified enclosure needs analytic integrands.  The kinks are found exactly (linear and quadratic
conditions, and strictly monotone functions of them), never by `sympy.solve`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from sympy import (
    Abs,
    Add,
    Heaviside,
    Max,
    Min,
    Mul,
    Piecewise,
    Poly,
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
    expand,
    factor_terms,
    log,
    oo,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    together,
)
from sympy.core.relational import Relational
from sympy.functions.elementary.integers import RoundFunction
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from initmath.errors import InputError
from initmath.integral import Phi

__all__ = ["Piece", "PiecewiseSmooth", "contains_kinks", "sign_changes", "sign_of"]

_KINKED = (Abs, Max, Min, sign, Heaviside, Piecewise)
_ODD_INCREASING = (tanh, sinh, atan, asinh, erf)
_MAX_PIECES = 256


# ------------------------------------------------------------------------------
# Signs and order of exact constants


def sign_of(value: Any) -> int | None:
    """Return the sign (1, 0, −1) of an exact constant by its assumptions or digits; None if unknown.

    Examples
    --------
    >>> from sympy import Symbol, sqrt
    >>> from initmath.piecewise import sign_of
    >>> a = Symbol("a", positive=True)
    >>> sign_of(-a / 2), sign_of(sqrt(2) - 2), sign_of(a - 1) is None
    (-1, -1, True)
    """
    if value.is_Rational or value in (oo, -oo):
        return 1 if value > 0 else (-1 if value < 0 else 0)
    if not value.free_symbols:
        return _numeric_sign(value)
    for form in (lambda v: v, expand, factor_terms, lambda v: factor_terms(together(v))):
        shaped = form(value)
        if shaped.is_positive:
            return 1
        if shaped.is_negative:
            return -1
        if shaped.is_zero:
            return 0
    return None


def _numeric_sign(value: Any) -> int | None:
    number = value.evalf(20, maxn=150)
    if number.is_Float and number._prec > 1:
        return 1 if number > 0 else (-1 if number < 0 else 0)
    if value.is_zero or expand(value) == 0 or number == 0:
        return 0
    if number.is_Float:  # no correct digit: below the resolution of 150 digits
        return 0 if abs(number) < S(10) ** -100 else None
    return None


def _before(left: Any, right: Any) -> bool:
    """Tell whether left < right; raise when the assumptions do not decide it."""
    if left is right or left == right:
        return False
    if left == -oo or right == oo:
        return True
    if left == oo or right == -oo:
        return False
    decided = sign_of(right - left)
    if decided is None:
        raise InputError(
            f"cannot order the kinks {left} and {right}: give a number to {_names(right - left)} (--param)"
        )
    return decided > 0


def _names(value: Any) -> str:
    return ", ".join(sorted(s.name for s in value.free_symbols))


def _ordered(points: tuple[Any, ...], lower: Any, upper: Any) -> list[Any]:
    """Return the distinct points strictly between lower and upper, in order."""
    kept: list[Any] = []
    for point in points:
        if not (_before(lower, point) and _before(point, upper)):
            continue
        index = 0
        while index < len(kept) and _before(kept[index], point):
            index += 1
        if index < len(kept) and not _before(point, kept[index]):
            continue  # equal to one that we have
        kept.insert(index, point)
    return kept


def _sample(lower: Any, upper: Any) -> Any:
    """Return an exact point strictly inside an open interval."""
    if lower == -oo:
        return S.Zero if upper == oo else upper - 1
    return lower + 1 if upper == oo else (lower + upper) / 2


# ------------------------------------------------------------------------------
# Where a condition changes its sign


def sign_changes(condition: Any, x: Any) -> tuple[Any, ...]:
    """Return every real point at which the expression may change sign (zeros and poles), exactly.

    Raises
    ------
    InputError
        If they are infinitely many or cannot be found exactly.

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.integral import x
    >>> from initmath.piecewise import sign_changes
    >>> sign_changes(x**2 - 2, x), sign_changes(exp(x) - 3, x)
    ((-sqrt(2), sqrt(2)), (log(3),))
    """
    if x not in condition.free_symbols:
        return ()
    if condition == x:
        return (S.Zero,)
    if isinstance(condition, Mul):
        return tuple(p for factor in condition.args for p in sign_changes(factor, x))
    if isinstance(condition, exp | cosh | erfc | Phi):
        return ()
    if isinstance(condition, Pow):
        return () if x in condition.exp.free_symbols else sign_changes(condition.base, x)
    if isinstance(condition, _ODD_INCREASING):
        return sign_changes(condition.args[0], x)
    constant, rest = condition.as_independent(x, as_Add=True)
    if isinstance(rest, Add):
        return _zeros_of_sum(condition, x)
    coefficient, function = rest.as_independent(x, as_Add=False)
    return _inverse_image(function, -constant / coefficient, x)


def _zeros_of_sum(condition: Any, x: Any) -> tuple[Any, ...]:
    if condition.is_polynomial(x):
        return _polynomial_zeros(Poly(condition, x), x)
    product = factor_terms(condition)
    if isinstance(product, Mul):
        return sign_changes(product, x)
    if condition.is_positive or condition.is_negative:
        return ()
    slope = condition.diff(x)
    if slope.is_nonnegative or slope.is_nonpositive:
        # analytic and monotone, not constant: at most one zero
        for candidate in (S.Zero, S.One, S.NegativeOne):
            if sign_of(condition.subs(x, candidate)) == 0:
                return (candidate,)
    raise _unsolved(condition)


def _unsolved(condition: Any) -> InputError:
    return InputError(
        f"cannot locate the kinks exactly: where {condition} = 0 has no solution that is known here"
    )


def _polynomial_zeros(poly: Any, x: Any) -> tuple[Any, ...]:
    degree = poly.degree()
    if degree <= 0:
        return ()
    coefficients = poly.all_coeffs()
    if degree == 1:
        return (-coefficients[1] / coefficients[0],)
    if degree == 2:
        a, b, c = coefficients
        discriminant = expand(b**2 - 4 * a * c)
        decided = sign_of(discriminant)
        if decided is None:
            raise InputError(
                f"cannot tell whether {poly.as_expr()} has real zeros: fix {_names(discriminant)} (--param)"
            )
        if decided < 0:
            return ()
        middle, half = -b / (2 * a), sqrt(discriminant) / (2 * a)
        return (middle,) if decided == 0 else (middle - half, middle + half)
    terms = poly.terms()
    if len(terms) <= 2 and terms[-1][0][0] == 0:
        return _inverse_image(x**degree, -terms[-1][1] / terms[0][1], x)
    _, factors = poly.factor_list()
    if len(factors) == 1 and factors[0][0].degree() == degree:
        raise _unsolved(poly.as_expr())
    return tuple(p for factor, _ in factors for p in _polynomial_zeros(factor, x))


def _inverse_image(function: Any, value: Any, x: Any) -> tuple[Any, ...]:
    """Return all real solutions of function(x) = value, and the poles of the function."""
    if function == x:
        return (value,)
    if isinstance(function, Mul | Add):
        raise _unsolved(function - value)
    if isinstance(function, Pow) and x not in function.exp.free_symbols:
        return _inverse_power(function, value, x)
    argument = function.args[0] if function.args else None
    decided = sign_of(value)
    if decided is None:
        raise InputError(f"cannot tell the sign of {value}: give a number to {_names(value)} (--param)")
    solutions = _inverse_function(function, value, decided)
    if solutions is None:
        raise _unsolved(function - value)
    points = [p for s in solutions for p in sign_changes(argument - s, x)]
    if isinstance(function, log):
        points += sign_changes(argument, x)
    return tuple(points)


def _inverse_power(function: Any, value: Any, x: Any) -> tuple[Any, ...]:
    base, exponent = function.base, function.exp
    decided = sign_of(value)
    if decided is None:
        raise InputError(f"cannot tell the sign of {value}: give a number to {_names(value)} (--param)")
    poles = sign_changes(base, x) if sign_of(exponent) == -1 else ()
    if decided == 0:
        return poles or sign_changes(base, x)
    roots: tuple[Any, ...]
    if exponent.is_integer and exponent.is_odd:
        roots = (decided * (decided * value) ** (1 / exponent),)
    elif decided < 0:
        return poles
    else:
        root = value ** (1 / exponent)
        roots = (-root, root) if exponent.is_integer else (root,)
    return poles + tuple(p for r in roots for p in sign_changes(base - r, x))


def _inverse_function(function: Any, value: Any, decided: int) -> tuple[Any, ...] | None:
    """Return the arguments at which an elementary function takes the value; None if unknown."""
    for kind, inverse in ((log, exp), (asinh, sinh), (sinh, asinh)):
        if isinstance(function, kind):
            return (inverse(value),)
    if isinstance(function, exp):
        return (log(value),) if decided > 0 else ()
    if isinstance(function, atan):
        return (tan(value),) if sign_of(pi / 2 - value) == 1 and sign_of(pi / 2 + value) == 1 else ()
    if isinstance(function, tanh | erf | sin | cos):
        return _inverse_of_unit_range(function, value)
    if isinstance(function, cosh):
        above, edge = sign_of(value - 1), log(value + sqrt(value**2 - 1))
        return None if above is None else ((S.Zero,), (-edge, edge), ())[above]
    if isinstance(function, Phi):
        return (S.Zero,) if value == Rational(1, 2) else None
    return None


def _inverse_of_unit_range(function: Any, value: Any) -> tuple[Any, ...] | None:
    """Invert tanh, erf, sin or cos, whose values lie in [−1, 1]."""
    inside = {sign_of(1 - value), sign_of(1 + value)}
    if None in inside:
        return None
    if -1 in inside or (isinstance(function, tanh | erf) and 0 in inside):
        return ()
    if isinstance(function, sin | cos):
        raise InputError(f"infinitely many kinks: {function} crosses {value} again and again")
    if isinstance(function, tanh):
        return (log((1 + value) / (1 - value)) / 2,)
    return (S.Zero,) if value == 0 else None


# ------------------------------------------------------------------------------
# The functions that make kinks


def contains_kinks(expr: Any, x: Any) -> bool:
    """Tell whether a Max, Min, Abs, sign, Heaviside or Piecewise of x occurs."""
    return _innermost(expr, x) is not None


def _innermost(expr: Any, x: Any) -> Any:
    """Find a kinked node whose conditions are free of kinked nodes."""
    if not expr.args or x not in expr.free_symbols:
        return None
    if isinstance(expr, Piecewise):
        inner = (_innermost(branch.cond, x) for branch in expr.args)
    else:
        inner = (_innermost(argument, x) for argument in expr.args)
    found = next((node for node in inner if node is not None), None)
    if found is not None:
        return found
    return expr if isinstance(expr, _KINKED) else None


def _conditions(node: Any) -> Iterator[Any]:
    """Yield the expressions whose signs decide which branch of the node holds."""
    if isinstance(node, Abs | sign | Heaviside):
        yield node.args[0]
    elif isinstance(node, Max | Min):
        for a, b in combinations(node.args, 2):
            yield a - b
    else:
        for branch in node.args:
            for relation in branch.cond.atoms(Relational):
                yield relation.lhs - relation.rhs


def _branch(node: Any, decide: Callable[[Any], int]) -> Any:
    """Return what the node is where the signs are as `decide` says."""
    if isinstance(node, Piecewise):
        for branch in node.args:
            if _holds(branch.cond, decide):
                return branch.expr
        raise InputError(f"the cases of {node} do not cover the line: add a last case (…, True)")
    if isinstance(node, Max | Min):
        wanted = 1 if isinstance(node, Max) else -1
        best = node.args[0]
        for other in node.args[1:]:
            if decide(other - best) == wanted:
                best = other
        return best
    decided = decide(node.args[0])
    if isinstance(node, Abs):
        return decided * node.args[0]
    if isinstance(node, sign):
        return S(decided)
    return S(decided + 1) / 2


def _holds(condition: Any, decide: Callable[[Any], int]) -> bool:
    if isinstance(condition, BooleanTrue | BooleanFalse):
        return bool(condition)
    if isinstance(condition, And):
        return all(_holds(c, decide) for c in condition.args)
    if isinstance(condition, Or):
        return any(_holds(c, decide) for c in condition.args)
    if isinstance(condition, Not):
        return not _holds(condition.args[0], decide)
    if isinstance(condition, Relational):
        decided = decide(condition.lhs - condition.rhs)
        return {
            ">": decided > 0,
            ">=": decided >= 0,
            "<": decided < 0,
            "<=": decided <= 0,
            "==": decided == 0,
            "!=": decided != 0,
        }[condition.rel_op]
    raise InputError(
        f"cannot use the condition {condition}: comparisons joined by And, Or, Not are understood"
    )


def _decider(x: Any, point: Any) -> Callable[[Any], int]:
    def decide(condition: Any) -> int:
        value = condition.subs(x, point) if x in condition.free_symbols else condition
        decided = sign_of(value)
        if decided is None:
            raise InputError(f"cannot tell the sign of {value}: give a number to {_names(value)} (--param)")
        return decided

    return decide


def _split(expr: Any, x: Any, lower: Any, upper: Any) -> list[Piece]:
    node = _innermost(expr, x)
    if node is None:
        return [Piece(lower, upper, expr)]
    points = tuple(p for condition in _conditions(node) for p in sign_changes(condition, x))
    bounds = [lower, *_ordered(points, lower, upper), upper]
    pieces: list[Piece] = []
    for left, right in pairwise(bounds):
        branch = _branch(node, _decider(x, _sample(left, right)))
        pieces += _split(expr.xreplace({node: branch}), x, left, right)
        if len(pieces) > _MAX_PIECES:
            raise InputError(f"more than {_MAX_PIECES} pieces")
    return pieces


def _branch_points(piece: Piece, x: Any) -> list[Any]:
    """Find where a fractional power or a logarithm meets the zero of its argument: g is not analytic."""
    points: list[Any] = []
    for node in piece.expr.atoms(Pow, log):
        argument = node.args[0]
        if x not in argument.free_symbols or (isinstance(node, Pow) and node.exp.is_integer is not False):
            continue
        try:
            points += sign_changes(argument, x)
        except InputError:
            continue  # the enclosure meets the branch cut itself, and says so
    return _ordered(tuple(points), piece.lower, piece.upper)


# ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression that is analytic on the open interval (lower, upper)."""

    lower: Any
    upper: Any
    expr: Any


@dataclass(frozen=True)
class PiecewiseSmooth:
    """A function on the line, given by analytic pieces between exact breakpoints.

    The value at a breakpoint itself is not defined: it has probability zero.

    Attributes
    ----------
    variable : Symbol
    pieces : tuple of Piece
        Ordered; they cover the line, and neighbours differ.

    Examples
    --------
    >>> from sympy import Max
    >>> from initmath.integral import x
    >>> from initmath.piecewise import PiecewiseSmooth
    >>> relu = PiecewiseSmooth.from_expr(Max(x, 0), x)
    >>> relu.breakpoints, [p.expr for p in relu.derivative().pieces]
    ((0,), [0, 1])
    """

    variable: Any
    pieces: tuple[Piece, ...]

    @classmethod
    def from_expr(cls, expr: Any, x: Any) -> PiecewiseSmooth:
        """Split an expression at the kinks of its Max, Min, Abs, sign, Heaviside and Piecewise.

        Parameters
        ----------
        expr : Expr
        x : Symbol
            A real symbol; other symbols are parameters, ordered by their assumptions.

        Raises
        ------
        InputError
            If the kinks are infinitely many, cannot be found exactly or cannot be ordered.

        Examples
        --------
        >>> from sympy import Max, Min
        >>> from initmath.integral import x
        >>> PiecewiseSmooth.from_expr(x * Min(Max(x + 3, 0), 6) / 6, x).breakpoints
        (-3, 3)
        """
        if expr.has(RoundFunction):
            raise InputError("infinitely many kinks: floor and ceiling have one at every integer")
        merged: list[Piece] = []
        for piece in _split(expr, x, -oo, oo):
            if merged and merged[-1].expr == piece.expr:
                merged[-1] = Piece(merged[-1].lower, piece.upper, piece.expr)
            else:
                merged.append(piece)
        analytic: list[Piece] = []
        for piece in merged:
            bounds = [piece.lower, *_branch_points(piece, x), piece.upper]
            analytic += [Piece(left, right, piece.expr) for left, right in pairwise(bounds)]
        return cls(x, tuple(analytic))

    @property
    def breakpoints(self) -> tuple[Any, ...]:
        """The points between the pieces, in order."""
        return tuple(piece.lower for piece in self.pieces[1:])

    def map(self, fn: Callable[[Any], Any]) -> PiecewiseSmooth:
        """Apply an analytic operation to each piece, e.g. ``lambda e: e**2``; the breakpoints stay."""
        return PiecewiseSmooth(self.variable, tuple(Piece(p.lower, p.upper, fn(p.expr)) for p in self.pieces))

    def derivative(self) -> PiecewiseSmooth:
        """Return the derivative almost everywhere (jumps have no delta in it)."""
        return self.map(lambda e: e.diff(self.variable))

    def as_steps(self) -> Any:
        """Return f₀ + Σ (f_k − f_{k−1})·Heaviside(x − c_k, ½): the first piece plus every change.

        Examples
        --------
        >>> from sympy import Abs
        >>> from initmath.integral import x
        >>> PiecewiseSmooth.from_expr(Abs(x), x).as_steps()
        2*x*Heaviside(x) - x
        """
        x = self.variable
        total = self.pieces[0].expr
        for before, after in pairwise(self.pieces):
            total += (after.expr - before.expr) * Heaviside(x - after.lower, Rational(1, 2))
        return total

    def as_expr(self) -> Any:
        """Return the function as a SymPy Piecewise, for display; right-continuous at the breakpoints."""
        if len(self.pieces) == 1:
            return self.pieces[0].expr
        cases = [(p.expr, self.variable < p.upper) for p in self.pieces[:-1]]
        return Piecewise(*cases, (self.pieces[-1].expr, True), evaluate=False)

    def subs(self, mapping: Mapping[Any, Any]) -> PiecewiseSmooth:
        """Substitute parameters, in the pieces and in the breakpoints (whose order must not change)."""
        pieces = (Piece(*(e.subs(mapping) for e in (p.lower, p.upper, p.expr))) for p in self.pieces)
        return PiecewiseSmooth(self.variable, tuple(pieces))

    def jumps(self) -> tuple[tuple[Any, Any], ...]:
        """Return (point, size) wherever the function itself is discontinuous; size is g(c+) − g(c−).

        Examples
        --------
        >>> from sympy import sign
        >>> from initmath.integral import x
        >>> PiecewiseSmooth.from_expr(sign(x), x).jumps()
        ((0, 2),)
        """
        found = []
        for before, after in pairwise(self.pieces):
            point = after.lower
            size = _at(after.expr, self.variable, point, "+") - _at(before.expr, self.variable, point, "-")
            if not _vanishes(size):
                found.append((point, expand(size)))
        return tuple(found)


def _at(expr: Any, x: Any, point: Any, side: str) -> Any:
    """Return the one-sided limit at a breakpoint; the value where the piece is analytic there."""
    value = expr.subs(x, point)
    if value.has(S.NaN, S.ComplexInfinity, oo, -oo):
        from sympy import limit

        try:
            return limit(expr, x, point, side)
        except NotImplementedError:
            names = ", ".join(sorted(map(str, expr.free_symbols - {x})))
            raise InputError(
                f"what {expr} does at {x} = {point} depends on {names}: give {names} a value"
            ) from None
    return value


_PROBES = (Rational(7, 11), Rational(13, 5), Rational(17, 3))


def _vanishes(size: Any) -> bool:
    """Tell whether an exact constant is zero; with parameters, for all of their values."""
    if size.has(S.NaN):
        return False
    if size in (oo, -oo, S.ComplexInfinity):
        return False
    if size == 0 or sign_of(size) == 0:
        return True
    if not size.free_symbols or sign_of(size) is not None:
        return False
    symbols = sorted(size.free_symbols, key=lambda s: s.name)
    return all(sign_of(size.subs({s: probe + k for k, s in enumerate(symbols)})) == 0 for probe in _PROBES)
