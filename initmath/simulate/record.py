"""What is kept of a layer: a few numbers for each network, whatever N."""

from __future__ import annotations

from typing import Any

import numpy as np

from initmath.errors import InputError
from initmath.simulate.experiment import Experiment
from initmath.simulate.frame import Array, gram, inner

__all__ = ["Record", "shapes"]

ALL = slice(None)
_EACH = ("mean_y", "second_y", "mean_x", "second_x", "fourth_x")
_INPUT = ("input_mean", "input_fourth")
_PAIR = ("gram_y", "distance_y", "gram_x")
_BACK_EACH = ("known_e", "fresh_e", "expected_delta", "variance_delta")
_BACK_PAIR = ("gram_e", "gram_delta")


def shapes(experiment: Experiment, networks: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array that an experiment gives for so many networks."""
    inputs = experiment.inputs.size
    each, pair = (networks, experiment.depth, inputs), (networks, experiment.depth, inputs, inputs)
    found: dict[str, tuple[int, ...]] = {}
    found |= dict.fromkeys(_EACH, each)
    if experiment.route == "explicit":
        found |= dict.fromkeys(_INPUT, (networks, inputs))
    if experiment.derivative or experiment.backward:
        found["slope"] = each
    if experiment.pairs:
        found |= dict.fromkeys(_PAIR, pair)
    if experiment.backward:
        found |= dict.fromkeys(_BACK_EACH, each) | dict.fromkeys(_BACK_PAIR, pair)
        found["rank"] = (networks, experiment.depth)
    return found


class Record:
    """The summary of some networks, filled layer by layer.

    Attributes
    ----------
    arrays : dict of str to ndarray
        As in `Trajectories`; the first axis counts the networks of this block.
    """

    def __init__(self, experiment: Experiment, networks: int) -> None:
        self.experiment = experiment
        self.arrays: dict[str, Array] = {k: np.zeros(s) for k, s in shapes(experiment, networks).items()}

    def put(self, where: Any, layer: int, name: str, value: Array, inputs: slice = ALL) -> None:
        """Keep a value of layer 1…L for the networks ``where`` and some inputs."""
        self.arrays[name][where, layer - 1, inputs] = value

    def inputs(self, where: Any, x: Array) -> None:
        """Moments of layer 0 that its Gram matrix does not tell, from x₀ of shape (n, B, N)."""
        square = x * x
        self.arrays["input_mean"][where] = inner(x, np.ones_like(x[0, 0])) / x.shape[-1]
        self.arrays["input_fourth"][where] = inner(square, square) / x.shape[-1]

    def forward(
        self, where: Any, layer: int, y: Array, x: Array, slope: Array | None, inputs: slice = ALL
    ) -> None:
        """Moments of a layer, from y, x = g(y) and g'(y), each of shape (n, B, N), of these inputs.

        Raises
        ------
        InputError
            If the activation left the range of the floats.
        """
        width = y.shape[-1]
        square = x * x
        ones = np.ones_like(y[0, 0])
        found = {
            "mean_y": inner(y, ones),
            "mean_x": inner(x, ones),
            "second_y": inner(y, y),
            "second_x": inner(x, x),
            "fourth_x": inner(square, square),
        }
        if not np.isfinite(found["fourth_x"]).all():
            self._overflow(layer, found["second_x"], y)
        if slope is not None:
            found["slope"] = inner(slope, slope)
            if not np.isfinite(found["slope"]).all():
                raise InputError(f"the derivative of {self._name} overflowed at layer {layer}")
        for name, sums in found.items():
            self.put(where, layer, name, sums / width, inputs)
        if self.experiment.pairs:
            self.put(where, layer, "gram_y", gram(y))
            self.put(where, layer, "gram_x", gram(x))
            self.put(where, layer, "distance_y", _distances(y))

    def _overflow(self, layer: int, second: Array, y: Array) -> None:
        largest = float(np.max(np.abs(y)))
        what = "overflowed" if not np.isnan(second).any() else "overflowed or is undefined"
        raise InputError(
            f"activation {self._name} {what} at layer {layer} (pre-activations up to {largest:.3g}): "
            "a smaller sigma_w2 or depth would keep it finite"
        )

    @property
    def _name(self) -> str:
        return self.experiment.activation.name

    def backward(
        self, where: Any, layer: int, e: Array, delta: Array, slope: Array, fresh: Array, q: Array | None
    ) -> None:
        r"""Gradient moments of a layer, and what the layers above let one expect of them.

        Given the forward pass and δ_{l+1}, e_l = Wᵀδ_{l+1} is m + n with m = QQᵀe_l known (H = W X is known
        on the span Q of the layer's x) and n ~ N(0, s²(I − QQᵀ)), s² = σ_w²|δ_{l+1}|²/N, if the weights are
        Gaussian.  So with d = g'(y_l)² the quadratic form |δ_l|² = Σ d (m + n)² has

            mean = Σ d (m² + s² (1 − P)),  P = diag QQᵀ
            variance = 4 s² (Σ d² m² − |Qᵀ(d m)|²) + 2 s⁴ (Σ d² (1 − 2P) + ‖Qᵀ diag(d) Q‖²_F).

        Parameters
        ----------
        e, delta, slope : ndarray, shape (n, B, N)
            e_l, δ_l = g'(y_l) e_l and g'(y_l).
        fresh : ndarray, shape (n, B)
            s²; 0 in the last layer.
        q : ndarray, shape (n, B, N), or None
            The frame Q; None in the last layer, where e_L = u is uniform on the sphere of radius √N.
        """
        width = e.shape[-1]
        moments = gram(delta)
        if not np.isfinite(moments).all():
            raise InputError(f"the gradient overflowed at layer {layer} on its way back")
        self.put(where, layer, "gram_e", gram(e))
        self.put(where, layer, "gram_delta", moments)
        self.put(where, layer, "fresh_e", fresh)
        steep = slope * slope
        if q is None:
            mean, square = inner(slope, slope) / width, inner(steep, steep) / width
            self.put(where, layer, "known_e", inner(e, e) / width)
            self.put(where, layer, "expected_delta", mean)
            self.put(where, layer, "variance_delta", 2 / (width + 2) * np.maximum(square - mean * mean, 0))
            return
        self.arrays["rank"][where, layer - 1] = np.count_nonzero(q.any(axis=-1), axis=1)
        spanned = np.add.reduce(q * q, axis=1)
        for a in range(e.shape[1]):
            d, s2 = steep[:, a], fresh[:, a]
            c = inner(q, e[:, a, None])
            m = np.add.reduce(c[:, :, None] * q, axis=1)
            dm = d * m
            block = np.stack([inner(q, (d * q[:, k])[:, None]) for k in range(q.shape[1])], axis=1)
            mean = inner(d, m * m) + s2 * inner(d, 1 - spanned)
            along = inner(dm, dm) - np.add.reduce(inner(q, dm[:, None]) ** 2, axis=-1)
            across = inner(d * d, 1 - 2 * spanned) + np.add.reduce(block * block, axis=(1, 2))
            here = self.arrays
            here["known_e"][where, layer - 1, a] = np.add.reduce(c * c, axis=-1) / width
            here["expected_delta"][where, layer - 1, a] = mean / width
            variance = 4 * s2 * np.maximum(along, 0) + 2 * s2 * s2 * np.maximum(across, 0)
            here["variance_delta"][where, layer - 1, a] = variance / width**2


def _distances(y: Array) -> Array:
    """(1/N) Σ (yᵃ − yᵇ)²: 1 − correlation without the cancellation of the Gram matrix."""
    n, inputs, width = y.shape
    found = np.zeros((n, inputs, inputs))
    for a in range(inputs):
        for b in range(a):
            apart = y[:, a] - y[:, b]
            found[:, a, b] = found[:, b, a] = inner(apart, apart) / width
    return found
