"""Architectures that reach, or approach, dynamical isometry; and what depth does to their gradients.

- `looks_linear_dense`, `looks_linear_convolution`: CReLU networks that are exactly linear at the start.
- `convolution_singular_values`, `block_circulant`, `norm_kept`: circular convolutions.
- `residual_path`, `residual_limit`, `residual_spread`, `sample_residual`: x + α F(x).
- `gradient_law`, `sample_gradients`: the correlation of gradients against depth, in the shattered-gradients
  model and in the network.
"""

from initmath.architectures.convolution import (
    block_circulant,
    circular_convolution,
    convolution_singular_values,
)
from initmath.architectures.crelu_networks import (
    Linearity,
    LooksLinear,
    crelu,
    looks_linear,
    looks_linear_convolution,
    looks_linear_dense,
)
from initmath.architectures.deep_convolution import NormKept, delta_orthogonal_kernels, norm_kept
from initmath.architectures.gradient_laws import ARCHITECTURES, GradientLaw, angles, gradient_law
from initmath.architectures.gradient_sample import MASKS, GradientSample, sample_gradients
from initmath.architectures.persistent_masks import ResidualSpread, residual_spread
from initmath.architectures.residual import (
    WEIGHTS,
    ResidualLimit,
    ResidualPath,
    depth_scaled,
    residual_limit,
    residual_path,
)
from initmath.architectures.residual_sample import ResidualSample, sample_residual

__all__ = [
    "ARCHITECTURES",
    "MASKS",
    "WEIGHTS",
    "GradientLaw",
    "GradientSample",
    "Linearity",
    "LooksLinear",
    "NormKept",
    "ResidualLimit",
    "ResidualPath",
    "ResidualSample",
    "ResidualSpread",
    "angles",
    "block_circulant",
    "circular_convolution",
    "convolution_singular_values",
    "crelu",
    "delta_orthogonal_kernels",
    "depth_scaled",
    "gradient_law",
    "looks_linear",
    "looks_linear_convolution",
    "looks_linear_dense",
    "norm_kept",
    "residual_limit",
    "residual_path",
    "residual_spread",
    "sample_gradients",
    "sample_residual",
]
