"""Spectra of the input–output Jacobian at initialization, from free probability."""

from initmath.spectra.law import SpectralLaw, spectral_law, spectral_law_of
from initmath.spectra.series import moments_series, s_transform_series
from initmath.spectra.slope import SlopeLaw, bernoulli, slope_law

__all__ = [
    "SlopeLaw",
    "SpectralLaw",
    "bernoulli",
    "moments_series",
    "s_transform_series",
    "slope_law",
    "spectral_law",
    "spectral_law_of",
]
