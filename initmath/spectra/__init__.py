"""Spectra of the input–output Jacobian at initialization, from free probability."""

from initmath.spectra.chain_moments import layered_moments_series
from initmath.spectra.law import SpectralLaw, spectral_law, spectral_law_of
from initmath.spectra.series import moments_series, s_transform_series
from initmath.spectra.slope import SlopeLaw, bernoulli, slope_law
from initmath.spectra.unequal import Layer, LayeredLaw, spectral_law_of_layers

__all__ = [
    "Layer",
    "LayeredLaw",
    "SlopeLaw",
    "SpectralLaw",
    "bernoulli",
    "layered_moments_series",
    "moments_series",
    "s_transform_series",
    "slope_law",
    "spectral_law",
    "spectral_law_of",
    "spectral_law_of_layers",
]
