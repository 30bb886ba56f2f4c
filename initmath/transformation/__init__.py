"""Scale and shift an activation, at its input and its output, until chosen conditions hold."""
