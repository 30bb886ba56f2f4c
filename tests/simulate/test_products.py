"""Singular values of long products against arbitrary-precision ones, known exponents and exact identities."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.special import digamma, polygamma

from initmath.errors import InputError
from initmath.sampling import orthogonal
from initmath.simulate.blas import one_thread
from initmath.simulate.products import GradedProduct, log_singular_values


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def _in_many_digits(factors, digits):
    with mpmath.workdps(digits):
        product = mpmath.matrix(factors[0].tolist())
        for each in factors[1:]:
            product = mpmath.matrix(each.tolist()) * product
        found = mpmath.svd_r(product, compute_uv=False)
        return np.sort([float(mpmath.log(value)) for value in found])[::-1]


def _gaussian(n, rng):
    return rng.standard_normal((n, n)) / np.sqrt(n)


def _orthogonal(n, rng):
    return orthogonal((n, n), 1.0, rng)


@pytest.mark.parametrize("matrix", [_gaussian, _orthogonal])
@pytest.mark.parametrize(("q", "digits"), [(0.0, 150), (1.0, 300), (25.0, 900)])
def test_against_arbitrary_precision(matrix, q, digits):
    """At q = 25 the singular values of the product span 10^450, those of a single factor 10^7."""
    rng = np.random.default_rng(5)
    factors = []
    for _ in range(60):
        slope = 1 / np.cosh(np.sqrt(q) * rng.standard_normal(10)) ** 2
        factors.append(slope[:, None] * matrix(10, rng))
    found, true = log_singular_values(factors), _in_many_digits(factors, digits)
    if q == 0 and matrix is _gaussian:
        assert true[0] - true[-1] > 36.8  # beyond the reach of double precision
    assert np.abs(found - true).max() < 5e-12


def test_dead_units_are_exact_zeros():
    rng = np.random.default_rng(2)
    masks = rng.random((40, 24)) < 0.6
    product = GradedProduct(24)
    for mask in masks:
        product.multiply(_gaussian(24, rng), mask)
    values = product.log_singular_values()
    assert np.isfinite(values).sum() == masks.sum(axis=1).min() == product.rank


def test_nothing_left():
    product = GradedProduct(3)
    product.multiply(np.eye(3), [1.0, 0.0, 0.0])
    product.multiply(np.eye(3), [0.0, 1.0, 1.0])
    assert product.rank == 0
    product.multiply(np.eye(3))
    assert (product.log_singular_values() == -np.inf).all()


def test_lyapunov_spectrum_of_gaussian_products():
    r"""Newman 1986: exponents ½(log(2/N) + ψ((N − k + 1)/2)), k = 1 … N.

    The sum of all log σ is Σ log|det W_l|, exactly normal enough to be tested at 4 standard errors.
    """
    n, depth = 24, 1500
    rng = np.random.default_rng(11)
    product = GradedProduct(n)
    log_det = 0.0
    for _ in range(depth):
        w = _gaussian(n, rng)
        log_det += np.linalg.slogdet(w)[1]
        product.multiply(w)
    values = product.log_singular_values()
    assert abs(values.sum() - log_det) < 1e-8
    half = (n - np.arange(n)) / 2
    exponents = 0.5 * (np.log(2 / n) + digamma(half))
    errors = np.sqrt(polygamma(1, half) / 4 / depth)
    # neighbours repel at a finite depth: a shift of the order of 1/depth
    assert (np.abs(values / depth - exponents) < 4 * errors + 3 / depth).all()


def test_isometry_is_kept():
    rng = np.random.default_rng(3)
    product = GradedProduct(64)
    for _ in range(200):
        product.multiply(_orthogonal(64, rng))
    assert np.abs(product.log_singular_values()).max() < 1e-12


def test_what_plain_decomposition_can_do_it_does_too():
    rng = np.random.default_rng(4)
    factors = [rng.standard_normal((40, 60)), rng.standard_normal((50, 40)), rng.standard_normal((30, 50))]
    plain = np.linalg.svd(factors[2] @ factors[1] @ factors[0], compute_uv=False)
    assert np.abs(log_singular_values(factors) - np.log(plain)).max() < 1e-12


def test_a_product_and_its_transpose_have_the_same_singular_values():
    """The two accumulate from opposite ends."""
    rng = np.random.default_rng(8)
    factors = [_gaussian(80, rng) * np.exp(rng.standard_normal(80))[:, None] for _ in range(120)]
    there = log_singular_values(factors)
    back = log_singular_values([each.T for each in reversed(factors)])
    assert there[0] - there[-1] > 400
    assert np.abs(there - back).max() < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_the_logarithms_add_up_to_that_of_the_determinant(seed):
    """Slopes that cross 0, as GELU's, put rows out of order at the last step."""
    rng = np.random.default_rng(seed)
    factors = [rng.standard_normal(200)[:, None] * _gaussian(200, rng) for _ in range(8)]
    log_det = sum(np.linalg.slogdet(each)[1] for each in factors)
    found = log_singular_values(factors)
    assert abs(found.sum() - log_det) < 1e-9
    assert np.abs(found - log_singular_values([each.T for each in reversed(factors)])).max() < 1e-9


@pytest.mark.parametrize(
    ("work", "says"),
    [
        (lambda p: p.multiply(np.eye(4)), "3 columns"),
        (lambda p: p.multiply(np.eye(3), np.ones(2)), "3 slopes"),
        (lambda p: p.multiply(np.full((3, 3), np.nan)), "finite"),
        (lambda p: p.multiply(np.eye(3), [np.inf, 1, 1]), "finite"),
        (lambda p: log_singular_values([]), "at least one"),
        (lambda p: log_singular_values([np.ones(3)]), "matrix"),
    ],
)
def test_wrong_input(work, says):
    with pytest.raises(InputError, match=says):
        work(GradedProduct(3))
