"""Pennington et al. 2017, Figure 4 in small: how fast deep networks learn, and the spectrum they start with.

Thirty-two layers on the handwritten digits that come with scikit-learn, plain gradient descent, the best of
a few learning rates for each start.  All starts are critical (χ₁ = 1); they differ in the spread of the
Jacobian's squared singular values λ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.kumar_3 import handwritten
from figures.second_route import normal_mean, spectrum_variance
from figures.sheet import SERIES, counted, letters, panels

DEPTH, WIDTH, CLASSES, TRAINING, BATCH = 32, 64, 10, 1400, 100
SMALL = 1 / (4 * DEPTH**0.5)
CASES = (
    ("tanh", "orthogonal", SMALL, "tanh, orthogonal, $q = 0.044$"),
    ("tanh", "orthogonal", 1.0, "tanh, orthogonal, $q = 1$"),
    ("tanh", "gaussian", SMALL, "tanh, Gaussian, $q = 0.044$"),
    ("relu", "orthogonal", 1.0, "ReLU, orthogonal"),
    ("relu", "gaussian", 1.0, "ReLU, Gaussian"),
)
MARKERS = "osD^v"
RATES = (0.01, 0.03, 0.1)
BLOCK = 10  # steps over which the loss is averaged
HALF = 0.5 * float(np.log(CLASSES))
SEED = 2017

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Losses while training, and spectra before it.

    Attributes
    ----------
    loss : ndarray, shape (cases, seeds, blocks)
        Training loss, averaged over BLOCK steps, at the best learning rate of each case.
    rate : ndarray, shape (cases,)
        That rate: the one with the smallest final loss, in the mean over seeds.
    variance : ndarray, shape (cases,)
        Var λ/(E λ)² at infinite width.
    first : ndarray, shape (cases, seeds)
        Loss of the first batch, before any step.
    half : ndarray, shape (cases,)
        Steps until the loss, in the mean over seeds, is half of ln 10; NaN if it never is.
    rates : tuple of float
        All that were tried.
    """

    loss: Real
    rate: Real
    variance: Real
    first: Real
    half: Real
    rates: tuple[float, ...]


def _start(
    case: int, sigma_w2: float, bias: float, rng: np.random.Generator
) -> tuple[list[Real], list[Real]]:
    from initmath.sampling import normal, orthogonal

    square = (WIDTH, WIDTH)
    if CASES[case][1] == "orthogonal":
        weights = [np.asarray(orthogonal(square, sigma_w2**0.5, rng)) for _ in range(DEPTH)]
    else:
        weights = [np.asarray(normal(square, sigma_w2 / WIDTH, rng)) for _ in range(DEPTH)]
    weights.append(np.asarray(normal((CLASSES, WIDTH), 1 / WIDTH, rng)))
    return weights, [*(bias**0.5 * rng.standard_normal(WIDTH) for _ in range(DEPTH)), np.zeros(CLASSES)]


def _train(case: int, sigma_w2: float, rate: float, steps: int, seed: int, images: Real, digits: Any) -> Real:
    """Return the loss at every step; NaN from where it overflows."""
    from initmath.activation import resolve
    from initmath.quadrature import expectation

    name, _, q, _ = CASES[case]
    g, slope = resolve(name).numpy(0), resolve(name).numpy(1)
    second = float(expectation(lambda y: g(y) ** 2, [q], [0.0]).value[0])
    bias = max(q - sigma_w2 * second, 0.0)  # keeps q; of ReLU it is 0 but for rounding
    rng = np.random.default_rng([SEED, case, seed])
    weights, biases = _start(case, sigma_w2, bias, rng)
    inputs = images * np.sqrt((q - bias) / sigma_w2)
    losses = np.full(steps, np.nan)
    for step in range(steps):
        chosen = rng.choice(TRAINING, BATCH, replace=False)
        x, outputs, slopes = inputs[chosen], [inputs[chosen]], []
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            y = x @ w.T + b
            x = g(y)
            outputs.append(x)
            slopes.append(slope(y))
        logits = x @ weights[-1].T + biases[-1]
        logits -= logits.max(axis=1, keepdims=True)
        error = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        own = np.arange(BATCH), digits[chosen]
        losses[step] = -np.mean(np.log(np.maximum(error[own], 1e-300)))
        if losses[step] > 100:
            break
        error[own] -= 1
        back = error / BATCH
        for layer in range(DEPTH, -1, -1):
            change, shift = back.T @ outputs[layer], back.sum(axis=0)
            if layer:
                back = (back @ weights[layer]) * slopes[layer - 1]
            weights[layer] -= rate * change
            biases[layer] -= rate * shift
    return losses


def data(quick: bool = False) -> Data:
    """Train every start at every rate."""
    from initmath.spectra import spectral_law

    steps, seeds, rates = (60, 1, RATES[1:2]) if quick else (300, 2, RATES)
    images, digits = handwritten()
    kept, best, variance, first, half = [], [], [], [], []
    for case, (name, weights, q, _) in enumerate(CASES):
        law = spectral_law(name, DEPTH, weights, q=q)
        every = np.array(
            [
                [_train(case, law.sigma_w2, rate, steps, s, images, digits) for s in range(seeds)]
                for rate in rates
            ]
        )
        runs = every.reshape(len(rates), seeds, -1, BLOCK).mean(axis=3)
        middle = runs.mean(axis=1)
        final = np.where(np.isfinite(middle[:, -1]), middle[:, -1], np.inf)
        chosen = int(np.argmin(final))
        kept.append(runs[chosen])
        best.append(rates[chosen])
        variance.append(law.sigma2_jjt)
        first.append(every[chosen, :, 0])
        half.append(_half(runs[chosen]))
    return Data(np.array(kept), np.array(best), np.array(variance), np.array(first), np.array(half), rates)


def _half(runs: Real) -> float:
    """Return the middle of the first block in which the mean over seeds is below half of ln 10."""
    below = runs.mean(axis=0) < HALF
    return float(BLOCK * (np.argmax(below) + 0.5)) if below.any() else np.nan


def draw(found: Data) -> Any:
    """Draw the loss against steps, and the time to half of it against the spread of the spectrum."""
    figure, axes = panels(1, 2, height=3.2)
    steps = BLOCK * (np.arange(found.loss.shape[2]) + 0.5)
    end = BLOCK * found.loss.shape[2]
    for case, (colour, marker) in enumerate(zip(SERIES, MARKERS, strict=False)):
        for row in found.loss[case]:
            axes[0].plot(steps, row, color=colour, lw=0.5, alpha=0.5)
        axes[0].plot(steps, found.loss[case].mean(axis=0), color=colour, lw=1.8, label=CASES[case][3])
        if np.isfinite(found.half[case]):
            axes[1].plot(found.variance[case], found.half[case], marker, ms=7, color=colour)
        else:
            axes[1].plot(found.variance[case], 1.12 * end, marker, ms=7, mfc="none", color=colour)
    axes[0].axhline(HALF, color="black", lw=0.7, ls=":")
    axes[0].set(xlabel="steps", ylabel="training loss", xlim=(0, steps[-1]), ylim=(0, 2.6))
    axes[1].set(xscale="log", xlabel=r"variance of $\lambda$", ylabel="steps to half of the loss")
    axes[1].set(xlim=(0.1, 200), ylim=(0, 1.24 * end))
    ticks = [t for t in axes[1].get_yticks() if t < end]
    axes[1].set_yticks([*ticks, 1.12 * end], [*(f"{t:g}" for t in ticks), f"over {end}"])
    axes[1].axhline(end, color="black", lw=0.7, ls=":")
    axes[1].set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    rows = []
    last = found.loss[:, :, -1].mean(axis=1)
    for case, (_, _, _, title) in enumerate(CASES):
        half = f"{found.half[case]:.0f} steps" if np.isfinite(found.half[case]) else "not reached"
        plain = title.replace("$", "")
        rows.append(f"{plain}: variance {found.variance[case]:.3g}, {half}, final loss {last[case]:.2g}")
    lowest = CASES[int(np.argmin(last))][3].replace("$", "")
    narrowest = CASES[int(np.argmin(found.variance))][3].replace("$", "")
    return (
        f"{DEPTH} layers of width {WIDTH}, gradient descent on handwritten digits in batches of {BATCH}, the "
        f"best of the rates {', '.join(f'{r:g}' for r in found.rates)}, "
        f"{counted(found.loss.shape[1], 'run')}. (a) Loss in blocks of {BLOCK} steps; "
        "dotted, half of ln 10. (b) Steps until there, against the variance of the "
        f"Jacobian's λ at the start (open, above the line: not reached). {'; '.join(rows)}. No start is at "
        f"half of the loss before the one with the narrowest spectrum; the smallest loss in the end has "
        f"{lowest}{'' if lowest == narrowest else ': the spectrum at the start is not all'}."
    )


def check(found: Data) -> None:
    """Assert variances by a second route, times read off the losses; the isometric start is first."""

    def slope(y: Real) -> Real:
        return np.asarray(1 - np.tanh(y) ** 2)

    images, digits = handwritten()
    for case, (name, weights, q, _) in enumerate(CASES):
        critical = 2.0  # 1/E g'²
        if name == "tanh":
            critical = 1 / normal_mean(lambda y: slope(y) ** 2, q)
            variance = spectrum_variance(slope, q, DEPTH, weights == "gaussian", ())
            assert abs(found.variance[case] / variance - 1) < 1e-9, case
            inner = normal_mean(lambda y: np.tanh(y) ** 2, q)
        else:
            inner = q / 2
        # logits of variance s² = E x² over ten classes: ln 10 + (1 − 1/10) s²/2 + …
        off = found.first[case] - np.log(CLASSES) - 0.45 * inner
        assert np.all(np.abs(off) < 0.05 + inner), (case, off)
        again = _train(case, critical, found.rate[case], BLOCK, 0, images, digits)
        assert abs(found.first[case, 0] / again[0] - 1) < 1e-6, case
        assert abs(found.loss[case, 0, 0] / again.mean() - 1) < 1e-3, case
        assert np.array_equal(found.half[case], _half(found.loss[case]), equal_nan=True), case
    np.testing.assert_allclose(found.variance[3:], [DEPTH, 2 * DEPTH], rtol=1e-9)
    assert found.variance[0] < 0.5 < 15 < found.variance[1]
    np.testing.assert_allclose(found.variance[2] - found.variance[0], DEPTH, rtol=1e-9)
    half = np.where(np.isfinite(found.half), found.half, np.inf)
    assert np.isfinite(half[0]) and half[0] <= half.min(), found.half
    assert np.all(half[0] < half[2:]), found.half
    assert np.all(np.isfinite(found.loss))
