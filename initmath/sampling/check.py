"""Compare the variance of independent, centred entries with the one that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from initmath.errors import InputError

__all__ = ["VarianceCheck", "variance_check"]


@dataclass(frozen=True)
class VarianceCheck:
    """Measured against asked-for variance.

    Attributes
    ----------
    measured, expected : float
        Mean square of the entries; the variance asked for.
    standard_error : float
        Of ``measured`` if the claim is true: expected × √((κ − 1)/n).
    z : float
        (measured − expected)/standard_error; about N(0, 1) if the claim is true.  0 or ±inf where the
        standard error is 0 (an exact comparison, to rounding).
    """

    measured: float
    expected: float
    standard_error: float
    z: float


def variance_check(sample: NDArray[Any], variance: SupportsFloat, kurtosis: float = 3.0) -> VarianceCheck:
    """z-score of the mean square of independent centred entries.

    Var x² = (κ − 1) v⁴ for kurtosis κ: 3 for a normal, 9/5 for a uniform, `truncated_normal_kurtosis` for a
    truncated normal.  The expected variance is used in the standard error, so a wrong sampler cannot hide
    in its own spread.

    Parameters
    ----------
    sample : ndarray
        Independent entries with mean 0.
    variance : float
        What they should have.
    kurtosis : float
        E x⁴/(E x²)² of their law.

    Returns
    -------
    VarianceCheck

    Examples
    --------
    >>> import numpy as np
    >>> check = variance_check(np.random.default_rng(0).standard_normal(10_000), 1.0)
    >>> abs(check.z) < 4
    True
    """
    flat = np.asarray(sample, dtype=np.float64).ravel()
    if flat.size == 0:
        raise InputError("an empty sample has no variance")
    expected = float(variance)
    measured = float(np.mean(flat * flat))
    error = expected * sqrt(max(kurtosis - 1.0, 0.0) / flat.size)
    difference = measured - expected
    if error > 0:
        z = difference / error
    else:
        same = abs(difference) <= 1e-12 * max(abs(expected), abs(measured))
        z = 0.0 if same else float(np.copysign(np.inf, difference))
    return VarianceCheck(measured, expected, error, z)
