"""CONFIRMED, REFUTED or UNKNOWN, at a stated level and with a stated power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil, expm1, log1p

import numpy as np

from initmath.finite_width import WeightLaw
from initmath.verification.innovations import Claim, innovations
from initmath.verification.join import MOMENTS, Innovation
from initmath.verification.joint import Joint, Statistic, critical_value, judge
from initmath.verification.observations import Observations

__all__ = ["LEVEL", "POWER", "Judgement", "Verdict", "assess"]

LEVEL = 0.01
"""Probability with which a true claim is refuted."""

POWER = 0.9
"""Probability of refuting a σ_w² that is 1 % wrong from which a claim that stood counts as confirmed."""

CLAIMED = frozenset({"q"})
"""What the map of a layer is about, beside the moments that the claim names: q from the layer's input."""

_ALL = ("q", "second_moment", "mean", "derivative", "cross_q", "kernel", "gradient")
_NAMES = {
    "q": "pre-activation variance",
    "second_moment": "second moment",
    "mean": "mean",
    "derivative": "E g'²",
    "cross_q": "pre-activation covariance",
    "kernel": "two-point kernel",
    "gradient": "gradient",
}
_MOMENT_NAMES = {"second_moment": "E g²", "derivative": "E g'²"}


class Verdict(Enum):
    """What the simulation says about a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on.

    Attributes
    ----------
    verdict : Verdict
    reason : str
        One sentence.
    joint : Joint
    innovations : tuple of Innovation
    notes : tuple of str
        What was left out of the test and why.
    """

    verdict: Verdict
    reason: str
    joint: Joint
    innovations: tuple[Innovation, ...]
    notes: tuple[str, ...]


def assess(
    seen: Observations, claim: Claim, weights: WeightLaw, level: float = LEVEL, power: float = POWER
) -> Judgement:
    """Judge a claim by simulated networks.

    Parameters
    ----------
    seen : Observations
    claim : Claim
    weights : WeightLaw
    level : float
        Probability of refuting a true claim.
    power : float
        Least probability of refuting a σ_w² that is 1 % wrong, and of refuting each of the claim's moments
        that is, for CONFIRMED.

    Returns
    -------
    Judgement
        REFUTED if the joint p-value is below the level, or if something without variance is not what it must
        be; CONFIRMED if not, if what the claim is about (q, E g², and E g'² if the claim names it; for a
        criterion's constant E g in place of q) was tested in at least half of the layers, and if the power is
        enough, against a σ_w² and against each of these moments that is 1 % wrong; else UNKNOWN, which never
        counts as confirmed.  The notes name every other quantity that was not tested.

    Notes
    -----
    Measured by ``benchmarks/verification.py`` at level 1 %: 11 of 1000 true statements refuted (20
    activations, widths 64 to 4096, depths 1 to 100, four laws of weights); 100 of 100 with σ_w² off by 1 % at
    N = 1024, L = 30.

    The innovations' first moments are exact for Gaussian weights at any width, depth and number of networks;
    normality of their sums over N·R neurons is exact for q, the gradient and the pre-activation covariance,
    and holds up to the skewness, which is taken out, for the others.  For other weights first moments are
    right to O(1/N²).
    """
    found = innovations(seen, claim, weights)
    # A constant that a criterion claims is tested by the output's moments; that y has the variance which its
    # input gives it, or that an orthogonal matrix keeps norms, says nothing about the constant.
    constant = any(claim.offset)
    about = (frozenset({"mean"}) if constant else CLAIMED) | frozenset(claim.moments)
    joint = judge(found, level, about if constant else None)
    notes = tuple(_notes(found))
    if joint.mismatches:
        what = ", ".join(_NAMES[name] for name in joint.mismatches)
        return Judgement(Verdict.REFUTED, f"not equal where there is no chance: {what}", joint, found, notes)
    if joint.p < level:
        worst = _culprit(joint, level)
        kind = "over all layers" if worst.kind == "sum" else "from layer to layer"
        reason = (
            f"the {_NAMES[worst.quantity]} is not as claimed {kind}: p = {joint.p:.2g}, less than {level:g}"
        )
        return Judgement(Verdict.REFUTED, reason, joint, found, notes)
    coarse = [each for each in found if each.coarse.any() and each.quantity in about]
    if coarse:
        reason = f"nothing contradicts the claim, but {_coarse(coarse)}; a larger width would do"
        return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
    for each in found:
        layers = int(np.sum((each.count > 0) | (each.exact > 0)))
        if each.quantity in about and 2 * layers < seen.depth:
            why = next((note for note in notes if note.startswith(_NAMES[each.quantity])), "no signal")
            reason = (
                f"the {_NAMES[each.quantity]} could be tested in {layers} of {seen.depth} layers only: {why}"
            )
            return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
        if each.quantity in about and each.heavy.any() and not each.count.any():
            reason = (
                f"the {_NAMES[each.quantity]} was tested only where the other averages determine it; "
                "elsewhere a few neurons decide it and no mean can be tested"
            )
            return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
    blind = _blind(found, joint, claim, power)
    if blind is not None:
        what, chance, quantities = blind
        reason = (
            f"nothing contradicts the claim, but {what} that is 1 % wrong would be refuted with probability "
            f"{chance:.2g} only{_enough(found, joint, seen.networks, level, quantities)}"
        )
        return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
    reason = (
        f"nothing contradicts the claim (p = {joint.p:.2g}), and {_seen(claim)} that is 1 % wrong would be "
        f"refuted with probability {min(joint.power, *_powers(joint, claim).values()):.4g}"
    )
    return Judgement(Verdict.CONFIRMED, reason, joint, found, notes)


def _culprit(joint: Joint, level: float) -> Statistic:
    """Return the test to name: of the first quantity that refutes on its own.

    Each quantity is judged less its regression on those before it.  So what is wrong in one of them may show
    in all that come after, even more clearly, and in none before.
    """
    line = max(-expm1(log1p(-level) / len(joint.tests)), min(test.p for test in joint.tests))
    first = next(test.quantity for test in joint.tests if test.p <= line)
    return min((test for test in joint.tests if test.quantity == first), key=lambda test: test.p)


def _blind(
    found: Sequence[Innovation], joint: Joint, claim: Claim, power: float
) -> tuple[str, float, frozenset[str]] | None:
    """Return what might be 1 % wrong without being seen, with what chance it is, and by which quantities."""
    powers = _powers(joint, claim)
    weakest = min(claim.moments, key=lambda name: powers[name])
    others = {each.quantity for each in found} - set(MOMENTS)
    rows = [("a σ_w²", joint.power, {weakest} if any(claim.offset) else others)]
    rows += [(f"an {_MOMENT_NAMES[name]}", powers[name], {name}) for name in claim.moments]
    return next(((what, p, frozenset(by)) for what, p, by in rows if p < power), None)


def _powers(joint: Joint, claim: Claim) -> dict[str, float]:
    """Return the chance that each of the claim's moments is refuted if it is 1 % wrong."""
    powers = dict(zip(MOMENTS, (joint.power_of_moment, joint.power_of_derivative), strict=True))
    return {name: powers[name] for name in claim.moments}


def _seen(claim: Claim) -> str:
    *first, last = ("a σ_w²", *(_MOMENT_NAMES[name] for name in claim.moments))
    return f"{', '.join(first)} or {last}"


def _enough(
    found: Sequence[Innovation], joint: Joint, networks: int, level: float, quantities: frozenset[str]
) -> str:
    """How many networks would give the power."""
    total = 0.0
    for each in found:
        tested = np.isfinite(each.z) & (each.sensitivity != 0) & (each.quantity in quantities)
        if tested.any():
            w = np.sqrt(each.count[tested])
            total = max(total, float(np.sum(w * each.sensitivity[tested])) / float(np.sqrt(np.sum(w * w))))
    if not total:
        return ""
    needed = ((critical_value(len(joint.tests), level) + 1.2816) / total) ** 2 * networks
    return f"; about {ceil(needed)} networks would do"


def _coarse(found: Sequence[Innovation]) -> str:
    """Say what was left out because the first order in 1/N is not enough."""
    parts = []
    for each in found:
        off = f"by {each.remainder:.2g} standard errors" if np.isfinite(each.remainder) else "by any amount"
        parts.append(f"{_NAMES[each.quantity]} ({off})")
    return (
        "weights that are not Gaussian are followed to first order in 1/N, and what comes after it may move "
        f"{', '.join(parts)} at this width and number of networks: not counted"
    )


def _notes(found: Sequence[Innovation]) -> list[str]:
    notes = []
    for each in found:
        heavy = int(each.heavy.sum())
        if heavy:
            everything = heavy + int(each.count.sum() + each.exact.sum())
            notes.append(
                f"{_NAMES[each.quantity]}: left out in {heavy} of {everything} layers × networks, where a "
                "few neurons decide the average and no mean can be tested"
            )
        if each.coarse.any():
            notes.append(_coarse([each]))
            continue
        nothing = int(np.sum((each.count == 0) & (each.exact == 0)))
        if nothing and not heavy and each.quantity not in ("gradient",):
            notes.append(f"{_NAMES[each.quantity]}: not tested in {nothing} layers (no usable variation)")
    tested = {each.quantity for each in found if (each.count > 0).any() or (each.exact > 0).any()}
    missing = [name for name in _ALL if name not in tested]
    if missing:
        notes.append("not tested: " + ", ".join(_NAMES[name] for name in missing))
    return notes
