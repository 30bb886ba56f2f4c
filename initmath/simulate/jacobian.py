"""The Jacobian of a simulated network's last pre-activations' images with respect to its input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from initmath.errors import InputError
from initmath.simulate.blas import one_thread
from initmath.simulate.experiment import Experiment
from initmath.simulate.explicit import Network
from initmath.simulate.frame import Array
from initmath.simulate.functions import values

__all__ = ["factors", "jacobian"]


def jacobian(experiment: Experiment, network: int = 0, *, of_input: int = 0, threads: bool = True) -> Array:
    r"""Return J = ∂x_L/∂x_0 = D_L W_L ⋯ D_1 W_1, D_l = diag g'(y_l), of one explicit network.

    Parameters
    ----------
    experiment : Experiment
        Its ``weights``, ``dtype`` and ``seed`` count, its ``method`` does not: a Jacobian needs the weights.
    network : int
        0 … R − 1.  The weights are those that an explicit `run` gives this network.
    of_input : int
        At which of the inputs.
    threads : bool
        Whether the linear algebra library may use its threads (then the last bits depend on how many it has).

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    InputError
        If there is no such network or input, or the activation overflowed.

    Notes
    -----
    The singular values of a product of many matrices spread over many orders of magnitude; plain singular
    value decomposition of J loses those below eps times the largest; `initmath.simulate.products`
    keeps them.

    Examples
    --------
    >>> from initmath.simulate import Experiment
    >>> experiment = Experiment("identity", width=16, depth=3, networks=1, sigma_w2=1.0, weights="orthogonal")
    >>> j = jacobian(experiment)
    >>> bool(np.allclose(j @ j.T, np.eye(16)))
    True
    """
    if not 0 <= network < experiment.networks:
        raise InputError(f"there is no network {network}: they are numbered 0 to {experiment.networks - 1}")
    if not 0 <= of_input < experiment.inputs.size:
        raise InputError(f"there is no input {of_input}: they are numbered 0 to {experiment.inputs.size - 1}")
    if threads:
        return _product(Network(experiment, network), of_input)
    with one_thread():
        return _product(Network(experiment, network), of_input)


def _product(network: Network, of_input: int) -> Array:
    found: Array | None = None
    for matrix, slope in factors(network, of_input):
        found = matrix if found is None else network.multiply(matrix, found)
        found *= slope[:, None]
    assert found is not None  # the depth is at least 1
    return found


def factors(network: Network, of_input: int = 0) -> Iterator[tuple[Array, Array]]:
    """Walk through the layers and yield W_l, shape (N, N), and the diagonal of D_l, shape (N,).

    Raises
    ------
    InputError
        If the activation overflowed.
    """
    g = network.experiment.activation
    walk = network.forward()
    for layer in range(1, network.experiment.depth + 1):
        matrix = network.weights(layer)
        with np.errstate(all="ignore"):
            y = walk.step(matrix)
            walk.x = values(g, 0, y)
            slope = values(g, 1, y[of_input])
        if not (np.isfinite(walk.x).all() and np.isfinite(slope).all()):
            raise InputError(f"activation {g.name} overflowed at layer {layer}")
        yield matrix, slope
