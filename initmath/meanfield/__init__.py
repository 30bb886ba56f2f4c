"""Mean field in depth: fixed points of the length and the correlation map, depth scales, the edge of chaos."""
