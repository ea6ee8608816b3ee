"""The version of recsys. It enters the keys of runs and baselines: another version computes them anew."""

__version__ = "0.2.0"
