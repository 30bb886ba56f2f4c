"""Looks-linear networks: exactly linear at depth 1000, and not at all without the mirrored weights."""

import numpy as np
import pytest

from initmath.architectures import (
    LooksLinear,
    crelu,
    looks_linear,
    looks_linear_convolution,
    looks_linear_dense,
)
from initmath.errors import InputError


def test_the_identity_that_all_rests_on():
    rng = np.random.default_rng(0)
    w, y = rng.standard_normal((3, 5)), rng.standard_normal(5)
    assert crelu(y).min() == 0 and np.allclose(crelu(y)[:5] - crelu(y)[5:], y, atol=0)
    assert np.allclose(looks_linear(w) @ crelu(y), w @ y, rtol=1e-14)


@pytest.mark.parametrize("width", [1, 2, 32])
def test_dense_at_depth_1000(width):
    network = looks_linear_dense(1000, width, np.random.default_rng(1))
    found = network.check(np.random.default_rng(2).standard_normal(width))
    assert found.depth == 1000 and found.deviation < 1e-12
    assert found.singular_values.shape == (width,) and np.all(np.abs(found.singular_values - 1) < 1e-12)


def test_convolution_at_depth_1000():
    network = looks_linear_convolution(1000, 3, (3,), np.random.default_rng(3))
    found = network.check(np.random.default_rng(4).standard_normal((3, 4)))
    assert found.deviation < 1e-12
    assert found.singular_values.shape == (12,) and np.all(np.abs(found.singular_values - 1) < 1e-12)


def test_any_factors_stay_linear():
    """Linearity does not need orthogonality, nor equal widths."""
    rng = np.random.default_rng(5)
    network = LooksLinear(tuple(rng.standard_normal(s) for s in ((4, 3), (6, 4), (2, 6))))
    x = rng.standard_normal(3)
    product = network.factors[2] @ network.factors[1] @ network.factors[0]
    assert np.allclose(network.forward(x), product @ x) and np.allclose(network.jacobian(x), product)
    batch = rng.standard_normal((3, 7))
    assert np.allclose(network.forward(batch), product @ batch)


def test_the_jacobian_sees_the_masks():
    """The derivative of the network as it runs, by finite differences; and the masks at 0."""
    rng = np.random.default_rng(6)
    network = LooksLinear(tuple(rng.standard_normal((4, 4)) for _ in range(3)))
    x, step = rng.standard_normal(4), 1e-6
    numeric = np.stack(
        [(network.forward(x + step * e) - network.forward(x - step * e)) / (2 * step) for e in np.eye(4)],
        axis=1,
    )
    assert np.allclose(network.jacobian(x), numeric, rtol=1e-6, atol=1e-6)
    # a unit that is exactly 0 passes nothing on, in either half
    assert not network.jacobian(np.zeros(4)).any()


def test_plain_relu_is_not_linear():
    rng = np.random.default_rng(7)
    w, x = rng.standard_normal((4, 4)), rng.standard_normal(4)
    assert not np.allclose(w @ np.maximum(x, 0), w @ x)


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: looks_linear_dense(0, 3, rng),
        lambda rng: looks_linear_convolution(1, 3, (2,), rng),
        lambda rng: looks_linear_dense(2, 3, rng).forward(np.ones(4)),
        lambda rng: looks_linear(np.ones(3)),
        lambda rng: looks_linear_dense(2, 3, rng).check(np.ones((3, 2))),
        lambda rng: looks_linear_dense(2, 3, rng).check([1.0, np.nan, 0.0]),
        lambda rng: LooksLinear(()),
        lambda rng: LooksLinear((np.eye(2), np.eye(3))),
        lambda rng: looks_linear_dense(2.5, 3, rng),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError):
        call(np.random.default_rng(0))
