"""PARITY: an odd integrand has expectation 0; an even one needs half the line only."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from sympy import Add, Heaviside, Integer, Rational, S, oo

from initmath.derivation import Declined, Step
from initmath.gaussian.atoms import atoms_of, integral_of, mirrored, only_atom
from initmath.gaussian.convergence import pole
from initmath.gaussian.references import CALCULUS, TONG
from initmath.gaussian.rules.split import pieces_of
from initmath.integral import GaussianIntegral
from initmath.piecewise import contains_kinks, sign_of

__all__ = ["apply"]

NAME = "parity"

INTEGRABLE = "E|f| < ∞"
"""What no symmetry can do without."""


def apply(node: GaussianIntegral) -> Step | Declined:
    """E f = 0 if f(−x) = −f(x); E f·1(x>0) = ½ E f and E f = 2 E f·1(x>0) if f(−x) = f(x).

    Examples
    --------
    >>> from sympy import sin
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.parity import apply
    >>> apply(GaussianIntegral(sin(x) ** 3, x, 0, q)).after
    0
    """
    if any(m != 0 for m in node.mean):
        return Declined(NAME, "the mean is not zero, so reflection is no symmetry of the law")
    f, variables = node.integrand, tuple(node.variables)
    law = "x and −x have the same distribution N(0, S)"
    kinked = len(variables) == 1 and contains_kinks(f, variables[0])
    if not kinked:
        if Add(f, mirrored(f, variables)) == 0:
            return _zero(node, f"The integrand is odd, and {law}")
        return _odd_part(node)
    atom = only_atom(node)
    if atom is not None and len(atom.kernel.factors) >= 1:
        step = _half(node, atom)
        if step is not None:
            return step
        return Declined(NAME, "the integrand has an indicator and no symmetry to use")
    return _pieces(node)


def _zero(node: GaussianIntegral, reason: str, pieces: Any = ()) -> Step | Declined:
    """E f = 0 for an odd f, if the integral exists."""
    variables = tuple(node.variables)
    if len(variables) == 1:
        parts = [(piece.expr, piece.lower, piece.upper) for piece in pieces] or [(node.integrand, -oo, oo)]
        for part, lower, upper in parts:
            hindrance = pole(part, variables[0], lower, upper)
            if hindrance is not None:
                return Declined(NAME, f"the integrand is odd, but its integral may not exist: {hindrance}")
    return Step(NAME, node, S.Zero, reason, (INTEGRABLE,), (TONG,))


def _odd_part(node: GaussianIntegral) -> Step | Declined:
    """One smooth atom without symmetry as a whole: its odd monomials vanish against an even kernel."""
    variables = tuple(node.variables)
    found = atoms_of(node.integrand, variables)
    if len(found) != 1:
        return Declined(NAME, "the integrand is neither odd nor even as it stands")
    ((atom),) = found
    kernel = atom.kernel.as_expr(variables)
    if kernel == 1 or atom.degree == 0:
        return Declined(NAME, "the integrand is neither odd nor even as it stands")
    reflected = mirrored(kernel, variables)
    if reflected not in (kernel, -kernel):
        return Declined(NAME, "the integrand is neither odd nor even as it stands")
    parity = 0 if reflected == kernel else 1
    kept = {m: c for m, c in atom.polynomial.items() if sum(m) % 2 == parity}
    if len(kept) == len(atom.polynomial):
        return Declined(NAME, "the integrand is even already")
    return Step(
        NAME,
        node,
        integral_of(node, kept, atom.kernel),
        "The odd part of the integrand has expectation 0, because x and −x have the same distribution",
        (),
        (TONG,),
    )


def _half(node: GaussianIntegral, atom: Any) -> Step | None:
    """E f(x) 1(±x > 0) = ½ E f for even f."""
    kernel = atom.kernel
    hard = [f for f in kernel.factors if f.hard]
    if len(node.variables) != 1 or len(hard) != 1 or hard[0].offset != 0:
        return None
    bare = replace(kernel, factors=tuple(f for f in kernel.factors if not f.hard))
    variables = tuple(node.variables)
    function = bare.as_expr(variables)
    reflected = mirrored(function, variables)
    if reflected == function:
        parity = 0
    elif reflected == -function:
        parity = 1
    else:
        return None
    if any(sum(m) % 2 != parity for m in atom.polynomial):
        return None
    after = integral_of(node, atom.polynomial, bare) * Rational(1, 2)
    return Step(
        NAME,
        node,
        after,
        "The function beside the indicator is even, so each half of the line gives half of its expectation",
        (),
        (CALCULUS,),
    )


def _pieces(node: GaussianIntegral) -> Step | Declined:
    """Symmetry of a function with kinks, seen on its pieces."""
    (x,) = node.variables
    split = pieces_of(node.integrand, x)
    if isinstance(split, Declined):
        return Declined(NAME, split.reason)
    pieces = split.pieces
    if len(pieces) < 2:
        return Declined(NAME, "smooth")
    sign = _symmetry(pieces, x)
    if sign == -1:
        return _zero(node, "The integrand is odd, and x and −x have the same distribution", pieces)
    if sign is None:
        return Declined(NAME, "the integrand is neither odd nor even")
    right = [p for p in pieces if sign_of(p.upper) == 1]
    first = right[0]
    total = []
    if sign_of(first.lower) == 0:
        total.append(2 * _integral(node, first.expr * Heaviside(x)))
    else:
        total.append(_integral(node, first.expr))
    for before, after in pairwise(right):
        jump = after.expr - before.expr
        total.append(Integer(2) * _integral(node, jump * Heaviside(x - after.lower)))
    return Step(
        NAME,
        node,
        Add(*total),
        "The integrand is even, so both halves of the line give the same; 1(x > c) is written θ(x − c)",
        (),
        (TONG,),
    )


def _integral(node: GaussianIntegral, f: Any) -> Any:
    return S.Zero if f == 0 else node.func(f, node.variables, node.mean, node.covariance)


def _symmetry(pieces: Any, x: Any) -> int | None:
    """1 if the pieces are those of an even function, −1 odd, else None."""
    if any(a.upper != -b.lower for a, b in zip(pieces[:-1], reversed(pieces[1:]), strict=True)):
        return None
    found = {1, -1}
    for left, right in zip(pieces, reversed(pieces), strict=True):
        reflected = left.expr.xreplace({x: -x})
        found = {s for s in found if _same(reflected, s * right.expr)}
        if not found:
            return None
    return max(found)


def _same(left: Any, right: Any) -> bool:
    difference = left - right
    if difference == 0:
        return True
    return bool(difference.expand() == 0)
