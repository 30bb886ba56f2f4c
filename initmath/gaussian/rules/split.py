"""SPLIT: a function with kinks is a smooth function plus changes that are switched on at the kinks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Add, Heaviside, Mul, S, exp

from initmath.derivation import Declined, Step
from initmath.errors import InputError
from initmath.gaussian.references import CALCULUS
from initmath.integral import GaussianIntegral
from initmath.piecewise import PiecewiseSmooth, contains_kinks

__all__ = ["apply", "pieces_of"]

NAME = "split"


@lru_cache(maxsize=256)
def pieces_of(f: Any, x: Any) -> PiecewiseSmooth | Declined:
    """Return the smooth pieces of an expression, or the reason why they are not known."""
    try:
        return PiecewiseSmooth.from_expr(f, x)
    except InputError as error:
        return Declined(NAME, str(error))


def apply(node: GaussianIntegral) -> Step | Declined:
    """Write f as one of its pieces plus Σ (change at c_k)·θ(±(x − c_k)).

    The piece with no growing exponential is taken as the one that holds everywhere, so that an
    exponential piece keeps to its own side: E e^{2x}·1(x<0) = e^{2q} Φ(−2√q) then stays a product
    and is never a difference of huge numbers.

    Examples
    --------
    >>> from sympy import Max
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.split import apply
    >>> apply(GaussianIntegral(Max(0, x), x, 0, q)).after
    E[x*Heaviside(x); x ~ N(0, q)]
    """
    f, variables = node.integrand, tuple(node.variables)
    if not any(contains_kinks(f, v) for v in variables):
        return Declined(NAME, "the integrand is smooth")
    if _is_split(f, variables):
        return Declined(NAME, "already split: one indicator a term")
    parts = []
    for factor in Mul.make_args(f) if len(variables) > 1 else (f,):
        inside = [v for v in variables if v in factor.free_symbols]
        if len(inside) > 1 and any(contains_kinks(factor, v) for v in inside):
            return Declined(NAME, "a factor with kinks depends on two variables")
        if len(inside) != 1 or not contains_kinks(factor, inside[0]) or _is_split(factor, variables):
            parts.append(factor)
            continue
        pieces = pieces_of(factor, inside[0])
        if isinstance(pieces, Declined):
            return pieces
        parts.append(_switched(pieces, inside[0]))
    after = _linear(node, parts[0]) if len(parts) == 1 else _linear(node, Mul(*parts).expand())
    return Step(
        NAME,
        node,
        after,
        "On each interval between the kinks the function is one smooth expression; "
        "θ(x − c), which is 1 for x > c and 0 for x < c, switches on the change at each kink",
        (),
        (CALCULUS,),
    )


def _linear(node: GaussianIntegral, total: Any) -> Any:
    return Add(
        *(node.func(t, node.variables, node.mean, node.covariance) for t in Add.make_args(total) if t != 0)
    )


def _is_split(f: Any, variables: tuple[Any, ...]) -> bool:
    """Whether f is a smooth function times at most one indicator ±(x − c) > 0 in each variable."""
    seen = set()
    for factor in Mul.make_args(f):
        kinked = [v for v in variables if contains_kinks(factor, v)]
        if not kinked:
            continue
        if not isinstance(factor, Heaviside) or len(kinked) > 1 or kinked[0] in seen:
            return False
        if factor.args[0].diff(kinked[0]) not in (S.One, S.NegativeOne):
            return False
        seen.add(kinked[0])
    return True


def _switched(pieces: PiecewiseSmooth, x: Any) -> Any:
    """Telescoped sum around the piece that is cheapest to extend to the whole line."""
    parts = pieces.pieces
    base = min(range(len(parts)), key=lambda k: (_growth(parts[k].expr, x), k))
    if _growth(parts[base].expr, x)[1] and len(parts) > 1:  # no piece that may be used off its interval
        first, *middle, last = parts
        inner = [p.expr * (Heaviside(x - p.lower) - Heaviside(x - p.upper)) for p in middle]
        return Add(first.expr * Heaviside(first.upper - x), *inner, last.expr * Heaviside(x - last.lower))
    terms = [parts[base].expr]
    for k in range(base + 1, len(parts)):
        terms.append((parts[k].expr - parts[k - 1].expr) * Heaviside(x - parts[k].lower))
    for k in range(base - 1, -1, -1):
        terms.append((parts[k].expr - parts[k + 1].expr) * Heaviside(parts[k].upper - x))
    return Add(*terms)


def _growth(f: Any, x: Any) -> tuple[bool, bool, bool]:
    """Whether f holds an exponential, is no polynomial, is not zero: the cheapest base comes first."""
    awkward = not f.is_polynomial(x)
    return awkward and bool(f.has(exp)), awkward, f != 0
