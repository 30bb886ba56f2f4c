"""Expectations over two correlated Gaussians, for many covariances at once, with kinks handled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.errors import InputError
from initmath.quadrature._estimate import Estimate
from initmath.quadrature._rule import gauss_legendre

__all__ = ["pair_expectation"]

_REACH = 8.5  # in standard deviations; exp(−8.5²/2) = 2e-16
_BASE = (-_REACH, -3.2, 0.0, 3.2, _REACH)
_FINE, _COARSE = 13, 9
_BLOCK = 1 << 15  # nodes a block

Real = NDArray[np.float64]


def pair_expectation(
    fn: Callable[[Any, Any], Any],
    q1: ArrayLike,
    q2: ArrayLike,
    covariance: ArrayLike,
    breakpoints: Sequence[float] = (),
    checked: int | None = None,
    orders: tuple[int, int] = (_FINE, _COARSE),
    base: Sequence[float] = _BASE,
    gap: ArrayLike | None = None,
) -> Estimate:
    r"""E f(y₁, y₂) for (y₁, y₂) ~ N(0, K), K = [[q₁, p], [p, q₂]], for every K given.

    With c = p/√(q₁q₂), the standardised variables are written as

    .. math:: w_1 = \alpha u + \beta v,\quad w_2 = \alpha u - \beta v,\quad
              \alpha^2 = (1 + c)/2,\ \beta^2 = (1 - c)/2,

    u and v independent N(0, 1).  For fixed v the kinks y₁ = t and y₂ = t are two points on the u-line, where
    the panels are cut; the u-integral, as a function of v, is smooth but where two of these points change
    places, and there the panels in v are cut.  Nothing becomes thin as c → 1 (for c < 0 the roles of u and v
    are exchanged).

    Parameters
    ----------
    fn : callable (y1, y2) -> array, shape (m, …) for arguments of shape (…)
        Several functions of the same pair at once.
    q1, q2, covariance : array_like, shape (n,)
        Variances > 0 and the covariance p, |p| ≤ √(q₁q₂) up to rounding.
    breakpoints : sequence of float
        Where the activation's formula changes: lines y₁ = t and y₂ = t.
    checked : int, optional
        At how many of the n pairs the error is measured; the largest relative one then stands for all.  By
        default at every pair.
    orders : (int, int)
        Nodes a panel of the rule, and of the coarser one that its error is measured with.
    base : sequence of float
        Ends of the panels in u and in v where no kink cuts them; the integral is taken from the first to the
        last.
    gap : array_like, shape (n,), optional
        1 − c ≥ 0 where the covariance does not say it to the last digits; it is then used in its place.

    Returns
    -------
    Estimate
        Shape (m, n).  ``error`` is the difference of two orders of the same rule: an estimate for the coarser
        one, so usually far too large for ``value``.

    Raises
    ------
    InputError
        If a matrix is no covariance.

    References
    ----------
    .. [1] Cho & Saul, Kernel methods for deep learning, 2009 (the arc-cosine kernels, which the tests compare
    with).

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([0.0, 0.5, 1.0])
    >>> relu = lambda y: np.maximum(y, 0)
    >>> k = pair_expectation(lambda a, b: (relu(a) * relu(b))[None], 1 + 0 * c, 1 + 0 * c, c, [0.0])
    >>> exact = (np.sqrt(1 - c * c) + (np.pi - np.arccos(c)) * c) / (2 * np.pi)
    >>> bool(np.all(np.abs(k.value[0] - exact) < 1e-12))
    True
    """
    a, b, p = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, np.float64)) for v in (q1, q2, covariance)))
    product = np.sqrt(a) * np.sqrt(b)
    if not (
        np.all(np.isfinite(a) & np.isfinite(b) & (a > 0) & (b > 0))
        and np.all(np.abs(p) <= product * (1 + 1e-9))
    ):
        raise InputError(
            "each pair needs positive variances and a covariance that is not larger than they allow"
        )
    c = np.clip(p / product, -1, 1)
    if gap is None:
        # The determinant keeps its digits where c is close to 1.
        lost = np.clip((product - p) * (product + p), 0, None) / (product * product)
        smaller = lost / (2 * (1 + np.abs(c)))
    else:
        given = np.clip(np.broadcast_to(np.asarray(gap, np.float64), c.shape), 0, 2)
        c = 1 - given
        smaller = np.minimum(given, 2 - given) / 2
    narrow, wide = np.sqrt(smaller), np.sqrt(1 - smaller)
    cuts = _cuts(breakpoints, float(np.max(np.maximum(a, b), initial=0.0)))
    ends = np.asarray(base, np.float64)
    fine = _integrate(fn, np.sqrt(a), np.sqrt(b), c < 0, wide, narrow, cuts, orders[0], ends)
    some = (
        np.arange(len(a)) if checked is None else np.unique(np.linspace(0, len(a) - 1, checked).astype(int))
    )
    coarse = _integrate(
        fn, np.sqrt(a[some]), np.sqrt(b[some]), (c < 0)[some], wide[some], narrow[some], cuts, orders[1], ends
    )
    off = np.abs(fine[:, some] - coarse)
    error = off if checked is None else _for_all(off, fine, some)
    error = error + 1e-14 * np.abs(fine)
    lost = ~np.isfinite(fine) | ~np.isfinite(error)
    return Estimate(np.where(lost, np.inf, fine), np.where(lost, np.inf, error))


def _for_all(off: Real, values: Real, some: NDArray[np.intp]) -> Real:
    """Apply the largest relative error among some pairs to all."""
    with np.errstate(all="ignore"):
        share = np.nanmax(off / np.max(np.abs(values[:, some]), axis=1, keepdims=True), axis=1, initial=0.0)
    return np.asarray(share[:, None] * np.abs(values))


def _cuts(breakpoints: Sequence[float], largest: float) -> Real:
    """Return the kinks, and where q is large the places around 0 where an activation varies."""
    cuts = [float(t) for t in breakpoints]
    if largest > 4:
        cuts += [0.0]
    if largest > 16:
        cuts += [-2.5, 2.5]
    if largest > 400:
        cuts += [-12.0, 12.0]
    return np.unique(np.asarray(cuts, dtype=np.float64))


def _integrate(
    fn: Callable[[Any, Any], Any],
    s1: Real,
    s2: Real,
    opposed: NDArray[np.bool_],
    wide: Real,
    narrow: Real,
    cuts: Real,
    order: int,
    base: Real,
) -> Real:
    rule = gauss_legendre(order)
    nodes, weights = rule.nodes.astype(np.float64), rule.weights.astype(np.float64)
    outer_edges = _outer_edges(s1, s2, opposed, narrow, cuts, base)
    inner = (len(base) - 1 + 2 * len(cuts)) * order
    size = (outer_edges.shape[1] - 1) * order * inner
    step = max(1, _BLOCK // size)
    parts = []
    for start in range(0, len(s1), step):
        block = slice(start, start + step)
        parts.append(
            _block(
                fn, s1[block], s2[block], opposed[block], wide[block], narrow[block], cuts,
                outer_edges[block], nodes, weights, base,
            )
        )  # fmt: skip
    return np.concatenate(parts, axis=-1) if parts else np.zeros((1, 0))


def _block(
    fn: Callable[[Any, Any], Any],
    s1: Real,
    s2: Real,
    opposed: NDArray[np.bool_],
    wide: Real,
    narrow: Real,
    cuts: Real,
    outer_edges: Real,
    nodes: Real,
    weights: Real,
    base: Real,
) -> Real:
    v, weight_v = _nodes(outer_edges, nodes, weights)  # (n, V)
    sign = np.where(opposed, -1.0, 1.0)[:, None]
    # w₁ = wide u + narrow v and w₂ = ±(wide u − narrow v)
    along, across = wide[:, None, None], (narrow[:, None] * v)[:, :, None]
    first = (cuts[None, :] / s1[:, None])[:, None, :]
    second = (sign * cuts[None, :] / s2[:, None])[:, None, :]
    edges = np.concatenate([(first - across) / along, (second + across) / along], axis=2)
    panels = np.broadcast_to(base, (*edges.shape[:2], len(base)))
    edges = np.sort(np.clip(np.concatenate([edges, panels], axis=2), base[0], base[-1]), axis=2)
    u, weight_u = _nodes(edges, nodes, weights)  # (n, V, U)
    common = along * u
    y1 = s1[:, None, None] * (common + across)
    y2 = (s2[:, None] * sign)[:, :, None] * (common - across)
    weight = weight_v[:, :, None] * weight_u
    with np.errstate(all="ignore"):
        values = np.asarray(fn(y1, y2))
        shape = values.shape
        return np.asarray(
            np.einsum("mnk,nk->mn", values.reshape(shape[0], shape[1], -1), weight.reshape(shape[1], -1))
        )


def _nodes(edges: Real, nodes: Real, weights: Real) -> tuple[Real, Real]:
    """Nodes and Gaussian weights of all panels of each row of edges."""
    left, right = edges[..., :-1, None], edges[..., 1:, None]
    half = (right - left) / 2
    at = (left + half) + half * nodes
    weight = half * weights * np.exp(-0.5 * at * at) / np.sqrt(2 * np.pi)
    flat = (*edges.shape[:-1], -1)
    return at.reshape(flat), weight.reshape(flat)


def _outer_edges(
    s1: Real, s2: Real, opposed: NDArray[np.bool_], narrow: Real, cuts: Real, base: Real
) -> Real:
    """Where a kink of y₁ meets a kink of y₂ on the u-line: (t/s₁ ∓ t'/s₂) = 2 narrow v."""
    panels = np.broadcast_to(base, (len(s1), len(base)))
    if not len(cuts):
        return np.asarray(panels)
    sign = np.where(opposed, -1.0, 1.0)[:, None, None]
    meet = cuts[None, :, None] / s1[:, None, None] - sign * cuts[None, None, :] / s2[:, None, None]
    with np.errstate(all="ignore"):
        at = (meet / (2 * narrow[:, None, None])).reshape(len(s1), -1)
    at = np.clip(np.where(np.isnan(at), base[-1], at), base[0], base[-1])
    return np.sort(np.concatenate([panels, at], axis=1), axis=1)
