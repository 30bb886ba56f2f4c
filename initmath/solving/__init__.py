"""Equations in q: every root isolated and proven, both ends of the line bounded, numbers that stay exact.

``roots`` isolates, ``tails`` and ``asymptotics`` say what happens for all small and all large q, and
``arithmetic`` combines `initmath.derivation.Number`s without losing a closed form or an error bound.
"""
