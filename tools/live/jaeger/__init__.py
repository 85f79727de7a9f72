"""Jaeger's query service."""

from tools.live.jaeger.backend import Jaeger
from tools.live.jaeger.config import JaegerConfig

__all__ = ["Jaeger", "JaegerConfig"]
