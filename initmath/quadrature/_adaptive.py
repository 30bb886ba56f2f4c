"""Adaptive quadrature of E f(√q z) for many q at once, with an error estimate to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.quadrature._panels import LAST, STEP, first_edges
from initmath.quadrature._rule import gauss_legendre
from initmath.quadrature._sample import Integrand, Panels, sample

__all__ = ["Sums", "integrate"]

_EPS = float(np.finfo(np.float64).eps)
_TOLERANCE = 3e-15  # of E|f|, shared by the panels of one q
_NEGLIGIBLE = 1e-17  # of E|f|: what lies beyond the outermost panel
_FARTHEST = 150.0  # in z; exp(−z²/2) leaves the range of extended precision
_DEEPEST = 256  # bisections of one panel
_HOPELESS = 1e-3  # of E|f|: an error that bisection to the last bit could not push below
_NOISY = 3  # bisections that brought nothing
_PANELS = 1 << 15  # panels for one q


@dataclass(frozen=True)
class Sums:
    """E f and E|f| in extended precision, and the estimated error, one entry a q."""

    value: NDArray[np.longdouble]
    absolute: NDArray[np.longdouble]
    error: NDArray[np.longdouble]


def integrate(
    f: Integrand,
    q: NDArray[np.float64],
    breakpoints: NDArray[np.float64],
    noise: NDArray[np.float64] | None = None,
) -> Sums:
    """E f(√q z) for every q.

    Parameters
    ----------
    f : callable (x, owner) -> array
    q : ndarray, shape (n,)
    breakpoints : ndarray, shape (m,)
    noise : ndarray, shape (n,), optional
        Absolute error of E f that the rounding inside f makes unavoidable; it is added to the error and
        nothing below it is refined.
    """
    if not len(q):
        empty = np.zeros(0, np.longdouble)
        return Sums(empty, empty, empty)
    with np.errstate(all="ignore"):
        return _Run(f, q, breakpoints, noise).finish()


class _Run:
    """One call: `done` are the accepted panels, `failed` the q that have no finite answer."""

    def __init__(
        self,
        f: Integrand,
        q: NDArray[np.float64],
        breakpoints: NDArray[np.float64],
        noise: NDArray[np.float64] | None,
    ) -> None:
        self.f, self.q, self.n = f, q, len(q)
        self.root = np.sqrt(q)
        self.breakpoints = np.unique(breakpoints)
        self.scale = np.sqrt(2 * np.pi * q.astype(np.longdouble))
        self.noise = np.zeros(self.n, np.longdouble) if noise is None else noise * self.scale
        self.rule = gauss_legendre()
        self.failed = np.zeros(self.n, np.bool_)
        self.beyond = np.zeros(self.n, np.longdouble)  # error: what the outermost panels leave out
        self.hidden = np.zeros(
            self.n, np.longdouble
        )  # error: what may hide between a panel's end and its first node
        self.done = self._first()

    def _total(self, owner: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.longdouble]:
        """Sum per q, pairwise and in extended precision; owners must be sorted."""
        out = np.zeros(self.n, np.longdouble)
        if len(owner):
            starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
            out[owner[starts]] = np.add.reduceat(values, starts)
        return out

    def _sampled(self, panels: Panels) -> Panels:
        sample(self.f, self.q, panels, self.rule)
        if panels.bad.any():
            self.failed[panels.owner[panels.bad]] = True
        return panels

    def _first(self) -> Panels:
        left, right, owner = first_edges(self.root, self.breakpoints)
        change = owner[1:] != owner[:-1]
        side = np.zeros(len(left), np.int8)
        side[np.concatenate([[True], change])] = -1
        side[np.concatenate([change, [True]])] = 1
        panels = self._sampled(Panels.new(left, right, owner, side))
        self.mass = self._total(owner, panels.absolute)
        parts = [panels]
        frontier = panels.take(panels.side != 0)
        while len(frontier):
            frontier = self._outward(frontier)
            if len(frontier):
                parts.append(self._sampled(frontier))
                order = np.argsort(frontier.owner, kind="stable")
                self.mass += self._total(frontier.owner[order], frontier.absolute[order])
        panels = Panels.join(parts)
        # mass far out (exp at large q): there the exponent z²/2 is large and its rounding counts
        coarse = (
            (panels.rounding > 16 * _EPS * self.mass[panels.owner])
            & ~panels.extended
            & (panels.integral != 0)
        )
        if coarse.any():
            again = panels.take(coarse)
            again.extended[:] = True
            panels = Panels.join([panels.take(~coarse), self._sampled(again)])
        return panels

    def _outward(self, frontier: Panels) -> Panels:
        """Next panels of the sides whose outermost one still matters (or where nothing has been met yet)."""
        root, mass = self.root[frontier.owner], self.mass[frontier.owner]
        end = np.where(frontier.side > 0, frontier.right, frontier.left)
        z = np.abs(end) / root
        left_out = frontier.outer * root
        matters = (left_out > _NEGLIGIBLE * mass) | ((mass == 0) & (z < LAST))
        matters &= ~self.failed[frontier.owner]
        endless = matters & (z > _FARTHEST)
        self.failed[frontier.owner[endless]] = True
        matters &= ~endless
        np.add.at(self.beyond, frontier.owner[~matters], left_out[~matters])
        more = frontier.take(matters)
        end, step = end[matters], (STEP * root)[matters] * more.side
        return Panels.new(np.minimum(end, end + step), np.maximum(end, end + step), more.owner, more.side)

    def finish(self) -> Sums:
        """Refine until every panel is accepted and neighbours agree; add up."""
        active = self.done
        accepted: list[Panels] = []
        counts = np.bincount(active.owner, minlength=self.n)
        while True:
            while len(active):
                split = self._insufficient(active, counts)
                accepted.append(active.take(~split))
                active = active.take(split)
                if len(active):
                    counts += np.bincount(active.owner, minlength=self.n)
                    active = self._bisected(active)
            self.done = Panels.join(accepted)
            order = np.lexsort((self.done.left, self.done.owner))
            self.done = self.done.take(order)
            split = self._disagreeing(counts)
            if not split.any():
                break
            accepted = [self.done.take(~split)]
            counts += np.bincount(self.done.owner[split], minlength=self.n)
            active = self._bisected(self.done.take(split))
        return self._sums()

    def _bisected(self, panels: Panels) -> Panels:
        """Both halves of each panel, sampled; counts the bisections that brought nothing.

        A kink leaves one of the halves clean.  Where both are as bad as their width makes them, and small,
        it is noise.
        """
        halves = self._sampled(panels.halves())
        better = np.minimum(halves.tail[: len(panels)], halves.tail[len(panels) :])
        noisy = (better > 0.2 * panels.tail) & (panels.tail < 1e-5 * panels.absolute)
        noisy &= panels.tail > 4 * panels.rounding  # else it was cut for another reason than its tail
        halves.stale += np.concatenate([noisy, noisy])
        return halves

    def _insufficient(self, p: Panels, counts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which panels to bisect."""
        budget = np.maximum(_TOLERANCE * self.mass, self.noise)
        share = (budget / counts)[p.owner]
        wrong = (p.tail > share) & (p.tail > 20 * _EPS * p.absolute) & (p.tail > 4 * p.rounding)
        wrong &= p.stale < _NOISY
        # Not integrable, or its singularity is too strong to be reached by bisection: the error does not
        # shrink at all.
        p.depth = np.where(p.tail > 0.97 * p.before, p.depth + 16, p.depth)
        narrow = p.right - p.left <= 4 * _EPS * np.maximum(np.abs(p.left), np.abs(p.right))
        lost = wrong & (narrow | (p.depth >= _DEEPEST)) & (p.tail > _HOPELESS * self.mass[p.owner])
        self.failed[p.owner[lost]] = True
        wrong &= ~narrow & (p.depth < _DEEPEST) & (counts < _PANELS)[p.owner] & ~self.failed[p.owner]
        return np.asarray(wrong)

    def _disagreeing(self, counts: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Panels at an end where two neighbours extrapolate to different values.

        No node lies within ``gap`` of a panel's end.  A kink or jump that hides there makes the
        interpolants of the two panels disagree at their common end by v, and falsifies the integral by at
        most v × the width of the gap.
        """
        p = self.done
        inner = (p.owner[1:] == p.owner[:-1]) & (p.right[:-1] == p.left[1:])
        if self.breakpoints.size:
            where = np.minimum(np.searchsorted(self.breakpoints, p.left[1:]), len(self.breakpoints) - 1)
            inner &= self.breakpoints[where] != p.left[1:]
        width = np.maximum(p.right[:-1] - p.left[:-1], p.right[1:] - p.left[1:])
        v = np.where(inner, np.abs(p.at_right[:-1] - p.at_left[1:]), 0)
        unseen = v * (0.5 * self.rule.gap) * width
        owner = p.owner[1:]
        budget = np.maximum(_TOLERANCE * self.mass, self.noise)
        wrong = unseen > 0.1 * (budget / counts)[owner]
        scale = np.maximum(np.abs(p.at_right[:-1]), np.abs(p.at_left[1:]))
        resolved = p.tail / (
            p.right - p.left
        )  # noise in the samples, 100-fold at the ends, explains a disagreement
        wrong &= v > 100 * np.maximum(resolved[1:], resolved[:-1])
        wrong &= (v > 1e-13 * scale) & ~self.failed[owner] & (counts < _PANELS)[owner]
        narrow = np.minimum(p.right[:-1] - p.left[:-1], p.right[1:] - p.left[1:]) <= 4 * _EPS * np.abs(
            p.left[1:]
        )
        narrow |= np.minimum(p.depth[1:], p.depth[:-1]) >= _DEEPEST
        self.failed[owner[wrong & narrow & (unseen > _HOPELESS * self.mass[owner])]] = True
        wrong &= ~narrow
        self.hidden = self._total(owner, unseen) if len(owner) else self.hidden
        split = np.zeros(len(p), np.bool_)
        split[1:] |= wrong
        split[:-1] |= wrong
        return split

    def _sums(self) -> Sums:
        p = self.done
        value = self._total(p.owner, p.integral) / self.scale
        absolute = self._total(p.owner, p.absolute) / self.scale
        error = self._total(p.owner, p.tail + p.rounding) + self.beyond + self.hidden
        error = error / self.scale + self.noise / self.scale
        value[self.failed] = np.inf
        absolute[self.failed] = np.inf
        error[self.failed] = np.inf
        return Sums(value, absolute, error)
