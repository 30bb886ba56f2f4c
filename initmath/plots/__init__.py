"""Pictures of answers, in one style."""

from initmath.plots.phase import phase_figure
from initmath.plots.style import check_name, save
from initmath.plots.verification import verification_figure

__all__ = ["check_name", "phase_figure", "save", "verification_figure"]
