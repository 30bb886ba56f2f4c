"""Where a phase's name is written."""

import numpy as np
from scipy.ndimage import distance_transform_cdt

from initmath.plots.phase import _middle


def test_the_name_stands_farthest_from_the_end_of_its_region():
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:60, :50]
    for _ in range(60):
        a, b, top, left = *rng.uniform(20, 900, 2), *rng.uniform(0, 50, 2)
        where = (rows - top) ** 2 / a + (columns - left) ** 2 / b < 1
        where &= rng.random(where.shape) < 0.98
        if not where.any():
            continue
        room = distance_transform_cdt(np.pad(where, 1), metric="chessboard")[1:-1, 1:-1]
        assert room[_middle(where)] == room.max()
