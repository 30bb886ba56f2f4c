r"""One layer for a tile of pairs: what it makes of 1 − c, and by how much it multiplies the tangent kernel.

All vectors hold one entry for each input, or a single one where all inputs have the same q.  What depends on
q alone is prepared for the layer; matrices of it come from products of thin factors, and pairs cost about
forty passes over an array that stays in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from initmath.kernels.closed import LinearErf
from initmath.kernels.parallel import Select

__all__ = ["EachPair", "LinearErfPairs", "PairKernels", "TilePairs", "column", "row"]

Real = NDArray[np.float64]


def column(vector: Real, rows: Select) -> Real:
    """Return the part of a vector for the rows of a tile, as a column."""
    return vector[:, None] if len(vector) == 1 else vector[rows, None]


def row(vector: Real, columns: Select) -> Real:
    """Return the part of a vector for the columns of a tile, as a row."""
    return vector[None, :] if len(vector) == 1 else vector[None, columns]


class PairKernels(Protocol):
    """Two-point kernels of an activation; all arrays broadcast."""

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c) and E g'(y₁) g'(y₂), from s = √q and gap = 1 − c."""


class TilePairs(Protocol):
    """The pairs of one layer."""

    def tile(self, rows: Select, columns: Select, gap: Real) -> tuple[Real, Real]:
        """Return w₁w₂ [k(q₁, q₂, 1) − k(q₁, q₂, c)] and w₁w₂ √(q₁q₂) E g'(y₁) g'(y₂), both newly made.

        The weights w = σ_w/√q' make of it 1 − c of the next layer, and the factor of Θ/√(q₁q₂).
        """


@dataclass(frozen=True)
class EachPair:
    """Any kernels, called for every tile with the √q of its rows and columns."""

    kernels: PairKernels
    root: Real
    weight: Real

    def tile(self, rows: Select, columns: Select, gap: Real) -> tuple[Real, Real]:
        """Return the two weighted kernels."""
        s1, s2 = column(self.root, rows), row(self.root, columns)
        drop, slope = self.kernels.drop(s1, s2, gap)
        weight = column(self.weight, rows) * row(self.weight, columns)
        return drop * weight, slope * (weight * (s1 * s2))


@dataclass(frozen=True)
class _Product:
    """A matrix of low rank, of which a tile is formed when it is needed; a number where both have one row."""

    left: Real
    right: Real

    @classmethod
    def of(cls, left: list[Real], right: list[Real]) -> _Product:
        return cls(np.column_stack(left), np.ascontiguousarray(np.column_stack(right).T))

    def __call__(self, rows: Select, columns: Select) -> Any:
        if len(self.left) == 1:
            return float((self.left @ self.right)[0, 0])
        return self.left[rows] @ self.right[:, columns]


@dataclass(frozen=True)
class LinearErfPairs:
    r"""g(x) = a x + b x erf(βx), by angles.

    With α = 1/(1 + 2β²q), sin φ = c √((1 − α₁)(1 − α₂)) and Φ the same at c = 1, the even part of g has

    .. math:: \frac{k}{w} = \varphi\sin\varphi + (1 - \alpha_1 - \alpha_2)\cos\varphi
              + \frac{\alpha_1\alpha_2}{\cos\varphi},\qquad
              \frac{\dot k}{2\beta^2 w\sqrt{\alpha_1\alpha_2}} = \varphi
              + \tan\varphi\,\Bigl(\alpha_1 + \alpha_2 + \frac{\alpha_1\alpha_2}{\cos^2\varphi}\Bigr)

    with w = b²/(πβ² √(α₁α₂)).  Differences of two angles come from h = sin Φ − sin φ = (1 − c) sin Φ, in
    which nothing cancels: cos²φ = cos²Φ + h (sin Φ + sin φ), tan((Φ − φ)/2) = h/(cos Φ + cos φ) and
    cos φ − cos Φ = (sin Φ + sin φ) tan((Φ − φ)/2).  The odd part a x adds π a²/(2b²) to Φ and φ, where these
    stand alone.

    Attributes
    ----------
    sine, cosine2, alpha : products
        sin Φ, cos²Φ = α₁ + α₂ − α₁α₂ and α₁α₂.
    drop_weight, slope_weight : products
        What the brackets are multiplied by.
    turn : float
        π a²/(2b²).
    """

    sine: _Product
    cosine2: _Product
    alpha: _Product
    drop_weight: _Product
    slope_weight: _Product
    turn: float

    @classmethod
    def of(cls, family: LinearErf, root: Real, weight: Real) -> LinearErfPairs:
        """Prepare a layer: ``root`` is √q, ``weight`` is w of `TilePairs.tile`."""
        scale, factor = 2 * family.beta**2, 2 / np.pi * family.factor**2
        scaled = scale * root * root
        alpha, rest = 1 / (1 + scaled), scaled / (1 + scaled)
        sine, one = np.sqrt(rest), np.ones_like(rest)
        drop = weight * np.sqrt(factor / scale * (1 + scaled))
        slope = weight * root * np.sqrt(factor)
        return cls(
            _Product.of([sine], [sine]),
            _Product.of([alpha, rest], [one, alpha]),
            _Product.of([alpha], [alpha]),
            _Product.of([drop], [drop]),
            _Product.of([slope], [slope]),
            np.pi / 2 * (family.linear / family.factor) ** 2,
        )

    def tile(self, rows: Select, columns: Select, gap: Real) -> tuple[Real, Real]:
        """Return the two weighted kernels."""
        top_sine, top_cosine2 = self.sine(rows, columns), self.cosine2(rows, columns)
        top_cosine, alpha = np.sqrt(top_cosine2), self.alpha(rows, columns)
        top_angle = np.arctan(top_sine / top_cosine) + self.turn
        both = top_cosine2 + alpha  # α₁ + α₂
        h = gap * top_sine
        sine = top_sine - h
        more = sine + top_sine
        cosine = more * h
        cosine += top_cosine2
        np.sqrt(cosine, out=cosine)
        half = h / (cosine + top_cosine)
        more *= half  # cos φ − cos Φ
        less = np.arctan(half, out=half)
        less *= 2  # Φ − φ
        inverse = np.divide(1.0, cosine, out=cosine)
        drop = inverse * alpha
        slope = drop * inverse
        # Φ h + (Φ − φ) sin φ + (cos φ − cos Φ) (α₁α₂/(cos φ cos Φ) − 1 + α₁ + α₂)
        drop /= top_cosine
        drop += both - 1
        drop *= more
        h *= top_angle
        drop += h
        # φ + tan φ (α₁ + α₂ + α₁α₂/cos²φ)
        slope += both
        inverse *= sine
        slope *= inverse
        slope += top_angle
        slope -= less
        less *= sine
        drop += less
        drop *= self.drop_weight(rows, columns)
        slope *= self.slope_weight(rows, columns)
        return drop, slope
