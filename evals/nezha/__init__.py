"""Nezha's recorded faults (MIT): metrics, logs and traces of two shops, one folder per day."""

from evals.nezha.suite import SUITE

__all__ = ["SUITE"]
