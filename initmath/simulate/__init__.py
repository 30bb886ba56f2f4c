"""Finite random networks, simulated: with their weights, or without, exactly the same in distribution.

A room beside the Gaussian integrals and knowing nothing of them: it draws, propagates and counts, so that
what the other rooms derive has something to be refuted by.
"""

from initmath.simulate.execution import InlineExecutor, dask_executor, run
from initmath.simulate.experiment import Experiment
from initmath.simulate.inputs import InputGram
from initmath.simulate.jacobian import jacobian
from initmath.simulate.memory import check_memory
from initmath.simulate.products import GradedProduct, log_singular_values
from initmath.simulate.spectra import SampledSpectra, sample_spectra
from initmath.simulate.trajectories import Trajectories
from initmath.simulate.weights import WEIGHTS

__all__ = [
    "WEIGHTS",
    "Experiment",
    "GradedProduct",
    "InlineExecutor",
    "InputGram",
    "SampledSpectra",
    "Trajectories",
    "check_memory",
    "dask_executor",
    "jacobian",
    "log_singular_values",
    "run",
    "sample_spectra",
]
