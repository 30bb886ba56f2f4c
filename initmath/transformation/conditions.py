"""The conditions that a transformed activation can be asked to meet: each an equation, as data.

ĝ(x) = γ·(g(αx + β) + δ) for x ~ N(0, q).  Everything that a condition says is a polynomial in γ, δ, α and
a few Gaussian moments of the inner function G(x) = g(αx + β); `MOMENTS` lists those.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Symbol

from initmath.errors import InputError
from initmath.integral import q

__all__ = [
    "CONDITIONS",
    "FREE",
    "GENERIC_TARGET",
    "INPUT_SCALE",
    "INPUT_SHIFT",
    "MOMENTS",
    "OUTPUT_SCALE",
    "OUTPUT_SHIFT",
    "Condition",
    "MomentOf",
    "condition",
]

INPUT_SCALE = Symbol("input_scale", positive=True)
INPUT_SHIFT = Symbol("input_shift", real=True)
OUTPUT_SCALE = Symbol("output_scale", positive=True)
OUTPUT_SHIFT = Symbol("output_shift", real=True)
"""α, β, γ and δ.  α, γ > 0 loses nothing: the other signs only mirror the graph of ĝ."""

FREE = MappingProxyType({s.name: s for s in (INPUT_SCALE, INPUT_SHIFT, OUTPUT_SCALE, OUTPUT_SHIFT)})
"""The four scales and shifts by name; any other name is a parameter of the activation."""

GENERIC_TARGET = Symbol("target", real=True)
"""What the condition's quantity is to be equal to."""


@dataclass(frozen=True, slots=True)
class MomentOf:
    """E[h(αx + β) x^power], x ~ N(0, q), with h made from g.

    Attributes
    ----------
    symbol : Symbol
        Its sign in the residuals.
    function : str
        ``"g"``, ``"g^2"``, ``"g'^2"`` or ``"g''^2"``; derivatives are taken piece by piece.
    power : int
    """

    symbol: Any
    function: str
    power: int


M1, M2 = Symbol("m_1", real=True), Symbol("m_2", positive=True)
W1, W2 = Symbol("w_1", real=True), Symbol("w_2", positive=True)
SLOPE, BEND = Symbol("chi", positive=True), Symbol("kappa", positive=True)

MOMENTS = (
    MomentOf(M1, "g", 0),
    MomentOf(M2, "g^2", 0),
    MomentOf(W1, "g", 2),
    MomentOf(W2, "g^2", 2),
    MomentOf(SLOPE, "g'^2", 0),
    MomentOf(BEND, "g''^2", 0),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on ĝ: ``quantity`` = target.

    Attributes
    ----------
    name : str
    equation : str
        As the field writes it; ζ, τ, η stand for the target where it is not a fixed number.
    quantity : Expr
        In γ, δ, α, q and the symbols of `MOMENTS`.
    target : Expr
        The usual target, in q.
    meaning : str
    source : str
        With the equation's number.
    continuous, differentiable : bool
        Whether the quantity is infinite for a g that jumps, or for one whose derivative jumps.
    """

    name: str
    equation: str
    quantity: Any
    target: Any
    meaning: str
    source: str
    continuous: bool = False
    differentiable: bool = False


_SECOND = M2 + 2 * OUTPUT_SHIFT * M1 + OUTPUT_SHIFT**2
_DKS = "Martens et al. 2021, arXiv:2110.01765"
_TAT = "Zhang, Botev, Martens 2022, arXiv:2203.08120"

_ALL = (
    Condition(
        "mean",
        "E ĝ = 0",
        OUTPUT_SCALE * (M1 + OUTPUT_SHIFT),
        0 * q,
        "the output has mean 0; for uncorrelated inputs C(0) = 0",
        f"Klambauer et al. 2017, arXiv:1706.02515, eq. (4); C(0) = 0 of {_DKS}",
    ),
    Condition(
        "second_moment",
        "E ĝ² = q",
        OUTPUT_SCALE**2 * _SECOND,
        q,
        "q is a fixed point of the length map, Q(q) = q",
        f"Klambauer et al. 2017, arXiv:1706.02515, eq. (5); Q(1) = 1 of {_DKS}",
    ),
    Condition(
        "slope",
        "E ĝ′² = ζ",
        OUTPUT_SCALE**2 * INPUT_SCALE**2 * SLOPE,
        1 + 0 * q,
        "χ₁ = C′(1) = ζ: the slope of the correlation map at 1, and the growth of squared gradients",
        f"Lu, Gould, Ajanthan 2020, arXiv:2006.12169 (E φ′² = 1); C′(1) = ζ of {_DKS}",
        continuous=True,
    ),
    Condition(
        "length_slope",
        "Q′(q) = 1",
        # E ĝ²(√t z) differentiated in t through the density: right across kinks and jumps.
        OUTPUT_SCALE**2 * ((W2 / q - M2) + 2 * OUTPUT_SHIFT * (W1 / q - M1)) / (2 * q),
        1 + 0 * q,
        "χ_∥: the slope of the length map Q(t) = E ĝ(√t z)² at q",
        f"Q′(1) = 1 of {_DKS}",
    ),
    Condition(
        "curvature",
        "q E ĝ″² = τ",
        q * OUTPUT_SCALE**2 * INPUT_SCALE**4 * BEND,
        GENERIC_TARGET,
        "C″(1) = τ: how fast correlations bend away from the identity",
        f"C″(1) = τ of {_TAT}",
        continuous=True,
        differentiable=True,
    ),
    Condition(
        "mean_square",
        "(E ĝ)² = η q",
        OUTPUT_SCALE**2 * (M1 + OUTPUT_SHIFT) ** 2 / q,
        GENERIC_TARGET,
        "C(0) = η: what the correlation of unrelated inputs becomes",
        f"C(0) = η for leaky rectifiers, {_TAT}",
    ),
)

CONDITIONS = MappingProxyType({each.name: each for each in _ALL})


def condition(name: str) -> Condition:
    """Return the condition of a name, or say which there are.

    Examples
    --------
    >>> condition("second_moment").equation
    'E ĝ² = q'
    """
    if name not in CONDITIONS:
        raise InputError(f"unknown condition {name!r}: choose among {', '.join(CONDITIONS)}")
    return CONDITIONS[name]
