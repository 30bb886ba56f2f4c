"""CONFIRMED, REFUTED or UNKNOWN, at a stated level and with a stated power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil

import numpy as np

from initmath.finite_width import WeightLaw
from initmath.verification.innovations import Claim, innovations
from initmath.verification.join import Innovation
from initmath.verification.joint import Joint, critical_value, judge
from initmath.verification.observations import Observations

__all__ = ["LEVEL", "POWER", "Judgement", "Verdict", "assess"]

LEVEL = 0.01
"""Probability with which a true claim is refuted."""

POWER = 0.9
"""Probability of refuting a σ_w² that is 1 % wrong from which a claim that stood counts as confirmed."""

CLAIMED = frozenset({"q", "second_moment"})
"""What the map of a layer is about: q from the layer's input, and E g² at q."""

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
        Least probability of refuting a σ_w² that is 1 % wrong, and of refuting an E g² that is, for
        CONFIRMED.

    Returns
    -------
    Judgement
        REFUTED if the joint p-value is below the level, or if something without variance is not what it must
        be; CONFIRMED if not, if what the claim is about (q and E g²; for a criterion's constant E g² and E g)
        was tested in at least half of the layers, and if the power is enough, against a σ_w² and against an
        E g² that is 1 % wrong; else UNKNOWN, which never counts as confirmed.  The notes name every other
        quantity that was not tested.

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
    offset = frozenset({"second_moment", "mean"}) if any(claim.offset) else None
    joint = judge(found, level, offset)
    about = offset or CLAIMED
    notes = tuple(_notes(found))
    if joint.mismatches:
        what = ", ".join(_NAMES[name] for name in joint.mismatches)
        return Judgement(Verdict.REFUTED, f"not equal where there is no chance: {what}", joint, found, notes)
    if joint.p < level:
        worst = min(joint.tests, key=lambda test: test.p)
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
    if joint.power < power:
        reason = (
            f"nothing contradicts the claim, but a σ_w² that is 1 % wrong would be refuted with probability "
            f"{joint.power:.2g} only{_enough(found, joint, seen.networks, level, offset is not None)}"
        )
        return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
    if joint.power_of_moment < power:
        reason = (
            f"nothing contradicts the claim, but an E g² that is 1 % wrong would be refuted with probability "
            f"{joint.power_of_moment:.2g} only{_enough(found, joint, seen.networks, level, moment=True)}"
        )
        return Judgement(Verdict.UNKNOWN, reason, joint, found, notes)
    reason = (
        f"nothing contradicts the claim (p = {joint.p:.2g}), and a σ_w² that is 1 % wrong would be refuted "
        f"with probability {joint.power:.4g}"
    )
    return Judgement(Verdict.CONFIRMED, reason, joint, found, notes)


def _enough(
    found: Sequence[Innovation], joint: Joint, networks: int, level: float, moment: bool = False
) -> str:
    """How many networks would give the power."""
    total = 0.0
    for each in found:
        tested = (
            np.isfinite(each.z) & (each.sensitivity != 0) & ((each.quantity == "second_moment") == moment)
        )
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
