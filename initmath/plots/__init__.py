"""Pictures of answers, in one style."""

from initmath.plots.style import check_name, save
from initmath.plots.verification import verification_figure

__all__ = ["check_name", "save", "verification_figure"]
