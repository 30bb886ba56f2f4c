"""Activations: the catalogue, safe parsing, tracing of callables, and what their expressions tell."""

from initmath.activation.catalogue import Default, Entry, catalogue
from initmath.activation.core import Activation, Parameter
from initmath.activation.parser import parse
from initmath.activation.resolve import resolve

__all__ = ["Activation", "Default", "Entry", "Parameter", "catalogue", "parse", "resolve"]
