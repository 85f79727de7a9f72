"""Grafana Tempo."""

from tools.live.tempo.backend import Tempo
from tools.live.tempo.config import TempoConfig

__all__ = ["Tempo", "TempoConfig"]
