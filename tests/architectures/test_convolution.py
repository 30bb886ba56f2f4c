"""Singular values by Fourier against the explicit matrix; delta-orthogonal kernels keep norms."""

import numpy as np
import pytest
from scipy.ndimage import correlate

from initmath.architectures import (
    block_circulant,
    circular_convolution,
    convolution_singular_values,
    delta_orthogonal_kernels,
    norm_kept,
)
from initmath.errors import InputError
from initmath.sampling import delta_orthogonal

CASES = [
    ((3, 2, 3), (7,)),
    ((2, 3, 4), (5,)),  # even kernel, fewer outputs than inputs
    ((2, 2, 5), (3,)),  # kernel longer than the image
    ((1, 1, 1), (1,)),
    ((3, 2, 3, 3), (4, 5)),
    ((2, 2, 2, 5), (3, 4)),
    ((2, 2, 3, 2, 3), (2, 3, 4)),
]


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_singular_values_are_those_of_the_explicit_matrix(shape, size):
    kernel = np.random.default_rng(0).standard_normal(shape)
    found = convolution_singular_values(kernel, size)
    expected = np.linalg.svd(block_circulant(kernel, size), compute_uv=False)
    assert found.shape == expected.shape and np.all(np.abs(found - expected) < 1e-13 * expected[0])


@pytest.mark.parametrize(("shape", "size"), CASES)
def test_the_explicit_matrix_is_the_layer(shape, size):
    rng = np.random.default_rng(1)
    kernel, image = rng.standard_normal(shape), rng.standard_normal((shape[1], *size))
    layer = circular_convolution(image, kernel)
    assert np.allclose(layer.ravel(), block_circulant(kernel, size) @ image.ravel(), atol=1e-12)


def test_the_layer_is_what_scipy_calls_a_correlation():
    rng = np.random.default_rng(2)
    kernel, image = rng.standard_normal((2, 3, 3, 5)), rng.standard_normal((3, 6, 7))
    expected = [sum(correlate(image[c], kernel[o, c], mode="wrap") for c in range(3)) for o in range(2)]
    assert np.allclose(circular_convolution(image, kernel), expected, atol=1e-12)


@pytest.mark.parametrize(("taps", "size"), [((3,), (8,)), ((3, 5), (4, 6))])
def test_delta_orthogonal_is_an_isometry_and_a_gaussian_kernel_is_not(taps, size):
    rng = np.random.default_rng(3)
    kernel = delta_orthogonal((6, 4, *taps), 1.5, rng)
    assert np.all(np.abs(convolution_singular_values(kernel, size) - 1.5) < 1e-13)
    values = convolution_singular_values(rng.standard_normal(kernel.shape), size)
    assert values[0] > 2 * values[-1]


@pytest.mark.parametrize(("channels", "taps", "size"), [(32, (3,), (8,)), (16, (3, 3), (4, 4))])
def test_norm_kept_in_single_precision_through_a_thousand_layers(channels, taps, size):
    rng = np.random.default_rng(4)
    image = rng.standard_normal((channels, *size)).astype(np.float32)
    kept = norm_kept(image, delta_orthogonal_kernels(1000, channels, taps, rng, dtype=np.float32))
    assert kept.depth == 1000 and kept.per_place < 1e-5 and kept.whole < 1e-6
    # it was really done in single precision
    assert kept.per_place > 1e-9


def test_another_gain_does_not_keep_norms():
    rng = np.random.default_rng(5)
    kept = norm_kept(rng.standard_normal((4, 5)), delta_orthogonal_kernels(100, 4, (3,), rng, gain=1.01))
    assert kept.whole == pytest.approx(1.01**100 - 1, rel=1e-10)


@pytest.mark.parametrize(
    "call",
    [
        lambda: circular_convolution(np.ones((2, 3)), np.ones((1, 3, 3))),
        lambda: circular_convolution(np.ones(3), np.ones((1, 1, 3))),
        lambda: circular_convolution(np.ones((1, 0)), np.ones((1, 1, 3))),
        lambda: convolution_singular_values(np.ones((2, 2)), 3),
        lambda: convolution_singular_values(np.full((1, 1, 3), np.nan), 3),
        lambda: convolution_singular_values(np.ones((1, 1, 3)), (3, 3)),
        lambda: convolution_singular_values(np.ones((1, 1, 3)), 0),
        lambda: convolution_singular_values(np.ones((1, 1, 3)), (2.5,)),
        lambda: block_circulant(np.ones((8, 8, 3)), 10_000),
        lambda: circular_convolution(np.ones((1, 3)) * 1j, np.ones((1, 1, 3))),
        lambda: circular_convolution([[np.nan, 1.0]], np.ones((1, 1, 3))),
        lambda: circular_convolution([[1.0, 2.0], [3.0]], np.ones((1, 1, 3))),
        lambda: convolution_singular_values(np.ones((1, 1, 3)), "4"),
        lambda: norm_kept(np.zeros((1, 3)), [np.ones((1, 1, 3))]),
        lambda: norm_kept(np.ones((1, 3)), []),
        lambda: list(delta_orthogonal_kernels(0, 1, (3,), np.random.default_rng(0))),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError):
        call()
