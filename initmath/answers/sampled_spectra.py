"""Sampled Jacobians beside a spectral law: their eigenvalues, and what they say about the law."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from initmath.answers.exact import counted
from initmath.display.document import Block, Facts, Heading, Paragraph
from initmath.errors import InputError
from initmath.simulate.execution import Progress
from initmath.spectra import SpectralLaw

if TYPE_CHECKING:
    from initmath.simulate import SampledSpectra

__all__ = ["Sampled", "sample"]

_EIGENVALUES = 8000
"""About so many eigenvalues give a smooth histogram."""

_USUAL_NETWORKS = 12

_LEAST_WIDTH = 32
"""A quarter of it is the smallest of the three widths."""

_MORE = 3
"""Times as many networks at the smaller widths: their error counts, they cost next to nothing."""


@dataclass(frozen=True)
class Sampled:
    """Eigenvalues of JJᵀ of random networks, to hold beside the law, and the verdict on the law.

    Attributes
    ----------
    width, networks : int
    model : str
        ``"network"``: the networks' own slopes, with the σ_b² that keeps q; ``"free"``: slopes independent of
        the weights, where no σ_b² ≥ 0 keeps q.
    zeros : float
        Share of λ that are exactly 0.
    distance : float
        Largest difference between their distribution function and the law's.
    verdict : str
        ``"confirmed"``, ``"refuted"`` or ``"unknown"``, of the law for N → ∞, at the level of 1 %: from
        networks of this width, a half and a quarter of it, extrapolated.
    reason : str
    p : float or None
        Of the smallest p-value among the tests, times their number; None without a test.
    power : float or None
        Least probability of refuting a σ_w² that is 3 % off; None without a test.
    log_lambda : ndarray
        log λ > −∞ of all networks, increasing.
    """

    width: int
    networks: int
    model: str
    zeros: float
    distance: float
    verdict: str
    reason: str
    p: float | None
    power: float | None
    log_lambda: NDArray[np.float64] = field(repr=False, compare=False, metadata={"json": False})

    def blocks(self) -> tuple[Block, ...]:
        """Heading, verdict, facts."""
        slopes = (
            "their own slopes" if self.model == "network" else "slopes drawn independently of the weights"
        )
        return (
            Heading("Sampled networks"),
            Paragraph(f"{self.verdict.upper()}: {self.reason}."),
            Facts(
                (
                    ("networks", f"{self.networks} of width {self.width}, {slopes}"),
                    ("exactly 0", f"{self.zeros:.6g} of the eigenvalues"),
                    ("distance", f"{self.distance:.3g}, the largest between the distribution functions"),
                )
            ),
        )


def sample(
    activation: Any,
    law: SpectralLaw,
    q: float,
    bias: float | None,
    width: int,
    networks: int | None,
    seed: int,
    progress: Progress | None,
) -> Sampled:
    """Sample networks of some width, and of a half and a quarter of it, and judge the law by them."""
    from initmath.simulate import Experiment, InputGram, sample_spectra

    least = max(_USUAL_NETWORKS, -(-_EIGENVALUES // width))
    number = least if networks is None else counted(networks, "networks")
    experiment = Experiment(
        activation,
        width=width,
        depth=law.depth,
        networks=number,
        sigma_w2=law.sigma_w2,
        sigma_b2=bias or 0.0,
        inputs=InputGram.single(q, law.sigma_w2, bias or 0.0),
        weights=law.weights,
        seed=seed,
    )
    model = "free" if bias is None else "network"
    spectra = sample_spectra(experiment, model, progress=progress)
    found = np.sort(spectra.log_lambda.ravel())
    positive = found[np.isfinite(found)]
    verdict = _verdict(law, spectra)
    return Sampled(
        width, number, model, 1 - len(positive) / len(found), _distance(law, found), *verdict, positive
    )


def _verdict(law: SpectralLaw, spectra: SampledSpectra) -> tuple[str, str, float | None, float | None]:
    from initmath.verification.spectra import LEAST_NETWORKS, assess_spectrum

    width, networks = spectra.experiment.width, spectra.experiment.networks
    if width < _LEAST_WIDTH or networks < LEAST_NETWORKS:
        wanted = f"{LEAST_NETWORKS} networks of width {_LEAST_WIDTH} or more"
        return "unknown", f"a verdict takes {wanted}", None, None
    smaller = [spectra.at_width(width // part, _MORE * networks) for part in (2, 4)]
    try:
        judged = assess_spectrum(law, [spectra, *smaller])
    except InputError as impossible:
        return "unknown", str(impossible), None, None
    return judged.verdict.value, judged.reason, judged.p, min(judged.power.values(), default=None)


def _distance(law: SpectralLaw, log_lambda: NDArray[np.float64]) -> float:
    """Kolmogorov's distance: also just before and after the jumps of either function.

    Eigenvalues that an atom stands for lie beside it by rounding only: they are moved onto it.
    """
    moved = log_lambda.copy()
    for s, _ in law.log_atoms:
        if isfinite(s):
            moved[np.abs(moved - s) < 1e-9 * (1 + abs(s))] = s
    values, counts = np.unique(moved, return_counts=True)
    after = np.cumsum(counts) / len(moved)
    before = after - counts / len(moved)
    at = np.asarray(law.log_cdf(values))
    jump = np.zeros(len(values))
    for s, p in law.log_atoms:
        jump[values == s] += p
    return float(max(np.abs(at - after).max(), np.abs(at - jump - before).max()))
