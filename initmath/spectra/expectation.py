"""Expectations of smooth functions of log λ under a spectral law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from initmath.spectra.law import SpectralLaw

__all__ = ["expectation"]

_PANELS = 48
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def expectation(law: SpectralLaw, f: Callable[[Any], Any]) -> float:
    r"""Return E f(log λ) over λ > 0; an atom at 0 adds nothing.

    Parameters
    ----------
    law : SpectralLaw
    f : callable
        Takes an array of log λ; smooth, on the scale of the law's spread.

    Returns
    -------
    float
        On the nodes on which the law itself was resolved; about 1e-9 for bounded f.

    Examples
    --------
    E λ/(1 + λ) of the Marchenko-Pastur law is 1 − (√5 − 1)/2.

    >>> from initmath.spectra import spectral_law
    >>> law = spectral_law("x", depth=1)
    >>> round(expectation(law, lambda t: 1 / (1 + np.exp(-t))), 12)
    0.38196601125
    """
    total = sum(p * float(f(np.array([s]))[0]) for s, p in law.log_atoms if np.isfinite(s))
    total += sum(float(part.measure @ f(part.log_lambda)) for part in law.parts)
    if law.push is not None:
        for branch in law.push.law.branches:
            ends = np.linspace(branch.left, branch.right, _PANELS + 1)
            half = np.diff(ends)[:, None] / 2
            z = (ends[:-1, None] + half + half * _NODES).ravel()
            mass = (half * _WEIGHTS).ravel() * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
            total += branch.weight * float(mass @ f(branch.log_value(z) + law.push.log_scale))
    return float(total)
