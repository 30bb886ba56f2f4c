"""Kumar 2017, Figure 3: a deep sigmoid network trained from Xavier's variance and from the derived one.

The paper trains a convolutional network on CIFAR-10.  Here: a fully connected one, by gradient descent with
momentum, on the handwritten digits that come with scikit-learn.  Three starts: N v² = 1 (Xavier), 12.8 (the
paper's eq. 19), and 3.6, with which the code of the paper's figure was run: its v² is 3.6/N, not 3.6²/N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import length, normal_mean
from figures.sheet import BLUE, GREEN, VERMILION, counted, letters, panels

SIGMA_W2 = (1.0, 3.6, 12.8)
NAMES = ("1 (Xavier)", "3.6 (the code)", "12.8 (eq. 19)")
HIDDEN, WIDTH, CLASSES = 5, 64, 10
RATE, MOMENTUM, BATCH, TRAINING = 0.3, 0.9, 50, 1400
SEED = 2017
HELD_OUT = 397
CHANCE = 0.25  # an accuracy below this has learned next to nothing

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Accuracies while training, and gradients before it.

    Attributes
    ----------
    accuracy : ndarray, shape (3, seeds, epochs + 1)
        On the digits held out.
    gradient, gradient_error : ndarray, shape (3, HIDDEN)
        Mean of log₁₀ of the mean square of ∂loss/∂y_l relative to the last hidden layer, over networks, and
        its standard error.
    theory : ndarray, shape (3, HIDDEN)
        The same at infinite width.
    chi_1 : ndarray, shape (3,)
        Factor of a layer at the fixed point.
    networks : int
    """

    accuracy: Real
    gradient: Real
    gradient_error: Real
    theory: Real
    chi_1: Real
    networks: int


def handwritten() -> tuple[Real, NDArray[np.int64]]:
    """Return the 1797 images of 8 × 8, each with mean square 1 after centring every pixel, shuffled."""
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    images = images - images.mean(axis=0)
    images /= np.sqrt(np.mean(images * images, axis=1, keepdims=True))
    order = np.random.default_rng(SEED).permutation(len(digits))
    return images[order], digits[order]


def _start(sigma_w2: float, rng: np.random.Generator) -> tuple[list[Real], list[Real]]:
    sizes = [64, *[WIDTH] * HIDDEN, CLASSES]
    pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
    weights = [rng.standard_normal(shape) * np.sqrt(sigma_w2 / shape[1]) for shape in pairs]
    return weights, [np.zeros(shape[0]) for shape in pairs]


def _forward(x: Real, weights: list[Real], biases: list[Real]) -> list[Real]:
    """Return the input, the outputs of all hidden layers, and the logits."""
    layers = [x]
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        layers.append(1 / (1 + np.exp(-(layers[-1] @ w.T + b))))
    return [*layers, layers[-1] @ weights[-1].T + biases[-1]]


def _backward(layers: list[Real], weights: list[Real], digits: Any) -> list[Real]:
    """Return ∂loss/∂y of every layer for the cross-entropy of each image."""
    logits = layers[-1] - layers[-1].max(axis=1, keepdims=True)
    error = np.exp(logits)
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(digits)), digits] -= 1
    deltas = [error]
    for w, x in zip(weights[:0:-1], layers[-2:0:-1], strict=True):
        deltas.append((deltas[-1] @ w) * x * (1 - x))
    return deltas[::-1]


def _train(sigma_w2: float, epochs: int, seed: int, images: Real, digits: Any) -> list[float]:
    rng = np.random.default_rng([SEED, seed])  # the same normal numbers for each variance
    weights, biases = _start(sigma_w2, rng)
    parameters = weights + biases
    speeds = [np.zeros_like(p) for p in parameters]
    accuracies = []
    for epoch in range(epochs + 1):
        guess = _forward(images[TRAINING:], weights, biases)[-1].argmax(axis=1)
        accuracies.append(float(np.mean(guess == digits[TRAINING:])))
        if epoch == epochs:
            return accuracies
        order = rng.permutation(TRAINING)
        for batch in np.split(order, TRAINING // BATCH):
            layers = _forward(images[batch], weights, biases)
            deltas = _backward(layers, weights, digits[batch])
            slopes = [d.T @ x for d, x in zip(deltas, layers, strict=False)] + [d.sum(axis=0) for d in deltas]
            for parameter, speed, slope in zip(parameters, speeds, slopes, strict=True):
                speed *= MOMENTUM
                speed -= RATE / BATCH * slope
                parameter += speed
    return accuracies


def _theory(sigma_w2: float) -> tuple[Real, float]:
    """Return the gradients' decay through the layers for |x₀|² = N, and χ₁ at the fixed point."""
    from initmath.quadrature import expectation

    def sigmoid(y: Real) -> Real:
        return 1 / (1 + np.exp(-y))

    q, slopes = sigma_w2, []
    for _ in range(60):
        slopes.append(float(expectation(lambda y: (sigmoid(y) * sigmoid(-y)) ** 2, [q]).value[0]))
        q = sigma_w2 * float(expectation(lambda y: sigmoid(y) ** 2, [q]).value[0])
    # δ_l = (Wᵀ δ_{l+1}) g'(y_l): E δ_l² = σ_w² E g'(y_l)² E δ_{l+1}²
    decay = np.cumsum(np.log10(sigma_w2 * np.array(slopes[: HIDDEN - 1]))[::-1])[::-1]
    return np.append(decay, 0.0), sigma_w2 * slopes[-1]


def data(quick: bool = False) -> Data:
    """Train each start several times; measure the gradients of fresh networks."""
    epochs, seeds, networks = (6, 1, 100) if quick else (40, 5, 100)
    images, digits = handwritten()
    accuracy = [[_train(s, epochs, seed, images, digits) for seed in range(seeds)] for s in SIGMA_W2]
    gradient = np.empty((3, networks, HIDDEN))
    for case, sigma_w2 in enumerate(SIGMA_W2):
        for network in range(networks):
            weights, biases = _start(sigma_w2, np.random.default_rng([SEED, 1, network]))
            layers = _forward(images[:200], weights, biases)
            deltas = _backward(layers, weights, digits[:200])[:HIDDEN]
            squares = np.array([np.mean(d * d) for d in deltas])
            gradient[case, network] = np.log10(squares / squares[-1])
    found = [_theory(s) for s in SIGMA_W2]
    return Data(
        np.array(accuracy), gradient.mean(axis=1), gradient.std(axis=1, ddof=1) / np.sqrt(networks),
        np.array([decay for decay, _ in found]), np.array([chi for _, chi in found]), networks,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw the accuracy by epoch, and the gradients by layer before training."""
    figure, axes = panels(1, 2, height=3.0)
    epochs, layers = np.arange(found.accuracy.shape[2]), np.arange(1, HIDDEN + 1)
    for case, (colour, marker) in enumerate(((VERMILION, "s"), (GREEN, "^"), (BLUE, "o"))):
        for row in found.accuracy[case]:
            axes[0].plot(epochs, row, color=colour, lw=0.6, alpha=0.5)
        axes[0].plot(epochs, np.median(found.accuracy[case], axis=0), color=colour, lw=2)
        axes[1].plot(layers, 10.0 ** found.theory[case], color=colour, label=NAMES[case])
        axes[1].plot(layers, 10.0 ** found.gradient[case], marker, ms=4, mfc="none", color=colour)
    axes[0].set(xlabel="epoch", ylabel="accuracy, digits held out", ylim=(0, 1.02), xlim=(0, epochs[-1]))
    axes[1].set(yscale="log", xlabel=r"hidden layer $\ell$", ylabel="squared gradient (last = 1)")
    axes[1].set_xticks(layers)
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, title=r"$N v^2$")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    last = np.median(found.accuracy[:, :, -1], axis=1)
    rows = [f"{100 * a:.0f} % from N v² = {s:g}" for a, s in zip(last, SIGMA_W2, strict=True)]
    chis = ", ".join(f"{c:.4f}" for c in found.chi_1)
    return (
        f"A network of {HIDDEN} hidden sigmoid layers of width {WIDTH}, trained on 1400 images of "
        "handwritten "
        f"digits at one learning rate ({RATE}), momentum {MOMENTUM}. (a) Accuracy on the other {HELD_OUT} "
        "after each "
        f"epoch, {counted(found.accuracy.shape[1], 'run')}; after {found.accuracy.shape[2] - 1} epochs in "
        f"the median {rows[0]} (Xavier's start stalls, as in the paper), {rows[1]} (the scale that the code "
        f"of the paper's figure has) and {rows[2]} (eq. 19). (b) Mean square of the gradient by the "
        "pre-activations of a hidden layer, over that of the last, before training: theory (lines) and "
        f"{found.networks} networks (geometric means). A layer passes on χ₁ = {chis} of it: even the "
        "derived "
        "variance, which converges, loses most of the gradient in a layer, and it does not have Var x = 1."
    )


def check(found: Data) -> None:
    """Assert that Xavier stalls and eq. (19) learns, and the gradients against theory."""
    last = found.accuracy[:, :, -1]
    assert np.all(last[0] < CHANCE) and np.all(last[2] > 0.85), last
    np.testing.assert_allclose(found.chi_1, [0.0557207067697, 0.159063399486, 0.353809853879638], rtol=1e-8)
    xavier, *others = np.median(last, axis=1)
    assert all(xavier < 0.5 * other for other in others), last
    right = found.accuracy * HELD_OUT  # an accuracy is a share of the images held out
    assert np.abs(right - np.round(right)).max() < 1e-9 and np.all((right >= 0) & (right <= HELD_OUT))

    def sigmoid(y: Real) -> Real:
        return np.asarray(1 / (1 + np.exp(-y)))

    def steep(y: Real) -> Real:
        return np.asarray((sigmoid(y) * sigmoid(-y)) ** 2)

    for sigma_w2, theory in zip(SIGMA_W2, found.theory, strict=True):
        q, factors = [sigma_w2], []
        for _ in range(HIDDEN - 1):
            factors.append(sigma_w2 * normal_mean(steep, q[-1]))
            q.append(float(length(sigmoid, sigma_w2, 0.0)(q[-1])))
        np.testing.assert_allclose(-np.diff(theory), np.log10(factors), atol=1e-9)
    # the mean of a logarithm is lower, by half of the variance between networks, O(L/N); never higher
    off = found.gradient - found.theory
    lower = 2.5 / np.log(10) * np.arange(HIDDEN)[::-1] / WIDTH
    assert np.all(off <= 5 * found.gradient_error), off
    assert np.all(off >= -5 * found.gradient_error - lower), off
