"""What a transformation gives: the new activation, its constants, and how well the conditions hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initmath.derivation import Number, Step

__all__ = ["Met", "Outcome", "Transformed"]


@dataclass(frozen=True, slots=True)
class Met:
    """A condition, checked on the transformed activation by certified quadrature.

    Attributes
    ----------
    condition : str
    equation : str
    target : Expr
    residual : Number
        Quantity less target, for the constants as they are in the activation; its ball is rigorous.
    source : str
    """

    condition: str
    equation: str
    target: Any
    residual: Number
    source: str


@dataclass(frozen=True, slots=True)
class Transformed:
    """One solution: ĝ(x) = γ·(g(αx + β) + δ).

    Attributes
    ----------
    activation : Activation
        ĝ, to be used like any other.  Constants without a closed form are rounded to decimals in it.
    input_scale, input_shift, output_scale, output_shift : Number
        α, β, γ and δ.
    parameters : tuple of (str, Number)
        The activation's own parameters that were solved for.
    conditions : tuple of Met
    chi_1, chi_parallel : Number or None
        E ĝ'² and Q'(q): the slopes at the fixed point when σ_w² = 1; None where g jumps (χ₁ is infinite).
    proof : str
        Why this is a solution.
    """

    activation: Any
    input_scale: Number
    input_shift: Number
    output_scale: Number
    output_shift: Number
    parameters: tuple[tuple[str, Number], ...]
    conditions: tuple[Met, ...]
    chi_1: Number | None
    chi_parallel: Number | None
    proof: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was found.

    Attributes
    ----------
    solutions : tuple of Transformed
        The one with the smallest shifts first (input shift, then output shift; of two mirror images the one
        with the positive shift).
    complete : bool
        Whether there are provably no others (with α, γ > 0).
    reason : str or None
        Why there is none, or what must be known.
    steps : tuple of (str, Step)
        The derivation where it is exact, each step with the name of what it is about.
    """

    solutions: tuple[Transformed, ...]
    complete: bool
    reason: str | None
    steps: tuple[tuple[str, Step], ...] = ()
