"""The Taylor route (Kumar 2017, eq. 8-12): expand at 0, to any order, and say how wrong that is."""

from initmath.taylor.gain import gain2, two_sided_slope
from initmath.taylor.moments import MeasuredSeries, MomentSeries, moment_series
from initmath.taylor.series import NotAnalytic, taylor_coefficients

__all__ = [
    "MeasuredSeries",
    "MomentSeries",
    "NotAnalytic",
    "gain2",
    "moment_series",
    "taylor_coefficients",
    "two_sided_slope",
]
