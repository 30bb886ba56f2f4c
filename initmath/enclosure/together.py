r"""E f(√q z) for many q at once: the same nodes and the same bound of f for all of them.

Between two cuts the line is divided into intervals [m − h, m + h], and each is left to the rule of Gauss and
Legendre with n nodes.  If \|f\| ≤ M on a rectangle around the ellipse m + h(w + 1/w)/2, \|w\| = ρ, and
\|exp(−x²/2q)\| ≤ G there, Chebyshev's expansion of the product has \|a_k\| ≤ 2MGρ^{−k}.  The rule is right
for k < 2n and, for symmetry, for every odd k; so

.. math:: |I - I_n| \le h \sum_{k \ge 2n,\ k\ \mathrm{even}} 2MG\rho^{-k}\left(\frac{2}{k^2-1} + 2\right)
          \le \frac{64}{15}\,\frac{h\,MG\,\rho^{-2n}}{1 - \rho^{-2}}, \qquad n \ge 2.

M and the values of f do not depend on q: to integrate for twenty q takes as many of them as for one.

References
----------
.. [1] L. N. Trefethen, Approximation Theory and Approximation Practice, 2013, theorem 19.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb, arb_mat

from initmath.balls import program, working_precision
from initmath.enclosure.plan import plan
from initmath.enclosure.problem import (
    Budget,
    Problem,
    choose_cuts,
    choose_marks,
    decay_marks,
    ends_of,
    pose,
)
from initmath.enclosure.tails import log_peak, tail
from initmath.errors import NotEnclosed
from initmath.piecewise import PiecewiseSmooth

__all__ = ["expectations"]

BITS = 64
DIGITS = 9
"""More are not asked of so few bits."""

SPARE = 3
"""Digits aimed at beyond those asked."""

SECONDS = 0.5
"""What is not done by then is better done one by one."""

MOST_NODES = 30
"""An interval that needs more is bisected."""

NARROW = 1e-12
"""Half length of an interval, relative to its ends, below which it is not worth a rule."""

DEEPEST = 60
"""Bisections, after which f is not taken for analytic on the interval."""


@dataclass(frozen=True)
class _Ellipse:
    """ρ, and the half axes of an ellipse that contains the one of ρ about [−1, 1]."""

    rho: arb
    across: arb
    up: arb

    @classmethod
    def of(cls, numerator: int, denominator: int) -> _Ellipse:
        with working_precision(BITS):
            rho = arb(numerator) / denominator
            return cls(rho, arb(((rho + 1 / rho) / 2).upper()), arb(((rho - 1 / rho) / 2).upper()))


_ELLIPSES = (_Ellipse.of(6, 1), _Ellipse.of(7, 2), _Ellipse.of(9, 4))


class _Unfit(Exception):
    """Something that this quadrature does not do."""


def expectations(
    f: PiecewiseSmooth, q: Sequence[arb], digits: int, seconds: float = SECONDS
) -> tuple[arb, ...] | None:
    r"""Enclose E f(√q z) for each q, of which the largest is not many times the smallest.

    Parameters
    ----------
    f : PiecewiseSmooth
        Without parameters.
    q : sequence of arb
        Exact.
    digits : int
        Accuracy asked, relative to E|f|, up to 9; three digits more are aimed at.
    seconds : float, optional
        Time after which it is given up.

    Returns
    -------
    tuple of arb or None
        None where each q is better integrated on its own: f is odd, unbounded at the end of a piece, not
        seen to be analytic beside its pieces, too rough for the time, or known too badly with 64 bits for the
        accuracy asked.

    Raises
    ------
    Divergent
        The integral at the largest q does not exist.
    NotEnclosed
        No bound of the growth of f was found.

    Examples
    --------
    >>> from sympy import tanh
    >>> from initmath.integral import x
    >>> f = PiecewiseSmooth.from_expr(tanh(x) ** 2, x)
    >>> [ball.str(8, radius=False) for ball in expectations(f, [arb(1), arb(2)], 9)]
    ['0.39429449', '0.51997575']
    """
    if digits > DIGITS:
        return None
    with working_precision(BITS):
        top = max(q, key=float)
        problem = pose(plan(f), top, {}, Budget(seconds))
        if problem.plan.parity == -1 or problem.singular:
            return None
        try:
            return _Quadrature(problem, tuple(q), digits).run()
        except _Unfit:
            return None


class _Quadrature:
    """The integral between the cuts, all q side by side."""

    def __init__(self, problem: Problem, q: tuple[arb, ...], digits: int) -> None:
        self.problem = problem
        self.q = q
        self.digits, self.aim = digits, digits + SPARE
        self.rates = [-1 / (2 * each) for each in q]
        self.low, self.top = (float(end) for end in (min(q, key=float), problem.q))
        x = problem.plan.variable
        self.parts = [(p, program(p.expr, x).bind({}, BITS)) for p in problem.pieces if p.expr != 0]
        marks = (choose_marks(end**0.5, problem.sides, arb(end)) for end in (self.low, self.top))
        self.marks = sorted({mark for some in marks for mark in some})
        self.log_goals: list[float] = []

    def run(self) -> tuple[arb, ...]:
        problem, sides = self.problem, self.problem.sides
        if not self.parts:
            return tuple(arb(0) for _ in self.q)
        highest = max(log_peak(b, problem.q, start) for bounds, start in sides.values() for b in bounds)
        sizes = self._sizes(choose_cuts(sides, problem.q, highest - 15, self.aim))
        if not all(size > 0 and size.is_finite() for size in sizes):
            raise _Unfit
        logs = [float(size.log()) for size in sizes]
        self.log_goals = [log - (self.aim + 3) * math.log(10) for log in logs]
        cuts = choose_cuts(sides, problem.q, logs[self.q.index(problem.q)], self.aim)
        totals = [arb(0)] * len(self.q)
        for piece, function in self.parts:
            for left, right in self._spans(piece, cuts):
                found = self._integral(function, left, right)
                totals = [total + part for total, part in zip(totals, found, strict=True)]
        if problem.plan.parity:
            totals = [2 * total for total in totals]
        totals = [total + arb(0, self._rest(each, cuts)) for each, total in zip(self.q, totals, strict=True)]
        allowed = arb(10) ** -self.digits
        if not all(total.rad() < size * allowed for total, size in zip(totals, sizes, strict=True)):
            raise _Unfit
        return tuple(total / (2 * arb.pi() * each).sqrt() for each, total in zip(self.q, totals, strict=True))

    def _rest(self, q: arb, cuts: dict[int, float]) -> arb:
        sides = self.problem.sides.items()
        return sum((tail(b, q, cuts[side]) for side, (bounds, _) in sides for b in bounds), arb(0)).upper()

    def _spans(self, piece: Any, cuts: dict[int, float]) -> list[tuple[arb, arb]]:
        lower, upper = ends_of(piece, cuts, {}, BITS)
        marks = sorted([*self.marks, *decay_marks(lower, upper, self.top)])
        return list(pairwise([lower, *(arb(m) for m in marks if m > lower and m < upper), upper]))

    def _sizes(self, cuts: dict[int, float]) -> list[arb]:
        """Estimate E|f| for each q, not normed, from two places in each interval: it only steers."""
        sizes = [arb(0)] * len(self.q)
        for piece, function in self.parts:
            for left, right in self._spans(piece, cuts):
                for place in (0.25, 0.6):
                    x = arb((left + (right - left) * place).mid())
                    value = abs(self._value(function, x)).mid() * (right - left).mid()
                    sizes = [
                        s + value * (x * x * rate).exp() for s, rate in zip(sizes, self.rates, strict=True)
                    ]
        return [arb(size.mid()) for size in sizes]

    def _integral(self, function: Callable[[Any, bool], Any], left: arb, right: arb) -> list[arb]:
        """Integrate over an interval for each q; where no rule of few nodes does, over its halves."""
        totals = [arb(0)] * len(self.q)
        waiting = [(left, right, 0)]
        while waiting:
            if self.problem.budget.spent():
                raise _Unfit
            left, right, depth = waiting.pop()
            half, middle = (right - left) / 2, (left + right) / 2
            if not half > (abs(left) + abs(right)) * NARROW:
                found = self._narrow(function, left, right)
            elif (chosen := self._choose(function, middle, half)) is not None:
                found = self._rule(function, middle, half, *chosen)
            else:
                cut = arb(middle.mid())
                if depth >= DEEPEST or not (cut > left and cut < right):
                    raise _Unfit
                waiting += [(left, cut, depth + 1), (cut, right, depth + 1)]
                continue
            totals = [total + part for total, part in zip(totals, found, strict=True)]
        return totals

    def _narrow(self, function: Callable[[Any, bool], Any], left: arb, right: arb) -> list[arb]:
        """Enclose the integral over an interval of about no length, as from a cut to an end."""
        whole = left.union(right)
        value = self._value(function, whole) * (right - left)
        return [value * (whole * whole * rate).exp() for rate in self.rates]

    def _choose(
        self, function: Callable[[Any, bool], Any], middle: arb, half: arb
    ) -> tuple[int, _Ellipse, arb] | None:
        """Choose the number of nodes, the ellipse that proves the error, and the bound of |f| on it."""
        best: tuple[int, _Ellipse, arb] | None = None
        h, m = float(half), abs(float(middle))
        for ellipse in _ELLIPSES:
            self.problem.budget.left -= 1
            place = acb(middle + half * arb(0, ellipse.across), half * arb(0, ellipse.up))
            try:
                largest = abs(function(place, True)).upper()
            except (ZeroDivisionError, ValueError, OverflowError, NotEnclosed):
                continue
            if not largest.is_finite():
                continue
            rho = float(ellipse.rho)
            log_size = float(largest.log()) if largest > 0 else -math.inf
            log_size += math.log(64 / 15 * h / (1 - rho**-2))
            gap = max(0.0, m - h * float(ellipse.across)) ** 2 - (h * float(ellipse.up)) ** 2
            short = max(
                log_size + gap * float(rate) - goal
                for rate, goal in zip(self.rates, self.log_goals, strict=True)
            )
            nodes = max(2.0, short / (2 * math.log(rho)))
            if nodes <= MOST_NODES and (best is None or nodes < best[0]):
                best = math.ceil(nodes), ellipse, largest
        return best

    def _rule(
        self,
        function: Callable[[Any, bool], Any],
        middle: arb,
        half: arb,
        count: int,
        ellipse: _Ellipse,
        largest: arb,
    ) -> list[arb]:
        """Apply the rule for each q, with the error that the ellipse proves."""
        places = [middle + half * x for x, _ in _nodes(count)]
        weights = [weight * half for _, weight in _nodes(count)]
        weighted = [self._value(function, x) * w for x, w in zip(places, weights, strict=True)]
        squares = [x * x for x in places]
        density = arb_mat(len(self.q), count, [(s * rate).exp() for rate in self.rates for s in squares])
        sums = density * arb_mat(count, 1, weighted)
        near = (abs(middle) - half * ellipse.across).lower().max(arb(0))
        far = (half * ellipse.up).upper()
        rest = 64 * half * largest * ellipse.rho ** (-2 * count) / (15 * (1 - 1 / ellipse.rho**2))
        return [
            sums[i, 0] + arb(0, (rest * ((near * near - far * far) * rate).exp()).upper())
            for i, rate in enumerate(self.rates)
        ]

    def _value(self, function: Callable[[Any, bool], Any], x: arb) -> arb:
        self.problem.budget.left -= 1
        try:
            value = function(x, False)
        except (ZeroDivisionError, ValueError, OverflowError, NotEnclosed):
            raise _Unfit from None
        if isinstance(value, acb):
            if not value.imag.contains(0):
                raise _Unfit
            value = value.real
        if not value.is_finite():
            raise _Unfit
        return value


@lru_cache(maxsize=64)
def _nodes(count: int) -> tuple[tuple[arb, arb], ...]:
    """Nodes and weights of Gauss and Legendre on [−1, 1]."""
    with working_precision(BITS + 16):
        return tuple(arb.legendre_p_root(count, k, weight=True) for k in range(count))
