"""Random streams keyed by what they are for: nobody's numbers depend on who else draws, or where."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

__all__ = ["Purpose", "stream"]


class Purpose(IntEnum):
    """What a network's stream is for."""

    FORWARD = 0
    BACKWARD = 1
    INPUTS = 2
    WEIGHTS = 3
    CHECK = 4


def stream(seed: int, network: int, purpose: Purpose, layer: int = 0) -> np.random.Generator:
    """Return the generator of one network for one purpose (and one layer's weights).

    Examples
    --------
    >>> bool(stream(0, 5, Purpose.FORWARD).random() == stream(0, 5, Purpose.FORWARD).random())
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(network, int(purpose), layer))
    return np.random.Generator(np.random.SFC64(sequence))
