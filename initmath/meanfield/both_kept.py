r"""Choosing q: what the forward pass and the backward pass each ask of the gain.

At σ_b² = 0 the signal keeps its variance q if σ_w² = q/m₂(q), and squared gradients keep theirs if
σ_w² = 1/χ̂(q).  Both hold where

.. math:: q\,\hat\chi(q) = m_2(q),

the ends of the edge's domain: a root, found with proof, where others search a grid of standard deviations.

References
----------
.. [1] Koneputugodage, Ben-Shabat, Ramasinghe, Gould, VI3NR, CVPR 2025, arXiv:2504.19270: one σ_p for both
   passes, by Monte Carlo.
.. [2] He, Zhang, Ren, Sun 2015, arXiv:1502.01852, section 2.2: for ReLU both are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initmath.meanfield.edge import EdgeCurve, EdgePoint, edge_at, edge_curve, no_edge

__all__ = ["BothKept", "Nearest", "both_kept"]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The q at which the two passes disagree least, in double precision, on a stated range.

    Attributes
    ----------
    q : float
    log_ratio : float
        ln(q χ̂/m₂): the logarithm of the factor by which a layer that keeps q changes squared gradients.
    low, high : float
        The range.
    at_end : bool
        Whether the minimum lies at an end of the range: the infimum is then a limit beyond it.
    """

    q: float
    log_ratio: float
    low: float
    high: float
    at_end: bool


@dataclass(frozen=True, slots=True)
class BothKept:
    """Every q at which one gain keeps the forward and the backward variance.

    Attributes
    ----------
    points : tuple of EdgePoint
        With σ_b² = 0, in increasing order of q.
    continuum : bool
        Whether every q does (homogeneous g).
    complete : bool
        Whether there are provably no others.
    reason : str
    nearest : Nearest or None
        Where there is none, or none is known.
    """

    points: tuple[EdgePoint, ...]
    continuum: bool
    complete: bool
    reason: str
    nearest: Nearest | None


def both_kept(
    activation: Any,
    digits: int = 15,
    timeout: float | None = None,
    *,
    shape: EdgeCurve | None = None,
    search: bool = True,
) -> BothKept:
    """Find every q at which one weight variance keeps signal and gradient, without biases.

    Parameters
    ----------
    activation : Activation
    digits : int
    timeout : float, optional
        Seconds for each search.
    shape : EdgeCurve, optional
        The edge of chaos, where it is known already.
    search : bool
        Whether to look for the nearest q where there is none.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = both_kept(resolve("exp(-x**2/2)"))
    >>> found.points[0].q.closed_form, found.points[0].sigma_w2.value, found.complete
    (1 + sqrt(2), '5.82842712474619', True)
    """
    shape = edge_curve(activation, digits, timeout) if shape is None else shape
    if shape.single_point:
        return BothKept((), True, True, shape.reason, None)
    points = []
    for interval in shape.domain:
        for end in (interval.low, interval.high):
            if end.ball.is_finite() and end.ball > 0:
                points.append(edge_at(activation, None, digits, timeout, number=end, unbiased=True))
    if points:
        return BothKept(tuple(points), False, shape.complete, shape.reason, None)
    reason = shape.reason
    if shape.complete and (activation.expr is None or no_edge(activation) is None):
        more, how = (">", "grow") if shape.domain else ("<", "fade")
        reason = f"q E g'² {more} E g² at every q: at the forward gain gradients {how}"
    return BothKept((), False, shape.complete, reason, _nearest(activation) if search else None)


def _nearest(activation: Any) -> Nearest | None:
    from initmath.meanfield.tradeoff import nearest  # NumPy and SciPy, which the proofs do without

    return nearest(activation)
