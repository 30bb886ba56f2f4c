"""Linear networks learn exactly: the time course of every mode, and gradient descent that follows it.

`mode_strength`, `unequal_strength`, `time_to_learn` and `learning_time_limit` are closed forms in ball
arithmetic; `descend` and `follow` run gradient descent on real matrices; `learning_time` counts its steps at
each depth's best learning rate.

Saxe, McClelland & Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural
networks*, 2014, arXiv:1312.6120.
"""

from initmath.dynamics.descent import Descent, Follow, aligned_start, descend, follow
from initmath.dynamics.learning_time import STARTS, LearningTime, learning_time, learning_times
from initmath.dynamics.modes import learning_time_limit, mode_strength, time_to_learn, unequal_strength

__all__ = [
    "STARTS",
    "Descent",
    "Follow",
    "LearningTime",
    "aligned_start",
    "descend",
    "follow",
    "learning_time",
    "learning_time_limit",
    "learning_times",
    "mode_strength",
    "time_to_learn",
    "unequal_strength",
]
