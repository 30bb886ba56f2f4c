"""One function a command: ``derive``, ``gain``, ``compare``, ``activations``; each returns a result that shows itself."""

from initmath.answers.comparison import compare
from initmath.answers.initialization import derive, gain
from initmath.answers.listing import activations

__all__ = ["activations", "compare", "derive", "gain"]
