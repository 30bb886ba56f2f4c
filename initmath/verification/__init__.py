"""Theory against simulated networks: innovations, their joint test, and the verdict."""

from initmath.verification.innovations import Claim, innovations
from initmath.verification.join import Innovation
from initmath.verification.joint import Joint, Statistic, judge
from initmath.verification.observations import Gradients, Observations, observe
from initmath.verification.table import Check, Series, checks_of, layer_series
from initmath.verification.verdict import LEVEL, POWER, Judgement, Verdict, assess

__all__ = [
    "LEVEL",
    "POWER",
    "Check",
    "Claim",
    "Gradients",
    "Innovation",
    "Joint",
    "Judgement",
    "Observations",
    "Series",
    "Statistic",
    "Verdict",
    "assess",
    "checks_of",
    "innovations",
    "judge",
    "layer_series",
    "observe",
]
