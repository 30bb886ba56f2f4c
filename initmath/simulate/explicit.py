"""Random networks with their weights: any law, at the speed of the matrix product.

One network and one matrix at a time: the memory is that of one matrix whatever R and L.  On the way back a
layer's weights are drawn again from their own stream.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from time import thread_time

import numpy as np
from scipy.linalg import get_blas_funcs

from initmath.simulate.experiment import Experiment
from initmath.simulate.frame import Array, inner, orthonormalise
from initmath.simulate.functions import values
from initmath.simulate.record import Record
from initmath.simulate.streams import Purpose, stream
from initmath.simulate.weights import draw

__all__ = ["Network", "simulate"]

_IN_CACHE = 1 << 18  # bytes an array


class Network:
    """One network of an experiment: its weights, biases and inputs, each from a stream of its own.

    Attributes
    ----------
    sampling, product : float
        Processor seconds spent drawing weights and multiplying by them.
    """

    def __init__(self, experiment: Experiment, number: int) -> None:
        self.experiment = experiment
        self.number = number
        self.dtype = np.dtype(experiment.dtype)
        self.sampling = 0.0
        self.product = 0.0

    def weights(self, layer: int) -> Array:
        """W_l, layer 1…L."""
        start = thread_time()
        e = self.experiment
        rng = stream(e.seed, self.number, Purpose.WEIGHTS, layer)
        matrix = draw(e.weights, e.width, e.sigma_w2, rng, self.dtype.type)
        self.sampling += thread_time() - start
        return matrix

    def inputs(self) -> Array:
        """X₀ᵀ, shape (B, N), with exactly the Gram matrix that was asked for."""
        e = self.experiment
        rng = stream(e.seed, self.number, Purpose.INPUTS)
        noise = rng.standard_normal((e.inputs.size, e.width), dtype=self.dtype.type)
        upper = (e.inputs.upper * sqrt(e.width)).astype(self.dtype)
        if 2 * e.inputs.size > e.width:
            return np.ascontiguousarray((np.linalg.qr(noise.T)[0] @ upper).T)
        # Few vectors among many dimensions are well conditioned: a Cholesky factor makes a frame of them.
        root = np.linalg.cholesky((noise @ noise.T).astype(np.float64)).astype(self.dtype)
        solve, multiply = get_blas_funcs(("trsm", "trmm"), dtype=self.dtype)
        frame = solve(1.0, root, noise.T, side=1, lower=1, trans_a=1, overwrite_b=1)
        return np.asarray(multiply(1.0, upper, frame, side=1, overwrite_b=1).T)

    def forward(self) -> Forward:
        """Begin a walk through the layers."""
        return Forward(self)

    def multiply(self, x: Array, matrix: Array, out: Array | None = None) -> Array:
        """Return x Wᵀ or x W, timed."""
        start = thread_time()
        result = np.matmul(x, matrix, out=out)
        self.product += thread_time() - start
        return np.asarray(result)


class Forward:
    """Pre-activations (B, N) layer by layer, each in the place of the last: fresh memory is slow to touch."""

    def __init__(self, network: Network) -> None:
        e = network.experiment
        self.network = network
        self.biases = stream(e.seed, network.number, Purpose.FORWARD) if e.sigma_b2 > 0 else None
        self.x = network.inputs()
        self.y = np.empty_like(self.x)

    def step(self, matrix: Array) -> Array:
        """Return y = W x + b for the current x."""
        y = self.network.multiply(self.x, matrix.T, out=self.y)
        if self.biases is not None:
            b = self.biases.standard_normal(y.shape[1], dtype=y.dtype.type)
            y += y.dtype.type(sqrt(self.network.experiment.sigma_b2)) * b
        return y


def simulate(experiment: Experiment, first: int, last: int, check: Callable[[], None]) -> dict[str, Array]:
    """Summaries of the networks first … last − 1; see `without_weights.simulate`."""
    record = Record(experiment, last - first)
    seconds = np.zeros((last - first, 2))
    for number in range(first, last):
        network = Network(experiment, number)
        with np.errstate(all="ignore"):
            _through(network, slice(number - first, number - first + 1), record, check)
        seconds[number - first] = network.sampling, network.product
    return record.arrays | {"seconds": seconds}


def _through(network: Network, where: slice, record: Record, check: Callable[[], None]) -> None:
    experiment = network.experiment
    g = experiment.activation
    slopes = experiment.derivative or experiment.backward
    kept: list[Array] = []
    portions = _portions(experiment)
    walk = network.forward()
    record.inputs(where, walk.x[None])
    for layer in range(1, experiment.depth + 1):
        check()
        y = walk.step(network.weights(layer))
        for some in portions:
            x = walk.x[some]
            x[...] = values(g, 0, y[some])
            slope = values(g, 1, y[some])[None] if slopes else None
            record.forward(where, layer, y[None, some], x[None], slope, some)
        if experiment.backward:
            kept.append(y.copy())
    if experiment.backward:
        _back(network, where, record, kept, check)


def _portions(experiment: Experiment) -> list[slice]:
    """Split the inputs so that what is done neuron by neuron stays in the cache."""
    inputs = experiment.inputs.size
    size = (
        inputs
        if experiment.pairs
        else max(1, _IN_CACHE // (experiment.width * np.dtype(experiment.dtype).itemsize))
    )
    return [slice(start, min(start + size, inputs)) for start in range(0, inputs, size)]


def _back(
    network: Network, where: slice, record: Record, kept: list[Array], check: Callable[[], None]
) -> None:
    experiment, width = network.experiment, network.experiment.width
    rng = stream(experiment.seed, network.number, Purpose.BACKWARD)
    u = rng.standard_normal(width, dtype=network.dtype.type)
    u *= np.sqrt(width / inner(u, u)).astype(u.dtype)
    e = np.repeat(u[None], experiment.inputs.size, axis=0)
    fresh, q = np.zeros((1, experiment.inputs.size), e.dtype), None
    for layer in range(experiment.depth, 0, -1):
        check()
        y = kept.pop()
        slope = values(experiment.activation, 1, y)
        delta = slope * e
        record.backward(where, layer, e[None], delta[None], slope[None], fresh, q)
        if layer == 1:
            return
        q = orthonormalise(values(experiment.activation, 0, kept[-1])[None])[0]
        fresh = experiment.sigma_w2 * inner(delta, delta)[None] / width
        e = network.multiply(delta, network.weights(layer))
