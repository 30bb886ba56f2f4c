"""``verify()``: a claim about an activation's initialization, judged by simulated networks."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from sympy import Rational

from initmath import criteria
from initmath.activation import resolve
from initmath.answers.exact import exact_number
from initmath.criteria import Question
from initmath.criteria.taylor import tangent_at_zero
from initmath.display.document import Block
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.finite_width import LAWS, Chain, Tangent, layer_law, weight_law
from initmath.simulate import Experiment, InputGram, run
from initmath.verification import (
    Check,
    Claim,
    Series,
    Statistic,
    Verdict,
    assess,
    checks_of,
    layer_series,
    observe,
)

__all__ = ["Verification", "Verified", "verify"]

SCHEMA = "initmath.verify/1"
CLAIMS = ("exact", "criterion")
KEEPS_Q = ("taylor", "variance", "second_moment", "unit_variance", "critical")
"""Criteria that say something about every layer."""


@dataclass(frozen=True)
class Verification(Shown):
    """A claim, the simulated networks, and the verdict.

    Attributes
    ----------
    schema : str
    verdict : Verdict
    reason : str
        One sentence.
    power : float
        Probability of refuting a σ_w² that is 1 % wrong, in an experiment of this size.
    p_value, level : float
        Joint p-value over all layers and quantities, and the level below which it refutes: the probability of
        refuting a true claim.
    activation, criterion, claim : str
        ``claim`` is ``"exact"`` (the exact map of a layer) or ``"criterion"`` (what the criterion says stays
        the same).
    sigma_w2, simulated_sigma_w2, sigma_b2, q, correlation : float
        What is predicted at, what is simulated at; variance and correlation of the pre-activations in layer
        1.
    width, depth, networks : int
    depth_to_width : float
        L/N: corrections and fluctuations of order L/N accumulate.
    weights : str
    seed : int
    tests : tuple of Statistic
        The independent statistics that the joint p-value is made of.
    notes : tuple of str
        What was left out, and why.
    checks : tuple of Check
        Layer by layer.
    """

    schema: str
    verdict: Verdict
    reason: str
    power: float
    p_value: float
    level: float
    activation: str
    criterion: str
    claim: str
    sigma_w2: float
    simulated_sigma_w2: float
    sigma_b2: float
    q: float
    correlation: float
    width: int
    depth: int
    networks: int
    depth_to_width: float
    weights: str
    seed: int
    tests: tuple[Statistic, ...]
    notes: tuple[str, ...]
    checks: tuple[Check, ...]
    series: tuple[Series, ...] = field(
        default=(), repr=False, compare=False, metadata={"json": False}, kw_only=True
    )

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw prediction, finite-width band and simulation over depth; write it to a file if one is named.

        Returns
        -------
        matplotlib Figure
        """
        from initmath.plots import save, verification_figure

        figure = verification_figure(self)
        if path is not None:
            save(figure, path)
        return figure

    def blocks(self) -> tuple[Block, ...]:
        """Verdict, reason, what was simulated, the tests, the layers."""
        from initmath.answers.verdict_page import page

        return page(self)


@dataclass(frozen=True)
class Verified(Shown):
    """A derivation and its verification; the JSON is the derivation's with one more key."""

    derivation: Any
    verification: Verification

    def _data_(self) -> dict[str, Any]:
        from initmath.display.data import to_data

        data: dict[str, Any] = to_data(self.derivation)
        return data | {"verification": to_data(self.verification)}

    def blocks(self) -> tuple[Block, ...]:
        """Show the derivation, then the verification."""
        return (*self.derivation.blocks(), *self.verification.blocks())


@dataclass(frozen=True)
class _Setting:
    activation: Any
    criterion: str
    sigma_w2: float
    sigma_b2: float
    q: float
    weights: str
    own: bool  # σ_w² is the criterion's
    tangent: Tangent | None


def verify(
    act: Any,
    criterion: str = "second_moment",
    q: Any = None,
    *,
    claim: str = "exact",
    width: int = 512,
    depth: int = 20,
    networks: int = 100,
    weights: str = "gaussian",
    sigma_w2: Any = None,
    simulated_sigma_w2: Any = None,
    bias_variance: Any = 0,
    target_variance: Any = 1,
    correlation: Any = "1/2",
    seed: int = 0,
    level: float = 0.01,
    params: dict[str, Any] | None = None,
    executor: Executor | None = None,
    resume: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Verification:
    r"""Judge a claim about σ_w² by random networks of finite width and depth.

    Parameters
    ----------
    act : str, Expr, callable or Activation
        As for `derive`.
    criterion : str
        Whose σ_w² is meant, unless ``sigma_w2`` is given.
    q : number or text, optional
        Variance of the first pre-activations; by default the one that the criterion keeps (1 for
        ``second_moment``).
    claim : str
        ``"exact"``: each layer acts by the exact Gaussian moments at σ_w².  ``"criterion"``: what the
        criterion says stays the same does: for ``taylor`` the variance s² of its linearised network, else q
        (and Var x for ``variance``).
    width, depth, networks : int
        N, L, R.
    weights : str
        ``gaussian``, ``uniform``, ``truncated_normal``, ``orthogonal``, ``weight_standardised``;
        ``unit_variance`` is about the last of these and takes it.
    sigma_w2 : number or text, optional
        σ_w² to predict at, instead of the criterion's.
    simulated_sigma_w2 : number or text, optional
        σ_w² to simulate at, if different: how a wrong claim is planted.
    bias_variance, target_variance : number or text
        σ_b², and s² of ``taylor`` and ``variance``.
    correlation : number or text
        Of the first pre-activations of the two inputs.
    seed : int
    level : float
        Probability of refuting a true claim.
    params : dict, optional
        Parameters of the activation.
    executor, resume, progress
        As for `initmath.simulate.run`.

    Returns
    -------
    Verification

    Raises
    ------
    InputError
        If the input is wrong, the criterion has no solution, or the activation overflows.

    Notes
    -----
    Judged are the innovations of every layer, whose conditional laws are known at any width (see
    `initmath.verification.innovations`); the layer table is for the eye.

    Examples
    --------
    >>> from initmath import verify
    >>> verify("relu", width=256, depth=10, networks=400).verdict.value
    'confirmed'
    >>> verify("relu", width=256, depth=10, networks=400, simulated_sigma_w2="2.1").verdict.value
    'refuted'
    """
    if claim not in CLAIMS:
        raise InputError(f"claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    if not (isinstance(level, float) and 0 < level < 0.5):
        raise InputError(f"level = {level}: must be a probability between 0 and 0.5")
    if weights not in LAWS:
        raise InputError(f"weights {weights!r}: choose one of {', '.join(LAWS)}")
    setting = _setting(act, criterion, q, weights, sigma_w2, bias_variance, target_variance, params)
    c = _correlation(correlation)
    simulated = (
        setting.sigma_w2
        if simulated_sigma_w2 is None
        else float(exact_number(simulated_sigma_w2, "simulated sigma_w2"))
    )
    claimed, chain = _claimed(setting, claim, depth, width)
    experiment = Experiment(
        setting.activation,
        width,
        depth,
        networks,
        simulated,
        setting.sigma_b2,
        inputs=_inputs(setting, c, width),
        weights=setting.weights,
        backward=True,
        seed=seed,
    )
    seen = observe(run(experiment, executor=executor, resume=resume, progress=progress))
    judged = assess(seen, claimed, weight_law(setting.weights), level)
    series = layer_series(seen, chain, c if experiment.inputs.size > 1 else None)
    return Verification(
        schema=SCHEMA,
        verdict=judged.verdict,
        reason=judged.reason,
        power=judged.joint.power,
        p_value=judged.joint.p,
        level=level,
        activation=setting.activation.name,
        criterion=criterion if setting.own else f"given (q as for {criterion})",
        claim=claim,
        sigma_w2=setting.sigma_w2,
        simulated_sigma_w2=simulated,
        sigma_b2=setting.sigma_b2,
        q=setting.q,
        correlation=c,
        width=width,
        depth=depth,
        networks=networks,
        depth_to_width=depth / width,
        weights=setting.weights,
        seed=seed,
        tests=judged.joint.tests,
        notes=(*_remarks(chain, series, criterion, weights), *judged.notes),
        checks=checks_of(series),
        series=series,
    )


def _setting(
    act: Any, criterion: str, q: Any, weights: str, sigma_w2: Any, bias_variance: Any, target_variance: Any,
    params: dict[str, Any] | None,
) -> _Setting:  # fmt: skip
    activation = resolve(act, dict(params) if params else None)
    if activation.is_symbolic:
        raise InputError("a simulation needs numbers: give every parameter a value, as in --param a=0.2")
    known = [each.name for each in criteria.CRITERIA]
    if criterion not in known:
        raise InputError(f"unknown criterion {criterion!r}: choose one of {', '.join(known)}")
    bias = exact_number(bias_variance, "bias variance", zero=True)
    target = exact_number(target_variance, "target variance")
    tangent = _tangent(activation) if criterion == "taylor" else None
    at = None if q is None else float(exact_number(q, "q"))
    if at is None and tangent is not None:
        at = float(target) / tangent.slope**2
    own = sigma_w2 is None
    if own:
        asked = None if q is None else exact_number(q, "q")
        given, solved_at = _solved(activation, criterion, asked, bias, target)
        at = solved_at if at is None or criterion in ("variance", "unit_variance") else at
    else:
        given = float(exact_number(sigma_w2, "sigma_w2"))
        at = 1.0 if at is None else at
    if criterion == "unit_variance":
        weights = "weight_standardised"
    return _Setting(activation, criterion, given, float(bias), at, weights, own, tangent)


def _solved(activation: Any, criterion: str, q: Any, bias: Any, target: Any) -> tuple[float, float]:
    """Return σ_w² and q of the criterion's solution: a stable one if there is one."""
    question = Question(
        activation,
        q=None if q is None else Rational(q.numerator, q.denominator),
        sigma_b2=Rational(bias.numerator, bias.denominator) if bias or criterion != "critical" else None,
        target_variance=Rational(target.numerator, target.denominator),
    )
    found = criteria.criterion(criterion).solve(question)
    if not found.solutions:
        reason = (found.reason or "none exists").removeprefix("no solution: ")
        raise InputError(f"{criterion} of {activation.name}: no solution: {reason}; give sigma_w2")
    best = min(found.solutions, key=lambda s: s.stability == "unstable")
    return float(best.sigma_w2), float(best.q)


def _tangent(activation: Any) -> Tangent:
    found = tangent_at_zero(activation)
    if isinstance(found, str):
        raise InputError(f"taylor of {activation.name}: {found}")
    value, slope = (float(part) for part in found)
    if slope == 0:
        raise InputError(f"taylor of {activation.name}: g'(0) = 0")
    return Tangent(value, slope)


def _correlation(value: Any) -> float:
    text = str(value).strip()
    sign = -1.0 if text.startswith("-") else 1.0
    number = sign * float(exact_number(text.lstrip("+-"), "correlation", zero=True))
    if not -1 <= number <= 1:
        raise InputError(f"correlation = {text}: must lie between -1 and 1")
    return number


def _inputs(setting: _Setting, correlation: float, width: int) -> InputGram:
    if setting.q <= setting.sigma_b2:
        raise InputError(
            f"q = {setting.q:g}: the biases alone give variance {setting.sigma_b2:g}; q must be larger"
        )
    if width < 2:
        return InputGram.single(setting.q, setting.sigma_w2, setting.sigma_b2)
    return InputGram.pair(setting.q, correlation, sigma_w2=setting.sigma_w2, sigma_b2=setting.sigma_b2)


def _claimed(setting: _Setting, claim: str, depth: int, width: int) -> tuple[Claim, Chain]:
    """Return what is tested, and the chain that draws it."""
    law = weight_law(setting.weights)
    activation: Any = setting.activation
    offset = 0.0
    if claim == "criterion":
        if setting.criterion not in KEEPS_Q:
            raise InputError(
                f"{setting.criterion} does not say what layers keep: "
                f"claim='criterion' is for {', '.join(KEEPS_Q)}"
            )
        if setting.tangent is not None:
            activation = setting.tangent
        else:
            offset = _needed_offset(setting)
    for name, count in (("width", width), ("depth", depth)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise InputError(f"{name} must be an integer of at least 1, got {count!r}")
    chain = Chain(
        activation,
        setting.sigma_w2,
        setting.sigma_b2,
        setting.q,
        depth,
        width,
        law,
        setting.sigma_w2 * offset,
    )
    return Claim(activation, setting.sigma_w2, setting.sigma_b2, (offset, 0.0)), chain


def _needed_offset(setting: _Setting) -> float:
    """Return what E g² would have to gain for σ_w² to keep q."""
    law = layer_law(setting.activation, [setting.q])
    passed = float(law.mean[2, 0])
    if setting.weights == "weight_standardised":
        passed -= float(law.mean[1, 0]) ** 2
    offset = (setting.q - setting.sigma_b2) / setting.sigma_w2 - passed
    return offset if abs(offset) > 1e-9 * passed else 0.0


def _remarks(chain: Chain, series: tuple[Series, ...], criterion: str, weights: str) -> list[str]:
    notes = []
    if criterion == "unit_variance" and weights != "weight_standardised":
        notes.append("unit_variance is about weight-standardised W, so such W were simulated")
    if not chain.available:
        notes.append(
            "layers: the mean over networks of this width could not be predicted (heavy tails, or q leaves "
            "every range); the column shows the infinitely wide network, without z"
        )
    lost = [s.quantity for s in series if s.quantity != "correlation" and _inestimable(s).any()]
    if chain.available and lost:
        notes.append(
            "the mean cannot be estimated from so few networks in some layers (log-normal spread): "
            f"{', '.join(lost)}; no z there, and the verdict, which rests on innovations, is not touched"
        )
    return notes


def _inestimable(series: Series) -> Any:
    import numpy as np

    return ~series.estimable & np.isfinite(series.predicted)
