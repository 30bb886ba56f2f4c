"""Xiao et al. 2018: deep linear convolutions, delta-orthogonal and Gaussian, and what they do to signals.

With circular padding a layer is a channel matrix A(ω) at every frequency, and so is a product of layers.
Delta-orthogonal: every A(ω) is the same orthogonal matrix, all singular values stay 1 at any depth.
Gaussian of variance 1/(fan-in): A(ω) is a matrix of independent Gaussian entries, and the spectrum of L
layers is that of a product of L of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.pennington_spectra import cdf_distance
from figures.sheet import BLUE, GREEN, ORANGE, VERMILION, letters, panels, upper

TAPS, SIZE = 3, 16  # a circle of 16 places
DEPTHS = (1, 4, 16)
REACH = 15  # decades of λ below 1 that are drawn
SEED = 2018
KINDS = ("gaussian", "delta")
COLOURS = (GREEN, ORANGE, VERMILION)

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Singular values of products of convolutions, and norms through many layers.

    Attributes
    ----------
    channels, networks : int
    log_lambda, density : ndarray, shape (3, n)
        Law of ln λ, λ the squared singular value of L Gaussian layers, at infinite width.
    share : ndarray, shape (3,)
        Of all λ that lie there, by the distribution function.
    edges, sampled : ndarray, shape (3, m + 1) and (3, m)
        Histogram of ln λ of the networks.
    distance : ndarray, shape (3,)
        Bound on the distance of the two distribution functions.
    top, largest : ndarray, shape (3,)
        Upper edge of the law, and mean over networks of the largest λ.
    delta : float
        Largest |ln λ| of as many delta-orthogonal layers.
    gaussian_norm, delta_norm : ndarray, shape (networks, layers + 1)
        ‖x_L‖²/‖x₀‖².
    deep : int
        Layers of the deepest delta-orthogonal network.
    whole, per_place : float
        How far the norms are off 1 after them: of the image, and at any place.
    """

    channels: int
    networks: int
    log_lambda: Real
    density: Real
    share: Real
    edges: Real
    sampled: Real
    distance: Real
    top: Real
    largest: Real
    delta: float
    gaussian_norm: Real
    delta_norm: Real
    deep: int
    whole: float
    per_place: float


def _kernel(kind: str, channels: int, rng: np.random.Generator) -> Real:
    from initmath.sampling import delta_orthogonal, normal

    shape = (channels, channels, TAPS)
    if kind == "delta":
        return np.asarray(delta_orthogonal(shape, 1.0, rng))
    return np.asarray(normal(shape, 1 / (channels * TAPS), rng))


def _log_lambda(kernels: list[Real]) -> Real:
    """Return ln λ of the product of the layers, from all frequencies together."""
    from initmath.simulate import log_singular_values

    phases = np.exp(2j * np.pi * np.arange(SIZE)[:, None] * (np.arange(TAPS) - 1) / SIZE)
    found = []
    for phase in phases[: SIZE // 2 + 1]:
        blocks = [k @ phase for k in kernels]
        # A as a real matrix of twice the size has each singular value twice
        factors = [np.block([[a.real, -a.imag], [a.imag, a.real]]) for a in blocks]
        found.append(2 * log_singular_values(factors)[::2])
    return np.concatenate(found + found[1:-1])  # ω and −ω have the same


def _norms(kind: str, channels: int, depth: int, rng: np.random.Generator) -> Real:
    from initmath.architectures import circular_convolution

    x = rng.standard_normal((channels, SIZE))
    norms = [float(np.sum(x * x))]
    for _ in range(depth):
        x = circular_convolution(x, _kernel(kind, channels, rng))
        norms.append(float(np.sum(x * x)))
    return np.array(norms) / norms[0]


def data(quick: bool = False) -> Data:
    """Solve for the laws; sample networks of both kinds."""
    from initmath.architectures import delta_orthogonal_kernels, norm_kept
    from initmath.spectra import spectral_law

    channels, networks, depth, deep = (24, 4, 60, 300) if quick else (32, 12, 200, 10_000)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("at", "density", "share", "edges", "sampled", "off", "top", "max")
    }
    for case, count in enumerate(DEPTHS):
        law = spectral_law("x", count, "gaussian", sigma_w2=1.0)
        last = law.log_support[0][1]
        first = max(float(law.log_quantile(0.01)), -REACH * np.log(10))
        at = first + (last - first) * np.sin(np.linspace(0, np.pi / 2, 300)[1:-1]) ** 2
        edges = np.linspace(first, last, 26)
        edges = np.append(edges, 2 * edges[-1] - edges[-2])
        rng = np.random.default_rng([SEED, case])
        values = np.array(
            [_log_lambda([_kernel("gaussian", channels, rng) for _ in range(count)]) for _ in range(networks)]
        )
        rows["at"].append(at)
        rows["density"].append(law.log_density(at))
        rows["share"].append(np.diff(law.log_cdf(at[[0, -1]]))[0])
        rows["edges"].append(edges)
        rows["sampled"].append(np.histogram(values, edges)[0] / values.size / np.diff(edges))
        rows["off"].append(cdf_distance(law.log_cdf, values.ravel(), values.size))
        rows["top"].append(np.exp(last))
        rows["max"].append(np.exp(values.max(axis=1)).mean())
    rng = np.random.default_rng([SEED, 3])
    kept = _log_lambda([_kernel("delta", channels, rng) for _ in range(DEPTHS[-1])])
    norms = [np.array([_norms(kind, channels, depth, rng) for _ in range(networks)]) for kind in KINDS]
    image = rng.standard_normal((channels, SIZE))
    far = norm_kept(image, delta_orthogonal_kernels(deep, channels, (TAPS,), rng))
    return Data(
        channels, networks, *(np.array(row) for row in rows.values()), float(np.abs(kept).max()), norms[0],
        norms[1], deep, far.whole, far.per_place,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw the spectra, and the norms layer by layer."""
    figure, axes = panels(1, 2, height=3.0)
    ten = np.log(10)
    for case, (depth, colour) in enumerate(zip(DEPTHS, COLOURS, strict=True)):
        axes[0].stairs(
            found.sampled[case] * ten, found.edges[case] / ten, fill=True, color=colour, alpha=0.25, lw=0
        )
        axes[0].plot(
            found.log_lambda[case] / ten,
            found.density[case] * ten,
            color=colour,
            label=f"Gaussian, $L = {depth}$",
        )
    axes[0].axvline(0, color=BLUE, lw=1.8, label="delta-orthogonal, any $L$")
    axes[0].set(xlabel=r"$\log_{10}\lambda$", ylabel=r"density of $\log_{10}\lambda$")
    axes[0].set(xlim=(-REACH, 2.5), xticks=range(-15, 1, 5))
    axes[0].set_xticks([-15, -10, -5, 0])
    axes[0].set_ylim(0, 1.05 * found.density[0].max() * ten)
    axes[0].legend(loc="upper left")
    layers = np.arange(found.gaussian_norm.shape[1])
    for kind, (norms, colour) in enumerate(((found.gaussian_norm, VERMILION), (found.delta_norm, BLUE))):
        for row, name in zip(
            norms, [("Gaussian", "delta-orthogonal")[kind], *[None] * len(norms)], strict=False
        ):
            axes[1].plot(layers, row, color=colour, lw=(0.8, 1.8)[kind], label=name)
    axes[1].set(yscale="log", xlabel="layers $L$", ylabel=r"$\|x_L\|^2/\|x_0\|^2$", xlim=(0, layers[-1]))
    axes[1].set_ylim(0.02, 50)
    axes[1].set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    axes[1].legend(loc="upper left")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    tops, largest = (", ".join(f"{x:.3g}" for x in row) for row in (found.top, found.largest))
    last = found.gaussian_norm[:, -1]
    return (
        f"Linear convolutions with {found.channels} channels and {TAPS} taps on a circle of {SIZE} "
        "places. (a) "
        f"Squared singular values λ of {', '.join(map(str, DEPTHS))} layers: Gaussian weights, law of a "
        f"product of Gaussian matrices (lines) and {found.networks} networks (areas). Its upper edge "
        f"(L + 1)^(L+1)/L^L is {tops}, the largest λ of a network {largest} on average; the two distribution "
        f"functions differ by at most {upper(found.distance.max(), 2)}. Delta-orthogonal: |ln λ| ≤ "
        f"{upper(found.delta, 1)}. "
        f"(b) Squared norm of a random image: after {found.gaussian_norm.shape[1] - 1} Gaussian layers "
        "it has "
        f"become {last.min():.2g} to {last.max():.2g} of what it was, though E = 1. After {found.deep} "
        f"delta-orthogonal layers the image's norm is off by {found.whole:.0e}, that of any place by "
        f"{found.per_place:.0e}."
    )


def _product_law(layers: int) -> tuple[Real, Real]:
    """Return ln λ and its density for a product of L square Gaussian matrices, by an angle 0 < φ < π/(L + 1).

    λ = sin^(L+1)((L+1)φ)/(sin φ sin^L(Lφ)), at which λ has the density sin²φ sin^(L−1)(Lφ)/(π sin^L((L+1)φ)).
    """
    angle = np.linspace(0, np.pi / (layers + 1), 400_001)[1:-1]
    one, below, all_in = (np.sin(k * angle) for k in (1, layers, layers + 1))
    log_lambda = (layers + 1) * np.log(all_in) - np.log(one) - layers * np.log(below)
    return log_lambda[::-1], (all_in * one / (np.pi * below))[::-1]


def check(found: Data) -> None:
    """Assert the law by its closed form, the samples, and isometry to rounding."""
    for case, depth in enumerate(DEPTHS):
        law = np.interp(found.log_lambda[case], *_product_law(depth))
        np.testing.assert_allclose(found.density[case], law, rtol=1e-4)
    count = np.array(DEPTHS, float)
    np.testing.assert_allclose(found.top, (count + 1) ** (count + 1) / count**count, rtol=1e-9)
    area = np.trapezoid(found.density, found.log_lambda, axis=1)
    np.testing.assert_allclose(area, found.share, atol=2e-3)
    span = np.sum(np.diff(found.edges, axis=1) * found.sampled, axis=1)
    assert np.all(np.abs(span - found.share) < found.distance + 0.02), span
    for case, depth in enumerate(DEPTHS):
        # the histogram's sums from the right, beside those of the closed form, are no further apart than that
        at, density = _product_law(depth)
        mass = np.append(np.cumsum((np.diff(at) * (density[1:] + density[:-1]) / 2)[::-1])[::-1], 0.0)
        right = np.cumsum((found.sampled[case] * np.diff(found.edges[case]))[::-1])[::-1][1:]
        apart = np.abs(right - np.interp(found.edges[case, 1:-1], at, mass, right=0.0))
        assert apart.max() < found.distance[case] + 1e-3, depth
    # the largest of finitely many is below the edge, up to fluctuations that grow with the depth
    below = found.largest / found.top
    assert np.all(below < 1 + 0.05 * np.sqrt(count)) and np.all(below > 0.9 - 0.1 * np.sqrt(count)), below
    # eigenvalues are rigid, to O(1/N) each layer
    assert np.all(found.distance < (1 + 0.5 * count) / found.channels), found.distance
    assert found.delta < 1e-12 * DEPTHS[-1]
    assert found.whole < 1e-15 * found.deep + 1e-14 and found.per_place < 1e-14 * found.deep
    assert np.abs(found.delta_norm - 1).max() < 1e-11
    first = found.gaussian_norm[:, 1:6]
    error = first.std(axis=0, ddof=1) / np.sqrt(found.networks)
    assert np.all(np.abs(first.mean(axis=0) - 1) < 6 * error + 0.1)
    spread = np.ptp(np.log(found.gaussian_norm), axis=0)
    assert spread[-1] > 5 * spread[1]
