r"""The correlation map at a fixed point of the length map, and its fixed points.

.. math:: C(c) = \frac{\sigma_w^2 k(q^*, q^*, c) + \sigma_b^2}{q^*}
          = \frac{\sigma_b^2}{q^*} + \frac{\sigma_w^2}{q^*} \sum_n a_n^2 c^n,\qquad C(1) = 1.

Everything follows from a_n² ≥ 0.  With T_j = Σ_{n>j} a_n²,

.. math:: G(c) = \frac{1 - C(c)}{1 - c} = \frac{\sigma_w^2}{q^*} \sum_{j \ge 0} T_j c^j

increases on [0, 1] from G(0) ≤ 1 to G(1) = χ₁.  A fixed point other than 1 is a root of G = 1: there is none
in [0, 1) if χ₁ ≤ 1, exactly one if χ₁ > 1, and it attracts; unless G ≡ 1, where every c is one (g linear, no
biases).  Below 0 there is only −1, and only for an odd g without biases: with the odd part O(s) ≤ s·O(1) ≤ s,
a fixed point −s needs O(s) = s + σ_b²/q* + E(s).  No term of G cancels another, so 1 − c* is as accurate as
c*.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import arb

from initmath import moments
from initmath.balls import bits, relative_error, working_precision
from initmath.errors import Divergent, NotEnclosed
from initmath.meanfield.hermite import coefficients

__all__ = ["CorrelationMap", "correlation_map", "fixed_correlation"]

FIRST, LAST = 48, 768
"""How many Hermite coefficients are tried, at first and at last."""

SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class CorrelationMap:
    """C, G and C' as balls.

    Attributes
    ----------
    weight : arb
        σ_w²/q*.
    squares : tuple of arb
        a_n², n < M.
    tails : tuple of arb
        T_j = Σ_{n>j} a_n², j < M.
    rest : arb or None
        Σ_{n≥M} n a_n² = q E g'² − Σ_{n<M} n a_n²; None for a g with jumps, where it is infinite.
    late : arb or None
        Σ_{j≥M} T_j, likewise.
    """

    weight: arb
    squares: tuple[arb, ...]
    tails: tuple[arb, ...]
    rest: arb | None
    late: arb | None

    def gap(self, c: arb) -> arb:
        """Return 1 − C(c), 0 ≤ c ≤ 1."""
        return (1 - c) * self.ratio(c)

    def value(self, c: arb) -> arb:
        """Return C(c), 0 ≤ c ≤ 1."""
        return 1 - self.gap(c)

    def ratio(self, c: arb) -> arb:
        """Return G(c) = (1 − C(c))/(1 − c), 0 ≤ c ≤ 1."""
        count = len(self.tails)
        total = _horner(self.tails, c)
        above = arb.pos_inf()
        if c < 1:
            above = (self.tails[-1] / (1 - c)).upper()
        if self.late is not None:
            above = above.min(self.late.upper())
        beyond = above * c**count
        return self.weight * (total + arb(0).union(beyond.upper().max(arb(0))))

    def slope(self, c: arb) -> arb:
        """Return C'(c) = σ_w² E g'(y₁) g'(y₂), 0 ≤ c < 1 (and 1 if g has no jumps)."""
        count = len(self.squares)
        total = _horner([n * a for n, a in enumerate(self.squares)][1:], c)
        bounds = []
        if self.rest is not None:
            bounds.append(self.rest.upper() * c ** (count - 1))
        if c < 1:
            # n c^{n−1} ≤ (M + k) c^{M+k−1}, and Σ over k of the excess is geometric.
            bounds.append(self.tails[-1].upper() * _largest_term(c, count))
        beyond = min(bounds, key=lambda b: float(b.upper())).upper().max(arb(0))
        return self.weight * (total + arb(0).union(beyond))


def _horner(terms: Any, c: arb) -> arb:
    total = arb(0)
    for term in reversed(terms):
        total = total * c + term
    return total


def _largest_term(c: arb, count: int) -> arb:
    """Bound n c^{n−1} for n ≥ count: it has its peak at n = 1/ln(1/c)."""
    if c.upper() <= 0:
        return arb(0)
    here = count * c ** (count - 1)
    rate = -(c.upper().log())
    if count * rate >= 1:
        return here
    return (1 / (rate * c * arb(1).exp())).max(here)


def correlation_map(
    activation: Any, q: arb, weight: arb, count: int, digits: int, *, jumps: bool
) -> CorrelationMap:
    """Build the map from ``count`` certified coefficients.

    Parameters
    ----------
    activation : Activation
    q : arb
        The fixed point.
    weight : arb
        σ_w²/q.
    count, digits : int
    jumps : bool
        Whether g is discontinuous, so that Σ n a_n² is infinite.
    """
    found = coefficients(activation, q, count, digits)
    with working_precision(bits(2 * digits)):
        squares = tuple(a * a for a in found)
        left = moments.ball(activation, "second_moment", q, digits)
        tails = []
        for square in squares:
            left = (left - square).nonnegative_part()
            tails.append(left)
        rest = late = None
        if not jumps:
            try:
                whole = q * moments.ball(activation, "derivative_second_moment", q, digits)
            except (Divergent, NotEnclosed):
                whole = arb.pos_inf()
            if whole.is_finite():
                weighted = sum((n * a for n, a in enumerate(squares)), arb(0))
                rest = (whole - weighted).nonnegative_part()
                late = (whole - sum(tails, arb(0))).nonnegative_part()
    return CorrelationMap(weight, squares, tuple(tails), rest, late)


def fixed_correlation(
    build: Callable[[int], CorrelationMap], digits: int, seconds: float = SECONDS
) -> tuple[arb, arb, arb]:
    """Return c*, 1 − c* and C'(c*) in the chaotic phase, χ₁ > 1.

    Parameters
    ----------
    build : callable
        Number of coefficients → `CorrelationMap`.
    digits : int
        Relative accuracy asked of each of the three; more coefficients are taken until it is there, or until
        they or the time are used up.  The balls are rigorous in any case.

    Raises
    ------
    NotEnclosed
        If c* could not be separated from 1.
    """
    deadline = time.monotonic() + seconds
    count, best = FIRST, None
    while True:
        started = time.monotonic()
        found = _solve(build(count), digits)
        if found is not None:
            best = found if best is None else tuple(map(_narrower, best, found))
            if all(relative_error(part) <= 10.0**-digits for part in best):
                break
        spent = time.monotonic() - started
        # Twice the coefficients cost about three times as much.
        if count >= LAST or time.monotonic() + 3 * spent > deadline:
            break
        count *= 2
    if best is None:
        raise NotEnclosed(f"c* could not be separated from 1 with {count} Hermite coefficients")
    return best[0], best[1], best[2]


def _narrower(first: arb, second: arb) -> arb:
    return second if second.rad() < first.rad() else first


def _solve(curve: CorrelationMap, digits: int) -> tuple[arb, arb, arb] | None:
    """Find where G = 1, by halving in t = 1 − c and a final secant; every sign is a ball's."""
    with working_precision(bits(2 * digits) + 20):

        def sign(t: arb) -> int:
            value = curve.ratio(1 - t) - 1
            return 1 if value > 0 else -1 if value < 0 else 0

        if sign(arb(1)) >= 0:
            return None if sign(arb(1)) > 0 else _at_zero(curve)
        inside, outside = None, arb(1)
        t = arb(1) / 2
        for _ in range(200):
            here = sign(t)
            if here > 0:
                inside = t
                break
            if here < 0:
                outside = t
            t = t / 2
        if inside is None:
            return None
        low, high = inside, outside
        low, high = _narrowed(sign, low, high, digits)
        gap = low.union(high)
        c = 1 - gap
        return c, gap, curve.slope(c)


def _narrowed(sign: Callable[[arb], int], low: arb, high: arb, digits: int) -> tuple[arb, arb]:
    """Halve [low, high] (G > 1 at low, < 1 at high) as long as the signs tell, from both ends at last."""
    tolerance = arb(10) ** -(digits + 2)
    for _ in range(8 * digits + 80):
        if (high - low) < tolerance * low:
            return low.mid(), high.mid()
        middle = ((low + high) / 2).mid()
        here = sign(middle)
        if here == 0:
            return _pushed(sign, low, middle, 1), _pushed(sign, high, middle, -1)
        low, high = (middle, high) if here > 0 else (low, middle)
    return low.mid(), high.mid()


def _pushed(sign: Callable[[arb], int], end: arb, towards: arb, wanted: int) -> arb:
    """Move an end as far as its sign stays proven."""
    for _ in range(60):
        middle = ((end + towards) / 2).mid()
        if sign(middle) == wanted:
            end = middle
        else:
            towards = middle
        if abs(end - towards) < abs(towards) * arb(10) ** -60:
            break
    return end.mid()


def _at_zero(curve: CorrelationMap) -> tuple[arb, arb, arb] | None:
    """Treat G(0) = 1 within its ball: c* is 0 or so near to it that more digits are needed."""
    c = arb(0)
    step = arb(2) ** -40
    if not curve.ratio(step) - 1 > 0:
        return None
    wide = c.union(step)
    return wide, 1 - wide, curve.slope(wide)
