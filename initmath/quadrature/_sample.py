"""Evaluate many panels at once: ∫ f(x) exp(−x²/2q) dx and what the samples say about their own accuracy.

The nodes live in x, so f is called at exactly the points whose Gaussian weight is taken: rounding of √q z
never reaches f.  Where exp(−x²/2q) would lose digits that matter (its argument is large and the mass is
there) or leave the range of a double, the weight is taken in extended precision; f itself too, where f(x)
overflows a double.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.quadrature._rule import Rule

__all__ = ["Integrand", "Panels", "sample"]

Integrand = Callable[[NDArray[Any], NDArray[np.intp]], Any]
"""f(x, owner): x of shape (n, columns), owner of shape (columns,) says which q a column belongs to."""

_BLOCK = 384  # columns a block: the work arrays (n × columns) stay in the cache
_FAR = 37.0  # |z| from which exp(−z²/2) leaves the normal range of a double
_EPS = float(np.finfo(np.float64).eps)
_EPS_LONG = float(np.finfo(np.longdouble).eps)


@dataclass
class Panels:
    """Panels as parallel arrays; the second group is filled by `sample`.

    Attributes
    ----------
    left, right, owner
        Ends in x; index of the q.
    side : ndarray of int8
        −1 or +1 where the panel is the outermost of its q on that side, else 0.
    depth, before, stale
        How often it was bisected, the tail of its parent, how many bisections in a row brought nothing.
    integral, absolute : ndarray of longdouble
        ∫ f w and ∫ |f| w over the panel, w = exp(−x²/2q).
    tail : ndarray of longdouble
        Estimated truncation error of ``integral``.
    rounding : ndarray of longdouble
        Bound for the rounding of ``integral`` given f to the last bits.
    at_left, at_right : ndarray of longdouble
        The interpolant of f w at the two ends.
    outer : ndarray of longdouble
        |f w| at the outermost node.
    bad : ndarray of bool
        f was not finite here, in extended precision too.
    extended : ndarray of bool
        Whether to work in extended precision.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    owner: NDArray[np.intp]
    side: NDArray[np.int8]
    depth: NDArray[np.int64]
    before: NDArray[np.longdouble]
    stale: NDArray[np.int64]
    integral: NDArray[np.longdouble]
    absolute: NDArray[np.longdouble]
    tail: NDArray[np.longdouble]
    rounding: NDArray[np.longdouble]
    at_left: NDArray[np.longdouble]
    at_right: NDArray[np.longdouble]
    outer: NDArray[np.longdouble]
    bad: NDArray[np.bool_]
    extended: NDArray[np.bool_]

    @classmethod
    def new(
        cls,
        left: NDArray[np.float64],
        right: NDArray[np.float64],
        owner: NDArray[np.intp],
        side: NDArray[np.int8] | None = None,
        depth: NDArray[np.int64] | None = None,
        before: NDArray[np.longdouble] | None = None,
        stale: NDArray[np.int64] | None = None,
        extended: NDArray[np.bool_] | None = None,
    ) -> Panels:
        """Panels not yet sampled."""
        p = len(left)
        return cls(
            left=left,
            right=right,
            owner=owner,
            side=np.zeros(p, np.int8) if side is None else side,
            depth=np.zeros(p, np.int64) if depth is None else depth,
            before=np.full(p, np.inf, np.longdouble) if before is None else before,
            stale=np.zeros(p, np.int64) if stale is None else stale,
            integral=np.zeros(p, np.longdouble),
            absolute=np.zeros(p, np.longdouble),
            tail=np.zeros(p, np.longdouble),
            rounding=np.zeros(p, np.longdouble),
            at_left=np.zeros(p, np.longdouble),
            at_right=np.zeros(p, np.longdouble),
            outer=np.zeros(p, np.longdouble),
            bad=np.zeros(p, np.bool_),
            extended=np.zeros(p, np.bool_) if extended is None else extended,
        )

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: NDArray[Any]) -> Panels:
        """Select panels by mask or index."""
        return Panels(*(getattr(self, f.name)[which] for f in fields(self)))

    @staticmethod
    def join(parts: list[Panels]) -> Panels:
        """Concatenate."""
        if len(parts) == 1:
            return parts[0]
        return Panels(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Panels)))

    def halves(self) -> Panels:
        """Each panel cut in the middle; the new ones are not yet sampled."""
        middle = self.left + (self.right - self.left) / 2
        twice = [
            np.concatenate([v, v]) for v in (self.owner, self.depth + 1, self.tail, self.stale, self.extended)
        ]
        side = np.concatenate([np.minimum(self.side, 0), np.maximum(self.side, 0)])
        return Panels.new(
            np.concatenate([self.left, middle]),
            np.concatenate([middle, self.right]),
            twice[0],
            side,
            twice[1],
            twice[2],
            twice[3],
            twice[4],
        )


def sample(f: Integrand, q: NDArray[np.float64], panels: Panels, rule: Rule) -> None:
    """Fill the measured fields of ``panels`` in place, block by block."""
    z = np.maximum(-panels.left, panels.right) / np.sqrt(q[panels.owner])
    panels.extended |= z > _FAR
    for group, extended in ((~panels.extended, False), (panels.extended, True)):
        index = np.flatnonzero(group)
        for start in range(0, len(index), _BLOCK):
            _sample_block(f, q, panels, index[start : start + _BLOCK], rule, extended)


def _sample_block(
    f: Integrand,
    q: NDArray[np.float64],
    panels: Panels,
    block: NDArray[np.intp],
    rule: Rule,
    extended: bool,
) -> None:
    owner = panels.owner[block]
    left, right = panels.left[block], panels.right[block]
    half = (right - left) / 2
    nodes = rule.nodes.astype(np.float64)
    x = (left + half) + half * nodes[:, None]
    values = np.asarray(f(x, owner))
    own = _EPS if values.dtype not in (np.float32, np.float16) else float(np.finfo(values.dtype).eps)
    if values.shape != x.shape:
        values = np.broadcast_to(values, x.shape)
    if extended:
        finite = np.isfinite(values).all(axis=0)
        values = values.astype(np.longdouble)
        if not finite.all():
            again = np.flatnonzero(~finite)
            values[:, again] = _in_extended_precision(f, x[:, again], owner[again])
        wide = x.astype(np.longdouble)
        integrand = values * np.exp(wide * wide * (-0.5 / q[owner].astype(np.longdouble)))
        eps = _EPS_LONG
    else:
        integrand = values * np.exp(x * x * (-0.5 / q[owner]))
        eps = _EPS
    measured = rule.rows @ integrand
    absolute = rule.rows[0] @ np.abs(integrand)
    bad = ~np.isfinite(absolute)
    if not extended and bad.any():
        panels.extended[block[bad]] = True
        _sample_block(f, q, panels, block[bad], rule, True)
        good = ~bad
        block, half, owner, left, right = block[good], half[good], owner[good], left[good], right[good]
        measured, absolute, integrand, bad = measured[:, good], absolute[good], integrand[:, good], bad[good]
    width = half.astype(np.longdouble)
    panels.integral[block] = width * measured[0]
    panels.absolute[block] = width * absolute
    panels.at_left[block] = measured[1]
    panels.at_right[block] = measured[2]
    panels.tail[block] = 2 * width * _aliased(np.abs(measured[3:]))
    # 4 ulp (of f's own type) for f, products and the sum; the exponent z²/2 turns its own rounding into
    # that of the weight
    z2 = np.maximum(left * left, right * right) / q[owner]
    panels.rounding[block] = (4 * own + 0.5 * z2 * eps) * panels.absolute[block]
    # a node is off by u |x|; taken together that is at most u |x| ∫ |d(f w)|
    variation = np.abs(np.diff(integrand, axis=0)).sum(axis=0)
    panels.rounding[block] += 0.5 * _EPS * np.maximum(-left, right) * variation
    panels.outer[block] = np.maximum(np.abs(integrand[0]) * (left < 0), np.abs(integrand[-1]) * (right > 0))
    panels.bad[block] = bad


def _in_extended_precision(f: Integrand, x: NDArray[np.float64], owner: NDArray[np.intp]) -> Any:
    """Try again where a double overflows; functions that know only doubles are flagged."""
    try:
        return f(x.astype(np.longdouble), owner)
    except (TypeError, ValueError):
        return np.full(x.shape, np.inf, np.longdouble)


def _aliased(tail: NDArray[Any]) -> NDArray[Any]:
    """Size of the coefficients from degree 2n on, which the Gauss rule mistakes for the integral.

    The last coefficients are e; four degrees earlier they were e/r.  An analytic integrand has r well below
    1 and the unseen coefficients, n degrees further on, are below e r^(n/4); of that only r³, and at most a
    factor 1000, is believed.  A kink or noise has r near 1 and nothing is believed but e itself.
    """
    last = tail[4:].max(axis=0)
    earlier = tail[:3].max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(earlier > 0, last / earlier, 1.0)
    believed = np.where(ratio < 0.1, np.maximum(ratio**3, 1e-3), 1.0)
    return np.asarray(last * believed)
