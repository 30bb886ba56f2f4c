r"""Certified Hermite coefficients of an activation: the correlation map as a power series.

With h_n = He_n/√n! orthonormal under N(0, 1) and a_n = E g(√q z) h_n(z),

.. math:: k(q, q, c) = \sum_n a_n^2 c^n,\qquad \sum_n a_n^2 = E g^2,\qquad \sum_n n a_n^2 = q\,E g'^2

(Mehler; the last for a g without jumps).  So what a truncated series leaves out is known without any guess:
it is what is missing in Parseval's sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb
from sympy import Rational, oo

from initmath import enclosure, moments
from initmath.balls import bits, evaluate, program, to_arb, working_precision
from initmath.enclosure.plan import plan
from initmath.errors import NotEnclosed
from initmath.piecewise import Piece, PiecewiseSmooth
from initmath.solving.tails import clip

__all__ = ["coefficients"]

LOW = 64
"""Bits for the bounds that only need to be right, not sharp."""

RATIOS = (2.0, 3.0, 4.5, 7.0)
"""Sizes of the Bernstein ellipses on which an integrand is bounded: sums of the half-axes."""

DEEPEST = 60
"""A panel halved so often is left out, and its energy is added to the error."""

LARGEST_CUT = 60.0


@dataclass(frozen=True, slots=True)
class _Panel:
    """An interval of z on which g is analytic, with its Gauss-Legendre rule."""

    centre: arb
    half: arb
    nodes: int
    function: Callable[[acb, bool], acb]


def coefficients(activation: Any, q: arb, count: int, digits: int) -> tuple[arb, ...]:
    r"""Enclose a_n = E g(√q z) He_n(z)/√n! for n < count.

    Gauss-Legendre on panels: where |f| ≤ M on the Bernstein ellipse of size ρ, m nodes are off by at most
    (64/15) M ρ^{-2(m-1)}/(1 − ρ^{-2}).  There |He_n(z)|²/n! ≤ r^{-n} (1−r²)^{-1/2} e^{r x²/(1+r) +
    r y²/(1−r)} for every r in (0, 1), since each term of Mehler's sum at (z, z̄) is at most the sum.  What
    lies beyond the outermost panels is at most √E[g²; beyond], by Cauchy and Schwarz, for every n.

    Parameters
    ----------
    activation : Activation
    q : arb
        Pre-activation variance, q > 0; a ball gives balls for all q in it.
    count : int
        How many coefficients.
    digits : int
        Absolute accuracy 10^-digits·√(E g²) is aimed at; the radius of each ball is the error.

    Returns
    -------
    tuple of arb, length count

    Raises
    ------
    NotEnclosed, Divergent

    References
    ----------
    .. [1] L. N. Trefethen, Approximation Theory and Approximation Practice, 2013, theorem 19.3.
    .. [2] F. G. Mehler, J. reine angew. Math. 66 (1866) 161; see also NIST DLMF 18.18.28.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> a = coefficients(resolve("relu"), arb(1), 3, 15)
    >>> [abs(a[0] - 1 / (2 * arb.pi()).sqrt()) < 1e-14, abs(a[1] - 0.5) < 1e-14]
    [True, True]
    """
    values = moments.parameter_values(activation)
    function = activation.pieces.subs(values) if values else activation.pieces
    with working_precision(LOW):
        scale = moments.ball(activation, "second_moment", q, 6).sqrt().lower()
        if not scale > 0:
            return (arb(0),) * count
        goal = scale * arb(10) ** -digits
    cut, beyond = _cut(function, q, digits, goal)
    amplified = max(cut, 1.0) * math.sqrt(count)
    extra = count / 2 if math.sqrt(count) < cut else amplified - cut * cut / 2
    prec = bits(digits + 4) + int(1.45 * extra) + 20
    parity = {"odd": -1, "even": 1}.get(activation.parity, 0)
    with working_precision(prec):
        wide = to_arb(q)
        totals = [arb(0)] * count
        radius = beyond.upper()
        for panel, error in _panels(function, wide, cut, count, digits, goal, prec, parity != 0):
            radius += error
            if panel is not None:
                _add(totals, panel, wide)
        if parity:
            totals = [2 * t if (n % 2 == 0) == (parity == 1) else arb(0) for n, t in enumerate(totals)]
            radius = 2 * radius
        spread = arb(0, radius.upper())
        return tuple(
            t if parity and (n % 2 == 0) != (parity == 1) else t + spread for n, t in enumerate(totals)
        )


def _cut(function: PiecewiseSmooth, q: arb, digits: int, goal: arb) -> tuple[float, arb]:
    """Return a Z and a bound of √E[g²; |z| > Z] below the goal."""
    squared = function.map(lambda e: e**2)
    cut = math.sqrt(9.21 * (digits + 1))
    bound = arb.pos_inf()
    while cut < LARGEST_CUT:
        with working_precision(LOW):
            place = Rational(math.ceil(float((q.upper().sqrt() * cut).upper()) * 2**20), 2**20)
            outside = PiecewiseSmooth(function.variable, clip(squared, place, keep_inside=False).pieces)
            bound = abs(enclosure.expectation(outside, q, 3)).sqrt().upper()
            reach = float((to_arb(place) / q.lower().sqrt()).upper())
            if bound < goal:
                return reach, bound
        cut *= 1.25
    raise NotEnclosed(f"g grows too fast for its Hermite series at q = {float(q.mid()):.3g}")


def _panels(
    function: PiecewiseSmooth,
    q: arb,
    cut: float,
    count: int,
    digits: int,
    goal: arb,
    prec: int,
    half_line: bool,
) -> Iterator[tuple[_Panel | None, arb]]:
    """Cover [−Z, Z] (or [0, Z]) with panels; each comes with its error, the same for every coefficient."""
    ready = plan(function)
    root = q.sqrt()
    for piece in ready.pieces:
        low = arb(-cut) if piece.lower == -oo else (evaluate(piece.lower, {}, prec) / root).max(arb(-cut))
        high = arb(cut) if piece.upper == oo else (evaluate(piece.upper, {}, prec) / root).min(arb(cut))
        if half_line:
            low = low.max(arb(0))
        if piece.expr == 0 or low >= high:
            continue
        if not low < high:
            raise NotEnclosed("an end of the Hermite integrals falls on a kink")
        sharp = program(piece.expr, ready.variable).bind({}, prec)
        rough = program(piece.expr, ready.variable).bind({}, LOW)
        steps = max(1, math.ceil(float((high - low).mid())))
        marks = [low + (high - low) * k / steps for k in range(steps)] + [high]
        stack = [(a, b, 0) for a, b in pairwise(marks)]
        while stack:
            a, b, depth = stack.pop()
            centre, half = (a + b) / 2, (b - a) / 2
            found = _rule(rough, root, centre, half, count, digits, goal)
            if found is not None:
                nodes, error = found
                yield _Panel(centre, half, nodes, sharp), error
            elif depth < DEEPEST:
                # Towards a singular end the panels shrink geometrically.
                stack += [(a, centre.mid(), depth + 1), (centre.mid(), b, depth + 1)]
            else:
                yield None, _energy(piece, ready.variable, a * root, b * root, q)


def _rule(
    rough: Callable[[acb, bool], acb], root: arb, centre: arb, half: arb, count: int, digits: int, goal: arb
) -> tuple[int, arb] | None:
    """Return how many nodes a panel needs and a bound of its error; None where it must be halved."""
    best: tuple[int, arb] | None = None
    with working_precision(LOW):
        for ratio in RATIOS:
            bound = _bound(rough, root, centre, half, count, ratio)
            if not bound.is_finite():
                break
            step = arb(ratio) ** -2
            scale = half * bound * 64 / 15 / (1 - step)
            excess = (scale / (goal / 100)).log() if scale > 0 else arb(0)
            nodes = max(2, math.ceil(float(excess.upper()) / (2 * math.log(ratio))) + 2)
            if best is None or nodes < best[0]:
                best = nodes, (scale * step ** (nodes - 1)).upper()
    if best is None or best[0] > 24 + 2 * digits + math.isqrt(count):
        return None
    return best


def _bound(
    rough: Callable[[acb, bool], acb], root: arb, centre: arb, half: arb, count: int, ratio: float
) -> arb:
    """Bound |g(√q z) h_n(z) φ(z)| on an ellipse around a panel, for all n < count."""
    wide, tall = half * (ratio + 1 / ratio) / 2, half * (ratio - 1 / ratio) / 2
    top = arb(0)
    columns, rows = 4, 2
    for i in range(columns):
        left, right = centre - wide + wide * 2 * i / columns, centre - wide + wide * 2 * (i + 1) / columns
        for j in range(rows):
            box = acb(left.union(right), (tall * j / rows).union(tall * (j + 1) / rows))
            try:
                value = rough(box * root, True)
            except (ZeroDivisionError, ValueError, OverflowError, NotEnclosed):
                return arb.nan()
            if not value.is_finite():
                return arb.nan()
            top = top.max(abs(value).upper())
    nearest = (abs(centre) - wide).max(arb(0)).lower()
    gap = (tall / arb(max(count, 1)).sqrt()).upper().min(arb("0.5")).max(arb(2) ** -20).mid()
    r = 1 - gap
    growth = -(count * r.log()) / 2 - (1 - r * r).log() / 4
    growth += tall * tall / (2 * gap) - nearest * nearest / (2 * (1 + r))
    return top * growth.exp() / (2 * arb.pi()).sqrt()


def _energy(piece: Piece, variable: Any, low: arb, high: arb, q: arb) -> arb:
    """Bound √E[g²; low < x < high], which bounds what a panel left out takes from any coefficient."""
    # One unit outwards, so that the rational ends certainly contain the panel, but not across the piece's.
    ends = [Rational(float(low.lower())), Rational(float(high.upper()))]
    pad = (ends[1] - ends[0]) / 2**10
    lower = piece.lower if low.overlaps(_finite_end(piece.lower)) else ends[0] - pad
    upper = piece.upper if high.overlaps(_finite_end(piece.upper)) else ends[1] + pad
    zero = piece.expr * 0
    pieces = (Piece(-oo, lower, zero), Piece(lower, upper, piece.expr**2), Piece(upper, oo, zero))
    value = enclosure.expectation(PiecewiseSmooth(variable, pieces), q, 3)
    return abs(value).sqrt().upper()


def _finite_end(end: Any) -> arb:
    """Return a finite breakpoint as a ball; an infinite one as nothing that could overlap."""
    return arb(10) ** 300 if end in (oo, -oo) else evaluate(end, {}, LOW)


@lru_cache(64)
def _legendre(nodes: int, prec: int) -> tuple[tuple[arb, arb], ...]:
    with working_precision(prec):
        return tuple(arb.legendre_p_root(nodes, k, weight=True) for k in range(nodes))


def _add(totals: list[arb], panel: _Panel, q: arb) -> None:
    """Add Σ_i w_i g(√q z_i) φ(z_i) h_n(z_i) to each total, h by its recurrence."""
    from flint import ctx

    root, count = q.sqrt(), len(totals)
    norm = panel.half / (2 * arb.pi()).sqrt()
    roots = _square_roots(count, ctx.prec)
    for place, weight in _legendre(panel.nodes, (ctx.prec // 64 + 1) * 64):
        z = panel.centre + panel.half * place
        value = acb(panel.function(acb(z * root), False)).real
        if not value.is_finite():
            raise NotEnclosed("the activation has no finite enclosure at a node")
        # The recurrence widens balls like e^{|z|√n}: the value, as wide as q, is kept out of it.
        before, now = arb(0), weight * norm * (-z * z / 2).exp()
        for n in range(count):
            totals[n] += now * value
            before, now = now, (z * now - roots[n][0] * before) * roots[n][1]


@lru_cache(16)
def _square_roots(count: int, prec: int) -> tuple[tuple[arb, arb], ...]:
    """√n and 1/√(n+1)."""
    with working_precision(prec):
        return tuple((arb(n).sqrt(), arb(n + 1).rsqrt()) for n in range(count))
