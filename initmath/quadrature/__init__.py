"""Gaussian moments in double precision, vectorised over the pre-activation variance q.

A route of its own: it knows the activation only as a NumPy function and a list of breakpoints.
"""

from initmath.quadrature._estimate import Estimate, Moments, expectation, moments

__all__ = ["Estimate", "Moments", "expectation", "moments"]
