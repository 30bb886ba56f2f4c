"""The ways in which a question can fail, each with the exit code of the command line."""

from __future__ import annotations

__all__ = ["Disagreement", "Divergent", "InitmathError", "InputError", "NotEnclosed"]


class InitmathError(Exception):
    """Base of every error that initmath raises on purpose."""


class InputError(InitmathError, ValueError):
    """The input is wrong; the message is one line: what is wrong, and what would be right (exit 2)."""


class Divergent(InputError):
    """A Gaussian integral does not exist at this pre-activation variance."""


class NotEnclosed(InitmathError):
    """No certified enclosure was reached; the message is the reason (never an answer by itself)."""


class Disagreement(InitmathError):
    """Two routes to the same number contradict each other: an error, never an answer (exit 3)."""
