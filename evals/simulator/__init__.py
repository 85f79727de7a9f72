"""A small simulator that makes our own recorded incidents: `python -m evals.simulator`."""
