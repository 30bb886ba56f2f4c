"""Networks of finite width: conditional laws of a layer, and mean and spread of its averages in depth."""

from initmath.finite_width.chain import Chain, Linearised, linearised, trajectory
from initmath.finite_width.law import LayerLaw, Tangent, layer_law
from initmath.finite_width.layers import Prediction, predictions
from initmath.finite_width.pair import CorrelationPath, correlation_path
from initmath.finite_width.weights import GAUSSIAN, LAWS, WeightLaw, weight_law

__all__ = [
    "GAUSSIAN",
    "LAWS",
    "Chain",
    "CorrelationPath",
    "LayerLaw",
    "Linearised",
    "Prediction",
    "Tangent",
    "WeightLaw",
    "correlation_path",
    "layer_law",
    "linearised",
    "predictions",
    "trajectory",
    "weight_law",
]
