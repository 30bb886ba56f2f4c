"""Questions put to a criterion, and its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Rational, S

from initmath.derivation import Number, Step
from initmath.errors import InputError

__all__ = ["Criterion", "CriterionResult", "Question", "Solution", "no_solution"]

SPREAD = Rational(1, 4)
"""The σ²_JJᵀ that `isometry` asks for unless told: squared singular values 1 ± ½."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a criterion is asked.

    Attributes
    ----------
    activation : Activation
    q : Rational or None
        Pre-activation variance; None means "not given" (1 where one is needed).
    sigma_b2 : Rational or None
        Bias variance; None means "not given" (0 where one is needed).
    target_variance : Rational
        s², the output variance that `taylor` and `variance` keep.
    fan_in, fan_out : int
        Only their ratio matters; equal unless stated.
    digits : int
    timeout : float or None
        Seconds for each closed form.
    depth : int or None
        L, the layers of `isometry`.
    spread : Rational
        σ²_JJᵀ that `isometry` asks for.
    """

    activation: Any
    q: Any = None
    sigma_b2: Any = None
    target_variance: Any = S.One
    fan_in: int = 1
    fan_out: int = 1
    digits: int = 15
    timeout: float | None = None
    depth: int | None = None
    spread: Any = SPREAD

    @property
    def at(self) -> Any:
        """The q that is asked about: 1 unless given."""
        return S.One if self.q is None else self.q

    @property
    def bias(self) -> Any:
        """The bias variance: 0 unless given."""
        return S.Zero if self.sigma_b2 is None else self.sigma_b2

    @property
    def fan_ratio(self) -> Any:
        """fan_out/fan_in."""
        return Rational(self.fan_out, self.fan_in)


@dataclass(frozen=True, slots=True)
class Solution:
    """One weight variance that meets a criterion, and what it does in depth.

    Attributes
    ----------
    sigma_w2 : Number
        σ_w² = N·v², fan_in times the weight variance.
    sigma_b2 : Number
    q : Number
        The pre-activation variance that it was derived at.
    gain : Number
        σ_w.
    chi_1 : Number
        σ_w² E g'², the growth of squared gradients at q (almost-everywhere part).
    chi_parallel : Number
        Slope of the length map at q.
    stability : str
        ``"stable"``, ``"unstable"``, ``"marginal"``, or ``"not_a_fixed_point"`` where the criterion fixes no
        q.
    q_star : Number or None
        The pre-activation variance that the length map reaches from q; q itself at a fixed point; None if
        there is none.
    """

    sigma_w2: Number
    sigma_b2: Number
    q: Number
    gain: Number
    chi_1: Number
    chi_parallel: Number
    stability: str
    q_star: Number | None


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """All that a criterion has to say about one activation.

    Attributes
    ----------
    solutions : tuple of Solution
        In increasing order of q.
    continuum : str or None
        Set when every q (in the stated range) solves; ``solutions`` then shows the asked one.
    complete : bool
        Whether there are provably no other solutions.
    reason : str or None
        Why there is none, why the list may be incomplete, or what must be known to use it.
    steps : tuple of Step
    attainable : tuple of (Number, Number) or None
        Infimum and supremum of what the criterion equates, where known.
    """

    solutions: tuple[Solution, ...]
    continuum: str | None = None
    complete: bool = True
    reason: str | None = None
    steps: tuple[Step, ...] = ()
    attainable: tuple[Number, Number] | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """A definition of "the right gain".

    Attributes
    ----------
    name : str
    when : str
        One line: when to use it.
    equation : str
        The condition on N·v², readable in a terminal.
    latex : str
    source : str
        Paper and equation number.
    solve : callable
        Question → CriterionResult.
    """

    name: str
    when: str
    equation: str
    latex: str
    source: str
    solve: Callable[[Question], CriterionResult]


def no_solution(
    reason: str,
    *,
    complete: bool = True,
    steps: tuple[Step, ...] = (),
    attainable: tuple[Number, Number] | None = None,
) -> CriterionResult:
    """Return the answer "there is none", with its reason."""
    return CriterionResult((), None, complete, reason, steps, attainable)


def check_question(question: Question) -> None:
    """Refuse impossible conditions with one line."""
    if question.sigma_b2 is not None and question.sigma_b2 < 0:
        raise InputError(f"bias variance {question.sigma_b2}: a variance cannot be negative")
    if not question.target_variance > 0:
        raise InputError(f"target variance {question.target_variance}: it must be positive")
    if question.fan_in < 1 or question.fan_out < 1:
        raise InputError(
            f"fan_in = {question.fan_in}, fan_out = {question.fan_out}: both must be positive integers"
        )
