"""Mean field in depth: fixed points of length and correlation, depth scales, the edge of chaos.

`phases` collects what is known at one (σ_w², σ_b²): `length_map` finds every q* between two proven `ends`,
`correlation` finds c* from certified `hermite` coefficients, `scales` turns slopes into depth scales.
"""
