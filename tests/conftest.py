"""Hypothesis draws the same examples in every run, so that a red build can be reproduced."""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None, database=None)
settings.load_profile("reproducible")
